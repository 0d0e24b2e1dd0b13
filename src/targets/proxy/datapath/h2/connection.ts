// The life of an HTTP/2 connection and what it does for its streams: opening, resets, errors, timeouts, the
// end. What each frame does to it is in framed-connection.ts; what a header block means, in server.ts and
// client.ts.
//
//   transport ─bytes─▶ FrameReader ─frames─▶ FramedConnection ─┬─ blocks ─▶ server.ts / client.ts
//                                                              └─ DATA ──▶ H2Stream ─▶ Receiver
//   transport ◀─one write a turn─ Output ◀─ Outflow (DATA), HeadWriter (HEADERS), control frames
//
// Budget: 1 µs for a request and its response without a body. Allocates the stream, its head and its
// fields; control frames allocate nothing. Guarded by bench/proxy.ts.

import type { Clock, Timed } from '../clock.ts';
import type { Limits } from '../limits.ts';
import type { ResetReason } from '../stream.ts';
import { ClosedStreams } from './closed-streams.ts';
import { Floods } from './floods.ts';
import { ErrorCode, FrameType, writeUint32 } from './frames.ts';
import { HeadWriter } from './head-writer.ts';
import { Encoder } from './hpack/encoder.ts';
import { Inflow } from './inflow.ts';
import { Outflow } from './outflow.ts';
import { Output } from './output.ts';
import type { Transport } from '../stream.ts';
import { PeerSettings, settingsPayload } from './settings.ts';
import type { H2Counters, H2Shared } from './shared.ts';
import type { H2Stream } from './stream.ts';

/** Where a connection stands; it only ever moves on. */
export const Life = {
  OPEN: 0,
  /** It takes no further streams, finishes those it has, then ends. */
  DRAINING: 1,
  /** Nothing is read any more; our last bytes are on their way, and the peer is to close. */
  ENDED: 2,
  /** The transport is gone. */
  CLOSED: 3,
} as const;

/** How long the peer may take to close after our last byte; then the socket goes. */
const LINGER_MS = 2000;

export interface H2ConnectionOptions {
  readonly transport: Transport;
  readonly shared: H2Shared;
}

/** What differs between the two sides when a connection is opened. */
export interface H2Opening {
  readonly isServer: boolean;
  /** Sent before SETTINGS; '' for none. */
  readonly preface: string;
  readonly settings: readonly (readonly [id: number, value: number])[];
}

export abstract class H2Connection<S extends H2Stream = H2Stream> implements Timed {
  /** Due with every tick of the clock. */
  deadlineMs = 1;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly peer: PeerSettings;
  readonly inflow: Inflow;
  readonly outflow: Outflow;
  protected readonly isServer: boolean;
  protected readonly shared: H2Shared;
  protected readonly counters: H2Counters;
  protected readonly transport: Transport;
  protected readonly output: Output;
  protected readonly heads: HeadWriter;
  protected readonly encoder: Encoder;
  protected readonly floods: Floods;
  protected readonly streams = new Map<number, S>();
  protected readonly closedStreams = new ClosedStreams();
  protected life: number = Life.OPEN;
  protected settingsAcked = false;
  /** Since when there has been no stream, on the clock's scale. */
  protected idleSinceMs: number;
  private readonly openedAtMs: number;
  private endedAtMs = 0;
  private blockedSinceMs = 0;
  private blockedBytesBefore = 0;

  constructor(options: H2ConnectionOptions, opening: H2Opening) {
    const { shared, transport } = options;
    const { clock, limits } = shared;
    this.isServer = opening.isServer;
    this.shared = shared;
    this.clock = clock;
    this.limits = limits;
    this.counters = shared.counters;
    this.transport = transport;
    this.openedAtMs = clock.nowMs;
    this.idleSinceMs = clock.nowMs;
    this.peer = new PeerSettings(!opening.isServer);
    this.floods = new Floods(limits, clock.nowMs);
    const { buffers, flushQueue } = shared;
    this.output = new Output({ transport, buffers, flushQueue });
    const secrets = opening.isServer ? shared.responseSecrets : shared.requestSecrets;
    this.encoder = new Encoder(secrets, shared.counters);
    this.heads = new HeadWriter(this.output, this.encoder);
    const { streamWindowBytes, connectionWindowBytes } = limits;
    this.inflow = new Inflow({ output: this.output, streamWindowBytes, connectionWindowBytes });
    this.outflow = new Outflow({ output: this.output, heads: this.heads, floods: this.floods });
    this.writeOpening(opening);
    clock.add(this);
  }

  /** Lets running requests finish, then closes. */
  abstract drain(): void;

  /** The last stream of the peer that we have acted on, for GOAWAY. */
  protected abstract lastPeerStreamId(): number;

  /** The code for a stream that the exchange gives up. */
  protected abstract codeOf(stream: S, reason: ResetReason): number;

  /** A stream has gone; it may have been the last. */
  protected abstract onStreamGone(): void;

  /** The side's own times; false when the connection has ended over one. */
  protected abstract checkOwnTimes(nowMs: number): boolean;

  protected abstract stopReading(): void;

  /** Since when a frame or header block has been incomplete; 0 for none. */
  protected abstract incompleteSinceMs(): number;

  /** Closes at once: running streams are reset, what is queued is dropped. */
  destroy(): void {
    if (this.life === Life.CLOSED) return;
    this.transport.destroy();
    this.onTransportClose();
  }

  onTransportDrain(): void {
    this.output.unblock();
    this.transport.resume();
    this.outflow.pump();
  }

  /** A half-closed HTTP/2 connection serves no purpose: windows cannot be opened any more. */
  onTransportEnd(): void {
    if (this.life >= Life.ENDED) return;
    this.stopReading();
    this.failStreams('closed');
    this.endTransport();
  }

  onTransportClose(): void {
    if (this.life === Life.CLOSED) return;
    this.life = Life.CLOSED;
    this.stopReading();
    this.output.close();
    this.clock.remove(this);
    this.failStreams('closed');
    this.onClosed();
  }

  protected abstract onClosed(): void;

  /** Both halves of the stream may have ended: then it is done. Called by the stream and the outflow. */
  settle(stream: H2Stream): void {
    if (stream.closed || !stream.localEnded || !stream.remoteEnded) return;
    stream.closed = true;
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, false);
    this.onStreamGone();
  }

  /** The exchange gives the stream up; its receiver knows already. */
  abandon(stream: S, reason: ResetReason): void {
    this.resetById(stream.id, this.codeOf(stream, reason));
    this.inflow.discard(stream.dropHeld());
    this.forget(stream, true);
  }

  /** Resets a stream for what its peer did, which counts as a reset of the peer's. */
  protected streamError(stream: S, code: number, reason: ResetReason): void {
    this.counters.streamErrors++;
    this.resetById(stream.id, code);
    this.forget(stream, true);
    stream.tellReset(reason);
    if (!this.floods.reset()) this.flood();
  }

  protected resetById(streamId: number, code: number): void {
    this.counters.resetsSent++;
    const buffer = this.output.frame(4, FrameType.RST_STREAM, 0, streamId);
    writeUint32(buffer, this.output.position, code);
    this.output.position += 4;
  }

  /** Takes a stream off the connection before its time. */
  protected forget(stream: S, resetByUs: boolean): void {
    stream.closed = true;
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, resetByUs);
    this.outflow.forget(stream);
    stream.dropQueue();
    if (!stream.keepsHeld) this.inflow.discard(stream.dropHeld());
    this.onStreamGone();
  }

  /** Ends the connection for what the peer did. */
  protected fail(code: number): void {
    if (this.life >= Life.ENDED) return;
    this.counters.protocolErrors++;
    this.shutDown(code, 'protocol');
  }

  /** Ends the connection of a peer that sends too much of what costs it little. */
  protected flood(): void {
    if (this.life >= Life.ENDED) return;
    this.counters.floodGoaways++;
    this.shutDown(ErrorCode.ENHANCE_YOUR_CALM, 'limit');
  }

  protected timeOut(code: number): void {
    if (this.life >= Life.ENDED) return;
    this.counters.timeouts++;
    this.shutDown(code, 'timeout');
  }

  protected writeGoaway(lastStreamId: number, code: number): void {
    const buffer = this.output.frame(8, FrameType.GOAWAY, 0, 0);
    writeUint32(buffer, this.output.position, lastStreamId);
    writeUint32(buffer, this.output.position + 4, code);
    this.output.position += 8;
  }

  /** Sends what is queued and closes our half. What still comes in is read over, so that no reset of the
   * socket overtakes our last bytes. */
  protected endTransport(): void {
    if (this.life >= Life.ENDED) return;
    this.life = Life.ENDED;
    this.endedAtMs = this.clock.nowMs;
    this.stopReading();
    this.output.flushNow();
    this.transport.resume();
    this.transport.end();
  }

  /** Looks at every time that may have run out; called by the clock with each tick. */
  onDeadline(): void {
    const { nowMs } = this.clock;
    this.deadlineMs = nowMs;
    this.floods.refill(nowMs);
    if (this.life === Life.ENDED) {
      if (nowMs - this.endedAtMs >= LINGER_MS) this.destroy();
      return;
    }
    if (!this.checkTransport(nowMs) || !this.checkFrames(nowMs)) return;
    if (this.checkOwnTimes(nowMs)) this.checkStreams(nowMs);
  }

  /** A peer that reads nothing at all gets a body's patience. */
  private checkTransport(nowMs: number): boolean {
    if (!this.output.blocked) {
      this.blockedSinceMs = 0;
      return true;
    }
    const bufferedBytes = this.transport.bufferedBytes;
    const moved = bufferedBytes < this.blockedBytesBefore;
    this.blockedBytesBefore = bufferedBytes;
    if (this.blockedSinceMs === 0 || moved) this.blockedSinceMs = nowMs;
    if (nowMs - this.blockedSinceMs < this.limits.bodyIdleTimeoutMs) return true;
    this.counters.timeouts++;
    this.failStreams('timeout');
    this.destroy();
    return false;
  }

  private checkFrames(nowMs: number): boolean {
    const sinceMs = this.incompleteSinceMs();
    if (sinceMs !== 0 && nowMs - sinceMs >= this.limits.headTimeoutMs) {
      this.timeOut(ErrorCode.ENHANCE_YOUR_CALM);
      return false;
    }
    if (!this.settingsAcked && nowMs - this.openedAtMs >= this.limits.handshakeTimeoutMs) {
      this.timeOut(ErrorCode.SETTINGS_TIMEOUT);
      return false;
    }
    return true;
  }

  private checkStreams(nowMs: number): void {
    for (const stream of this.streams.values()) {
      if (!stream.isOverdue(nowMs)) continue;
      this.counters.timeouts++;
      this.resetById(stream.id, this.codeOf(stream, 'timeout'));
      this.forget(stream, true);
      stream.tellReset('timeout');
    }
  }

  private shutDown(code: number, reason: ResetReason): void {
    this.stopReading();
    this.writeGoaway(this.lastPeerStreamId(), code);
    this.failStreams(reason);
    this.endTransport();
  }

  private failStreams(reason: ResetReason): void {
    const streams = [...this.streams.values()];
    this.streams.clear();
    for (const stream of streams) {
      stream.closed = true;
      this.outflow.forget(stream);
      stream.dropQueue();
      if (!stream.keepsHeld) stream.dropHeld();
    }
    for (const stream of streams) stream.tellReset(reason);
  }

  private writeOpening(opening: H2Opening): void {
    const { output } = this;
    if (opening.preface !== '') {
      const buffer = output.reserve(opening.preface.length);
      output.position += buffer.write(opening.preface, output.position, 'latin1');
    }
    const payload = settingsPayload(opening.settings);
    const buffer = output.frame(payload.length, FrameType.SETTINGS, 0, 0);
    output.position += payload.copy(buffer, output.position);
    this.inflow.writeOpening();
  }
}
