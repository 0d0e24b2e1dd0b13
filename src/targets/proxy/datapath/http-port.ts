// A listening port whose connections carry requests, with TLS or without.

import { createServer } from 'node:net';
import type { Server } from 'node:net';
import type { Binding } from '../messages.ts';
import type { SocketProgram } from '../program.ts';
import { acceptHttp, acceptHttps } from './accept.ts';
import type { Acceptor, ServerConnection } from './accept.ts';
import type { Entry } from './dispatch.ts';
import { HostIndex } from './hosts.ts';
import { listenTcp } from './listen.ts';
import type { Port, PortContext } from './ports.ts';
import type { State } from './state.ts';
import { TlsEnd } from './tls-end.ts';

export class HttpPort implements Port {
  readonly #entry: Entry;
  readonly #open = new Set<ServerConnection>();
  readonly #tls: TlsEnd | null;
  readonly #server: Server;

  constructor(socket: SocketProgram, { worker, clock }: PortContext) {
    const isTls = socket.protocol === 'https';
    this.#entry = newEntry(socket, isTls ? 'https' : 'http');
    const acceptor: Acceptor = { worker, entry: this.#entry, clock, open: this.#open };
    this.#tls = isTls
      ? new TlsEnd({
          name: socket.id,
          validation: socket.clientValidation,
          handshakeTimeoutMs: worker.limits.handshakeTimeoutMs,
          door: worker.admission.listener(),
          onSecure: (secure) => acceptHttps(acceptor, secure),
        })
      : null;
    this.#server = this.#tls?.server ?? plainServer(acceptor);
  }

  listen(binding: Binding): Promise<void> {
    return listenTcp(this.#server, binding);
  }

  update(socket: SocketProgram, binding: Binding, state: State): void {
    updateEntry(this.#entry, socket, binding, state);
    this.#tls?.update(state.certificates(socket));
  }

  close(): void {
    this.#server.close();
    this.relieve();
  }

  relieve(): void {
    for (const connection of this.#open) connection.drain();
  }
}

export function newEntry(socket: SocketProgram, scheme: Entry['scheme']): Entry {
  return {
    port: socket.port,
    scheme,
    listeners: new HostIndex(),
    ports: new Map(),
    identity: null,
    conduct: null,
  };
}

export function updateEntry(
  entry: Entry,
  socket: SocketProgram,
  binding: Binding,
  state: State,
): void {
  entry.listeners = state.listeners(socket);
  entry.ports = new Map(binding.ports);
  entry.identity = state.identity(socket);
  entry.conduct = state.conduct(socket);
}

function plainServer(acceptor: Acceptor): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  const door = acceptor.worker.admission.listener();
  server.on('connection', (socket) => {
    const onGone = door.admit(socket);
    if (onGone !== null) acceptHttp(acceptor, socket, onGone);
  });
  return server;
}
