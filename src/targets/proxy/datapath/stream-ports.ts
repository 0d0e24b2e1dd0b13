// Listening ports whose connections, or datagrams, are handed on whole: TCP, UDP, and TLS, where the
// server name that a client asks for says which listener it belongs to.
//
// Not hot: once for each connection and each change of programs.

import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { normalizeHost } from '../../../lib/hostname.ts';
import type { Binding } from '../messages.ts';
import type { SocketProgram } from '../program.ts';
import { acceptHttps, handOverAll } from './accept.ts';
import type { Acceptor, ServerConnection } from './accept.ts';
import type { Forward } from './action.ts';
import type { Door } from './admission.ts';
import type { Backend } from './backend.ts';
import type { Certificate } from './certificates.ts';
import type { Clock } from './clock.ts';
import { chooseBackend, relayConnection } from './connection-relay.ts';
import type { ConnectionListener, RelayContext } from './connection-relay.ts';
import type { Entry, Worker } from './dispatch.ts';
import { HostIndex } from './hosts.ts';
import { newEntry, updateEntry } from './http-port.ts';
import { listenTcp, PORTS_ARE_SHARED } from './listen.ts';
import { peekServerName } from './peek.ts';
import type { Port, PortContext } from './ports.ts';
import { ProxiedClients } from './proxied.ts';
import { breakOff } from './splice.ts';
import type { State } from './state.ts';
import { TlsEnd } from './tls-end.ts';
import { UdpFlows } from './udp-flows.ts';

/** Gives connections that were let in, paused, and without the header of a proxy in front. */
function createPausedServer(
  door: Door,
  proxied: ProxiedClients | undefined,
  onConnection: (socket: Socket) => void,
): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  return server.on('connection', (socket) => {
    const onGone = door.admit(socket);
    if (onGone === null) return;
    socket.on('close', onGone);
    if (proxied === undefined) onConnection(socket);
    else proxied.take(socket, onConnection);
  });
}

function proxiedOf(
  { settings }: SocketProgram,
  { limits }: Worker,
  clock: Clock,
): ProxiedClients | undefined {
  return ProxiedClients.of(settings?.clientAddress, clock, limits.handshakeTimeoutMs);
}

/** Where everything on a TCP or UDP port goes: it has one listener, for all hosts. */
function onlyForward(listeners: HostIndex<ConnectionListener>): Forward | undefined {
  return listeners.find('')?.stream?.hosts.find('');
}

export class TcpPort implements Port {
  readonly #server: Server;
  #listeners = new HostIndex<ConnectionListener>();
  #identity: Certificate | null = null;

  constructor(socket: SocketProgram, { worker, clock }: PortContext) {
    const door = worker.admission.listener();
    this.#server = createPausedServer(door, proxiedOf(socket, worker, clock), (client) => {
      const backend = chooseBackend(onlyForward(this.#listeners));
      if (backend === null) breakOff(client);
      else relayConnection(client, backend, { ...worker, identity: this.#identity });
    });
  }

  listen(binding: Binding): Promise<void> {
    return listenTcp(this.#server, binding);
  }

  update(socket: SocketProgram, _binding: Binding, state: State): void {
    this.#listeners = state.connectionListeners(socket);
    this.#identity = state.identity(socket);
  }

  /** Connections there are go on until they end by themselves. */
  close(): void {
    this.#server.close();
  }

  handOver(): void {
    this.close();
  }

  relieve(): void {
    // What they carry is not ours to judge.
  }
}

export class UdpPort implements Port {
  readonly #flows: UdpFlows;
  #listeners = new HostIndex<ConnectionListener>();

  constructor({ address, port }: Binding, { worker, clock }: PortContext) {
    this.#flows = new UdpFlows({
      address,
      port,
      isShared: PORTS_ARE_SHARED,
      clock,
      counters: worker.counters,
      limits: worker.limits,
      choose: (client) => chooseBackend(onlyForward(this.#listeners))?.pick([], client) ?? null,
    });
  }

  listen(): Promise<void> {
    return this.#flows.listen();
  }

  update(socket: SocketProgram, _binding: Binding, state: State): void {
    this.#listeners = state.connectionListeners(socket);
    const forward = onlyForward(this.#listeners);
    this.#flows.keepOnly((end) => forward?.leadsTo(end) === true);
  }

  /** Takes no new clients; those that wait for an answer get it. */
  drain(): void {
    this.#flows.drain();
  }

  get busy(): number {
    return this.#flows.busy;
  }

  close(): void {
    this.#flows.close();
  }

  handOver(): void {
    this.drain();
  }

  relieve(): void {
    // Flows are few bytes, and bounded.
  }
}

/** TLS ends at some listeners of the port and goes through at others, each with names of its own. */
export class TlsPort implements Port {
  readonly #context: PortContext;
  readonly #server: Server;
  /** Where TLS ends of listeners that take requests, and of those that hand connections on. */
  readonly #requests: TlsEnd;
  readonly #connections: TlsEnd;
  readonly #entry: Entry;
  readonly #acceptor: Acceptor;
  readonly #open = new Set<ServerConnection>();
  /** Connections whose handshake is under way here, by the client's address, and where they will go. */
  readonly #chosen = new Map<string, Backend>();
  #listeners = new HostIndex<ConnectionListener>();

  constructor(socket: SocketProgram, context: PortContext) {
    this.#context = context;
    this.#entry = newEntry(socket, 'https');
    const { worker, clock } = context;
    const proxied = proxiedOf(socket, worker, clock);
    const shared = { worker, entry: this.#entry, clock, open: this.#open };
    this.#acceptor = proxied === undefined ? shared : { ...shared, proxied };
    const door = worker.admission.listener();
    this.#server = createPausedServer(door, proxied, (client) => this.#accept(client));
    const { handshakeTimeoutMs } = worker.limits;
    const { tlsMinVersion: minVersion } = socket.settings ?? {};
    const common = {
      name: socket.id,
      handshakeTimeoutMs,
      ...(minVersion === undefined ? {} : { minVersion }),
    };
    this.#requests = new TlsEnd({
      ...common,
      validation: socket.clientValidation,
      onSecure: (secure) => acceptHttps(this.#acceptor, secure),
    });
    this.#connections = new TlsEnd({
      ...common,
      validation: null,
      onSecure: (secure) => this.#handOn(secure),
    });
  }

  listen(binding: Binding): Promise<void> {
    return listenTcp(this.#server, binding);
  }

  update(socket: SocketProgram, binding: Binding, state: State): void {
    this.#listeners = state.connectionListeners(socket);
    updateEntry(this.#entry, socket, binding, state);
    const certificates = state.certificates(socket);
    this.#requests.update(certificates);
    this.#connections.update(certificates);
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

  #accept(client: Socket): void {
    const { worker, clock } = this.#context;
    client.on('error', () => client.destroy());
    peekServerName(client, {
      clock,
      timeoutMs: worker.limits.handshakeTimeoutMs,
      onServerName: (serverName) => this.#route(client, normalizeHost(serverName)),
      onRefused: () => breakOff(client),
    });
  }

  /** Connections that nobody takes are broken off before there is anything to decrypt. */
  #route(client: Socket, host: string): void {
    const listener = this.#listeners.find(host);
    if (listener === undefined) {
      breakOff(client);
      return;
    }
    if (listener.stream === null) {
      this.#requests.server.emit('connection', client);
      return;
    }
    const backend = chooseBackend(listener.stream.hosts.find(host));
    if (backend === null) breakOff(client);
    else if (listener.stream.mode === 'passthrough') {
      relayConnection(client, backend, this.#relayContext);
    } else {
      const key = peerOf(client);
      this.#chosen.set(key, backend);
      client.once('close', () => this.#chosen.delete(key));
      this.#connections.server.emit('connection', client);
    }
  }

  #handOn(secure: TLSSocket): void {
    const key = peerOf(secure);
    const backend = this.#chosen.get(key);
    this.#chosen.delete(key);
    if (backend === undefined) secure.destroy();
    else relayConnection(secure, backend, this.#relayContext);
  }

  get #relayContext(): RelayContext {
    return { ...this.#context.worker, identity: this.#entry.identity };
  }
}

/** One address has one connection to a port at a time. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}
