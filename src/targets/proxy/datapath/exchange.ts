// One request on its way to a backend and its response on the way back. Two halves that pass bytes on
// with backpressure: the exchange itself receives the request, an `Attempt` the response. There is one
// attempt for each connection the request is tried on; only the last one matters.
//
//   client ─▶ ServerStream ─▶ Exchange ───────▶ Sender ─▶ backend
//   client ◀─ ServerStream ◀─ Attempt ◀────────────────── backend
//
// Budget: 0.5 µs. Allocates the two halves; a body that comes before there is a connection is copied.

import type { FilterProgram } from '../program.ts';
import { answer } from './answer.ts';
import { Attempts } from './attempts.ts';
import type { Hurried, Policy } from './attempts.ts';
import type { Backend } from './backend.ts';
import type { Certificate } from './certificates.ts';
import type { Worker } from './dispatch.ts';
import type { Endpoint, Taker } from './endpoint.ts';
import { isFailure } from './health.ts';
import type { Mirror } from './mirror.ts';
import { CROWDED } from './pending.ts';
import type { Stay } from './session.ts';
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
import type { TemplateSource } from '../../../model/template.ts';

export interface ExchangeOptions {
  readonly worker: Worker;
  readonly stream: ServerStream;
  /** As the backend is to see it. */
  readonly head: RequestHead;
  readonly hasBody: boolean;
  readonly backend: Backend;
  /** Shown to backends that ask for a certificate. */
  readonly identity: Certificate | null;
  /** Address of the client. */
  readonly client: string;
  /** What templates for the response are filled from. */
  readonly source: TemplateSource;
  /** A longer body is answered with 413; 0: only the limit of all requests counts. */
  readonly bodyBytesMax: number;
  /** Who answers in place of others; null for nobody. */
  readonly pages: Pages | null;
  /** Called once, when the request is no longer under way; null for nobody. */
  readonly onFinished: (() => void) | null;
  /** Of the rule and of the backend, for the response. */
  readonly ruleFilters: readonly FilterProgram[];
  readonly ownFilters: readonly FilterProgram[];
  /** What the request's origin adds to answers, which is in one of the lists as well; null for nothing. */
  readonly cors: FilterProgram | null;
  /** Null: one attempt, without a limit of time. */
  readonly policy: Policy | null;
  /** Copies under way; null for none. */
  readonly mirrors: readonly Mirror[] | null;
  /** Null without session persistence. */
  readonly stay: Stay | null;
  /** The rule's name when the client asked for it, else empty. */
  readonly explain: string;
}

/** Another backend's word for certain statuses. */
export interface Pages {
  readonly statuses: ReadonlySet<number>;
  /** Takes the answer over. */
  show(status: number): void;
}

const NONE_TRIED: readonly Endpoint[] = [];

export class Exchange implements Receiver, Hurried {
  readonly options: ExchangeOptions;
  readonly #stream: ServerStream;
  readonly #attempts: Attempts | null;
  #attempt: Attempt | null = null;
  /** Endpoints that could not be connected to, or that failed. */
  #tried: readonly Endpoint[] = NONE_TRIED;
  #connects = 0;
  /** An endpoint had no room. */
  #crowded = false;
  #bodyBytes = 0;
  /** The body so far, while there is no connection to send it to. */
  #early: Buffer[] | null = null;
  #earlyBytes = 0;
  #ended = false;
  #trailers: Fields | null = null;
  /** Body bytes have left us: the request cannot be sent again, unless they were kept. */
  #bodySent = false;
  #gone = false;

  constructor(options: ExchangeOptions) {
    this.options = options;
    this.#stream = options.stream;
    this.#ended = !options.hasBody;
    const { policy, worker } = options;
    this.#attempts = policy === null ? null : new Attempts(policy, worker.limits, this);
    worker.counters.requestsOpen++;
  }

  start(): Receiver {
    this.#attempts?.begin();
    const { backend } = this.options;
    if (backend.retries !== null) backend.retries.request(performance.now());
    this.#tryNext();
    return this;
  }

  // ── Finding a connection ────────────────────────────────────────────────────────────────────────

  #tryNext(): void {
    const { worker } = this.options;
    const mayTry = this.#connects++ < worker.limits.connectAttemptsMax;
    const endpoint = mayTry ? this.#pick() : null;
    if (endpoint === null) {
      this.#attempt = null;
      if (this.#connects > 1 && this.#tryAgain()) return;
      worker.counters.backendUnavailable++;
      const { backend } = this.options;
      const reason =
        this.#connects === 1
          ? `${backend.key} has ${backend.missing}`
          : `no endpoint of ${backend.key} could be reached`;
      this.giveUp(503, reason, this.#crowded ? [...RETRY_AFTER] : []);
      return;
    }
    const { record } = this.#stream;
    if (record !== null) {
      record.endpoint = `${endpoint.address}:${endpoint.port}`;
      record.attempts++;
    }
    const attempt = new Attempt(this, endpoint);
    this.#attempt = attempt;
    endpoint.takeAs(this.options.identity, attempt);
  }

  #pick(): Endpoint | null {
    const { backend, stay, client } = this.options;
    if (this.#tried.length === 0 && stay !== null && stay.endpoint !== null) return stay.endpoint;
    const endpoint = backend.pick(this.#tried, client);
    // All have failed once: a retry begins anew with them.
    if (endpoint !== null || this.#connects > 1) return endpoint;
    return backend.pick([], client);
  }

  connected(attempt: Attempt, connection: ClientConnection): void {
    const { head, hasBody } = this.options;
    this.#attempts?.connected();
    if (head.protocol !== '' && !connection.takesTunnels) {
      const again = (): void => {
        if (attempt === this.#attempt) this.connected(attempt, connection);
      };
      if (connection.awaitTunnels(again)) return;
      this.giveUp(502, 'the backend speaks HTTP/2 and takes no tunnels');
      return;
    }
    // What a client sends for a tunnel waits until the backend has agreed to one.
    const end = !hasBody || head.protocol !== '';
    const sender = connection.request(head, end, attempt);
    attempt.sender = sender;
    if (!end) this.#sendEarly(attempt, sender);
  }

  #sendEarly(attempt: Attempt, sender: Sender): void {
    const early = this.#early;
    this.#early = null;
    this.#earlyBytes = 0;
    for (const bytes of early ?? []) {
      this.#bodySent = true;
      if (!sender.sendBody(bytes)) attempt.paused = true;
    }
    if (this.#ended) sender.sendEnd(this.#trailers);
    else if (!attempt.paused) this.#stream.resume();
  }

  connectFailed(attempt: Attempt, error: Error): void {
    attempt.leave();
    this.#tried = [...this.#tried, attempt.endpoint];
    if (error === CROWDED) {
      this.#crowded = true;
    } else {
      attempt.endpoint.health.failed();
      this.options.worker.counters.connectRetries++;
    }
    this.#tryNext();
  }

  /** Something of the response has come. */
  touch(): void {
    this.#attempts?.touch();
  }

  onConnectTimeout(): void {
    const attempt = this.#attempt;
    if (!this.#gone && attempt !== null && attempt.sender === null) {
      this.connectFailed(attempt, new Error('connecting took too long'));
    }
  }

  // ── Trying again ────────────────────────────────────────────────────────────────────────────────

  /**
   * Nothing of the response has come and nothing will. A request that may be repeated goes to another
   * connection: at once when the one it was sent on turned out to be closed, else if the rule says so.
   */
  failed(attempt: Attempt, reason: ResetReason): boolean {
    const isKept = !this.#bodySent || (this.#attempts?.mayRetry ?? false);
    const may = isRepeatable(this.options.head) || (this.#attempts?.repeatsAll ?? false);
    if (!may || !isKept) return false;
    if (reason === 'refused' && !this.#bodySent) {
      attempt.leave();
      this.#tryNext();
      return true;
    }
    if (reason === 'closed' && this.#resend(attempt)) return true;
    return reason !== 'protocol' && this.#tryAgain();
  }

  /** A connection that broke off before any answer: another endpoint may do better, unless the rule decides. */
  #resend(attempt: Attempt): boolean {
    const { backend, policy, worker } = this.options;
    if (this.#bodySent || (policy?.retry ?? null) !== null) return false;
    const tried = [...this.#tried, attempt.endpoint];
    const isLast = this.#connects >= worker.limits.connectAttemptsMax;
    if (isLast || backend.endpoints.every((endpoint) => tried.includes(endpoint))) return false;
    this.#tried = [...this.#tried, attempt.endpoint];
    attempt.leave();
    worker.counters.resetRetries++;
    this.#tryNext();
    return true;
  }

  /** All of the request has left us. */
  get isSent(): boolean {
    return this.#ended;
  }

  /** Whether a response with this status is not the last word. */
  wantsOther(status: number): boolean {
    const attempts = this.#attempts;
    if (attempts === null || !attempts.wants(status)) return false;
    if (attempts.idempotentOnly && !isRepeatable(this.options.head)) return false;
    return this.options.head.protocol === '' && this.#tryAgain();
  }

  #tryAgain(): boolean {
    const attempts = this.#attempts;
    if (attempts === null || !attempts.mayRetry) return false;
    const { worker, backend } = this.options;
    const { counters } = worker;
    if (backend.retries !== null && !backend.retries.mayRetry(performance.now())) {
      // XBackendTrafficPolicy: retries beyond the budget must be answered with 503.
      counters.budgetRefusals++;
      this.giveUp(503, `${backend.key} has had its share of retries`);
      return true;
    }
    counters.retries++;
    const before = this.#attempt;
    this.#attempt = null;
    if (before !== null) {
      this.#tried = [...this.#tried, before.endpoint];
      before.leave();
    }
    this.#early = attempts.body();
    this.#connects = 0;
    attempts.again(() => {
      attempts.begin();
      this.#tryNext();
    });
    return true;
  }

  onAttemptTimeout(): void {
    const attempt = this.#attempt;
    if (this.#gone) return;
    const { head, backend, worker } = this.options;
    worker.counters.timeouts++;
    attempt?.endpoint.health.failed();
    if (attempt !== null && attempt.started) {
      this.#breakOff(attempt);
    } else if (!isRepeatable(head) || !this.#tryAgain()) {
      this.giveUp(504, `${backend.key} did not answer in the time the rule gives it`);
    } else {
      attempt?.cancel();
    }
  }

  onRequestTimeout(): void {
    const attempt = this.#attempt;
    if (this.#gone) return;
    this.options.worker.counters.timeouts++;
    if (attempt !== null && attempt.started) this.#breakOff(attempt);
    else this.giveUp(504, 'the request was not answered in the time the rule gives it');
  }

  /** The response has begun: that it stays incomplete can only be said by breaking off. */
  #breakOff(attempt: Attempt): void {
    attempt.cancel();
    this.finish();
    this.#stream.reset('timeout');
  }

  /** True when another backend answers in place of one with this status. */
  replaced(status: number): boolean {
    const { pages } = this.options;
    if (pages === null || !pages.statuses.has(status)) return false;
    this.finish();
    pages.show(status);
    return true;
  }

  /** Answers ourselves. */
  giveUp(status: number, reason: string, fields: Fields = []): void {
    const { head, cors } = this.options;
    const attempt = this.#attempt;
    if (this.replaced(status)) {
      attempt?.cancel();
      return;
    }
    this.finish();
    attempt?.cancel();
    answer(this.#stream, head, status, reason, [...corsFields(cors), ...fields]);
  }

  /** The response is through, or will never be: the endpoint has one request less. */
  finish(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.options.worker.counters.requestsOpen--;
    this.options.onFinished?.();
    this.#attempts?.end();
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.leave();
    if (this.#ended) return;
    // What is left of the request has nowhere to go, but must be read past.
    attempt?.cancel();
    this.#abortMirrors();
    this.#stream.resume();
  }

  /** A tunnel stays as long as it likes. */
  becomeTunnel(attempt: Attempt): void {
    this.#attempts?.end();
    if (this.options.hasBody && attempt.sender !== null) this.#sendEarly(attempt, attempt.sender);
  }

  #abortMirrors(): void {
    for (const mirror of this.options.mirrors ?? []) mirror.abort();
  }

  // ── The request, from the client ────────────────────────────────────────────────────────────────

  onBody(bytes: Buffer): void {
    if (this.#gone) return;
    const { mirrors, worker } = this.options;
    const bodyBytesMax = this.options.bodyBytesMax || worker.limits.bodyBytesMax;
    if (bodyBytesMax > 0 && (this.#bodyBytes += bytes.length) > bodyBytesMax && !this.isTunnel) {
      this.#bodyTooLarge();
      return;
    }
    if (mirrors !== null) for (const mirror of mirrors) mirror.body(bytes);
    const kept = this.#attempts === null ? null : this.#attempts.keep(bytes);
    const attempt = this.#attempt;
    if (attempt !== null && attempt.sender !== null && this.#mayPass(attempt)) {
      this.#bodySent = true;
      if (!attempt.sender.sendBody(bytes)) {
        attempt.paused = true;
        this.#stream.pause();
      }
      return;
    }
    (this.#early ??= []).push(kept ?? Buffer.from(bytes));
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > this.options.worker.limits.bufferedBytesMax) this.#stream.pause();
  }

  get isTunnel(): boolean {
    return this.options.head.protocol !== '';
  }

  /** Only a body without a length can turn out so. */
  #bodyTooLarge(): void {
    const attempt = this.#attempt;
    this.options.worker.counters.bodiesTooLarge++;
    if (attempt !== null && attempt.started) this.#breakOff(attempt);
    else this.giveUp(413, BODY_TOO_LARGE);
  }

  onEnd(trailers: Fields | null): void {
    const attempt = this.#attempt;
    if (this.#gone || !this.options.hasBody) {
      // Of a tunnel, the client has closed its half.
      if (attempt !== null && attempt.tunnel) attempt.sender?.sendEnd(null);
      return;
    }
    this.#ended = true;
    this.#trailers = trailers;
    for (const mirror of this.options.mirrors ?? []) mirror.end(trailers);
    if (attempt !== null && this.#mayPass(attempt)) attempt.sender?.sendEnd(trailers);
  }

  /** Bytes for a tunnel are nobody's before there is one. */
  #mayPass(attempt: Attempt): boolean {
    return !this.isTunnel || attempt.tunnel;
  }

  onReset(_reason: ResetReason): void {
    if (this.#gone) return;
    const attempt = this.#attempt;
    if (!this.#ended) this.#abortMirrors();
    this.#ended = true;
    this.finish();
    attempt?.cancel();
  }

  /** The client reads again: so may the backend write. */
  onDrain(): void {
    this.#attempt?.sender?.resume();
  }
}

/** When a client that was refused for load may come again, in seconds. */
export const RETRY_AFTER: Readonly<Fields> = ['retry-after', '1'];
export const BODY_TOO_LARGE = 'the body is larger than it may be';

/** Methods that may be sent again when nobody can say who has seen them (RFC 9110 9.2.2). */
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

/** Without them, scripts would not get to see what went wrong. */
function corsFields(cors: FilterProgram | null): Fields {
  return cors === null ? [] : filterResponse([cors], []);
}

/** One connection a request is tried on. Receives the response and passes it to the client. */
class Attempt implements ResponseReceiver, Taker {
  readonly endpoint: Endpoint;
  sender: Sender | null = null;
  started = false;
  /** The client's body waits for the backend to take what it has. */
  paused = false;
  tunnel = false;
  readonly #exchange: Exchange;
  #interims = 0;
  /** Nothing that comes now is of interest. */
  #over = false;

  constructor(exchange: Exchange, endpoint: Endpoint) {
    this.#exchange = exchange;
    this.endpoint = endpoint;
    endpoint.outstanding++;
  }

  /** The endpoint has one request less, and is not heard any more. */
  leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.endpoint.outstanding--;
  }

  /** Leaves, and lets the backend know. */
  cancel(): void {
    this.leave();
    const { sender } = this;
    this.sender = null;
    sender?.reset('cancelled');
  }

  onConnection(connection: ClientConnection): void {
    if (this.#over) this.endpoint.giveBack(connection);
    else this.#exchange.connected(this, connection);
  }

  onConnectFailed(error: Error): void {
    if (!this.#over) this.#exchange.connectFailed(this, error);
  }

  onInterim(status: number, fields: Fields): void {
    if (this.#over) return;
    const { stream, worker, backend } = this.#exchange.options;
    // A client that reads nothing cannot slow them down, and each of them is a whole head.
    if (++this.#interims <= worker.limits.interimsMax) {
      stream.sendInterim(status, fields);
      return;
    }
    worker.counters.backendErrors++;
    this.endpoint.health.failed();
    this.#exchange.giveUp(502, `${backend.key} sends interim responses and no other`);
  }

  onHead(head: ResponseHead, end: boolean): void {
    const exchange = this.#exchange;
    if (this.#over) return;
    const { health } = this.endpoint;
    if (isFailure(head.status)) health.failed();
    else if (health.failures > 0) health.succeeded();
    if (exchange.wantsOther(head.status)) {
      if (!end || !exchange.isSent) this.cancel();
      return;
    }
    exchange.touch();
    if (exchange.replaced(head.status)) {
      this.cancel();
      return;
    }
    this.started = true;
    const fields = this.#filtered(head.fields);
    if (end) exchange.finish();
    exchange.options.stream.sendHead(fields === head.fields ? head : { ...head, fields }, end);
  }

  onTunnel(head: ResponseHead): void {
    const { options } = this.#exchange;
    if (this.#over) return;
    this.started = true;
    this.tunnel = true;
    options.worker.counters.tunnels++;
    options.stream.startTunnel({ ...head, fields: this.#filtered(head.fields) });
    this.#exchange.becomeTunnel(this);
  }

  onBody(bytes: Buffer): void {
    if (this.#over) return;
    this.#exchange.touch();
    // The client is slower than the backend.
    if (!this.#exchange.options.stream.sendBody(bytes)) this.sender?.pause();
  }

  onEnd(trailers: Fields | null): void {
    if (this.#over) return;
    // A tunnel ends by halves: the client may have more to say. The connection's close ends it all.
    if (!this.tunnel) this.#exchange.finish();
    this.#exchange.options.stream.sendEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    this.sender = null;
    if (this.#over) return;
    const exchange = this.#exchange;
    const { worker, stream, backend } = exchange.options;
    // One that was refused, or cut, for no fault of the endpoint's.
    if (reason !== 'refused' && reason !== 'cancelled' && !this.tunnel)
      this.endpoint.health.failed();
    if (!this.started && exchange.failed(this, reason)) return;
    worker.counters.backendErrors++;
    if (this.started) {
      exchange.finish();
      stream.reset(reason);
    } else if (reason === 'timeout') {
      exchange.giveUp(504, `${backend.key} did not answer in time`);
    } else {
      exchange.giveUp(502, `${backend.key} broke off or gave no valid answer`);
    }
  }

  onDrain(): void {
    if (!this.paused || this.#over) return;
    this.paused = false;
    this.#exchange.options.stream.resume();
  }

  #filtered(fields: Fields): Fields {
    const { ruleFilters, ownFilters, source, explain, backend, stay } = this.#exchange.options;
    let out = fields;
    if (ruleFilters.length > 0) out = filterResponse(ruleFilters, out, source);
    if (ownFilters.length > 0) out = filterResponse(ownFilters, out, source);
    if (stay !== null) stay.tell(this.endpoint, out);
    if (explain !== '') out.push('x-fairway-rule', explain, 'x-fairway-backend', backend.key);
    return out;
  }
}
