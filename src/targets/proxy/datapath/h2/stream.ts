// One HTTP/2 stream, seen from the exchange: a Sender, and what comes in passed on to its Receiver. The
// connection owns the frames and the windows; the stream owns where its two halves stand.
// After `pause` no more body is passed on: what the peer still sends within its window is held, and the
// window is opened again only as the receiver takes it.
// Hot: allocates one stream for each request, and copies of bytes only while somebody is slow. Guarded by
// bench/proxy.ts.
//
// Budget: 0.1 µs for each piece of a body. Allocates a queue when somebody must wait. Guarded by
// bench/proxy.ts.

import assert from 'node:assert/strict';
import { LENGTH_UNKNOWN } from '../stream.ts';
import type { Fields, Receiver, ResetReason, Sender } from '../stream.ts';
import { ByteQueue } from './byte-queue.ts';
import type { H2Connection } from './connection.ts';

export abstract class H2Stream<R extends Receiver = Receiver> implements Sender {
  readonly id: number;
  readonly connection: H2Connection;
  receiver: R;
  /** What the peer lets us send; below zero after it made its windows smaller. */
  sendWindow: number;
  /** What we let the peer send, and what the receiver has taken since we last said so. */
  receiveWindow: number;
  takenBytes = 0;
  /** Body bytes the content-length still promises; LENGTH_UNKNOWN for no promise. */
  bodyLeft = LENGTH_UNKNOWN;
  /** The exchange has sent the end; it may wait behind queued bytes, with these trailers. */
  endAsked = false;
  endTrailers: Fields | null = null;
  /** Our half has ended on the wire, and the peer's. */
  localEnded = false;
  remoteEnded = false;
  /** Both halves have ended, or it was reset: the connection has forgotten it. */
  closed = false;
  /** The peer wants no more of what we send, though all it had to say came whole: it is thrown away. */
  protected cut = false;
  /** Bytes waiting for the windows or the transport; null for none. */
  queue: ByteQueue | null = null;
  /** The frame sent last, to set END_STREAM on it (Output.endFrame). */
  frameAt = -1;
  frameEpoch = -1;
  /** When a byte of a body last moved, and when something last came in, on the clock's scale. */
  activeAtMs: number;
  heardAtMs: number;
  protected paused = false;
  /** Body that came while paused, and the end behind it. */
  private held: ByteQueue | null = null;
  private heldEnd = false;
  private heldTrailers: Fields | null = null;

  constructor(connection: H2Connection, id: number, receiver: R) {
    this.id = id;
    this.connection = connection;
    this.receiver = receiver;
    this.sendWindow = connection.peer.initialWindowBytes;
    this.receiveWindow = connection.inflow.openingWindow;
    this.activeAtMs = connection.clock.nowMs;
    this.heardAtMs = connection.clock.nowMs;
  }

  sendBody(bytes: Buffer): boolean {
    if (this.cut) return true;
    if (this.closed || this.endAsked) assert.fail('body after the end of a stream');
    return bytes.length === 0 || this.connection.outflow.send(this, bytes);
  }

  sendEnd(trailers: Fields | null): void {
    if (this.cut) return;
    if (this.closed || this.endAsked) assert.fail('second end of a stream');
    this.connection.outflow.end(this, trailers);
  }

  reset(reason: ResetReason): void {
    if (!this.closed) this.connection.abandon(this, reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.heard();
    while (this.held !== null && this.flows) this.releaseOne(this.held);
    if (this.held === null && this.heldEnd && this.flows) {
      this.heldEnd = false;
      this.receiver.onEnd(this.heldTrailers);
    }
  }

  /** The peer has not moved for as long as it may: it gives no room for our body. */
  isOverdue(nowMs: number): boolean {
    return this.queue !== null && this.isIdle(nowMs);
  }

  /** No byte of a body has moved for the time one may take. */
  protected isIdle(nowMs: number): boolean {
    return nowMs - this.activeAtMs >= this.connection.limits.bodyIdleTimeoutMs;
  }

  /** Something of this stream came in. */
  heard(): void {
    this.activeAtMs = this.connection.clock.nowMs;
    this.heardAtMs = this.activeAtMs;
  }

  /** Body bytes[start, end) came in. */
  receiveBody(bytes: Buffer, start: number, end: number): void {
    this.heard();
    if (this.paused) {
      this.held ??= new ByteQueue();
      this.held.push(bytes, start, end);
      return;
    }
    this.receiver.onBody(bytes.subarray(start, end));
    this.connection.inflow.take(this, end - start);
  }

  /** The peer's half has ended. */
  receiveEnd(trailers: Fields | null): void {
    this.remoteEnded = true;
    if (this.paused) {
      this.heldEnd = true;
      this.heldTrailers = trailers;
    } else {
      this.receiver.onEnd(trailers);
    }
    this.connection.settle(this);
  }

  /** The connection has forgotten the stream before its time. */
  tellReset(reason: ResetReason): void {
    this.receiver.onReset(reason);
  }

  /** What is held is of use even when the stream is gone. */
  get keepsHeld(): boolean {
    return false;
  }

  dropQueue(): void {
    this.queue = null;
    this.endTrailers = null;
  }

  /** Drops what nobody will take any more; returns how many bytes that is. */
  dropHeld(): number {
    const heldBytes = this.held === null ? 0 : this.held.length;
    this.held = null;
    this.heldEnd = false;
    return heldBytes;
  }

  private releaseOne(held: ByteQueue): void {
    const bytes = held.front();
    held.take(bytes.length);
    if (held.length === 0) this.held = null;
    this.receiver.onBody(bytes);
    this.connection.inflow.take(this, bytes.length);
  }

  /** A callback may have paused the stream again: asked anew after each. */
  private get flows(): boolean {
    return !this.paused;
  }
}
