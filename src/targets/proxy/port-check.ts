// Whether an address can be listened on, and if not, who has it and what to do.

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { portOwner } from '../../lib/port-owner.ts';
import type { BindFailure, Transport } from './messages.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
}

/** Stands for the system's code where we stop before the system does. */
export const TOO_MANY = 'TOO_MANY';

/** Null when the address is free, else the system's code for what is wrong (EADDRINUSE, EACCES …). */
export function checkPort({ address, port, transport }: Place): Promise<string | null> {
  return transport === 'udp' ? checkUdp(address, port) : checkTcp(address, port);
}

function checkUdp(address: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code ?? error.message);
    });
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(null)));
  });
}

function checkTcp(address: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address, port, exclusive: true }, () => {
      server.close(() => resolve(null));
    });
  });
}

/** What went wrong with an address, in words. */
export async function explainFailure({
  id,
  address,
  port,
  transport,
  code,
}: BindFailure): Promise<{ message: string; hint: string }> {
  const place = `${address}:${port}`;
  switch (code) {
    case 'EADDRINUSE': {
      const owner = transport === 'tcp' ? await portOwner(address, port) : undefined;
      const who = owner === undefined ? 'another process' : `${owner.command} (pid ${owner.pid})`;
      return {
        message: `port ${place} is already taken by ${who}`,
        hint: `stop that process, or ${otherPort(id)}`,
      };
    }
    case 'EACCES':
      return {
        message: `port ${place} needs a privilege this user does not have`,
        hint: 'use a port of 1024 or above, or lower net.ipv4.ip_unprivileged_port_start',
      };
    case 'EADDRNOTAVAIL':
      return {
        message: `address ${address} is not one of this machine's`,
        hint: `on macOS, add it with: sudo ifconfig lo0 alias ${address}`,
      };
    case TOO_MANY:
      return {
        message: `no room to listen on ${place}: as many ports are open as may be`,
        hint: 'raise the limit of open files (ulimit -n), or limits.placesMax in the configuration',
      };
    default:
      return { message: `cannot listen on ${place}: ${code}`, hint: 'see the system error code' };
  }
}

/** Relays are named after a port of a Service and what it is reached by; entry points have no such name. */
function otherPort(id: string): string {
  if (!id.includes('|')) return 'give the listener another port';
  return id.includes('|nodePort|') ? 'choose another nodePort' : 'give the Service another port';
}
