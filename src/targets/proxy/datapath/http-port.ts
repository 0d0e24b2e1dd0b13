// A listening port whose connections carry requests, with TLS or without.
//
// Not hot: once for each connection and each change of programs.

import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { joinHostPort } from '../../../lib/cidr.ts';
import type { Binding } from '../messages.ts';
import type { SocketProgram } from '../program.ts';
import { acceptHttp, acceptHttps, handOverAll } from './accept.ts';
import type { Acceptor, ServerConnection } from './accept.ts';
import type { Entry } from './dispatch.ts';
import { HostIndex } from './hosts.ts';
import { listenTcp } from './listen.ts';
import type { Port, PortContext } from './ports.ts';
import { ProxiedClients } from './proxied.ts';
import type { State } from './state.ts';
import { TlsEnd } from './tls-end.ts';

export class HttpPort implements Port {
  readonly #entry: Entry;
  readonly #acceptor: Acceptor;
  readonly #open = new Set<ServerConnection>();
  readonly #tls: TlsEnd | null;
  readonly #server: Server;

  constructor(socket: SocketProgram, { worker, clock }: PortContext) {
    const isTls = socket.protocol === 'https';
    this.#entry = newEntry(socket, isTls ? 'https' : 'http');
    const { clientAddress, tlsMinVersion } = socket.settings ?? {};
    const { handshakeTimeoutMs } = worker.limits;
    const proxied = ProxiedClients.of(clientAddress, clock, handshakeTimeoutMs);
    const acceptor: Acceptor = {
      worker,
      entry: this.#entry,
      clock,
      open: this.#open,
      ...(proxied === undefined ? {} : { proxied }),
    };
    this.#acceptor = acceptor;
    this.#tls = isTls
      ? new TlsEnd({
          name: socket.id,
          validation: socket.clientValidation,
          handshakeTimeoutMs,
          ...(proxied === undefined ? { door: worker.admission.listener() } : {}),
          ...(tlsMinVersion === undefined ? {} : { minVersion: tlsMinVersion }),
          onSecure: (secure) => acceptHttps(acceptor, secure),
        })
      : null;
    this.#server = serverFor(acceptor, this.#tls);
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

  handOver(): void {
    this.#server.close();
    handOverAll(this.#acceptor);
  }

  relieve(): void {
    for (const connection of this.#open) connection.drain();
  }
}

export function newEntry(socket: SocketProgram, scheme: Entry['scheme']): Entry {
  const { clientAddress } = socket.settings ?? {};
  return {
    port: socket.port,
    scheme,
    authority: '',
    listeners: new HostIndex(),
    ports: new Map(),
    identity: null,
    conduct: null,
    ...(clientAddress?.from === 'xForwardedFor' ? { trustedProxies: clientAddress.trusted } : {}),
  };
}

export function updateEntry(
  entry: Entry,
  socket: SocketProgram,
  binding: Binding,
  state: State,
): void {
  entry.listeners = state.listeners(socket);
  const standardPort = entry.scheme === 'https' ? 443 : 80;
  entry.authority =
    binding.port === standardPort ? binding.address : joinHostPort(binding.address, binding.port);
  entry.ports = new Map(binding.ports);
  entry.identity = state.identity(socket);
  entry.conduct = state.conduct(socket);
}

function serverFor(acceptor: Acceptor, tls: TlsEnd | null): Server {
  const { proxied } = acceptor;
  if (tls !== null && proxied === undefined) return tls.server;
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  const door = acceptor.worker.admission.listener();
  return server.on('connection', (accepted) => {
    const onGone = door.admit(accepted);
    if (onGone === null) return;
    if (proxied === undefined) {
      acceptHttp(acceptor, accepted, onGone);
      return;
    }
    accepted.on('close', onGone);
    proxied.take(accepted, (socket) => {
      if (tls === null) acceptHttp(acceptor, socket, ignore);
      else tls.server.emit('connection', socket);
    });
  });
}

function ignore(): void {
  // Whoever waits for the end of the connection waits for its event.
}
