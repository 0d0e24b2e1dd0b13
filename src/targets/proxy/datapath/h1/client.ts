// The client side of an HTTP/1.1 connection: one request to a backend at a time, and its response.
//
// Budget: 3 µs for each request beyond parsing (bench/proxy.ts). Allocates the response's head;
// everything else belongs to the connection and is used again.

import type { Clock, Timed } from '../clock.ts';
import type { Limits } from '../limits.ts';
import { LENGTH_UNKNOWN } from '../stream.ts';
import type {
  ClientConnection,
  Fields,
  RequestHead,
  ResetReason,
  ResponseHead,
  ResponseReceiver,
  Sender,
  Transport,
  TransportHandler,
} from '../stream.ts';
import { CHUNK_BAD, CHUNK_DONE, ChunkedDecoder } from './chunked.ts';
import { after, HeadBuffer } from './head-buffer.ts';
import { lastFraming, lastUpgrade, parseResponseHead } from './head.ts';
import { Output } from './output.ts';
import { writeRequestHead } from './write.ts';
import { checkedAccept, withKey } from '../websocket.ts';

// Where the connection stands: nothing to do, waiting for a head, or in one kind of body.
const IDLE = 0;
const HEAD = 1;
const SIZED = 2;
const CHUNKED = 3;
const UNTIL_CLOSE = 4;
const TUNNEL = 5;
const CLOSED = 6;

export interface H1ClientOptions {
  readonly transport: Transport;
  readonly limits: Limits;
  readonly clock: Clock;
  /** The connection may take another request. */
  readonly onIdle: (connection: H1ClientConnection) => void;
  readonly onClosed: (connection: H1ClientConnection) => void;
}

export class H1ClientConnection implements ClientConnection, TransportHandler, Sender, Timed {
  readonly takesTunnels = true;
  deadlineMs = 0;
  readonly #options: H1ClientOptions;
  readonly #transport: Transport;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #output: Output;
  readonly #head: HeadBuffer;
  #state = IDLE;
  #receiver: ResponseReceiver | null = null;
  #method = '';
  #protocol = '';
  /** The backend was asked whether it wants the body, and has not said so. */
  #expects = false;
  /** Of a WebSocket whose client brought none. */
  #key = '';
  #requestChunked = false;
  #requestDone = true;
  #bodyLeft = 0;
  #decoder: ChunkedDecoder | null = null;
  #onChunk: ((data: Buffer) => void) | null = null;
  #keepAlive = true;
  #idleMs: number;
  /** A request was answered on it before: silence may only mean that the backend had closed it. */
  #used = false;
  /** Bytes of the response to the present request have come. */
  #heard = false;
  #draining = false;

  constructor(options: H1ClientOptions) {
    this.#options = options;
    this.#transport = options.transport;
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#output = new Output(options.transport);
    this.#head = new HeadBuffer(options.limits.headBytesMax);
    this.#idleMs = options.limits.backendIdleTimeoutMs;
    // Whoever wanted it may be gone by now.
    this.deadlineMs = this.#clock.nowMs + this.#idleMs;
    this.#clock.add(this);
  }

  awaitTunnels(): boolean {
    return false;
  }

  get available(): boolean {
    return this.#state === IDLE && !this.#draining;
  }

  request(head: RequestHead, end: boolean, receiver: ResponseReceiver): Sender {
    this.#state = HEAD;
    this.#receiver = receiver;
    this.#method = head.method;
    this.#protocol = head.protocol;
    this.#expects = head.expectContinue;
    this.#requestDone = end;
    this.#requestChunked = !end && head.contentLength === LENGTH_UNKNOWN;
    this.#heard = false;
    this.deadlineMs = this.#clock.nowMs + this.#limits.backendResponseTimeoutMs;
    let written = head;
    if (head.protocol !== '') {
      const upgrade = withKey(head);
      written = upgrade.head;
      this.#key = upgrade.key;
    }
    this.#output.text(writeRequestHead(written, !end));
    return this;
  }

  // ── What goes to the backend ────────────────────────────────────────────────────────────────────

  sendBody(bytes: Buffer): boolean {
    return this.#output.body(bytes, this.#requestChunked);
  }

  sendEnd(trailers: Fields | null): void {
    if (this.#state === TUNNEL) {
      this.#output.flush();
      this.#transport.end();
      return;
    }
    this.#requestDone = true;
    if (this.#requestChunked) this.#output.lastChunk(trailers);
  }

  reset(_reason: ResetReason): void {
    this.#receiver = null;
    this.destroy();
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  drain(): void {
    this.#draining = true;
    if (this.#state === IDLE) this.destroy();
  }

  destroy(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.deadlineMs = 0;
    this.#clock.remove(this);
    this.#transport.destroy();
    this.#options.onClosed(this);
  }

  // ── What comes from the backend ─────────────────────────────────────────────────────────────────

  onTransportData(bytes: Buffer): void {
    this.#heard = true;
    if (this.#state !== TUNNEL) {
      this.deadlineMs = this.#clock.nowMs + this.#limits.backendResponseTimeoutMs;
    }
    this.#read(bytes);
  }

  onTransportDrain(): void {
    this.#output.blocked = false;
    this.#receiver?.onDrain();
  }

  onTransportEnd(): void {
    if (this.#state === UNTIL_CLOSE) {
      this.#keepAlive = false;
      this.#endResponse(null);
    } else if (this.#state === TUNNEL) {
      this.#receiver?.onEnd(null);
    } else {
      this.#fail('closed');
    }
  }

  onTransportClose(): void {
    this.#fail('closed');
  }

  onDeadline(): void {
    if (this.#state === IDLE) this.destroy();
    else this.#fail('timeout');
  }

  #read(bytes: Buffer): void {
    let rest: Buffer | null = bytes;
    while (rest !== null && rest.length > 0) {
      switch (this.#state) {
        case HEAD:
          rest = this.#readHead(rest);
          break;
        case SIZED:
          rest = this.#readSized(rest);
          break;
        case CHUNKED:
          rest = this.#readChunked(rest);
          break;
        case UNTIL_CLOSE:
        case TUNNEL:
          this.#receiver?.onBody(rest);
          rest = null;
          break;
        default:
          // Nobody asked for these bytes: what they are the answer to, nobody can know.
          this.destroy();
          return;
      }
    }
  }

  #readHead(bytes: Buffer): Buffer | null {
    const text = this.#head.take(bytes);
    if (text === null) {
      if (this.#head.trouble() !== null) this.#fail('protocol');
      return null;
    }
    const rest = after(bytes, this.#head.consumed);
    const head = parseResponseHead(text, this.#limits);
    if ('reason' in head) this.#fail('protocol');
    else if (head.status === 101) this.#startTunnel(head);
    else if (head.status < 200) this.#interim(head);
    else this.#startResponse(head);
    return rest;
  }

  /** HTTP/1.0 has none, and none has a body: who frames one, or thinks so, reads what follows as something else. */
  #interim(head: ResponseHead): void {
    const { modern, chunked } = lastFraming();
    if (!modern || chunked || head.contentLength !== LENGTH_UNKNOWN) this.#fail('protocol');
    else {
      if (head.status === 100) this.#expects = false;
      this.#receiver?.onInterim(head.status, head.fields);
    }
  }

  /** A backend may only change to a protocol it was asked for (CVE-2018-1002105 and its kin). */
  #startTunnel(head: ResponseHead): void {
    const receiver = this.#receiver;
    if (this.#protocol === '' || receiver === null) {
      this.#fail('protocol');
      return;
    }
    const agreed = lastUpgrade();
    if (!isAmong(agreed, this.#protocol)) {
      this.#fail('protocol');
      return;
    }
    const protocol = agreed || this.#protocol;
    const answered = this.#key === '' ? head.fields : checkedAccept(head.fields, this.#key);
    if (answered === null) {
      this.#fail('protocol');
      return;
    }
    this.#state = TUNNEL;
    this.deadlineMs = 0;
    const fields = [...answered, 'upgrade', protocol];
    receiver.onTunnel({ ...head, fields });
  }

  #startResponse(head: ResponseHead): void {
    const framing = lastFraming();
    // One that answers before it wants the body may take it for the next request.
    this.#keepAlive = !framing.close && !this.#draining && !this.#expects;
    if (framing.keepAliveSeconds > 0) this.#idleMs = this.#idleFor(framing.keepAliveSeconds);
    const { status } = head;
    const end = this.#method === 'HEAD' || status === 204 || status === 304;
    if (end || head.contentLength === 0) {
      this.#receiver?.onHead(head, true);
      this.#endResponse(null, true);
      return;
    }
    if (framing.chunked) {
      this.#decoder = new ChunkedDecoder(this.#limits);
      this.#state = CHUNKED;
    } else if (head.contentLength === LENGTH_UNKNOWN) {
      this.#state = UNTIL_CLOSE;
    } else {
      this.#bodyLeft = head.contentLength;
      this.#state = SIZED;
    }
    this.#receiver?.onHead(head, false);
  }

  /** A second less than the backend says it waits, so that it does not close under our request. */
  #idleFor(keepAliveSeconds: number): number {
    const promisedMs = keepAliveSeconds * 1000 - 1000;
    return Math.max(1, Math.min(this.#limits.backendIdleTimeoutMs, promisedMs));
  }

  #readSized(bytes: Buffer): Buffer | null {
    const take = Math.min(this.#bodyLeft, bytes.length);
    this.#bodyLeft -= take;
    this.#receiver?.onBody(take === bytes.length ? bytes : bytes.subarray(0, take));
    if (this.#bodyLeft === 0 && this.#state === SIZED) this.#endResponse(null);
    return after(bytes, take);
  }

  #readChunked(bytes: Buffer): Buffer | null {
    const decoder = this.#decoder!;
    this.#onChunk ??= (data) => this.#receiver?.onBody(data);
    const code = decoder.decode(bytes, 0, this.#onChunk);
    if (code === CHUNK_BAD) this.#fail('protocol');
    if (code !== CHUNK_DONE) return null;
    this.#decoder = null;
    if (this.#state === CHUNKED) this.#endResponse(decoder.trailers);
    return after(bytes, decoder.consumed);
  }

  /** `told`: the receiver already knows, as the head said that there is no body. */
  #endResponse(trailers: Fields | null, told = false): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    // A response before the end of its request leaves the rest of the request nowhere to go.
    if (this.#keepAlive && this.#requestDone && this.#state !== CLOSED) {
      this.#state = IDLE;
      this.#used = true;
      this.deadlineMs = this.#clock.nowMs + this.#idleMs;
      this.#transport.resume();
      this.#options.onIdle(this);
    } else {
      this.destroy();
    }
    if (!told) receiver?.onEnd(trailers);
  }

  #fail(reason: ResetReason): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    const stale = reason === 'closed' && this.#used && !this.#heard && this.#state === HEAD;
    this.destroy();
    receiver?.onReset(stale ? 'refused' : reason);
  }
}

/** Whether all protocols of a 101 were asked for (RFC 9110 7.8). */
function isAmong(agreed: string, asked: string): boolean {
  if (agreed === '' || agreed === asked) return true;
  const offered = namesOf(asked);
  return namesOf(agreed).every((name) => offered.includes(name));
}

function namesOf(list: string): readonly string[] {
  return list.split(',').map((name) => name.trim().toLowerCase());
}
