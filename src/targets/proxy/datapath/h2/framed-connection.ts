// What each frame does to a connection, as far as server and client are alike: judged against the state of
// connection and stream (RFC 9113 §5, §6) and handed to whom it concerns. See connection.ts for the whole.
// Hot: allocates nothing for a frame.
//
// Budget: 0.1 µs for a frame beyond what it says. Guarded by bench/proxy.ts.

import type { Fields, TransportHandler } from '../stream.ts';
import { H2Connection, Life } from './connection.ts';
import type { H2ConnectionOptions, H2Opening } from './connection.ts';
import { FrameReader } from './frame-reader.ts';
import type { FrameSink } from './frame-reader.ts';
import { ErrorCode, Flag, FrameType, readUint31, readUint32 } from './frames.ts';
import { HeaderBlock } from './header-block.ts';
import { Decoder } from './hpack/decoder.ts';
import { readTrailers } from './response-head.ts';
import type { H2Stream } from './stream.ts';

export abstract class FramedConnection<S extends H2Stream = H2Stream>
  extends H2Connection<S>
  implements FrameSink, TransportHandler
{
  private readonly reader: FrameReader;
  private readonly block: HeaderBlock;
  private readonly decoder: Decoder;
  private settingsSeen = false;
  /** The stream of the DATA frame being read, null when nobody takes its bytes. */
  private dataStream: S | null = null;
  private dataEndsStream = false;

  constructor(options: H2ConnectionOptions, opening: H2Opening) {
    super(options, opening);
    const { shared } = options;
    this.reader = new FrameReader(this, shared.clock);
    this.block = new HeaderBlock({
      framesMax: shared.limits.headerFramesMax,
      bytesMax: shared.blockBytesMax,
    });
    const secrets = opening.isServer ? shared.requestSecrets : shared.responseSecrets;
    this.decoder = new Decoder(shared.huffmanScratch, secrets);
  }

  /** A whole header block has come. */
  protected abstract onHeaderBlock(block: HeaderBlock): void;

  /** The stream was never opened: frames on it are errors. */
  protected abstract isIdle(streamId: number): boolean;

  /** The stream was opened by a peer that could not know yet that we take no more. */
  protected abstract isIgnored(streamId: number): boolean;

  protected abstract onGoaway(lastStreamId: number): void;

  protected abstract onPingAck(): void;

  /** The peer's SETTINGS have changed. */
  protected abstract onPeerSettings(): void;

  /** Whether the stream may carry DATA now: a response's head must have come. */
  protected abstract takesData(stream: S): boolean;

  onTransportData(bytes: Buffer): void {
    this.readFrames(bytes, 0);
  }

  /** Reads frames from `start` on; what comes after the end is read over. */
  protected readFrames(bytes: Buffer, start: number): void {
    if (this.life >= Life.ENDED) return;
    this.reader.read(bytes, start);
    // A peer that reads nothing makes us queue answers to what it sends: it is not read either.
    if (this.output.blockedBytes > this.limits.bufferedBytesMax) this.transport.pause();
  }

  protected stopReading(): void {
    this.reader.stop();
    this.block.clear();
  }

  protected incompleteSinceMs(): number {
    return this.block.open ? this.block.openedAtMs : this.reader.partialSinceMs;
  }

  /** Decodes a block into the worker's field list; false when that has ended the connection. */
  protected decodeBlock(block: HeaderBlock, listBytesMax: number): boolean {
    const list = this.shared.fields;
    list.reset(listBytesMax);
    if (this.decoder.decode(block.bytes, block.start, block.end, list)) return true;
    this.fail(ErrorCode.COMPRESSION_ERROR);
    return false;
  }

  onFrameFault(code: number): void {
    this.fail(code);
  }

  onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if (!this.isAllowedNow(type, flags)) return;
    switch (type) {
      case FrameType.HEADERS:
        this.onBlockPart(this.block.begin(flags, streamId, bytes, start, end));
        return;
      case FrameType.CONTINUATION:
        if (streamId !== this.block.streamId) this.fail(ErrorCode.PROTOCOL_ERROR);
        else this.onBlockPart(this.block.add(flags, bytes, start, end));
        return;
      case FrameType.WINDOW_UPDATE:
        this.onWindowUpdate(streamId, readUint31(bytes, start));
        return;
      case FrameType.RST_STREAM:
        this.onRstStream(streamId, readUint32(bytes, start));
        return;
      case FrameType.SETTINGS:
        this.onSettings(flags, bytes, start, end);
        return;
      case FrameType.PING:
        this.onPing(flags, bytes, start, end);
        return;
      case FrameType.GOAWAY:
        this.count();
        this.onGoaway(readUint31(bytes, start));
        return;
      case FrameType.PRIORITY:
        // Priorities are not used, but one that depends on itself was an error once (RFC 7540 §5.3.1).
        if (readUint31(bytes, start) === streamId) this.fail(ErrorCode.PROTOCOL_ERROR);
        else this.count();
        return;
      default:
        // Unknown frames mean nothing here, but reading over them costs too.
        this.count();
    }
  }

  onDataFrame(flags: number, streamId: number, length: number): void {
    this.dataStream = null;
    if (!this.isAllowedNow(FrameType.DATA, flags)) return;
    if (!this.inflow.charge(length)) {
      this.fail(ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream !== undefined && this.admitsData(stream, length)) {
      this.dataStream = stream;
      this.dataEndsStream = (flags & Flag.END_STREAM) !== 0;
      if (length === 0 && !this.dataEndsStream) this.onEmptyData();
      return;
    }
    this.inflow.discard(length);
    if (stream !== undefined) return;
    this.onFrameWithoutStream(streamId);
    // What was in flight when we reset the stream is limited by its window, but empty DATA is not.
    if (length === 0) this.count();
  }

  onDataPadding(paddingBytes: number, bodyBytes: number): void {
    if (this.dataStream === null) return;
    this.inflow.take(this.dataStream, paddingBytes);
    if (bodyBytes === 0 && !this.dataEndsStream) this.onEmptyData();
  }

  onDataBytes(bytes: Buffer, start: number, end: number): void {
    const stream = this.dataStream;
    if (stream === null) return;
    const length = end - start;
    if (stream.closed) {
      this.inflow.discard(length);
    } else if (stream.bodyLeft >= 0 && length > stream.bodyLeft) {
      // More than content-length said (RFC 9113 §8.1.1).
      this.inflow.discard(length);
      this.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'protocol');
    } else {
      if (stream.bodyLeft >= 0) stream.bodyLeft -= length;
      stream.receiveBody(bytes, start, end);
    }
  }

  onDataFrameEnd(): void {
    const stream = this.dataStream;
    this.dataStream = null;
    if (stream !== null && this.dataEndsStream && !stream.closed) this.endRemote(stream, null);
  }

  /** A header block on an open stream whose head has come: trailers, or an error. */
  protected onTrailers(stream: S, block: HeaderBlock): void {
    const list = this.shared.fields;
    if (stream.remoteEnded) {
      this.streamError(stream, ErrorCode.STREAM_CLOSED, 'protocol');
    } else if (list.overflowed) {
      this.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM, 'limit');
    } else {
      const trailers = block.endStream && !block.selfDependent ? readTrailers(list) : null;
      if (trailers === null) this.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'protocol');
      else this.endRemote(stream, trailers.length === 0 ? null : trailers);
    }
  }

  /** The peer's half ends, unless it owes a part of what content-length said. */
  protected endRemote(stream: S, trailers: Fields | null): void {
    if (stream.bodyLeft > 0) this.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'protocol');
    else stream.receiveEnd(trailers);
  }

  /** A frame on a stream that is not open: an error unless the stream is one of those we gave up. */
  private onFrameWithoutStream(streamId: number): void {
    if (this.isIdle(streamId)) this.fail(ErrorCode.PROTOCOL_ERROR);
    else if (!this.isIgnored(streamId) && !this.closedStreams.wasResetByUs(streamId)) {
      this.fail(ErrorCode.STREAM_CLOSED);
    }
  }

  /** As `onFrameWithoutStream`, for a header block, which we had to decode all the same. */
  protected onBlockWithoutStream(streamId: number): void {
    this.onFrameWithoutStream(streamId);
    this.count();
  }

  /** Counts a frame that costs its sender little; honest peers send few, or some for each answer. */
  protected count(): void {
    if (!this.floods.answeringFrame()) this.flood();
  }

  private onEmptyData(): void {
    if (!this.floods.controlFrame()) this.flood();
  }

  /** Judges DATA of an open stream by what the stream's state and window allow. */
  private admitsData(stream: S, length: number): boolean {
    if (stream.remoteEnded) {
      this.streamError(stream, ErrorCode.STREAM_CLOSED, 'protocol');
    } else if (!this.takesData(stream)) {
      this.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'protocol');
    } else if (!this.inflow.chargeStream(stream, length)) {
      this.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, 'protocol');
    } else {
      return true;
    }
    return false;
  }

  /** Inside a header block only CONTINUATION may come (§6.10), and SETTINGS before all else (§3.4). */
  private isAllowedNow(type: number, flags: number): boolean {
    let allowed = this.block.open === (type === FrameType.CONTINUATION);
    if (!this.settingsSeen) {
      this.settingsSeen = type === FrameType.SETTINGS && (flags & Flag.ACK) === 0;
      allowed &&= this.settingsSeen;
    }
    if (!allowed) this.fail(ErrorCode.PROTOCOL_ERROR);
    return allowed;
  }

  private onBlockPart(fault: number): void {
    if (fault === ErrorCode.ENHANCE_YOUR_CALM) {
      this.flood();
    } else if (fault !== ErrorCode.NO_ERROR) {
      this.fail(fault);
    } else if (this.block.open) {
      if (this.block.openedAtMs === 0) this.block.openedAtMs = this.clock.nowMs;
    } else {
      this.onHeaderBlock(this.block);
      this.block.clear();
    }
  }

  private onWindowUpdate(streamId: number, increment: number): void {
    const stream = this.streams.get(streamId);
    if (!this.floods.answeringFrame()) {
      this.flood();
    } else if (streamId === 0) {
      if (increment === 0) this.fail(ErrorCode.PROTOCOL_ERROR);
      else if (!this.outflow.grow(increment)) this.fail(ErrorCode.FLOW_CONTROL_ERROR);
    } else if (stream === undefined) {
      // On a closed stream it may still have been on its way.
      if (this.isIdle(streamId)) this.fail(ErrorCode.PROTOCOL_ERROR);
    } else if (increment === 0) {
      this.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'protocol');
    } else if (!this.outflow.growStream(stream, increment)) {
      this.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, 'protocol');
    }
  }

  private onRstStream(streamId: number, code: number): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      // On a closed stream it may still have been on its way; it is counted all the same.
      if (this.isIdle(streamId)) this.fail(ErrorCode.PROTOCOL_ERROR);
      else this.count();
      return;
    }
    this.counters.resetsReceived++;
    this.forget(stream, false);
    const refused = code === ErrorCode.REFUSED_STREAM && !this.isServer;
    stream.tellReset(refused ? 'refused' : 'closed');
    // A backend that resets its streams costs itself more than us: only clients are counted.
    if (this.isServer && !this.floods.reset()) this.flood();
  }

  private onSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & Flag.ACK) !== 0) {
      this.settingsAcked = true;
      this.inflow.settingsAcked();
      this.count();
      return;
    }
    if (!this.floods.controlFrame()) {
      this.flood();
      return;
    }
    const windowBefore = this.peer.initialWindowBytes;
    const fault = this.peer.apply(bytes, start, end);
    if (fault !== ErrorCode.NO_ERROR) {
      this.fail(fault);
      return;
    }
    this.output.frame(0, FrameType.SETTINGS, Flag.ACK, 0);
    this.encoder.limitTable(this.peer.headerTableBytes);
    const change = this.peer.initialWindowBytes - windowBefore;
    if (!this.outflow.resize(this.streams.values(), change)) {
      this.fail(ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    this.onPeerSettings();
  }

  private onPing(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & Flag.ACK) !== 0) {
      this.count();
      this.onPingAck();
      return;
    }
    if (!this.floods.answeringFrame()) {
      this.flood();
      return;
    }
    const buffer = this.output.frame(end - start, FrameType.PING, Flag.ACK, 0);
    this.output.position += bytes.copy(buffer, this.output.position, start, end);
  }
}
