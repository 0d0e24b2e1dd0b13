// A remote command over SPDY/3.1: one SPDY stream for each of its streams, named by the header
// streamType. The client opens the error stream first and waits for our reply to each.

import type { StreamLimits } from '../limits.ts';
import { acceptSpdy } from '../spdy/accept.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import { RESET } from '../spdy/frames.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import type { Status } from '../status.ts';
import type { Upgrade } from '../upgrade.ts';
import { discard, flushed } from '../wait.ts';
import { outcomeText } from './outcome.ts';
import { readSizes } from './resize.ts';
import type { CommandOptions, CommandStreams } from './streams.ts';

const V4 = 'v4.channel.k8s.io';
const V3 = 'v3.channel.k8s.io';
const V2 = 'v2.channel.k8s.io';
const V1 = 'channel.k8s.io';

export async function acceptCommandOverSpdy(
  upgrade: Upgrade,
  options: CommandOptions,
  limits: StreamLimits,
): Promise<CommandStreams | undefined> {
  const protocol = acceptSpdy(upgrade, [V4, V3, V2, V1]);
  if (protocol === undefined) return undefined;
  const resizes = options.tty && (protocol === V4 || protocol === V3);
  const wanted = ['error', ...wantedStreams(options), ...(resizes ? ['resize'] : [])];
  const { connection, streams } = await openStreams(upgrade, wanted, limits);
  const error = streams?.get('error');
  if (streams === undefined || error === undefined) {
    connection.close();
    return undefined;
  }
  const { gone } = connection;
  const [stdin, stdout, stderr] = ['stdin', 'stdout', 'stderr'].map((type) => streams.get(type));
  for (const each of [error, stdout, stderr]) if (each !== undefined) discard(each);
  return {
    stdin,
    stdout,
    stderr,
    onResize: (listener) => {
      const resize = streams.get('resize');
      if (resize !== undefined) readSizes(resize, listener);
    },
    gone,
    finish: async (outcome: Status) => {
      await Promise.all([stdout, stderr].map((each) => flushed(each, gone)));
      const text = outcomeText(outcome, protocol === V4);
      if (text !== '' && error.writable) error.write(text);
      await flushed(error, gone);
      connection.close();
    },
  };
}

function wantedStreams(options: CommandOptions): readonly string[] {
  return (['stdin', 'stdout', 'stderr'] as const).filter((type) => options[type]);
}

/** Takes the streams a client opens until all that belong together are there. */
async function openStreams(
  { socket, head }: Upgrade,
  wanted: readonly string[],
  limits: StreamLimits,
): Promise<{
  readonly connection: SpdyConnection;
  readonly streams: ReadonlyMap<string, SpdyStream> | undefined;
}> {
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<boolean>();
  const connection = new SpdyConnection({
    transport: socket,
    head,
    limits,
    onStream: (stream) => {
      const type = stream.headers.get('streamtype') ?? '';
      if (!wanted.includes(type) || streams.has(type)) {
        stream.reset(RESET.protocolError);
        return;
      }
      streams.set(type, stream);
      stream.reply();
      if (streams.size === wanted.length) complete.resolve(true);
    },
  });
  const late = setTimeout(() => complete.resolve(false), limits.streamCreationMs).unref();
  connection.gone.addEventListener('abort', () => complete.resolve(false), { once: true });
  if (connection.gone.aborted) complete.resolve(false);
  const isComplete = await complete.promise;
  clearTimeout(late);
  return { connection, streams: isComplete ? streams : undefined };
}
