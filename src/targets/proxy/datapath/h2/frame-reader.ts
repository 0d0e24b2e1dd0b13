// Cuts the bytes of a connection into frames. DATA is passed on piece by piece as it comes, other frames
// whole: straight out of the read buffer where they lie whole in it, else gathered in a buffer of their
// own that lives only until they are complete.
// Hot: allocates nothing for frames that arrive whole.
//
// Budget: 30 ns for each frame that comes whole. A frame in pieces is copied. Guarded by
// bench/proxy.ts.

import type { Clock } from '../clock.ts';
import {
  ErrorCode,
  Flag,
  FRAME_HEADER_BYTES,
  frameHeaderFault,
  FrameType,
  readUint31,
} from './frames.ts';

/** What takes the frames. Bytes are valid only during the call. */
export interface FrameSink {
  /** The header of a DATA frame; `length` counts against the windows, padding included. */
  onDataFrame(flags: number, streamId: number, length: number): void;
  onDataBytes(bytes: Buffer, start: number, end: number): void;
  /** The frame just begun is padded: how much, its own length byte included, and what is left for body. */
  onDataPadding(paddingBytes: number, bodyBytes: number): void;
  onDataFrameEnd(): void;
  /** Any other frame, its payload at bytes[start, end). */
  onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  /** A frame that breaks the connection; the reader has stopped. */
  onFrameFault(code: number): void;
}

export class FrameReader {
  /** Since when a part of a frame has been here without the rest, on the clock's scale; 0 for none. */
  partialSinceMs = 0;
  private readonly sink: FrameSink;
  private readonly clock: Clock;
  private stopped = false;
  /** The beginning of a frame that is not here whole, how much of it there is, and how much it needs. */
  private partial: Buffer | null = null;
  private partialBytes = 0;
  private frameBytes = 0;
  /** Of the DATA frame being read: bytes of body and padding still to come, and its pad length byte. */
  private bodyLeft = 0;
  private paddingLeft = 0;
  private padLengthDue = false;
  private inData = false;

  constructor(sink: FrameSink, clock: Clock) {
    this.sink = sink;
    this.clock = clock;
  }

  /** Reads nothing more; also from within a call to the sink. */
  stop(): void {
    this.stopped = true;
    this.dropPartial();
  }

  read(bytes: Buffer, start: number): void {
    let at = start;
    const end = bytes.length;
    if (this.partialBytes > 0) at = this.completePartial(bytes, at);
    while (at < end && !this.stopped) {
      if (this.inData) {
        at = this.readData(bytes, at, end);
        continue;
      }
      if (end - at < FRAME_HEADER_BYTES) {
        this.keep(bytes, at, FRAME_HEADER_BYTES);
        return;
      }
      const frameBytes = this.beginFrame(bytes, at);
      if (frameBytes === 0) {
        at += FRAME_HEADER_BYTES;
      } else if (frameBytes > end - at) {
        this.keep(bytes, at, frameBytes);
        return;
      } else {
        this.passOn(bytes, at, at + frameBytes);
        at += frameBytes;
      }
    }
  }

  /**
   * Judges the frame header at `at`. Returns how many bytes the whole frame has, 0 when there is nothing
   * to wait for: a DATA frame has begun, or the reader has stopped.
   */
  private beginFrame(bytes: Buffer, at: number): number {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const type = bytes[at + 3]!;
    const flags = bytes[at + 4]!;
    const streamId = readUint31(bytes, at + 5);
    const fault = frameHeaderFault(type, flags, streamId, length);
    if (fault !== ErrorCode.NO_ERROR) {
      this.stop();
      this.sink.onFrameFault(fault);
      return 0;
    }
    if (type !== FrameType.DATA) return FRAME_HEADER_BYTES + length;
    this.beginData(flags, streamId, length);
    return 0;
  }

  private passOn(bytes: Buffer, at: number, end: number): void {
    const streamId = readUint31(bytes, at + 5);
    this.sink.onFrame(
      bytes[at + 3]!,
      bytes[at + 4]!,
      streamId,
      bytes,
      at + FRAME_HEADER_BYTES,
      end,
    );
  }

  private beginData(flags: number, streamId: number, length: number): void {
    this.inData = true;
    this.padLengthDue = (flags & Flag.PADDED) !== 0;
    this.bodyLeft = length;
    this.paddingLeft = 0;
    this.sink.onDataFrame(flags, streamId, length);
    if (this.stopped) return;
    if (this.padLengthDue && length === 0) {
      this.stop();
      this.sink.onFrameFault(ErrorCode.FRAME_SIZE_ERROR);
    } else if (length === 0) {
      this.endData();
    }
  }

  private readData(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.padLengthDue) {
      const padding = bytes[at++]!;
      this.padLengthDue = false;
      this.bodyLeft -= 1 + padding;
      this.paddingLeft = padding;
      if (this.bodyLeft < 0) {
        // RFC 9113 §6.1: padding as long as the payload or longer.
        this.stop();
        this.sink.onFrameFault(ErrorCode.PROTOCOL_ERROR);
        return end;
      }
      this.sink.onDataPadding(1 + padding, this.bodyLeft);
    }
    const body = Math.min(this.bodyLeft, end - at);
    if (body > 0) {
      this.bodyLeft -= body;
      this.sink.onDataBytes(bytes, at, at + body);
      at += body;
    }
    if (this.bodyLeft > 0) return at;
    const padding = Math.min(this.paddingLeft, end - at);
    this.paddingLeft -= padding;
    if (this.paddingLeft === 0) this.endData();
    return at + padding;
  }

  private endData(): void {
    this.inData = false;
    if (!this.stopped) this.sink.onDataFrameEnd();
  }

  /** Keeps the rest of `bytes` as the beginning of a frame, of which `frameBytes` are needed next. */
  private keep(bytes: Buffer, at: number, frameBytes: number): void {
    this.partial = Buffer.allocUnsafe(frameBytes);
    this.frameBytes = frameBytes;
    this.partialBytes = bytes.copy(this.partial, 0, at);
    this.partialSinceMs = this.clock.nowMs;
  }

  /** Adds to the kept frame and passes it on when it is whole; returns where the next one begins. */
  private completePartial(bytes: Buffer, start: number): number {
    let at = start;
    if (this.partialBytes < FRAME_HEADER_BYTES) {
      at = this.fillPartial(bytes, at);
      if (this.partialBytes < FRAME_HEADER_BYTES) return at;
      const header = this.partial!;
      this.frameBytes = this.beginFrame(header, 0);
      if (this.frameBytes === 0) {
        this.dropPartial();
        return at;
      }
      this.partial = Buffer.allocUnsafe(this.frameBytes);
      header.copy(this.partial, 0, 0, FRAME_HEADER_BYTES);
    }
    at = this.fillPartial(bytes, at);
    if (this.partialBytes < this.frameBytes) return at;
    const frame = this.partial!;
    const { frameBytes } = this;
    this.dropPartial();
    this.passOn(frame, 0, frameBytes);
    return at;
  }

  private fillPartial(bytes: Buffer, at: number): number {
    const missing = this.frameBytes - this.partialBytes;
    const added = bytes.copy(this.partial!, this.partialBytes, at, at + missing);
    this.partialBytes += added;
    return at + added;
  }

  private dropPartial(): void {
    this.partial = null;
    this.partialBytes = 0;
    this.partialSinceMs = 0;
  }
}
