// Connections that come through load balancers which speak the PROXY protocol: the header is taken off
// before anybody else reads, and the client's address is kept for as long as the connection is there.
//
// Not hot: once for each connection, and only on ports that are told to. Allocates what the header needs.

import type { Socket } from 'node:net';
import { isIn } from '../../../lib/cidr.ts';
import type { ClientAddress } from '../../../model/port-settings.ts';
import type { Clock, Timed } from './clock.ts';
import { parseProxyHeader, PROXY_HEADER_BYTES_MAX } from './proxy-header.ts';
import { breakOff } from './splice.ts';

export class ProxiedClients {
  readonly #trusted: readonly string[];
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** The client's address, by the peer's: one address has one connection to a port at a time. */
  readonly #addresses = new Map<string, string>();

  constructor(trusted: readonly string[], clock: Clock, timeoutMs: number) {
    this.#trusted = trusted;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Undefined where connections do not begin with a header. */
  static of(
    address: ClientAddress | undefined,
    clock: Clock,
    timeoutMs: number,
  ): ProxiedClients | undefined {
    return address?.from === 'proxyProtocol'
      ? new ProxiedClients(address.trusted, clock, timeoutMs)
      : undefined;
  }

  /**
   * Calls `next` with the paused socket once its header is off it, or at once when the peer is not
   * trusted. A connection without a valid header in time is broken off.
   */
  take(socket: Socket, next: (socket: Socket) => void): void {
    const peer = plainAddress(socket.remoteAddress);
    if (!isIn(peer, this.#trusted)) {
      next(socket);
      return;
    }
    const taking = new Taking(socket, this.#clock.nowMs + this.#timeoutMs, (address) => {
      this.#clock.remove(taking);
      if (address === undefined) {
        breakOff(socket);
        return;
      }
      if (address !== null) this.#keep(socket, address);
      next(socket);
    });
    this.#clock.add(taking);
  }

  /** The client behind a connection, TLS on it or not; undefined when it is who connects. */
  addressOf(socket: Socket): string | undefined {
    return this.#addresses.get(keyOf(socket));
  }

  #keep(socket: Socket, address: string): void {
    const key = keyOf(socket);
    this.#addresses.set(key, plainAddress(address));
    socket.once('close', () => this.#addresses.delete(key));
  }
}

/** Reads until there is a header, or cannot be one. */
class Taking implements Timed {
  readonly deadlineMs: number;
  readonly #socket: Socket;
  readonly #done: (address: string | null | undefined) => void;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(
    socket: Socket,
    deadlineMs: number,
    done: (address: string | null | undefined) => void,
  ) {
    this.#socket = socket;
    this.deadlineMs = deadlineMs;
    this.#done = done;
    socket.on('data', this.#onData);
    socket.on('error', ignore);
    socket.once('end', this.#onGone);
    socket.once('close', this.#onGone);
    socket.resume();
  }

  onDeadline(): void {
    this.#onGone();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    const header = parseProxyHeader(this.#bytes);
    if (header.kind === 'partial' && this.#bytes.length < PROXY_HEADER_BYTES_MAX) return;
    this.#leave();
    this.#socket.pause();
    if (header.kind !== 'header') {
      this.#done(undefined);
      return;
    }
    const rest = this.#bytes.subarray(header.bytes);
    if (rest.length > 0) this.#socket.unshift(rest);
    this.#done(header.address);
  };

  readonly #onGone = (): void => {
    this.#leave();
    this.#done(undefined);
  };

  #leave(): void {
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onGone);
    this.#socket.off('close', this.#onGone);
  }
}

/** Followed by 'close', which says all that matters. */
function ignore(): void {
  // Nothing to do.
}

/** A socket that listens on IPv6 sees IPv4 clients as ::ffff:a.b.c.d. */
export function plainAddress(address = ''): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}
