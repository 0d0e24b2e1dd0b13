// Puts a header block together from HEADERS and its CONTINUATIONs (RFC 9113 §6.2, §6.10). A block in one
// frame, which nearly all are, is read where it lies; only one in pieces is gathered, within limits
// (CVE-2024-27983 and its kin: CONTINUATION without end).
//
// Budget: nothing for a block of one frame, which is read where it lies; others are copied. Guarded
// by bench/proxy.ts.

import { ErrorCode, Flag, readUint31 } from './frames.ts';

const PRIORITY_BYTES = 5;
const NO_BYTES = Buffer.alloc(0);

export interface HeaderBlockLimits {
  readonly framesMax: number;
  readonly bytesMax: number;
}

export class HeaderBlock {
  /** More CONTINUATIONs must follow, and nothing else may. */
  open = false;
  streamId = 0;
  endStream = false;
  /** Its priority says that the stream depends on itself, which RFC 7540 §5.3.1 made an error. */
  selfDependent = false;
  /** When the first frame came, while the block is open; 0 else. Set by the connection, which has the clock. */
  openedAtMs = 0;
  /** The block lies at bytes[start, end); valid until `clear`. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  private frames = 0;
  private readonly limits: HeaderBlockLimits;

  constructor(limits: HeaderBlockLimits) {
    this.limits = limits;
  }

  /** Takes a HEADERS frame with its payload at bytes[start, end); returns the connection error in it. */
  begin(flags: number, streamId: number, bytes: Buffer, start: number, end: number): number {
    let from = start;
    let to = end;
    if ((flags & Flag.PADDED) !== 0) {
      if (from === to) return ErrorCode.FRAME_SIZE_ERROR;
      to -= bytes[from]!;
      from++;
      if (to < from) return ErrorCode.PROTOCOL_ERROR;
    }
    this.selfDependent = false;
    if ((flags & Flag.PRIORITY) !== 0) {
      if (to - from < PRIORITY_BYTES) return ErrorCode.FRAME_SIZE_ERROR;
      this.selfDependent = readUint31(bytes, from) === streamId;
      from += PRIORITY_BYTES;
    }
    this.streamId = streamId;
    this.endStream = (flags & Flag.END_STREAM) !== 0;
    this.frames = 1;
    this.open = (flags & Flag.END_HEADERS) === 0;
    this.bytes = bytes;
    this.start = from;
    this.end = to;
    if (this.open) this.gather(bytes, from, to);
    return ErrorCode.NO_ERROR;
  }

  /** Takes a CONTINUATION of this block; returns the connection error in it. */
  add(flags: number, bytes: Buffer, start: number, end: number): number {
    this.frames++;
    if (this.frames > this.limits.framesMax) return ErrorCode.ENHANCE_YOUR_CALM;
    const length = this.end + (end - start);
    if (length > this.limits.bytesMax) return ErrorCode.ENHANCE_YOUR_CALM;
    bytes.copy(this.bytes, this.end, start, end);
    this.end = length;
    this.open = (flags & Flag.END_HEADERS) === 0;
    return ErrorCode.NO_ERROR;
  }

  /** Lets go of the bytes. */
  clear(): void {
    this.open = false;
    this.openedAtMs = 0;
    this.bytes = NO_BYTES;
  }

  private gather(bytes: Buffer, from: number, to: number): void {
    const gathered = Buffer.allocUnsafe(this.limits.bytesMax);
    bytes.copy(gathered, 0, from, to);
    this.bytes = gathered;
    this.start = 0;
    this.end = to - from;
  }
}
