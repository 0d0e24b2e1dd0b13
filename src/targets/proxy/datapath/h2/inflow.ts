// The receiving half of flow control (RFC 9113 §5.2): what the peer may send on the connection and on each
// stream. A window is opened again when half of it has been taken, so a body costs few WINDOW_UPDATEs and
// a receiver that takes nothing lets nothing more come. Hot: allocates nothing.
//
// Budget: two additions for each DATA frame. Guarded by bench/proxy.ts.

import { FrameType, INITIAL_WINDOW_BYTES, writeUint32 } from './frames.ts';
import type { Output } from './output.ts';
import type { H2Stream } from './stream.ts';

export interface InflowOptions {
  readonly output: Output;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
}

export class Inflow {
  private readonly output: Output;
  private readonly streamWindowBytes: number;
  private readonly windowBytes: number;
  /**
   * What a stream that is opened now may get. A peer that has not seen our SETTINGS sends as much as the
   * protocol's own initial window allows, even where ours is smaller (RFC 9113 §6.9.3).
   */
  openingWindow: number;
  private window: number;
  private takenBytes = 0;

  /** Opens the connection's window from what every connection starts with; it cannot start smaller. */
  constructor(options: InflowOptions) {
    this.output = options.output;
    this.streamWindowBytes = options.streamWindowBytes;
    this.windowBytes = Math.max(options.connectionWindowBytes, INITIAL_WINDOW_BYTES);
    this.window = this.windowBytes;
    this.openingWindow = Math.max(options.streamWindowBytes, INITIAL_WINDOW_BYTES);
  }

  /** The peer has acknowledged our SETTINGS. */
  settingsAcked(): void {
    this.openingWindow = this.streamWindowBytes;
  }

  /** Written after our SETTINGS. */
  writeOpening(): void {
    const more = this.windowBytes - INITIAL_WINDOW_BYTES;
    if (more > 0) this.writeUpdate(0, more);
  }

  /** A DATA frame of `bytes` came in; false when the connection's window did not allow it. */
  charge(bytes: number): boolean {
    this.window -= bytes;
    return this.window >= 0;
  }

  /** As `charge`, for the stream the frame is on. */
  chargeStream(stream: H2Stream, bytes: number): boolean {
    stream.receiveWindow -= bytes;
    return stream.receiveWindow >= 0;
  }

  /** The receiver of the stream has taken `bytes`, or they were padding. */
  take(stream: H2Stream, bytes: number): void {
    this.discard(bytes);
    if (stream.closed || stream.remoteEnded) return;
    stream.takenBytes += bytes;
    if (stream.takenBytes * 2 < this.streamWindowBytes) return;
    this.writeUpdate(stream.id, stream.takenBytes);
    stream.receiveWindow += stream.takenBytes;
    stream.takenBytes = 0;
  }

  /** Bytes of a stream that is gone: only the connection's window counts them. */
  discard(bytes: number): void {
    this.takenBytes += bytes;
    if (this.takenBytes * 2 < this.windowBytes) return;
    this.writeUpdate(0, this.takenBytes);
    this.window += this.takenBytes;
    this.takenBytes = 0;
  }

  private writeUpdate(streamId: number, increment: number): void {
    const buffer = this.output.frame(4, FrameType.WINDOW_UPDATE, 0, streamId);
    writeUint32(buffer, this.output.position, increment);
    this.output.position += 4;
  }
}
