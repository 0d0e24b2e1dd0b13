// The listening sockets of a worker: opened, given new listeners, and closed as programs come and go.
// A port that stays is never closed, and what is connected to it is never disturbed; a port that goes
// takes no new connections and lets those there are finish.

import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import type { BindFailure, Binding } from '../messages.ts';
import type { SocketProgram } from '../program.ts';
import { acceptHttp, acceptHttps } from './accept.ts';
import type { Acceptor, ServerConnection } from './accept.ts';
import type { Certificate, CertificateIndex } from './certificates.ts';
import type { Clock } from './clock.ts';
import type { Entry, Worker } from './dispatch.ts';
import { HostIndex } from './hosts.ts';
import type { State } from './state.ts';

const BACKLOG = 1024;

interface Port {
  readonly binding: Binding;
  readonly server: Server;
  readonly entry: Entry;
  readonly open: Set<ServerConnection>;
  certificates: CertificateIndex | null;
  defaultCertificate: Certificate | undefined;
}

export class Ports {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #ports = new Map<string, Port>();

  constructor(worker: Worker, clock: Clock) {
    this.#worker = worker;
    this.#clock = clock;
  }

  /** Makes the ports those of `bindings`. Gives those that could not be opened; the others serve. */
  async apply(bindings: readonly Binding[], state: State): Promise<readonly BindFailure[]> {
    const wanted = new Map(bindings.map((binding) => [keyOf(binding, state), binding]));
    for (const [key, port] of this.#ports) {
      if (wanted.has(key)) continue;
      this.#ports.delete(key);
      close(port);
    }
    const failures: BindFailure[] = [];
    const opening: Promise<void>[] = [];
    for (const [key, binding] of wanted) {
      const socket = state.sockets.get(binding.socket);
      if (socket === undefined) continue;
      let port = this.#ports.get(key);
      if (port === undefined) {
        port = this.#create(binding, socket);
        this.#ports.set(key, port);
        opening.push(this.#open(key, port, failures));
      }
      port.entry.listeners = state.listeners(socket);
      port.entry.ports = new Map(binding.ports);
      port.certificates = socket.tls ? state.certificates(socket) : null;
      if (socket.tls) setDefaultCertificate(port);
    }
    await Promise.all(opening);
    return failures;
  }

  /** Takes no new connections; every connection ends after the request it is on. */
  drain(): void {
    for (const port of this.#ports.values()) close(port);
  }

  get connections(): number {
    let count = 0;
    for (const port of this.#ports.values()) count += port.open.size;
    return count;
  }

  #create(binding: Binding, socket: SocketProgram): Port {
    const entry: Entry = {
      port: socket.port,
      scheme: socket.tls ? 'https' : 'http',
      listeners: new HostIndex(),
      ports: new Map(),
    };
    const open = new Set<ServerConnection>();
    const acceptor: Acceptor = { worker: this.#worker, entry, clock: this.#clock, open };
    const port: Port = {
      binding,
      server: socket.tls ? this.#tlsServer(acceptor, () => port) : plainServer(acceptor),
      entry,
      open,
      certificates: null,
      defaultCertificate: undefined,
    };
    return port;
  }

  #tlsServer(acceptor: Acceptor, port: () => Port): TlsServer {
    const server = createTlsServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: this.#worker.limits.handshakeTimeoutMs,
      allowHalfOpen: true,
      noDelay: true,
      SNICallback: (serverName, done) => {
        try {
          // For a name of no listener, the default context has no certificate: the handshake fails.
          done(null, port().certificates?.find(serverName)?.context);
        } catch (error) {
          done(error as Error);
        }
      },
    });
    server.on('secureConnection', (socket) => acceptHttps(acceptor, socket));
    // The client is told by the handshake itself.
    server.on('tlsClientError', () => undefined);
    return server;
  }

  #open(key: string, port: Port, failures: BindFailure[]): Promise<void> {
    const { socket, address, port: number } = port.binding;
    return new Promise((resolve) => {
      port.server.once('error', (error: NodeJS.ErrnoException) => {
        this.#ports.delete(key);
        failures.push({ id: socket, address, port: number, code: error.code ?? error.message });
        resolve();
      });
      port.server.listen({ host: address, port: number, backlog: BACKLOG, ...sharing() }, () => {
        port.server.removeAllListeners('error');
        // Out of descriptors: connections wait in the backlog until some are free.
        port.server.on('error', () => undefined);
        resolve();
      });
    });
  }
}

/** Every worker listens on the same ports, and the kernel spreads connections among them. */
function sharing(): { reusePort: boolean } | { exclusive: boolean } {
  return process.platform === 'linux' ? { reusePort: true } : { exclusive: true };
}

function plainServer(acceptor: Acceptor): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  server.on('connection', (socket) => acceptHttp(acceptor, socket));
  return server;
}

/** What a client without a server name is shown; without any, its handshake fails. */
function setDefaultCertificate(port: Port): void {
  const certificate = port.certificates?.find('');
  if (certificate === port.defaultCertificate) return;
  port.defaultCertificate = certificate;
  (port.server as TlsServer).setSecureContext(certificate?.options ?? {});
}

function close(port: Port): void {
  port.server.close();
  for (const connection of port.open) connection.drain();
}

function keyOf(binding: Binding, state: State): string {
  const tls = state.sockets.get(binding.socket)?.tls === true;
  return `${binding.address}|${binding.port}|${tls ? 'tls' : 'plain'}|${binding.socket}`;
}
