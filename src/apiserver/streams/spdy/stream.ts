// One stream of a SPDY connection as a Node.js duplex stream. Its peer must have our reply before it
// sends anything (`reply`), or learns that it is not wanted (`reset`).

import { Duplex } from 'node:stream';
import { RESET } from './frames.ts';
import type { SpdyHeaders } from './headers.ts';

/** What a stream needs of its connection. */
export interface StreamLink {
  reply(stream: SpdyStream): void;
  /** Sends data; `done` is called when there is room for more. */
  send(stream: SpdyStream, data: Buffer, fin: boolean, done: () => void): void;
  reset(stream: SpdyStream, status: number): void;
  /** Something of what was received has been taken. */
  taken(stream: SpdyStream): void;
  forget(stream: SpdyStream): void;
}

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #link: StreamLink;
  #sentFin = false;
  #receivedFin = false;
  #reset = false;

  constructor(id: number, headers: SpdyHeaders, link: StreamLink) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#link = link;
    // A connection that breaks ends its streams: whoever reads or writes one sees it close.
    this.on('error', () => {});
  }

  /** Accepts the stream: before it, the peer may not send. */
  reply(): void {
    this.#link.reply(this);
  }

  /** Refuses the stream, or ends it at once in both directions. */
  reset(status: number = RESET.cancel): void {
    if (!this.#reset) this.#link.reset(this, status);
    this.#reset = true;
    this.destroy();
  }

  /** The peer has sent this. */
  receive(data: Buffer, fin: boolean): void {
    if (this.destroyed || this.#receivedFin) return;
    if (data.length > 0) this.push(data);
    if (!fin) return;
    this.#receivedFin = true;
    this.push(null);
  }

  /** The peer has ended it, or the connection is gone: nothing more can be sent. */
  abandon(): void {
    this.#reset = true;
    this.destroy();
  }

  /** Every way to consume a stream goes through here; `_read` is not called for each. */
  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    if (chunk !== null) this.#link.taken(this);
    return chunk;
  }

  /** Nothing to fetch: what comes is pushed. */
  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#link.send(this, chunk, false, done);
  }

  override _final(done: () => void): void {
    this.#sentFin = true;
    this.#link.send(this, Buffer.alloc(0), true, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#reset && !(this.#sentFin && this.#receivedFin)) {
      this.#reset = true;
      this.#link.reset(this, RESET.cancel);
    }
    this.#link.forget(this);
    done(error);
  }
}
