// A TCP connection to a port of a pod, and the text that tells a client why there is none.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { drained } from '../wait.ts';

/** Whose ports are forwarded. */
export interface ForwardTarget {
  /** The pod's address. */
  readonly address: string;
  /** For messages, as `default/web`. */
  readonly name: string;
}

/** Why a connection could not be made; the message is for the user. */
export class ForwardError extends Error {}

/** Connects. Rejects with a ForwardError. */
export function dial(target: ForwardTarget, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.address, port, allowHalfOpen: true });
    const fail = (why: string): void => {
      clearTimeout(late);
      socket.destroy();
      reject(new ForwardError(forwardFailure(target, port, why)));
    };
    const late = setTimeout(() => fail('connection timed out'), timeoutMs);
    socket.once('error', (error) => fail(reasonOf(error)));
    socket.once('connect', () => {
      clearTimeout(late);
      socket.removeAllListeners('error');
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function forwardFailure(target: ForwardTarget, port: number, why: string): string {
  return `error forwarding port ${port} to pod ${target.name}: dial tcp ${target.address}:${port}: ${why}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is the program of the pod listening on this address?',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
};

function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ''] ?? error.message;
}

/**
 * Copies both ways until both have ended, or one has broken off. Resolves with the fault that ended it
 * early, if there was one. Never rejects.
 */
export async function splice(
  client: Duplex,
  pod: Socket,
  gone: AbortSignal,
): Promise<string | undefined> {
  let fault: string | undefined;
  pod.on('error', (error: Error) => (fault = error.message));
  const cut = (): void => {
    pod.destroy();
    client.destroy();
  };
  gone.addEventListener('abort', cut, { once: true });
  if (gone.aborted) cut();
  // The client has taken its stream back: the pod need not go on.
  client.once('close', () => {
    if (!client.readableEnded) pod.destroy();
  });
  await Promise.all([copy(client, pod, gone), copy(pod, client, gone)]);
  gone.removeEventListener('abort', cut);
  pod.destroy();
  return fault;
}

async function copy(from: Duplex, to: Writable, gone: AbortSignal): Promise<void> {
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      if (to.destroyed || to.writableEnded) break;
      if (!to.write(chunk)) await drained(to, gone);
    }
  } catch {
    // It broke off; the fault is noted where it happened.
  }
  if (!to.destroyed) to.end();
  // What comes now is for nobody.
  if (!from.destroyed) from.resume();
}
