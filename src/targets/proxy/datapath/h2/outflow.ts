// The sending half of flow control (RFC 9113 §5.2): DATA goes out as far as the windows and the transport
// allow, the rest waits in its stream. `send` says false as soon as anything waits, so what waits for one
// stream is never more than one piece of body. When room comes, waiting streams take turns frame by frame.
// Hot: allocates nothing while nobody is slow.
//
// Budget: one copy of each byte. Guarded by bench/proxy.ts.

import type { Fields } from '../stream.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Floods } from './floods.ts';
import { Flag, FRAME_BYTES_MAX, FrameType, INITIAL_WINDOW_BYTES, UINT31_MAX } from './frames.ts';
import type { HeadWriter } from './head-writer.ts';
import type { Output } from './output.ts';
import type { H2Stream } from './stream.ts';

/** A smaller DATA frame that leaves bytes waiting is the peer's tiny window at work, and earns no credit. */
const WORK_BYTES_MIN = 1024;

export interface OutflowOptions {
  readonly output: Output;
  readonly heads: HeadWriter;
  readonly floods: Floods;
}

export class Outflow {
  private window = INITIAL_WINDOW_BYTES;
  /** Streams with a queue, the one that waited longest first. */
  private readonly waiting = new Set<H2Stream>();
  private readonly output: Output;
  private readonly heads: HeadWriter;
  private readonly floods: Floods;

  constructor(options: OutflowOptions) {
    this.output = options.output;
    this.heads = options.heads;
    this.floods = options.floods;
  }

  /** Sends what it can and keeps a copy of the rest; false when there is a rest. */
  send(stream: H2Stream, bytes: Buffer): boolean {
    const waits = stream.queue !== null || this.output.blocked;
    const sent = waits ? 0 : this.write(stream, bytes, bytes.length);
    if (sent === bytes.length) return true;
    if (stream.queue === null) {
      stream.queue = new ByteQueue();
      stream.activeAtMs = stream.connection.clock.nowMs;
      this.waiting.add(stream);
    }
    stream.queue.push(bytes, sent, bytes.length);
    return false;
  }

  /** Ends our half, now or when what waits is out. */
  end(stream: H2Stream, trailers: Fields | null): void {
    stream.endAsked = true;
    stream.endTrailers = trailers;
    if (stream.queue === null) this.finish(stream);
  }

  /** The stream is gone. */
  forget(stream: H2Stream): void {
    this.waiting.delete(stream);
  }

  /** The peer opened the connection's window; false when it opened it too far. */
  grow(increment: number): boolean {
    this.window += increment;
    if (this.window > UINT31_MAX) return false;
    this.pump();
    return true;
  }

  /** The peer opened a stream's window; false when it opened it too far. */
  growStream(stream: H2Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > UINT31_MAX) return false;
    if (stream.queue !== null) this.pump();
    return true;
  }

  /** The peer changed the windows of all streams (RFC 9113 §6.9.2); false when one is now too large. */
  resize(streams: Iterable<H2Stream>, change: number): boolean {
    for (const stream of streams) {
      stream.sendWindow += change;
      if (stream.sendWindow > UINT31_MAX) return false;
    }
    if (change > 0) this.pump();
    return true;
  }

  /** Sends what waits as far as it goes; called when a window or the transport has room again. */
  pump(): void {
    let drained: H2Stream[] | null = null;
    for (const stream of this.waiting) {
      if (this.output.blocked || this.window <= 0) break;
      const queue = stream.queue!;
      const sent = this.writeQueued(stream, queue);
      if (queue.length > 0) {
        // Behind the others: the loop comes to it again after them, until nobody gets on.
        if (sent && this.waiting.delete(stream)) this.waiting.add(stream);
        continue;
      }
      stream.queue = null;
      this.waiting.delete(stream);
      if (stream.endAsked) {
        this.finish(stream);
      } else {
        drained ??= [];
        drained.push(stream);
      }
    }
    if (drained !== null) tellDrained(drained);
  }

  /** Writes one frame of what waits; false when the stream's window is closed. */
  private writeQueued(stream: H2Stream, queue: ByteQueue): boolean {
    const front = queue.front();
    const sent = this.write(stream, front, Math.min(front.length, FRAME_BYTES_MAX));
    if (sent === 0) return false;
    queue.take(sent);
    return true;
  }

  /** Writes bytes[0, end) as DATA as far as the windows go; returns how many. */
  private write(stream: H2Stream, bytes: Buffer, end: number): number {
    let at = 0;
    while (at < end) {
      const room = Math.min(this.window, stream.sendWindow, FRAME_BYTES_MAX);
      const size = Math.min(room, end - at);
      if (size <= 0) break;
      stream.frameAt = this.output.data(stream.id, bytes, at, at + size);
      stream.frameEpoch = this.output.epoch;
      this.window -= size;
      stream.sendWindow -= size;
      at += size;
      if (at === end || size >= WORK_BYTES_MIN) this.floods.work();
    }
    if (at > 0) stream.activeAtMs = stream.connection.clock.nowMs;
    return at;
  }

  /** Puts END_STREAM on the wire: on trailers, on the frame before if it is still here, or on an empty one. */
  private finish(stream: H2Stream): void {
    const trailers = stream.endTrailers;
    if (trailers !== null && trailers.length > 0) {
      this.heads.trailers(stream.id, trailers);
    } else if (!this.output.endFrame(stream.frameAt, stream.frameEpoch)) {
      this.output.frame(0, FrameType.DATA, Flag.END_STREAM, stream.id);
    }
    stream.localEnded = true;
    stream.connection.settle(stream);
  }
}

/** Each receiver may send again at once, and so make its stream wait again, or end others. */
function tellDrained(streams: readonly H2Stream[]): void {
  for (const stream of streams) {
    if (!stream.closed && !stream.endAsked) stream.receiver.onDrain();
  }
}
