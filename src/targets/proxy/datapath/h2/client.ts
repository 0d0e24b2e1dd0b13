// The client side of an HTTP/2 connection: many requests to one backend at a time, within what it allows.
// A stream that the backend cannot have acted on (REFUSED_STREAM, or past the last one of its GOAWAY) ends
// with 'refused' and may be sent again elsewhere.
//
// Budget: 1 µs for a request and its response without bodies. Allocates the stream and the head.
// Guarded by bench/proxy.ts.

import assert from 'node:assert/strict';
import { LENGTH_UNKNOWN } from '../stream.ts';
import type {
  ClientConnection,
  RequestHead,
  ResetReason,
  ResponseHead,
  ResponseReceiver,
  Sender,
} from '../stream.ts';
import { H2ClientStream } from './client-stream.ts';
import { Life } from './connection.ts';
import type { H2ConnectionOptions } from './connection.ts';
import { FramedConnection } from './framed-connection.ts';
import { CLIENT_PREFACE, ErrorCode, UINT31_MAX } from './frames.ts';
import type { HeaderBlock } from './header-block.ts';
import { readResponseHead } from './response-head.ts';
import { Setting } from './settings.ts';
import { withoutKey } from '../websocket.ts';
import type { Limits } from '../limits.ts';

export interface H2ClientOptions extends H2ConnectionOptions {
  /** The :scheme of requests: what the connection to the backend is, not what the client's was. */
  readonly scheme: 'http' | 'https';
  /** `available` has become true again. */
  readonly onAvailable?: (connection: H2ClientConnection) => void;
  /** The connection is gone for good. */
  readonly onClosed: (connection: H2ClientConnection) => void;
}

export class H2ClientConnection
  extends FramedConnection<H2ClientStream>
  implements ClientConnection
{
  private readonly options: H2ClientOptions;
  private nextStreamId = 1;
  /** The last stream the backend will serve, by its GOAWAY. */
  private lastServedId = UINT31_MAX;
  private wasAvailable = true;
  /** Who waits for the backend's SETTINGS; null once they have come. */
  private awaiting: (() => void)[] | null = [];

  constructor(options: H2ClientOptions) {
    super(options, {
      isServer: false,
      preface: CLIENT_PREFACE,
      settings: settingsOf(options.shared.limits),
    });
    this.options = options;
  }

  get available(): boolean {
    return (
      this.life === Life.OPEN &&
      this.streams.size < this.peer.streamsMax &&
      this.nextStreamId < UINT31_MAX
    );
  }

  /** The backend takes tunnels: requests with a `protocol`. False until its SETTINGS have come. */
  get takesTunnels(): boolean {
    return this.peer.connectProtocol;
  }

  awaitTunnels(run: () => void): boolean {
    this.awaiting?.push(run);
    return this.awaiting !== null;
  }

  private tellAwaiting(): void {
    const awaiting = this.awaiting ?? [];
    this.awaiting = null;
    for (const run of awaiting) run();
  }

  /** Only while `available`, and with a `protocol` only where `takesTunnels`. */
  request(head: RequestHead, end: boolean, receiver: ResponseReceiver): Sender {
    if (head.protocol === '') return this.open(head, end, receiver);
    const upgrade = withoutKey(head);
    // A tunnel has no length, and its request does not end.
    const stream = this.open({ ...upgrade.head, contentLength: LENGTH_UNKNOWN }, false, receiver);
    stream.key = upgrade.key;
    return stream;
  }

  private open(head: RequestHead, end: boolean, receiver: ResponseReceiver): H2ClientStream {
    assert(this.available, 'request on a connection that takes none');
    assert(head.protocol === '' || this.takesTunnels, 'tunnel to a backend that takes none');
    const stream = new H2ClientStream(this, this.nextStreamId, head, receiver);
    this.nextStreamId += 2;
    this.streams.set(stream.id, stream);
    this.counters.streamsOpened++;
    stream.endAsked = end;
    stream.localEnded = end;
    this.heads.request(stream.id, head, this.options.scheme, end);
    stream.frameAt = this.heads.frameAt;
    stream.frameEpoch = this.output.epoch;
    this.floods.work();
    this.wasAvailable = this.available;
    return stream;
  }

  drain(): void {
    if (this.life !== Life.OPEN) return;
    this.life = Life.DRAINING;
    this.wasAvailable = false;
    if (this.streams.size === 0) this.finish();
  }

  protected override onHeaderBlock(block: HeaderBlock): void {
    const stream = this.streams.get(block.streamId);
    const inBody = stream !== undefined && stream.headReceived;
    const { headBytesMax, trailerBytesMax } = this.limits;
    if (!this.decodeBlock(block, inBody ? trailerBytesMax : headBytesMax)) return;
    if (stream === undefined) this.onBlockWithoutStream(block.streamId);
    else if (inBody) this.onTrailers(stream, block);
    else this.onHead(stream, block);
  }

  protected override onGoaway(lastStreamId: number): void {
    if (lastStreamId > this.lastServedId) {
      // It may only ever be lowered (RFC 9113 §6.8).
      this.fail(ErrorCode.PROTOCOL_ERROR);
      return;
    }
    this.lastServedId = lastStreamId;
    if (this.life === Life.OPEN) this.life = Life.DRAINING;
    this.wasAvailable = false;
    const refused = [...this.streams.values()].filter((stream) => stream.id > lastStreamId);
    for (const stream of refused) this.forget(stream, true);
    for (const stream of refused) stream.tellReset('refused');
    if (this.streams.size === 0) this.finish();
  }

  protected override onPingAck(): void {
    // We send no PINGs: a backend that is gone is found by the times of what runs on it.
  }

  protected override onPeerSettings(): void {
    this.tellAvailable();
    this.tellAwaiting();
  }

  protected override takesData(stream: H2ClientStream): boolean {
    return stream.headReceived;
  }

  /** Even streams would be pushed ones, which our SETTINGS forbid. */
  protected override isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.nextStreamId;
  }

  protected override isIgnored(): boolean {
    return false;
  }

  protected override lastPeerStreamId(): number {
    return 0;
  }

  protected override codeOf(_stream: H2ClientStream, reason: ResetReason): number {
    return reason === 'protocol' ? ErrorCode.PROTOCOL_ERROR : ErrorCode.CANCEL;
  }

  protected override onStreamGone(): void {
    if (this.streams.size === 0) {
      this.idleSinceMs = this.clock.nowMs;
      if (this.life === Life.DRAINING) this.finish();
    }
    this.tellAvailable();
  }

  protected override checkOwnTimes(nowMs: number): boolean {
    const idleMs = this.streams.size === 0 ? nowMs - this.idleSinceMs : 0;
    if (idleMs >= this.limits.backendIdleTimeoutMs) this.drain();
    return this.life < Life.ENDED;
  }

  protected override onClosed(): void {
    this.options.onClosed(this);
    this.tellAwaiting();
  }

  private finish(): void {
    if (this.life >= Life.ENDED) return;
    this.writeGoaway(0, ErrorCode.NO_ERROR);
    this.endTransport();
  }

  private tellAvailable(): void {
    const { available, wasAvailable } = this;
    // SETTINGS may also take away what was there.
    this.wasAvailable = available;
    if (available && !wasAvailable) this.options.onAvailable?.(this);
  }

  private onHead(stream: H2ClientStream, block: HeaderBlock): void {
    const list = this.shared.fields;
    stream.heard();
    if (list.overflowed) {
      this.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM, 'limit');
      return;
    }
    const head = readResponseHead(list, stream.method, block.endStream);
    if (head === null || block.selfDependent) {
      this.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'protocol');
    } else if (head.status < 200) {
      stream.receiver.onInterim(head.status, head.fields);
      this.count();
    } else {
      this.onFinalHead(stream, head, block.endStream);
    }
  }

  private onFinalHead(stream: H2ClientStream, head: ResponseHead, end: boolean): void {
    stream.headReceived = true;
    const tunnel = stream.tunnelAsked && head.status < 300;
    if (tunnel) stream.bodyLeft = LENGTH_UNKNOWN;
    else stream.bodyLeft = hasNoBody(stream.method, head.status) ? 0 : head.contentLength;
    stream.remoteEnded = end;
    if (tunnel) stream.receiver.onTunnel(stream.asUpgraded(head));
    else stream.receiver.onHead(head, end);
    if (tunnel && end && !stream.closed) stream.receiver.onEnd(null);
    this.settle(stream);
  }
}

function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

function settingsOf(limits: Limits): (readonly [id: number, value: number])[] {
  return [
    [Setting.ENABLE_PUSH, 0],
    [Setting.INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
    [Setting.MAX_HEADER_LIST_SIZE, limits.headBytesMax],
  ];
}
