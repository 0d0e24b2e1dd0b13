// Several byte streams over one WebSocket, as `channel.k8s.io` has them: the first byte of a message
// says to which channel the rest belongs; in the base64 variants, the first character of a text. From
// v5 on a client can say that a channel has ended: [255, channel].

import { Readable, Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { StreamLimits } from '../limits.ts';

/** The channel of v5 whose messages name a channel that has ended. */
const CLOSE_CHANNEL = 255;

export interface ChannelOptions {
  readonly base64: boolean;
  /** Whether the client can end a channel. */
  readonly closes: boolean;
  readonly limits: StreamLimits;
}

export class ChannelSocket {
  readonly #socket: WebSocket;
  readonly #options: ChannelOptions;
  readonly #readable = new Map<number, Readable>();
  readonly #gone = new AbortController();
  readonly #keepAlive: NodeJS.Timeout;
  #lastActivity = performance.now();
  #closed = false;

  constructor(socket: WebSocket, options: ChannelOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('close', () => this.#lost());
    this.#keepAlive = setInterval(() => this.#beat(), options.limits.keepAliveMs).unref();
  }

  /** Aborts when the connection has ended, whoever ended it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** What the client sends on a channel. Has to be asked for before the first message can come. */
  readable(channel: number): Readable {
    const readable = new ChannelReadable(() => this.#flow());
    readable.on('error', () => {});
    readable.on('close', () => this.#flow());
    this.#readable.set(channel, readable);
    return readable;
  }

  /** What the client gets on a channel. The end of it cannot be told. */
  writable(channel: number): Writable {
    const writable = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#send(channel, chunk, done),
    });
    writable.on('error', () => {});
    if (this.#gone.signal.aborted) writable.destroy();
    else this.#gone.signal.addEventListener('abort', () => writable.destroy(), { once: true });
    return writable;
  }

  /** Sends an empty message: the sign for some clients that the connection stands. */
  greet(channel: number): void {
    this.#send(channel, Buffer.alloc(0), () => {});
  }

  /** Sends what was written so far, and ends the connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.resume();
    this.#socket.close(1000);
    setTimeout(() => this.#socket.terminate(), this.#options.limits.lingerMs).unref();
  }

  #receive(raw: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    this.#lastActivity = performance.now();
    const message = raw as Buffer;
    const [first] = message;
    if (first === undefined) return;
    if (!this.#options.base64) {
      this.#deliver(first, message.subarray(1));
    } else if (!isBinary) {
      const content = Buffer.from(message.toString('latin1', 1), 'base64');
      this.#deliver(first - 0x30, content);
    }
  }

  #deliver(channel: number, content: Buffer): void {
    if (channel === CLOSE_CHANNEL && this.#options.closes) {
      const [ended = -1] = content;
      this.#readable.get(ended)?.push(null);
      this.#readable.delete(ended);
      return;
    }
    const readable = this.#readable.get(channel);
    if (readable === undefined || readable.destroyed || content.length === 0) return;
    readable.push(content);
    this.#flow();
  }

  #send(channel: number, content: Buffer, done: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      done();
      return;
    }
    this.#lastActivity = performance.now();
    const { base64, limits } = this.#options;
    const parts: Buffer[] = [];
    for (let at = 0; at === 0 || at < content.length; at += limits.chunkBytesMax) {
      parts.push(content.subarray(at, at + limits.chunkBytesMax));
    }
    for (const [i, part] of parts.entries()) {
      const message = base64
        ? `${channel}${part.toString('base64')}`
        : Buffer.concat([Buffer.from([channel]), part]);
      // The callback comes when the system has taken it: so writers wait for slow clients.
      if (i === parts.length - 1) this.#socket.send(message, () => done());
      else this.#socket.send(message);
    }
  }

  #flow(): void {
    if (this.#closed || this.#socket.readyState !== this.#socket.OPEN) return;
    const { bufferedBytesMax, outputBytesMax } = this.#options.limits;
    let buffered = 0;
    for (const each of this.#readable.values()) {
      if (!each.destroyed) buffered += each.readableLength;
    }
    const full = buffered > bufferedBytesMax || this.#socket.bufferedAmount > outputBytesMax;
    if (full === this.#socket.isPaused) return;
    if (full) this.#socket.pause();
    else this.#socket.resume();
  }

  #beat(): void {
    if (performance.now() - this.#lastActivity > this.#options.limits.idleMs) this.close();
    else if (this.#socket.readyState === this.#socket.OPEN) {
      if (this.#socket.bufferedAmount <= this.#options.limits.outputBytesMax) this.#socket.ping();
      this.#flow();
    }
  }

  #lost(): void {
    this.#closed = true;
    clearInterval(this.#keepAlive);
    for (const each of this.#readable.values()) each.destroy();
    this.#gone.abort();
  }
}

/** What came on one channel; tells when something of it was taken. */
class ChannelReadable extends Readable {
  readonly #taken: () => void;

  constructor(taken: () => void) {
    super();
    this.#taken = taken;
  }

  /** Every way to consume a stream goes through here; `_read` is not called for each. */
  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    if (chunk !== null) this.#taken();
    return chunk;
  }

  /** Nothing to fetch: what comes is pushed. */
  override _read(): void {}
}
