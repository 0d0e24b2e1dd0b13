// What all ways of probing share: the port they mean, opening a connection, and how its failure reads.

import { connect } from 'node:net';
import type { Container } from '../../api/core/containers.ts';

export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** The number of a port given by number or by name. Throws when the container has no port so named. */
export function probePort(port: string | number, container: Container): number {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  const named = container.ports?.find((each) => each.name === port);
  if (named === undefined) throw new Error(`couldn't find port: ${JSON.stringify(port)}`);
  return named.containerPort;
}

/** Resolves when a connection could be opened (and closes it at once); rejects when not. */
export function openTcp(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => reject(dialError(error, host, port)));
  });
}

/** An error of a request; where there was no connection at all, that and the address it was for. */
export function dialError(error: Error, host: string, port: number): Error {
  // A request of HTTP/2 that waits for its connection hears only that it was cancelled, and why.
  const cause = (error.cause instanceof Error ? error.cause : error) as NodeJS.ErrnoException;
  const { code, syscall } = cause;
  if (syscall !== 'connect') return error;
  const what = code === 'ECONNREFUSED' ? 'connection refused' : (code ?? error.message);
  return new Error(`dial tcp ${host}:${port}: ${what}`, { cause });
}
