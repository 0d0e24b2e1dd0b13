// One request on its way to a backend and its response on the way back. Two halves that pass bytes on
// with backpressure: the exchange itself receives the request, `ResponseHalf` the response.
//
//   client ─▶ ServerStream ─▶ Exchange ─────────▶ Sender ─▶ backend
//   client ◀─ ServerStream ◀─ ResponseHalf ◀───────────── backend
//
// Budget: 0.5 µs. Allocates the two halves; a body that comes before there is a connection is copied.

import type { Action, Weighted } from './action.ts';
import { answer } from './answer.ts';
import type { Backend } from './backend.ts';
import type { Certificate } from './certificates.ts';
import type { Worker } from './dispatch.ts';
import type { Endpoint, Taker } from './endpoint.ts';
import type {
  ClientConnection,
  Fields,
  Receiver,
  RequestHead,
  ResetReason,
  ResponseHead,
  ResponseReceiver,
  Sender,
  ServerStream,
} from './stream.ts';
import { filterResponse } from './transform.ts';

export interface ExchangeOptions {
  readonly worker: Worker;
  readonly stream: ServerStream;
  /** As the backend is to see it. */
  readonly head: RequestHead;
  readonly hasBody: boolean;
  readonly backend: Backend;
  /** Shown to backends that ask for a certificate. */
  readonly identity: Certificate | null;
  readonly action: Action;
  readonly weighted: Weighted;
  /** The rule's name when the client asked for it, else empty. */
  readonly explain: string;
}

export class Exchange implements Receiver, Taker {
  readonly #options: ExchangeOptions;
  readonly #stream: ServerStream;
  readonly #response: ResponseHalf;
  #endpoint: Endpoint | null = null;
  /** Endpoints that could not be connected to. */
  readonly #tried: Endpoint[] = [];
  #attempts = 0;
  #sender: Sender | null = null;
  /** The body so far, while there is no connection to send it to. */
  #early: Buffer[] | null = null;
  #earlyBytes = 0;
  #ended = false;
  #trailers: Fields | null = null;
  /** Body bytes have left us: the request cannot be sent again. */
  #bodySent = false;
  #gone = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.#ended = !options.hasBody;
    this.#response = new ResponseHalf(this, options);
  }

  start(): Receiver {
    this.#tryNext();
    return this;
  }

  // ── Finding a connection ────────────────────────────────────────────────────────────────────────

  #tryNext(): void {
    const { worker, backend, head } = this.#options;
    const mayTry = this.#attempts++ < worker.limits.connectAttemptsMax;
    const endpoint = mayTry ? backend.pick(this.#tried) : null;
    if (endpoint === null) {
      this.#gone = true;
      worker.counters.backendUnavailable++;
      const reason =
        this.#attempts === 1
          ? `${backend.key} has no ready endpoint`
          : `no endpoint of ${backend.key} could be reached`;
      answer(this.#stream, head, 503, reason);
      return;
    }
    this.#endpoint = endpoint;
    endpoint.outstanding++;
    endpoint.takeAs(this.#options.identity, this);
  }

  onConnection(connection: ClientConnection): void {
    if (this.#gone) return;
    const { head, hasBody } = this.#options;
    if (head.protocol !== '' && !connection.takesTunnels) {
      this.finish();
      answer(this.#stream, head, 502, 'the backend speaks HTTP/2 and takes no tunnels');
      return;
    }
    const end = !hasBody;
    const sender = connection.request(head, end, this.#response);
    this.#sender = sender;
    if (end) return;
    const early = this.#early;
    this.#early = null;
    for (const bytes of early ?? []) {
      this.#bodySent = true;
      if (!sender.sendBody(bytes)) this.#response.paused = true;
    }
    if (this.#ended) sender.sendEnd(this.#trailers);
    else if (!this.#response.paused) this.#stream.resume();
  }

  onConnectFailed(_error: Error): void {
    if (this.#endpoint !== null) this.#tried.push(this.#endpoint);
    this.#leaveEndpoint();
    if (this.#gone) return;
    this.#options.worker.counters.connectRetries++;
    this.#tryNext();
  }

  /**
   * The connection was refused or had been closed before any of the response came. A request that may
   * be repeated goes to another one; what was sent of a body is lost, and with it the chance.
   */
  retry(reason: ResetReason): boolean {
    if (reason !== 'refused' || this.#bodySent || !isRepeatable(this.#options.head)) return false;
    this.#sender = null;
    this.#leaveEndpoint();
    this.#tryNext();
    return true;
  }

  /** The response is through, or will never be: the endpoint has one request less. */
  finish(): void {
    const sender = this.#sender;
    this.#gone = true;
    this.#sender = null;
    this.#leaveEndpoint();
    // What is left of the request has nowhere to go.
    if (!this.#ended) sender?.reset('cancelled');
  }

  #leaveEndpoint(): void {
    if (this.#endpoint === null) return;
    this.#endpoint.outstanding--;
    this.#endpoint = null;
  }

  // ── The request, from the client ────────────────────────────────────────────────────────────────

  onBody(bytes: Buffer): void {
    if (this.#gone) return;
    if (this.#sender !== null) {
      this.#bodySent = true;
      if (!this.#sender.sendBody(bytes)) {
        this.#response.paused = true;
        this.#stream.pause();
      }
      return;
    }
    (this.#early ??= []).push(Buffer.from(bytes));
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > this.#options.worker.limits.bufferedBytesMax) this.#stream.pause();
  }

  onEnd(trailers: Fields | null): void {
    if (this.#gone || !this.#options.hasBody) {
      // Of a tunnel, the client has closed its half.
      if (this.#response.tunnel) this.#sender?.sendEnd(null);
      return;
    }
    this.#ended = true;
    this.#trailers = trailers;
    this.#sender?.sendEnd(trailers);
  }

  onReset(_reason: ResetReason): void {
    if (this.#gone) return;
    const sender = this.#sender;
    this.#ended = true;
    this.finish();
    sender?.reset('cancelled');
  }

  /** The client reads again: so may the backend write. */
  onDrain(): void {
    this.#sender?.resume();
  }

  /** The client is slower than the backend. */
  pauseBackend(): void {
    this.#sender?.pause();
  }
}

/** Methods that may be sent again when nobody can have seen them (RFC 9110 9.2.2). */
function isRepeatable(head: RequestHead): boolean {
  switch (head.method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'PUT':
    case 'DELETE':
      return head.protocol === '';
    default:
      return false;
  }
}

/** Receives the response and passes it to the client. */
class ResponseHalf implements ResponseReceiver {
  readonly #exchange: Exchange;
  readonly #options: ExchangeOptions;
  readonly #stream: ServerStream;
  #started = false;
  /** The client's body waits for the backend to take what it has. */
  paused = false;
  tunnel = false;

  constructor(exchange: Exchange, options: ExchangeOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#stream = options.stream;
  }

  onInterim(status: number, fields: Fields): void {
    this.#stream.sendInterim(status, fields);
  }

  onHead(head: ResponseHead, end: boolean): void {
    this.#started = true;
    const fields = this.#filtered(head.fields);
    if (end) this.#exchange.finish();
    this.#stream.sendHead(fields === head.fields ? head : { ...head, fields }, end);
  }

  onTunnel(head: ResponseHead): void {
    this.#started = true;
    this.tunnel = true;
    this.#options.worker.counters.tunnels++;
    this.#stream.startTunnel({ ...head, fields: this.#filtered(head.fields) });
  }

  onBody(bytes: Buffer): void {
    if (!this.#stream.sendBody(bytes)) this.#exchange.pauseBackend();
  }

  onEnd(trailers: Fields | null): void {
    // A tunnel ends by halves: the client may have more to say. The connection's close ends it all.
    if (!this.tunnel) this.#exchange.finish();
    this.#stream.sendEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    if (!this.#started && this.#exchange.retry(reason)) return;
    this.#exchange.finish();
    this.#options.worker.counters.backendErrors++;
    if (this.#started) {
      this.#stream.reset(reason);
      return;
    }
    const { head, backend } = this.#options;
    if (reason === 'timeout')
      answer(this.#stream, head, 504, `${backend.key} did not answer in time`);
    else answer(this.#stream, head, 502, `${backend.key} broke off or gave no valid answer`);
  }

  onDrain(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#stream.resume();
  }

  #filtered(fields: Fields): Fields {
    const { action, weighted, explain, backend } = this.#options;
    let out = fields;
    if (action.filters.length > 0) out = filterResponse(action.filters, out);
    if (weighted.filters.length > 0) out = filterResponse(weighted.filters, out);
    if (explain !== '') out.push('x-fairway-rule', explain, 'x-fairway-backend', backend.key);
    return out;
  }
}
