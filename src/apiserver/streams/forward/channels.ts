// Port-forward in channels over a WebSocket: for the i-th port of the query, 2i carries data and 2i+1
// errors, and each begins with the port as two bytes, the lower one first. One connection for each port.

import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { StreamLimits } from '../limits.ts';
import { flushed } from '../wait.ts';
import { ChannelSocket } from '../websocket/channels.ts';
import { dial, splice } from './dial.ts';
import type { ForwardTarget } from './dial.ts';

export interface ForwardChannels {
  readonly base64: boolean;
  readonly target: ForwardTarget;
  readonly ports: readonly number[];
  readonly limits: StreamLimits;
}

/** Serves until every connection has ended or the client goes. Never rejects. */
export async function forwardChannels(
  socket: WebSocket,
  { base64, target, ports, limits }: ForwardChannels,
): Promise<void> {
  const channels = new ChannelSocket(socket, { base64, closes: false, limits });
  const forwards = ports.map(async (port, i) => {
    const readable = channels.readable(2 * i);
    const writable = channels.writable(2 * i);
    const error = channels.writable(2 * i + 1);
    const first = Buffer.from([port & 0xff, port >> 8]);
    writable.write(first);
    error.write(first);
    let fault: string | undefined;
    try {
      const pod = await dial(target, port, limits.connectMs);
      fault = await splice(Duplex.from({ readable, writable }), pod, channels.gone);
    } catch (failure) {
      fault = failure instanceof Error ? failure.message : String(failure);
    }
    readable.resume();
    if (fault !== undefined && error.writable) error.write(fault);
    await Promise.all([flushed(writable, channels.gone), flushed(error, channels.gone)]);
  });
  await Promise.all(forwards);
  channels.close();
}
