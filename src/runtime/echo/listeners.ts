// Everything one echo pod has open: listening sockets, connections, datagram sockets, timers. Closing it ends them all
// at once, like the death of the process the pod stands for; nothing is drained.

import dgram from 'node:dgram';
import { setMaxListeners } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { EchoStartError, errorText } from './errors.ts';
import type { EchoPod } from './pod.ts';

/** Node's timers overflow beyond this; a longer sleep is cut to it (24 days). */
const SLEEP_MS_MAX = 2 ** 31 - 1;

export class Listeners {
  readonly #pod: EchoPod;
  readonly #servers = new Set<net.Server | dgram.Socket>();
  readonly #sockets = new Set<net.Socket>();
  readonly #stop = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(pod: EchoPod) {
    this.#pod = pod;
    // One listener per sleeping request is normal here, not a leak.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Opens a TCP port on the pod's address. Half-closed connections stay open for the answer. */
  async openTcp(port: number, onConnection: (socket: net.Socket) => void): Promise<void> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    server.on('connection', (socket) => this.#track(socket));
    await this.#listen(server, port);
  }

  /** The same with TLS in front; the callback gets the connection after a successful handshake. */
  async openTls(
    port: number,
    options: tls.TlsOptions,
    onConnection: (socket: tls.TLSSocket) => void,
  ): Promise<void> {
    const server = tls.createServer(
      { ...options, allowHalfOpen: true, noDelay: true },
      onConnection,
    );
    server.on('connection', (socket) => this.#track(socket));
    server.on('secureConnection', (socket) => socket.on('error', ignore));
    server.on('tlsClientError', (error, socket) => {
      this.#pod.log(`TLS handshake error from ${remoteAddress(socket)}: ${error.message}`);
      socket.destroy();
    });
    await this.#listen(server, port);
  }

  /** Opens a UDP port on the pod's address. Answers leave from the same port. */
  async openUdp(
    port: number,
    onMessage: (message: Buffer, from: dgram.RemoteInfo, socket: dgram.Socket) => void,
  ): Promise<void> {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (message, from) => onMessage(message, from, socket));
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(listenError(error, this.#pod.address, port, 'udp'));
      });
      socket.bind(port, this.#pod.address, resolve);
    });
    socket
      .removeAllListeners('error')
      .on('error', (error) => this.#pod.log(`udp: ${error.message}`));
    this.#servers.add(socket);
  }

  /** Waits. Resolves false when the pod was closed meanwhile: then there is nobody left to answer. */
  async sleep(durationMs: number): Promise<boolean> {
    if (!(durationMs > 0)) return !this.#stop.signal.aborted;
    try {
      await delay(Math.min(durationMs, SLEEP_MS_MAX), undefined, { signal: this.#stop.signal });
      return true;
    } catch {
      return false;
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    const closing = [...this.#servers].map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closing);
  }

  #track(socket: net.Socket): void {
    socket.on('error', ignore);
    if (this.#closed !== undefined) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  async #listen(server: net.Server, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, this.#pod.address, port, 'tcp')));
      server.listen({ host: this.#pod.address, port }, resolve);
    });
    server
      .removeAllListeners('error')
      .on('error', (error) => this.#pod.log(`accept: ${error.message}`));
    this.#servers.add(server);
  }
}

/** `ip:port` of the peer, IPv6 in brackets, as Go prints addresses. */
export function remoteAddress(socket: net.Socket): string {
  const { remoteAddress: ip = '', remotePort: port = 0 } = socket;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** A broken connection concerns only its client; the sockets still need a listener or the process would end. */
function ignore(): void {}

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already',
  EACCES: 'ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: "the address is not one of this machine's",
};

function listenError(
  error: NodeJS.ErrnoException,
  address: string,
  port: number,
  protocol: string,
): EchoStartError {
  const hint = LISTEN_HINTS[error.code ?? ''];
  const reason = hint === undefined ? errorText(error) : `${error.code}, ${hint}`;
  return new EchoStartError(
    'FW_ECHO_LISTEN',
    `cannot listen on ${address}:${port}/${protocol}: ${reason}`,
    error,
  );
}
