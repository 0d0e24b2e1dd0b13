// An accepted socket → a connection that speaks what its client speaks: HTTP/1.1, or HTTP/2 told by
// ALPN or by the preface its client sends first.
//
// Budget: a few microseconds for each connection, nothing for each request. Allocates the
// connection. Guarded by bench/proxy.ts.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { normalizeHost } from '../../../lib/hostname.ts';
import type { Clock, Timed } from './clock.ts';
import { dispatch } from './dispatch.ts';
import type { Client, Entry, Worker } from './dispatch.ts';
import { H1ServerConnection } from './h1/server.ts';
import { H2ServerConnection } from './h2/server.ts';
import type { Asker } from './observe/observer.ts';
import { plainAddress } from './proxied.ts';
import type { ProxiedClients } from './proxied.ts';
import { acceptEvents, acceptPlain } from './socket.ts';
import type { SocketTransport } from './socket.ts';
import type { Receiver, RequestHead, ServerStream, TransportHandler } from './stream.ts';

/** A connection that can be asked to end in good order. */
export interface ServerConnection extends TransportHandler {
  drain(): void;
  /** As `drain`, but one that has nothing to do may bring one more request. */
  handOver(): void;
}

/** What the connections of one port share. */
export interface Acceptor {
  readonly worker: Worker;
  readonly entry: Entry;
  readonly clock: Clock;
  readonly open: Set<ServerConnection>;
  /** Somebody else takes the new connections: those that are here end with their next answer. */
  isHandingOver?: boolean;
  /** Absent unless connections begin with a PROXY header. */
  readonly proxied?: ProxiedClients;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Takes a plain connection; `onGone` is called when it is closed. */
export function acceptHttp(acceptor: Acceptor, socket: Socket, onGone: () => void): void {
  const client = clientOf(acceptor, socket, null);
  const make = (transport: SocketTransport): TransportHandler =>
    new Detection(acceptor, client, transport);
  if (acceptor.proxied === undefined) {
    acceptPlain(socket, make, onGone);
    return;
  }
  // A socket that has been read from keeps its events.
  acceptEvents(socket, make);
  socket.resume();
}

/** Takes a connection whose TLS handshake is done. */
export function acceptHttps(acceptor: Acceptor, socket: TLSSocket): void {
  // Node.js says false for a client that names no server.
  const { servername } = socket as { servername?: string | false };
  const client = clientOf(acceptor, socket, normalizeHost(servername || ''));
  const make = socket.alpnProtocol === 'h2' ? makeH2 : makeH1;
  acceptEvents(socket, (transport) => make(acceptor, client, transport));
}

function clientOf({ proxied }: Acceptor, socket: Socket, serverName: string | null): Client {
  const address = proxied?.addressOf(socket) ?? plainAddress(socket.remoteAddress);
  return { address, serverName };
}

/** Asks all connections of a port to end with their next answer, and those whose handshake is under way. */
export function handOverAll(acceptor: Acceptor): void {
  acceptor.isHandingOver = true;
  for (const connection of acceptor.open) connection.handOver();
}

type Make = (acceptor: Acceptor, client: Client, transport: SocketTransport) => ServerConnection;

const makeH1: Make = (acceptor, client, transport) =>
  track(acceptor, (onClosed) => {
    const { worker, entry, clock } = acceptor;
    return new H1ServerConnection({
      transport,
      scheme: entry.scheme,
      limits: worker.limits,
      clock,
      counters: worker.counters,
      onRequest: handler(acceptor, client, 'HTTP/1.1'),
      onRefused: (status) => worker.observer.refused(client.address, entry.scheme, status),
      onClosed,
    });
  });

const makeH2: Make = (acceptor, client, transport) =>
  track(acceptor, (onClosed) => {
    const { worker, entry } = acceptor;
    const handle = handler(acceptor, client, 'HTTP/2.0');
    return new H2ServerConnection({
      transport,
      scheme: entry.scheme,
      shared: worker.h2,
      onRequest: (stream, head, hasBody) => {
        worker.counters.requests++;
        return handle(stream, head, hasBody);
      },
      onClosed,
    });
  });

function handler({ worker, entry }: Acceptor, client: Client, protocol: Asker['protocol']) {
  const { observer } = worker;
  return (stream: ServerStream, head: RequestHead, hasBody: boolean): Receiver => {
    if (!observer.looks) return dispatch(worker, entry, client, stream, head, hasBody);
    const asker = { address: client.address, protocol };
    return observer.observe(stream, head, asker, (observed, told) =>
      dispatch(worker, entry, client, observed, told, hasBody),
    );
  };
}

function track(
  acceptor: Acceptor,
  make: (onClosed: () => void) => ServerConnection,
): ServerConnection {
  const { counters } = acceptor.worker;
  counters.connectionsAccepted++;
  counters.connectionsOpen++;
  const connection = make(() => {
    counters.connectionsOpen--;
    acceptor.open.delete(connection);
  });
  acceptor.open.add(connection);
  if (acceptor.isHandingOver === true) connection.handOver();
  return connection;
}

/** Stands in until the first bytes say what the client speaks, then passes everything on. */
class Detection implements ServerConnection, Timed {
  deadlineMs: number;
  readonly #acceptor: Acceptor;
  readonly #client: Client;
  readonly #transport: SocketTransport;
  #connection: ServerConnection | null = null;
  #first: Buffer | null = null;

  constructor(acceptor: Acceptor, client: Client, transport: SocketTransport) {
    this.#acceptor = acceptor;
    this.#client = client;
    this.#transport = transport;
    const { clock, worker, open } = acceptor;
    this.deadlineMs = clock.nowMs + worker.limits.keepAliveTimeoutMs;
    clock.add(this);
    open.add(this);
  }

  onDeadline(): void {
    this.drain();
  }

  drain(): void {
    this.#leave();
    this.#transport.destroy();
  }

  /** Whoever it becomes will be told. */
  handOver(): void {
    this.#connection?.handOver();
  }

  onTransportData(bytes: Buffer): void {
    if (this.#connection !== null) this.#connection.onTransportData(bytes);
    else this.#detect(bytes);
  }

  onTransportDrain(): void {
    this.#connection?.onTransportDrain();
  }

  onTransportEnd(): void {
    this.#begin(makeH1).onTransportEnd();
  }

  onTransportClose(): void {
    this.#leave();
    this.#connection?.onTransportClose();
  }

  #detect(bytes: Buffer): void {
    const all = this.#first === null ? bytes : Buffer.concat([this.#first, bytes]);
    // Nearly always one look at one byte: only PATCH, POST, PUT and PROPFIND share the preface's first.
    const isPreface = all[0] === PREFACE[0] && startsAlike(all, PREFACE);
    if (isPreface && all.length < PREFACE.length) {
      this.#first = Buffer.from(all);
      return;
    }
    this.#first = null;
    this.#begin(isPreface ? makeH2 : makeH1).onTransportData(all);
  }

  #begin(make: Make): ServerConnection {
    this.#leave();
    this.#connection ??= make(this.#acceptor, this.#client, this.#transport);
    return this.#connection;
  }

  #leave(): void {
    this.#acceptor.clock.remove(this);
    this.#acceptor.open.delete(this);
  }
}

function startsAlike(a: Buffer, b: Buffer): boolean {
  const length = Math.min(a.length, b.length);
  return a.compare(b, 0, length, 0, length) === 0;
}
