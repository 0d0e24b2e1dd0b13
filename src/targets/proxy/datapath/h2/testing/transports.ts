// Transports for tests: a pair in memory that cuts bytes as a test wants them cut, and one on a socket.

import type { Socket } from 'node:net';
import type { Transport, TransportHandler } from '../../stream.ts';

/** Passes what is written to a handler on the other side, in a later step, in pieces of chosen sizes. */
export class MemoryTransport implements Transport {
  /** Where what is written here arrives. */
  peer: TransportHandler | null = null;
  /** The handler on this side, told when the queue is empty again. */
  handler: TransportHandler | null = null;
  /** Bytes that may wait before `write` says false. */
  highWaterMark = Infinity;
  paused = false;
  ended = false;
  destroyed = false;
  /** Every write, for tests about batching. */
  readonly writes: number[] = [];
  private queue: Buffer = Buffer.alloc(0);
  private full = false;

  get bufferedBytes(): number {
    return this.queue.length;
  }

  write(chunk: Buffer | string): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    this.writes.push(bytes.length);
    this.queue = Buffer.concat([this.queue, bytes]);
    this.full = this.queue.length > this.highWaterMark;
    return !this.full;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Takes all bytes written so far, as a test that plays the peer itself. */
  take(): Buffer {
    const bytes = this.queue;
    this.queue = Buffer.alloc(0);
    this.tellDrain();
    return bytes;
  }

  /**
   * Delivers up to `size` bytes to the peer, through a buffer that is overwritten afterwards, as a shared
   * read buffer is. Returns whether there was anything to deliver.
   */
  deliver(size: number): boolean {
    const bytes = Buffer.from(this.queue.subarray(0, size));
    if (bytes.length === 0) return false;
    this.queue = this.queue.subarray(bytes.length);
    this.peer?.onTransportData(bytes);
    bytes.fill(0xa5);
    this.tellDrain();
    return true;
  }

  private tellDrain(): void {
    if (!this.full || this.queue.length > 0) return;
    this.full = false;
    this.handler?.onTransportDrain();
  }
}

/** A transport on a socket, as simple as can be: stream events, and Node.js's own buffering. */
export class SocketTransport implements Transport {
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  /** Passes the socket's events to a handler. */
  attach(handler: TransportHandler): void {
    const { socket } = this;
    socket.on('data', (bytes: Buffer) => handler.onTransportData(bytes));
    socket.on('drain', () => handler.onTransportDrain());
    socket.on('end', () => handler.onTransportEnd());
    // The close event that follows says all that a connection wants to know.
    socket.on('error', () => undefined);
    socket.on('close', () => handler.onTransportClose());
  }

  write(chunk: Buffer | string): boolean {
    return this.socket.write(chunk, 'latin1');
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
