// One endpoint of a backend and the connections to it. Connections that have nothing to do wait here
// for the next request; the one used last goes first, so that the others can grow old and close.
//
// Budget: 0.1 µs to take a connection that waits. Allocates only when it must connect.

import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import type { BackendProtocol, BackendTls } from '../../../model/model.ts';
import { clientOptions } from './backend-tls.ts';
import type { Certificate } from './certificates.ts';
import type { Clock } from './clock.ts';
import { H1ClientConnection } from './h1/client.ts';
import { H2ClientConnection } from './h2/client.ts';
import type { Counters } from './counters.ts';
import { Health } from './health.ts';
import type { H2Shared } from './h2/shared.ts';
import type { Limits } from './limits.ts';
import { Pending } from './pending.ts';
import { dial } from './socket.ts';
import type { Dial } from './socket.ts';
import type { ClientConnection } from './stream.ts';

/** Who wants a connection. Exactly one of the two is called. */
export interface Taker {
  onConnection(connection: ClientConnection): void;
  onConnectFailed(error: Error): void;
}

/** What all endpoints of a worker share. */
export interface EndpointCommon {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly h2: H2Shared;
  readonly counters: Counters;
}

/** Where an endpoint is and how it is spoken to. */
export interface EndpointPlace {
  readonly address: string;
  readonly port: number;
  readonly protocol: BackendProtocol;
  readonly tls: BackendTls | null;
}

/** Certificates that connections to an endpoint are kept apart by. */
const IDENTITIES_MAX = 16;
/** 96 bits: enough that no two of a backend's endpoints share one. */
const TOKEN_CHARS = 16;

export class Endpoint {
  readonly address: string;
  readonly port: number;
  readonly protocol: BackendProtocol;
  /** Requests that are being answered: what balancing goes by. */
  outstanding = 0;
  readonly health: Health;
  readonly #common: EndpointCommon;
  readonly #idle: H1ClientConnection[] = [];
  readonly #all = new Set<ClientConnection>();
  /** HTTP/2 connections carry many requests: these wait for the one being made. */
  #waiting: Taker[] | null = null;
  /** Who waits for one of as many connections as there may be. Made when somebody must. */
  #pending: Pending | null = null;
  #dialing = 0;
  #removed = false;
  readonly #where: EndpointPlace;
  readonly #identity: Certificate | null;
  /** The same endpoint, as it is spoken to by those who show a certificate. */
  readonly #asOthers = new Map<Certificate, Endpoint>();
  #token: string | undefined;

  constructor(place: EndpointPlace, common: EndpointCommon, identity: Certificate | null = null) {
    this.#where = place;
    this.#identity = identity;
    this.address = place.address;
    this.port = place.port;
    this.protocol = place.protocol;
    this.#common = common;
    this.health = new Health(common.limits, common.counters);
  }

  /** Takes a connection on which `identity` is shown, if the endpoint asks for a certificate. */
  takeAs(identity: Certificate | null, taker: Taker): void {
    if (identity === null || this.#where.tls === null) {
      this.take(taker);
      return;
    }
    let other = this.#asOthers.get(identity);
    if (other === undefined) {
      other = new Endpoint(this.#where, this.#common, identity);
      this.#forgetOldIdentity();
      this.#asOthers.set(identity, other);
    }
    other.take(taker);
  }

  /** Certificates come and go; connections made with one that is gone are not used again. */
  #forgetOldIdentity(): void {
    if (this.#asOthers.size < IDENTITIES_MAX) return;
    for (const [identity, other] of this.#asOthers) {
      this.#asOthers.delete(identity);
      other.remove();
      return;
    }
  }

  take(taker: Taker): void {
    if (this.protocol === 'h2c') this.#takeH2(taker);
    else this.#takeH1(taker);
  }

  /** Names the endpoint to clients, without its address (session.ts). */
  get token(): string {
    this.#token ??= createHash('sha256')
      .update(`${this.address}|${this.port}`)
      .digest('base64url')
      .slice(0, TOKEN_CHARS);
    return this.#token;
  }

  /** Takes back a connection that came too late for who wanted it, and that nobody else has. */
  giveBack(connection: ClientConnection): void {
    // One for many requests stays where it is; one that shows a certificate is not for everybody.
    if (!(connection instanceof H1ClientConnection)) return;
    if (connection.available && this.#all.has(connection)) this.#keep(connection);
    else connection.destroy();
  }

  /** No new request comes here. Running ones are finished. */
  remove(): void {
    this.#removed = true;
    for (const connection of this.#all) connection.drain();
    for (const other of this.#asOthers.values()) other.remove();
  }

  /** The endpoint is back before its last connection was gone. */
  restore(): void {
    this.#removed = false;
  }

  #takeH1(taker: Taker): void {
    for (let waiting = this.#idle.pop(); waiting !== undefined; waiting = this.#idle.pop()) {
      if (waiting.available) {
        taker.onConnection(waiting);
        return;
      }
    }
    if (this.#all.size + this.#dialing >= this.#common.limits.backendConnectionsMax) {
      this.#wait(taker);
      return;
    }
    this.#dialing++;
    dial(
      this.#place(),
      (transport) => {
        this.#dialing--;
        const connection = new H1ClientConnection({
          transport,
          limits: this.#common.limits,
          clock: this.#common.clock,
          onIdle: (idle) => this.#keep(idle),
          onClosed: (closed) => this.#forget(closed),
        });
        this.#all.add(connection);
        taker.onConnection(connection);
        return connection;
      },
      (error) => {
        this.#dialing--;
        taker.onConnectFailed(error);
        this.#serveNext();
      },
    );
  }

  /** There are as many connections as there may be, and all are busy. */
  #wait(taker: Taker): void {
    const { limits, counters, clock } = this.#common;
    this.#pending ??= new Pending({ limits, counters, clock });
    this.#pending.add(taker);
  }

  #keep(connection: H1ClientConnection): void {
    if (this.#removed) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
    // Not before what was read is read to its end: bytes after a response are nobody's answer.
    if (this.#pending?.isEmpty === false) queueMicrotask(() => this.#serveNext());
  }

  /** There is room for one more connection. */
  #serveNext(): void {
    const next = this.#pending?.next();
    if (next !== undefined) this.take(next);
  }

  /** Connections that carry many requests take some more. */
  #serveStreams(): void {
    while (this.#pending?.isEmpty === false && this.#hasStream()) this.#serveNext();
  }

  #hasStream(): boolean {
    for (const connection of this.#all) if (connection.available) return true;
    return false;
  }

  #forget(connection: ClientConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection as H1ClientConnection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#serveNext();
  }

  #takeH2(taker: Taker): void {
    for (const connection of this.#all) {
      if (connection.available) {
        taker.onConnection(connection);
        return;
      }
    }
    if (this.#waiting !== null) {
      this.#waiting.push(taker);
      return;
    }
    if (this.#all.size >= this.#common.limits.backendConnectionsMax) {
      this.#wait(taker);
      return;
    }
    this.#waiting = [taker];
    dial(
      this.#place(),
      (transport) => {
        const connection = new H2ClientConnection({
          transport,
          shared: this.#common.h2,
          scheme: this.#where.tls === null ? 'http' : 'https',
          onAvailable: () => queueMicrotask(() => this.#serveStreams()),
          onClosed: (closed) => this.#forget(closed),
        });
        this.#all.add(connection);
        // The handler must be in place before the first request is written.
        queueMicrotask(() => this.#serveWaiting());
        return connection;
      },
      (error) => this.#failWaiting(error),
    );
  }

  #serveWaiting(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const taker of waiting) this.#takeH2(taker);
  }

  #failWaiting(error: Error): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const taker of waiting) taker.onConnectFailed(error);
  }

  /** How a whole connection is put into TLS on its way there; null for as it is. */
  security(identity: Certificate | null): ConnectionOptions | null {
    const { tls } = this.#where;
    return tls === null ? null : clientOptions(tls, this.protocol, identity);
  }

  #place(): Dial {
    const { tls } = this.#where;
    return {
      tls: tls === null ? null : clientOptions(tls, this.protocol, this.#identity),
      address: this.address,
      port: this.port,
      timeoutMs: this.#common.limits.connectTimeoutMs,
    };
  }
}
