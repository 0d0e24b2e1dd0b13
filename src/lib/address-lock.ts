// A lock that the system gives up when its holder dies, whatever kills it: a listening port. Held by
// whoever listens, visible to every user of the machine, and of exactly the scope of what it guards,
// which is loopback addresses.

import { createServer } from 'node:net';
import type { Server } from 'node:net';

/** The port of a kubelet, which is what holds the addresses of pods elsewhere. */
export const LOCK_PORT = 10250;

export interface AddressLock {
  release(): void;
}

/** Takes the lock on an address; undefined when somebody else has it. Throws when it cannot be had at all. */
export function lockAddress(address: string): Promise<AddressLock | undefined> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ host: address, port: LOCK_PORT, exclusive: true }, () => {
      server.unref();
      resolve({ release: () => void server.close() });
    });
  });
}
