// Two sockets that are to be one connection.
//
// Not hot: bytes are passed on by Node.js.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';

/**
 * Passes bytes both ways until both halves have ended; a broken side breaks the other. `onBytes` is told
 * who has said something.
 */
export function splice(
  client: Socket,
  upstream: Socket,
  onBytes?: (fromClient: boolean) => void,
): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on('error', () => breakOff(to));
    from.on('close', () => to.destroySoon());
    if (onBytes !== undefined) from.on('data', () => onBytes(from === client));
    from.pipe(to);
  }
}

/** Ends a spliced connection over which nothing has gone, either way, for as long as it may. */
export function closeWhenIdle(
  client: Socket,
  { limits, counters }: { readonly limits: Limits; readonly counters: Counters },
): void {
  if (limits.relayIdleTimeoutMs === 0) return;
  // What is written to the client counts as well as what comes from it.
  client.setTimeout(limits.relayIdleTimeoutMs, () => {
    counters.relayTimeouts++;
    client.destroy();
  });
}

/** A reset, as a client gets from a port nobody listens on; TLS cannot send one. */
export function breakOff(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else if (!socket.destroyed) socket.resetAndDestroy();
}
