// The first port a process may listen on without a privilege: 1024, or what the system is set to; and
// where ports below it are served instead.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** What is added to the number of a port that cannot be opened. */
const MOVED_BY = 8000;
const PORT_MAX = 65_535;

/**
 * The ports of one address as they are served, by the port asked for: those below `firstOpen` 8000
 * higher, or as much again where another port of the address already has that number. One that fits
 * nowhere stays where it is.
 */
export function servedPorts(
  asked: readonly number[],
  firstOpen: number,
): ReadonlyMap<number, number> {
  const taken = new Set(asked.filter((port) => port >= firstOpen));
  const served = new Map<number, number>();
  for (const port of asked.toSorted((a, b) => a - b)) {
    if (served.has(port)) continue;
    let place = port;
    if (port < firstOpen) {
      do place += MOVED_BY;
      while (place < firstOpen || taken.has(place));
      if (place > PORT_MAX) place = port;
      taken.add(place);
    }
    served.set(port, place);
  }
  return served;
}

/** 0 when every port may be opened. `address` is any local address. */
export async function firstOpenPort(address: string): Promise<number> {
  if (await mayListen(address, 1)) return 0;
  const path = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  const text = await readFile(path, 'utf8').catch(() => '');
  const number = Number.parseInt(text, 10);
  return Number.isNaN(number) ? 1024 : number;
}

/** Asking is the only way to know: root, a capability, or a namespace may each allow it. */
function mayListen(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EACCES'));
    server.listen({ host: address, port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
