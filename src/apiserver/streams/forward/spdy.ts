// Port-forward over SPDY: for each TCP connection the client opens an error stream and a data stream,
// with the same headers `port` and `requestID`. What goes wrong is text on the error stream.

import type { Duplex } from 'node:stream';
import type { StreamLimits } from '../limits.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import { RESET } from '../spdy/frames.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { discard } from '../wait.ts';
import { dial, splice } from './dial.ts';
import type { ForwardTarget } from './dial.ts';
import { parsePort } from './ports.ts';

interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
  readonly late: NodeJS.Timeout;
}

/** Serves a SPDY connection until it has ended. Never rejects. */
export async function forwardStreams(
  transport: Duplex,
  head: Buffer,
  target: ForwardTarget,
  limits: StreamLimits,
): Promise<void> {
  const pairs = new Map<string, Pair>();
  const ended = Promise.withResolvers<void>();
  const connection: SpdyConnection = new SpdyConnection({
    transport,
    head,
    limits,
    onStream: (stream) => {
      const type = stream.headers.get('streamtype');
      const port = parsePort(stream.headers.get('port') ?? '');
      const id = requestOf(stream);
      const known = pairs.get(id);
      if (
        port === undefined ||
        (type !== 'error' && type !== 'data') ||
        known?.[type] !== undefined
      ) {
        stream.reset(RESET.protocolError);
        return;
      }
      const pair = known ?? newPair(pairs, id, limits.streamCreationMs);
      pair[type] = stream;
      stream.once('close', () => abandon(pairs, id, pair));
      stream.reply();
      const { error, data } = pair;
      if (error === undefined || data === undefined) return;
      clearTimeout(pair.late);
      pairs.delete(id);
      void forward(error, data, port);
    },
  });
  const forward = async (error: SpdyStream, data: SpdyStream, port: number): Promise<void> => {
    discard(error);
    let fault: string | undefined;
    try {
      const pod = await dial(target, port, limits.connectMs);
      fault = await splice(data, pod, connection.gone);
    } catch (failure) {
      fault = failure instanceof Error ? failure.message : String(failure);
    }
    if (fault !== undefined && error.writable) error.write(fault);
    if (!error.destroyed) error.end();
    if (!data.destroyed) {
      data.end();
      data.resume();
    }
  };
  connection.gone.addEventListener('abort', () => ended.resolve(), { once: true });
  if (connection.gone.aborted) ended.resolve();
  await ended.promise;
}

/** Streams of clients that name no request belong together by their numbers: error n, data n + 2. */
function requestOf(stream: SpdyStream): string {
  const id = stream.headers.get('requestid');
  if (id !== undefined && id !== '') return id;
  return `#${stream.headers.get('streamtype') === 'data' ? stream.id - 2 : stream.id}`;
}

function newPair(pairs: Map<string, Pair>, id: string, patienceMs: number): Pair {
  const late = setTimeout(() => abandon(pairs, id, pair), patienceMs).unref();
  const pair: Pair = { late };
  pairs.set(id, pair);
  return pair;
}

/** Gives up a pair of which one half never came, or went before the other came. */
function abandon(pairs: Map<string, Pair>, id: string, pair: Pair): void {
  if (pairs.get(id) !== pair) return;
  pairs.delete(id);
  clearTimeout(pair.late);
  pair.error?.reset();
  pair.data?.reset();
}
