// Opening a listening socket that several workers share.
//
// Not hot: once for each port.

import type { Server } from 'node:net';
import type { Binding } from '../messages.ts';

const BACKLOG = 1024;

/** Every worker listens on the same ports, and the kernel spreads connections among them. */
export const PORTS_ARE_SHARED = process.platform === 'linux';

/** Resolves when the server listens, rejects when it cannot. */
export function listenTcp(server: Server, { address, port }: Binding): Promise<void> {
  const sharing = PORTS_ARE_SHARED ? { reusePort: true } : { exclusive: true };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, backlog: BACKLOG, ...sharing }, () => {
      server.removeAllListeners('error');
      // Out of descriptors: connections wait in the backlog until some are free.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
