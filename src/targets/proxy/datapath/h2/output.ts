// What a connection sends: frames are written one after another into a buffer, and the buffer is written
// to the transport once at the end of the turn, or when it is full.
// Hot: allocates one view for each write, nothing for a frame. A buffer the transport still holds is given
// up to it instead of reused.
//
// Budget: one write to the socket for each turn of the event loop. Guarded by bench/proxy.ts.

import type { Transport } from '../stream.ts';
import { OUTPUT_BUFFER_BYTES } from './buffer-pool.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { FlushQueue } from './flush-queue.ts';
import { Flag, FRAME_HEADER_BYTES, FrameType, writeFrameHeader } from './frames.ts';

/** Larger writes to a transport that keeps them are handed over with their buffer, not copied. */
const COPY_BYTES_MAX = OUTPUT_BUFFER_BYTES / 2;

export interface OutputOptions {
  readonly transport: Transport;
  readonly buffers: BufferPool;
  readonly flushQueue: FlushQueue;
}

export class Output {
  /** The transport asked us to wait: DATA stays in its stream's queue, other frames still go. */
  blocked = false;
  /** Bytes written to the transport after it asked us to wait. */
  blockedBytes = 0;
  /** Where the next frame goes in `buffer`. */
  position = 0;
  /** Counts the buffers sent: offsets of an earlier one mean nothing any more. */
  epoch = 0;
  private buffer: Buffer | null = null;
  /** The transport did not let go of the last write at once; TLS never does. */
  private transportKeeps = false;
  private closed = false;
  private queued = false;
  private readonly transport: Transport;
  private readonly buffers: BufferPool;
  private readonly flushQueue: FlushQueue;

  constructor(options: OutputOptions) {
    this.transport = options.transport;
    this.buffers = options.buffers;
    this.flushQueue = options.flushQueue;
  }

  /**
   * The buffer with room for `bytes` at `position` (no more than the largest frame with its header); the
   * caller writes there and moves `position`.
   */
  reserve(bytes: number): Buffer {
    let buffer = this.buffer;
    if (buffer !== null && this.position + bytes > buffer.length) {
      this.writeOut();
      buffer = this.buffer;
    }
    if (buffer === null) {
      buffer = this.buffers.take();
      this.buffer = buffer;
      this.position = 0;
    }
    if (!this.queued) {
      this.queued = true;
      this.flushQueue.add(this);
    }
    return buffer;
  }

  /** Writes a frame header with room for `length` bytes of payload behind it, where `position` then is. */
  frame(length: number, type: number, flags: number, streamId: number): Buffer {
    const buffer = this.reserve(FRAME_HEADER_BYTES + length);
    writeFrameHeader(buffer, this.position, length, type, flags, streamId);
    this.position += FRAME_HEADER_BYTES;
    return buffer;
  }

  /** Writes a DATA frame with bytes[start, end) and returns where its header stands. */
  data(streamId: number, bytes: Buffer, start: number, end: number): number {
    const buffer = this.frame(end - start, FrameType.DATA, Flag.NONE, streamId);
    bytes.copy(buffer, this.position, start, end);
    const at = this.position - FRAME_HEADER_BYTES;
    this.position += end - start;
    return at;
  }

  /**
   * Sets END_STREAM on the frame whose header stands at `at` (below 0 for none), if it has not been sent
   * yet: an end that comes right after a body costs no frame of its own.
   */
  endFrame(at: number, epoch: number): boolean {
    if (at < 0 || epoch !== this.epoch || this.buffer === null) return false;
    this.buffer[at + 4]! |= Flag.END_STREAM;
    return true;
  }

  /** Called by the flush queue at the end of the turn. */
  flushNow(): void {
    this.queued = false;
    if (this.buffer === null) return;
    this.writeOut();
    if (this.buffer !== null) this.buffers.give(this.buffer);
    this.buffer = null;
  }

  /** The transport takes more. */
  unblock(): void {
    this.blocked = false;
    this.blockedBytes = 0;
  }

  /** Drops what is unsent; nothing is written from now on. */
  close(): void {
    if (this.buffer !== null) this.buffers.give(this.buffer);
    this.buffer = null;
    this.closed = true;
  }

  /** Sends what is in the buffer; keeps the buffer for more where the transport let it go. */
  private writeOut(): void {
    const buffer = this.buffer!;
    const length = this.position;
    this.position = 0;
    this.epoch++;
    if (length === 0 || this.closed) return;
    const view = buffer.subarray(0, length);
    const keeps = this.transportKeeps || this.transport.bufferedBytes !== 0;
    const copied = keeps && length <= COPY_BYTES_MAX;
    const more = this.transport.write(copied ? Buffer.from(view) : view);
    this.transportKeeps = this.transport.bufferedBytes !== 0;
    if (!copied && this.transportKeeps) this.buffer = null;
    if (this.blocked) this.blockedBytes += length;
    else this.blocked = !more;
  }
}
