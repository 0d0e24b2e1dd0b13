// Reads a connection until its client has said which server it wants, then gives everything back to the
// socket, as if nobody had read it.
//
// Not hot: once for each connection to a port of TLS listeners.

import type { Socket } from 'node:net';
import { HELLO_BYTES_MAX, parseClientHello } from './client-hello.ts';
import type { Clock, Timed } from './clock.ts';

export interface PeekOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The socket is paused, and its first bytes are in it again. */
  readonly onServerName: (serverName: string) => void;
  /** The connection did not begin with a valid ClientHello in time. */
  readonly onRefused: () => void;
}

/** Looks at the first bytes of a paused socket. Nothing is called when the client is gone before. */
export function peekServerName(socket: Socket, options: PeekOptions): void {
  const peek = new Peek(socket, options);
  options.clock.add(peek);
}

class Peek implements Timed {
  deadlineMs: number;
  readonly #socket: Socket;
  readonly #options: PeekOptions;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, options: PeekOptions) {
    this.#socket = socket;
    this.#options = options;
    this.deadlineMs = options.clock.nowMs + options.timeoutMs;
    socket.on('data', this.#onData);
    socket.once('end', this.#onGone);
    socket.once('close', this.#onGone);
    socket.resume();
  }

  onDeadline(): void {
    this.#leave();
    this.#options.onRefused();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    const hello = parseClientHello(this.#bytes);
    if (hello.kind === 'partial' && this.#bytes.length < HELLO_BYTES_MAX) return;
    this.#leave();
    this.#socket.pause();
    if (hello.kind !== 'hello') {
      this.#options.onRefused();
      return;
    }
    this.#socket.unshift(this.#bytes);
    this.#options.onServerName(hello.serverName);
  };

  /** Half a ClientHello and no more to come: nothing is left to decide. */
  readonly #onGone = (): void => {
    this.#leave();
    this.#socket.destroy();
  };

  #leave(): void {
    this.#options.clock.remove(this);
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onGone);
    this.#socket.off('close', this.#onGone);
  }
}
