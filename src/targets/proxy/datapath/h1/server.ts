// The server side of an HTTP/1.1 connection: bytes of a client → requests, one at a time, and their
// responses back. Pipelined requests wait until the one before them is answered.
//
// Budget: 3 µs for each request beyond parsing (bench/proxy.ts). Allocates the head; everything else
// belongs to the connection and is used again.

import { Buffer } from 'node:buffer';
import type { Clock, Timed } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { Limits } from '../limits.ts';
import { LENGTH_UNKNOWN } from '../stream.ts';
import type {
  Fields,
  Receiver,
  RequestHandler,
  RequestHead,
  ResetReason,
  ResponseHead,
  ServerStream,
  Transport,
  TransportHandler,
} from '../stream.ts';
import { CHUNK_BAD, CHUNK_DONE, ChunkedDecoder } from './chunked.ts';
import { lastFraming, parseRequestHead } from './head.ts';
import type { BadHead } from './head.ts';
import { after, HeadBuffer } from './head-buffer.ts';
import { Output } from './output.ts';
import { writeResponseHead } from './write.ts';

// Where reading stands.
const HEAD = 0;
const SIZED = 1;
const CHUNKED = 2;
/** The request is complete, its response is not. */
const ANSWERING = 3;
const TUNNEL = 4;
/** The last response is out; what still comes in is thrown away, so that no reset overtakes it. */
const LINGERING = 5;
const CLOSED = 6;

// Where the response stands.
const NOTHING_SENT = 0;
const HEAD_SENT = 1;
const RESPONSE_DONE = 2;

const LINGER_MS = 2000;

export interface H1ServerOptions {
  readonly transport: Transport;
  readonly scheme: 'http' | 'https';
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly onRequest: RequestHandler;
  /** Bytes that are no request were answered with that status. */
  readonly onRefused?: (status: number) => void;
  /** The connection is gone for good. */
  readonly onClosed: () => void;
}

export class H1ServerConnection implements TransportHandler, ServerStream, Timed {
  readonly record = null;
  deadlineMs: number;
  readonly #options: H1ServerOptions;
  readonly #transport: Transport;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #output: Output;
  readonly #head: HeadBuffer;
  #state = HEAD;
  /** Bytes of requests to come, while one is being answered. */
  #waiting: Buffer | null = null;
  #receiver: Receiver | null = null;
  #bodyLeft = 0;
  #decoder: ChunkedDecoder | null = null;
  #onChunk: ((data: Buffer) => void) | null = null;
  #response = NOTHING_SENT;
  #method = '';
  #modern = true;
  #keepAlive = true;
  /** The client has said that no request follows this one, and all of it was its head. */
  #isLast = false;
  #responseChunked = false;
  #draining = false;
  /** The client sends no more; what it has sent is answered. */
  #heardAll = false;
  /** The client may still decide whether it sends the body. */
  #awaitsContinue = false;
  /** Set while bytes are being read, when ending a response must not start reading again. */
  #reading = false;

  constructor(options: H1ServerOptions) {
    this.#options = options;
    this.#transport = options.transport;
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#output = new Output(options.transport);
    this.#head = new HeadBuffer(options.limits.headBytesMax);
    this.deadlineMs = this.#clock.nowMs + this.#limits.keepAliveTimeoutMs;
    this.#clock.add(this);
  }

  // ── What comes from the client ──────────────────────────────────────────────────────────────────

  onTransportData(bytes: Buffer): void {
    this.#reading = true;
    this.#read(bytes);
    this.#reading = false;
    if (this.#heardAll) this.#endUnlessAnswering();
  }

  onTransportDrain(): void {
    this.#output.blocked = false;
    if (this.#state === ANSWERING) this.deadlineMs = 0;
    this.#receiver?.onDrain();
  }

  onTransportEnd(): void {
    switch (this.#state) {
      case TUNNEL:
        this.#receiver?.onEnd(null);
        return;
      case ANSWERING:
        // A client may close its half and still wait for the answer, or for several.
        this.#heardAll = true;
        if (this.#waiting === null) this.#keepAlive = false;
        return;
      case HEAD:
        this.#transport.end();
        this.#close();
        return;
      default:
        this.#abort('closed');
    }
  }

  /** What came before the client closed its half has been read. */
  #endUnlessAnswering(): void {
    if (this.#waiting !== null) return;
    if (this.#state === HEAD) {
      this.#output.flush();
      this.#transport.end();
      this.#close();
    } else if (this.#state === SIZED || this.#state === CHUNKED) {
      this.#abort('closed');
    } else if (this.#state === ANSWERING) {
      this.#keepAlive = false;
    }
  }

  onTransportClose(): void {
    this.#abort('closed');
  }

  onDeadline(): void {
    const { counters } = this.#options;
    const idle = this.#state === TUNNEL || (this.#state === HEAD && this.#head.empty);
    if (this.#state === LINGERING) {
      this.#abort('timeout');
    } else if (idle || this.#output.blocked) {
      counters.idleTimeouts++;
      this.#abort('timeout');
    } else {
      counters.requestTimeouts++;
      const receiver = this.#receiver;
      this.#receiver = null;
      this.#refuse({ status: 408, reason: 'the request took too long' });
      receiver?.onReset('timeout');
    }
  }

  /** Finishes the running request, then closes. */
  drain(): void {
    this.#draining = true;
    this.#keepAlive = false;
    if (this.#state === HEAD && this.#head.empty) {
      this.#transport.end();
      this.#close();
    }
  }

  /** Answers the running request, or else the next one, and closes. */
  handOver(): void {
    this.#draining = true;
    this.#keepAlive = false;
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
        case ANSWERING:
          this.#hold(rest);
          return;
        case TUNNEL:
          this.deadlineMs = this.#clock.nowMs + this.#limits.tunnelIdleTimeoutMs;
          this.#receiver?.onBody(rest);
          return;
        default:
          return;
      }
    }
  }

  /** Gives what follows the head; null when the head is not complete. */
  #readHead(bytes: Buffer): Buffer | null {
    if (this.#head.empty) {
      this.deadlineMs = this.#clock.nowMs + this.#limits.headTimeoutMs;
    }
    const text = this.#head.take(bytes);
    if (text === null) {
      const trouble = this.#head.trouble();
      if (trouble !== null) this.#refuse(trouble);
      return null;
    }
    const rest = after(bytes, this.#head.consumed);
    this.#options.counters.requests++;
    const head = parseRequestHead(text, this.#options.scheme, this.#limits);
    if ('reason' in head) this.#refuse(head);
    else this.#start(head);
    return rest;
  }

  #start(head: RequestHead): void {
    const framing = lastFraming();
    this.#method = head.method;
    this.#modern = framing.modern;
    this.#keepAlive = !framing.close && !this.#draining;
    this.#isLast = framing.close && head.contentLength === 0;
    this.#response = NOTHING_SENT;
    this.#awaitsContinue = head.expectContinue;
    this.#bodyLeft = head.contentLength;
    if (framing.chunked) {
      this.#decoder = new ChunkedDecoder(this.#limits);
      this.#state = CHUNKED;
    } else {
      this.#state = head.contentLength > 0 ? SIZED : ANSWERING;
    }
    this.deadlineMs =
      this.#state === ANSWERING ? 0 : this.#clock.nowMs + this.#limits.bodyIdleTimeoutMs;
    const receiver = this.#options.onRequest(this, head, this.#state !== ANSWERING);
    // The handler may have answered at once, and even have ended the connection.
    if (this.#response !== RESPONSE_DONE) this.#receiver = receiver;
    if (this.#state === ANSWERING) this.#receiver?.onEnd(null);
  }

  #readSized(bytes: Buffer): Buffer | null {
    const take = Math.min(this.#bodyLeft, bytes.length);
    this.#bodyLeft -= take;
    this.deadlineMs = this.#clock.nowMs + this.#limits.bodyIdleTimeoutMs;
    this.#receiver?.onBody(take === bytes.length ? bytes : bytes.subarray(0, take));
    if (this.#bodyLeft === 0 && this.#state === SIZED) this.#endRequest(null);
    return after(bytes, take);
  }

  #readChunked(bytes: Buffer): Buffer | null {
    const decoder = this.#decoder!;
    this.#onChunk ??= (data) => this.#receiver?.onBody(data);
    this.deadlineMs = this.#clock.nowMs + this.#limits.bodyIdleTimeoutMs;
    const code = decoder.decode(bytes, 0, this.#onChunk);
    if (code === CHUNK_BAD) {
      const receiver = this.#receiver;
      this.#receiver = null;
      this.#refuse({ status: 400, reason: 'the chunked body is not valid' });
      receiver?.onReset('protocol');
      return null;
    }
    if (code !== CHUNK_DONE) return null;
    this.#decoder = null;
    if (this.#state === CHUNKED) this.#endRequest(decoder.trailers);
    return after(bytes, decoder.consumed);
  }

  #endRequest(trailers: Fields | null): void {
    this.#state = ANSWERING;
    this.deadlineMs = 0;
    // What came after the response was only read past.
    if (this.#response === RESPONSE_DONE) this.#awaitNext();
    else this.#receiver?.onEnd(trailers);
  }

  /** Keeps what comes before its turn; a client that sends too much of it is not read any further. */
  #hold(bytes: Buffer): void {
    this.#waiting =
      this.#waiting === null ? Buffer.from(bytes) : Buffer.concat([this.#waiting, bytes]);
    if (this.#waiting.length > this.#limits.bufferedBytesMax) this.#transport.pause();
  }

  // ── What goes to the client ─────────────────────────────────────────────────────────────────────

  sendInterim(status: number, fields: Fields): void {
    if (status === 100) this.#awaitsContinue = false;
    // HTTP/1.0 has no interim responses.
    if (this.#modern) this.#output.text(writeResponseHead(blank(status, fields), ''));
  }

  sendHead(head: ResponseHead, end: boolean): void {
    this.#response = HEAD_SENT;
    if (!this.#restIsShort() || this.#bodyIsDoubtful()) this.#keepAlive = false;
    this.#output.text(writeResponseHead(head, this.#framingLines(head, end)));
    if (end) this.#endResponse();
  }

  sendBody(bytes: Buffer): boolean {
    const flowing = this.#output.body(bytes, this.#responseChunked);
    if (this.#state === TUNNEL) {
      this.deadlineMs = this.#clock.nowMs + this.#limits.tunnelIdleTimeoutMs;
    }
    if (!flowing) this.deadlineMs = this.#clock.nowMs + this.#limits.bodyIdleTimeoutMs;
    return flowing;
  }

  sendEnd(trailers: Fields | null): void {
    if (this.#state === TUNNEL) {
      this.#output.flush();
      this.#transport.end();
      return;
    }
    if (this.#responseChunked) this.#output.lastChunk(trailers);
    this.#endResponse();
  }

  startTunnel(head: ResponseHead): void {
    this.#output.text(writeResponseHead(head, 'connection: upgrade\r\n'));
    this.#response = HEAD_SENT;
    this.#state = TUNNEL;
    this.deadlineMs = this.#clock.nowMs + this.#limits.tunnelIdleTimeoutMs;
    this.#responseChunked = false;
    this.#releaseWaiting();
  }

  reset(reason: ResetReason): void {
    this.#receiver = null;
    this.#abort(reason);
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  #framingLines(head: ResponseHead, end: boolean): string {
    this.#responseChunked = false;
    let lines = '';
    if (hasNoBody(head.status)) {
      if (head.status === 304 && head.contentLength >= 0) lines = lengthLine(head.contentLength);
    } else if (end) {
      const length = head.contentLength;
      if (this.#method !== 'HEAD') lines = lengthLine(0);
      else if (length !== LENGTH_UNKNOWN) lines = lengthLine(length);
    } else if (head.contentLength !== LENGTH_UNKNOWN) {
      lines = lengthLine(head.contentLength);
    } else if (this.#modern) {
      this.#responseChunked = true;
      lines = 'transfer-encoding: chunked\r\n';
    } else {
      // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
      this.#keepAlive = false;
    }
    if (!this.#keepAlive) return `${lines}connection: close\r\n`;
    return this.#modern ? lines : `${lines}connection: keep-alive\r\n`;
  }

  #endResponse(): void {
    this.#response = RESPONSE_DONE;
    this.#receiver = null;
    if (!this.#keepAlive) this.#linger();
    else if (this.#state === ANSWERING) this.#awaitNext();
  }

  /** What is left of the request can be read past; else it is simpler for both to begin anew. */
  #restIsShort(): boolean {
    if (this.#state === SIZED) return this.#bodyLeft <= this.#limits.bufferedBytesMax;
    return this.#state !== CHUNKED;
  }

  /** Told the end of it before it was told to go on: what comes next may be the body, or may not. */
  #bodyIsDoubtful(): boolean {
    return this.#awaitsContinue && (this.#state === SIZED || this.#state === CHUNKED);
  }

  #awaitNext(): void {
    this.#state = HEAD;
    this.deadlineMs = this.#clock.nowMs + this.#limits.keepAliveTimeoutMs;
    if (this.#reading) return;
    if (this.#waiting !== null) this.#releaseWaiting();
    else if (this.#heardAll) this.#endUnlessAnswering();
  }

  /** Reads on with what came early. Not from within a read: the loop there goes on by itself. */
  #releaseWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.#transport.resume();
    // In a turn of its own: many small pipelined requests must not grow the stack.
    setImmediate(() => this.onTransportData(waiting));
  }

  /** Answers bytes that are not a valid request, and closes: what follows them cannot be trusted. */
  #refuse(bad: BadHead): void {
    this.#options.counters.badRequests++;
    this.#options.onRefused?.(bad.status);
    if (bad.status === 414 || bad.status === 431) this.#options.counters.headsTooLarge++;
    this.#keepAlive = false;
    if (this.#response === NOTHING_SENT || this.#response === RESPONSE_DONE) {
      const body = `${bad.status} ${bad.reason}\n`;
      const head = blank(bad.status, [
        'content-type',
        'text/plain',
        'date',
        new Date().toUTCString(),
      ]);
      this.#output.text(
        `${writeResponseHead(head, `${lengthLine(body.length)}connection: close\r\n`)}${body}`,
      );
      this.#linger();
    } else {
      this.#abort('protocol');
    }
  }

  /** Sends what is queued and closes our half; waits for the client to close the other. */
  #linger(): void {
    this.#state = LINGERING;
    this.deadlineMs = this.#clock.nowMs + LINGER_MS;
    this.#output.flush();
    const isRead = this.#isLast && !this.#reading && this.#waiting === null;
    if (isRead && this.#transport.bufferedBytes === 0) {
      // All is sent and nothing more may come: what could meet a reset is not there.
      this.#transport.destroy();
      this.#close();
      return;
    }
    this.#transport.resume();
    this.#transport.end();
  }

  #abort(reason: ResetReason): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#transport.destroy();
    this.#close();
    receiver?.onReset(reason);
  }

  #close(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.deadlineMs = 0;
    this.#waiting = null;
    this.#clock.remove(this);
    this.#options.onClosed();
  }
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

function lengthLine(length: number): string {
  return `content-length: ${length}\r\n`;
}

function blank(status: number, fields: Fields): ResponseHead {
  return { status, fields, contentLength: 0 };
}
