// The first port a process may listen on without a privilege: 1024, or what the system is set to.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

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
