// The server side of an HTTP/2 connection: requests of a client, handed to the exchange as they come.
//
// Answered here, without asking the exchange: 405 to a CONNECT without :protocol (we are no forward proxy),
// 414 and 431 to heads past their limits, 417 to an Expect other than 100-continue. Everything malformed is
// reset with PROTOCOL_ERROR, and counted like a reset of the client's: else it could make us reset streams
// as fast as it likes (CVE-2025-8671).
//
// Budget: 1 µs for a request and its response without bodies. Allocates the stream and the head.
// Guarded by bench/proxy.ts.

import type { Limits } from '../limits.ts';
import type { RequestHandler, RequestHead, ResetReason, ResponseHead } from '../stream.ts';
import { Life } from './connection.ts';
import type { H2ConnectionOptions } from './connection.ts';
import { FramedConnection } from './framed-connection.ts';
import { CLIENT_PREFACE, ErrorCode, Flag, FrameType, UINT31_MAX } from './frames.ts';
import type { HeaderBlock } from './header-block.ts';
import { MALFORMED } from './request-head.ts';
import { H2ServerStream } from './server-stream.ts';
import { Setting } from './settings.ts';

export interface H2ServerOptions extends H2ConnectionOptions {
  readonly scheme: 'http' | 'https';
  readonly onRequest: RequestHandler;
  /** The connection is gone for good. */
  readonly onClosed: () => void;
}

// How far a graceful end has come (RFC 9113 §6.8).
const NOT_DRAINING = 0;
/** GOAWAY with the largest id is out; streams the client had already sent still come. */
const ANNOUNCED = 1;
/** GOAWAY with the last id is out: later streams are not served. */
const REFUSING = 2;

const PING_BYTES = 8;

/** A client that does not answer the PING in this time has had its round trip. */
const ROUND_TRIP_MS_MAX = 2000;

export class H2ServerConnection extends FramedConnection<H2ServerStream> {
  private readonly scheme: 'http' | 'https';
  private readonly onRequest: RequestHandler;
  private readonly tellClosed: () => void;
  private prefaceBytes = 0;
  private lastStreamId = 0;
  private drainStep = NOT_DRAINING;
  private announcedAtMs = 0;

  constructor(options: H2ServerOptions) {
    super(options, { isServer: true, preface: '', settings: settingsOf(options.shared.limits) });
    this.scheme = options.scheme;
    this.onRequest = options.onRequest;
    this.tellClosed = options.onClosed;
  }

  override onTransportData(bytes: Buffer): void {
    let at = 0;
    while (this.prefaceBytes < CLIENT_PREFACE.length) {
      if (at === bytes.length || this.life >= Life.ENDED) return;
      if (bytes[at++] !== CLIENT_PREFACE.charCodeAt(this.prefaceBytes++)) {
        this.fail(ErrorCode.PROTOCOL_ERROR);
        return;
      }
    }
    this.readFrames(bytes, at);
  }

  /**
   * Ends gracefully: says that no more streams are taken, and a round trip later, when the client must have
   * heard it, which was the last one. So no request is lost that was already on its way.
   */
  drain(): void {
    if (this.life !== Life.OPEN) return;
    this.life = Life.DRAINING;
    this.drainStep = ANNOUNCED;
    this.announcedAtMs = this.clock.nowMs;
    this.writeGoaway(UINT31_MAX, ErrorCode.NO_ERROR);
    const buffer = this.output.frame(PING_BYTES, FrameType.PING, Flag.NONE, 0);
    buffer.fill(0, this.output.position, this.output.position + PING_BYTES);
    this.output.position += PING_BYTES;
  }

  /** Requests that are on their way when the client hears of the end are answered. */
  handOver(): void {
    this.drain();
  }

  /** For server-stream.ts: a head, interim or final. */
  writeResponse(stream: H2ServerStream, head: ResponseHead, end: boolean): void {
    this.heads.response(stream.id, head, end);
    stream.frameAt = this.heads.frameAt;
    stream.frameEpoch = this.output.epoch;
    this.floods.work();
  }

  protected override onHeaderBlock(block: HeaderBlock): void {
    const stream = this.streams.get(block.streamId);
    const { headBytesMax, trailerBytesMax } = this.limits;
    if (!this.decodeBlock(block, stream === undefined ? headBytesMax : trailerBytesMax)) return;
    if (stream !== undefined) this.onTrailers(stream, block);
    else if (block.streamId > this.lastStreamId) this.onNewStream(block);
    else this.onOldStream(block.streamId);
  }

  protected override onGoaway(): void {
    // It only says which streams of ours the client has seen, and a server opens none.
  }

  protected override onPeerSettings(): void {
    // All that matters to a server is applied where it is kept.
  }

  protected override onPingAck(): void {
    if (this.drainStep === ANNOUNCED) this.refuseFurther();
  }

  protected override takesData(): boolean {
    return true;
  }

  protected override isIdle(streamId: number): boolean {
    if ((streamId & 1) === 0) return true;
    return streamId > this.lastStreamId && this.drainStep !== REFUSING;
  }

  protected override isIgnored(streamId: number): boolean {
    return this.drainStep === REFUSING && streamId > this.lastStreamId;
  }

  protected override lastPeerStreamId(): number {
    return this.lastStreamId;
  }

  protected override codeOf(stream: H2ServerStream, reason: ResetReason): number {
    // The response is complete: the client need only stop sending its request (RFC 9113 §8.1).
    if (stream.localEnded) return ErrorCode.NO_ERROR;
    switch (reason) {
      case 'refused':
        return ErrorCode.REFUSED_STREAM;
      case 'limit':
        return ErrorCode.ENHANCE_YOUR_CALM;
      case 'timeout':
      case 'cancelled':
        return ErrorCode.CANCEL;
      case 'closed':
      case 'protocol':
        // The backend's fault, not the client's.
        return ErrorCode.INTERNAL_ERROR;
    }
  }

  protected override onStreamGone(): void {
    if (this.streams.size > 0) return;
    this.idleSinceMs = this.clock.nowMs;
    if (this.drainStep === REFUSING) this.endTransport();
  }

  protected override checkOwnTimes(nowMs: number): boolean {
    if (this.drainStep === ANNOUNCED && nowMs - this.announcedAtMs >= ROUND_TRIP_MS_MAX) {
      this.refuseFurther();
    }
    const idleMs = this.streams.size === 0 ? nowMs - this.idleSinceMs : 0;
    if (idleMs >= this.limits.keepAliveTimeoutMs) this.drain();
    return this.life < Life.ENDED;
  }

  protected override onClosed(): void {
    this.tellClosed();
  }

  private refuseFurther(): void {
    this.drainStep = REFUSING;
    this.writeGoaway(this.lastStreamId, ErrorCode.NO_ERROR);
    if (this.streams.size === 0) this.endTransport();
  }

  /** A header block on a stream that is not open, and was not the next to be. */
  private onOldStream(streamId: number): void {
    if (this.closedStreams.has(streamId)) this.onBlockWithoutStream(streamId);
    else this.fail(ErrorCode.PROTOCOL_ERROR);
  }

  private onNewStream(block: HeaderBlock): void {
    const { streamId } = block;
    if (this.drainStep === REFUSING) {
      this.count();
      return;
    }
    if ((streamId & 1) === 0) {
      this.fail(ErrorCode.PROTOCOL_ERROR);
      return;
    }
    this.lastStreamId = streamId;
    this.idleSinceMs = this.clock.nowMs;
    if (this.streams.size >= this.limits.streamsMax) {
      this.counters.streamsRefused++;
      this.reject(streamId, ErrorCode.REFUSED_STREAM);
      return;
    }
    const head = this.shared.requestHeads.read(this.shared.fields, {
      scheme: this.scheme,
      endStream: block.endStream,
      targetBytesMax: this.limits.targetBytesMax,
    });
    if (head === MALFORMED || block.selfDependent) {
      this.counters.streamErrors++;
      this.reject(streamId, ErrorCode.PROTOCOL_ERROR);
    } else if (typeof head === 'number') {
      this.answer(block, head);
    } else {
      this.open(block, head);
    }
  }

  private open(block: HeaderBlock, head: RequestHead): void {
    const stream = new H2ServerStream(this, block.streamId, head);
    const hasBody = !block.endStream;
    stream.remoteEnded = !hasBody;
    stream.bodyLeft = head.contentLength;
    this.streams.set(stream.id, stream);
    this.counters.streamsOpened++;
    this.floods.work();
    stream.receiver = this.onRequest(stream, head, hasBody);
    if (!hasBody && !stream.closed) stream.receiver.onEnd(null);
  }

  /** Resets a stream that was never opened to the exchange. */
  private reject(streamId: number, code: number): void {
    this.resetById(streamId, code);
    this.closedStreams.add(streamId, true);
    if (!this.floods.reset()) this.flood();
  }

  /** Answers a request that is valid but not taken, and stops its body. */
  private answer(block: HeaderBlock, status: number): void {
    this.counters.requestsRefused++;
    this.heads.response(block.streamId, { status, fields: [], contentLength: 0 }, true);
    if (!block.endStream) this.resetById(block.streamId, ErrorCode.NO_ERROR);
    this.closedStreams.add(block.streamId, !block.endStream);
    if (!this.floods.reset()) this.flood();
  }
}

function settingsOf(limits: Limits): (readonly [id: number, value: number])[] {
  return [
    [Setting.MAX_CONCURRENT_STREAMS, limits.streamsMax],
    [Setting.INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
    [Setting.MAX_HEADER_LIST_SIZE, limits.headBytesMax],
    [Setting.ENABLE_CONNECT_PROTOCOL, 1],
  ];
}
