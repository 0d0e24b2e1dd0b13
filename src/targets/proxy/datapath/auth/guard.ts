// Holds a request back until every service that must be asked has let it go on, and then hands it over,
// body and all, as if it had come only now. A service that says no has its answer passed to the client;
// one that cannot be asked is as good as a no.
//
//   client ─▶ ServerStream ─▶ Guard ─(asked)─▶ Question ─▶ service
//                               └──(allowed)─▶ Exchange
//
// Budget: a request of its own for each service. Allocates itself, the question, and the body it holds.

import { Buffer } from 'node:buffer';
import { answer } from '../answer.ts';
import type { Backend } from '../backend.ts';
import { fillTemplate } from '../../../../model/template.ts';
import { sourceOf } from '../request-source.ts';
import type { Routed } from '../dispatch.ts';
import type { FilterProgram } from '../../program.ts';
import type { Fields, Receiver, ResetReason, ResponseHead } from '../stream.ts';
import { filterResponse } from '../transform.ts';
import { named, takeOver } from './fields.ts';
import { grpcMessage, grpcQuestion, readVerdict } from './grpc-verdict.ts';
import { httpQuestion, isAllowed, isRefusal } from './http-verdict.ts';
import { Question } from './question.ts';
import type { Asker } from './question.ts';

/** What a request is answered when a service cannot be asked. */
export const UNASKED_STATUS = 403;

/** A service that is asked. */
export interface AuthChoice {
  readonly backend: Backend;
  readonly program: Extract<FilterProgram, { kind: 'auth' }>;
}

export interface GuardOptions {
  readonly choices: readonly AuthChoice[];
  readonly routed: Routed;
  /** What the request's origin adds to answers of our own; null for nothing. */
  readonly cors: FilterProgram | null;
  /** Takes the request, as the services have left it. */
  readonly proceed: (routed: Routed) => Receiver;
}

// What the answer that is coming in is.
const NONE = 0;
/** It lets the request go on: what follows of it is read past. */
const PERMISSION = 1;
/** It is passed to the client. */
const DENIAL = 2;
/** A message that must be whole to be read. */
const MESSAGE = 3;

export class Guard implements Receiver, Asker {
  readonly #options: GuardOptions;
  #routed: Routed;
  #asked = 0;
  #question: Question | null = null;
  #answer = NONE;
  #message: Buffer[] = [];
  #answerBytes = 0;
  /** Waits for the client's body before it asks; so many bytes may come. */
  readonly #bodyMax: number;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #ended: boolean;
  #trailers: Fields | null = null;
  #next: Receiver | null = null;
  #over = false;
  /** Counted among the requests that are under way. */
  #isOpen = true;

  constructor(options: GuardOptions) {
    const { choices, routed } = options;
    this.#options = options;
    this.#routed = routed;
    this.#ended = !routed.hasBody;
    // A tunnel has no body, and no end.
    this.#bodyMax = routed.hasBody && routed.head.protocol === '' ? bodyMax(choices, routed) : 0;
    routed.worker.counters.requestsOpen++;
  }

  start(): Receiver {
    const { stream, head, hasBody } = this.#routed;
    if (this.#bodyMax > 0) {
      if (head.contentLength > this.#bodyMax) this.#refuseBody();
      // Whoever waits to be told to go on is told by us: the backend is not asked yet.
      else if (head.expectContinue) stream.sendInterim(100, []);
      return this;
    }
    if (hasBody) stream.pause();
    this.#askNext();
    return this;
  }

  // ── The request, from the client ────────────────────────────────────────────────────────────────

  onBody(bytes: Buffer): void {
    if (this.#next !== null) {
      this.#next.onBody(bytes);
      return;
    }
    if (this.#over) return;
    this.#body.push(Buffer.from(bytes));
    this.#bodyBytes += bytes.length;
    if (this.#bodyMax > 0 && this.#bodyBytes > this.#bodyMax) this.#refuseBody();
  }

  onEnd(trailers: Fields | null): void {
    if (this.#next !== null) {
      this.#next.onEnd(trailers);
      return;
    }
    if (this.#over || this.#ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    if (this.#bodyMax > 0) this.#askNext();
  }

  onReset(reason: ResetReason): void {
    if (this.#next !== null) {
      this.#next.onReset(reason);
      return;
    }
    this.#over = true;
    this.#body = [];
    this.#leave();
    this.#question?.cancel();
  }

  onDrain(): void {
    if (this.#next !== null) this.#next.onDrain();
    else this.#question?.resume();
  }

  // ── The answer, from the service ────────────────────────────────────────────────────────────────

  onAnswer(head: ResponseHead, end: boolean): void {
    const { question } = this.#current.program;
    if (question.protocol === 'grpc') {
      this.#answer = MESSAGE;
      if (head.status !== 200) this.#fail('the answer is not one of gRPC');
      // Without a message, the head has what trailers would have.
      else if (end) this.#readMessage(head.fields);
      return;
    }
    if (isAllowed(question, head)) {
      this.#answer = PERMISSION;
      const { head: own } = this.#routed;
      const fields = takeOver(own.fields, head.fields, question.takes);
      const { granted } = this.#routed;
      const cookies = question.setsCookies === true ? cookiesOf(head.fields) : null;
      this.#routed = {
        ...this.#routed,
        head: { ...own, fields },
        granted: cookies === null ? granted : [...granted, cookies],
      };
      if (end) this.#askNext();
      return;
    }
    this.#routed.worker.counters.authDenied++;
    if (head.status === 401 && question.signIn !== undefined) {
      this.#question?.cancel();
      const source = sourceOf({ groupsOf: null }, this.#routed);
      const location = fillTemplate(question.signIn, source);
      const { stream, head: asked } = this.#routed;
      this.#finish();
      answer(stream, asked, 302, '', this.#withCors(['location', location]));
      return;
    }
    if (!isRefusal(head)) {
      this.#question?.cancel();
      this.#answerOurselves(UNASKED_STATUS, `${this.#current.backend.key} refuses the request`);
      return;
    }
    this.#answer = DENIAL;
    const fields = this.#withCors(named(head.fields, question.returns));
    // Where the question was not HEAD, its answer may have a body that the client's must not have.
    const ends = end || this.#routed.head.method === 'HEAD';
    this.#routed.stream.sendHead({ ...head, fields }, ends);
    if (!ends) return;
    if (!end) this.#question?.cancel();
    this.#finish();
  }

  onAnswerBody(bytes: Buffer): void {
    if (this.#answer === DENIAL) {
      if (!this.#routed.stream.sendBody(bytes)) this.#question?.pause();
      return;
    }
    if (this.#answer === MESSAGE) this.#message.push(Buffer.from(bytes));
    this.#answerBytes += bytes.length;
    if (this.#answerBytes > this.#routed.worker.limits.authAnswerBytesMax) {
      this.#fail('its answer is too long');
    }
  }

  onAnswerEnd(trailers: Fields | null): void {
    switch (this.#answer) {
      case DENIAL:
        this.#routed.stream.sendEnd(null);
        this.#finish();
        return;
      case MESSAGE:
        this.#readMessage(trailers ?? []);
        return;
      default:
        this.#askNext();
    }
  }

  onFailed(reason: string): void {
    if (this.#answer === DENIAL) {
      // The client has a part of the answer: that the rest is missing is said by breaking off.
      this.#finish();
      this.#routed.stream.reset('closed');
      return;
    }
    this.#routed.worker.counters.authFailed++;
    this.#answerOurselves(UNASKED_STATUS, reason);
  }

  #fail(reason: string): void {
    this.#question?.cancel();
    this.onFailed(`${this.#current.backend.key}: ${reason}`);
  }

  #readMessage(trailers: Fields): void {
    const verdict = readVerdict(Buffer.concat(this.#message), trailers, this.#routed);
    if (verdict === null) {
      this.#fail('the answer is not one to the question');
      return;
    }
    const { head, target, granted } = this.#routed;
    if (verdict.kind === 'allowed') {
      const { fields, query, response } = verdict;
      this.#routed = {
        ...this.#routed,
        head: { ...head, fields },
        target: { ...target, query },
        granted: response === null ? granted : [...granted, response],
      };
      this.#askNext();
      return;
    }
    this.#routed.worker.counters.authDenied++;
    const { status, fields, body } = verdict;
    const { stream } = this.#routed;
    const hasBody = body.length > 0 && head.method !== 'HEAD' && status !== 304;
    const all = this.#withCors(fields);
    stream.sendHead({ status, fields: all, contentLength: body.length }, !hasBody);
    if (hasBody) {
      stream.sendBody(body);
      stream.sendEnd(null);
    }
    this.#finish();
  }

  // ── Asking ──────────────────────────────────────────────────────────────────────────────────────

  get #current(): AuthChoice {
    return this.#options.choices[this.#asked - 1]!;
  }

  #askNext(): void {
    this.#question = null;
    this.#answer = NONE;
    this.#message = [];
    this.#answerBytes = 0;
    const choice = this.#options.choices[this.#asked++];
    if (choice === undefined) {
      this.#handOver();
      return;
    }
    const { backend, program } = choice;
    const { worker, entry } = this.#routed;
    worker.counters.authAsked++;
    const body = program.bodyBytesMax > 0 && this.#bodyMax > 0 ? Buffer.concat(this.#body) : EMPTY;
    const { question } = program;
    this.#question = new Question({
      worker,
      backend,
      identity: backend.identity ?? entry.identity,
      asker: this,
      ...(question.protocol === 'http'
        ? { head: httpQuestion(question, this.#routed), body }
        : {
            head: grpcQuestion(this.#routed, hostOf(backend.key)),
            body: grpcMessage(question, this.#routed, body, Date.now()),
          }),
    });
    this.#question.start();
  }

  /** Everything that has come so far goes to whoever takes the request on. */
  #handOver(): void {
    const { stream, head, hasBody } = this.#routed;
    const expectContinue = head.expectContinue && this.#bodyMax === 0;
    // Before there is a receiver: what comes at once lands in the queue, behind what is there.
    if (hasBody) stream.resume();
    this.#leave();
    const next = this.#options.proceed({ ...this.#routed, head: { ...head, expectContinue } });
    for (const bytes of this.#body) next.onBody(bytes);
    this.#body = [];
    this.#next = next;
    if (hasBody && this.#ended) next.onEnd(this.#trailers);
  }

  #refuseBody(): void {
    const most = this.#bodyMax;
    this.#answerOurselves(413, `the body is longer than the ${most} bytes that may be asked about`);
  }

  #answerOurselves(status: number, reason: string): void {
    const { stream, head } = this.#routed;
    this.#finish();
    answer(stream, head, status, reason, this.#withCors([]));
  }

  #withCors(fields: Fields): Fields {
    const { cors } = this.#options;
    return cors === null ? fields : filterResponse([cors], fields);
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#routed.worker.counters.requestsOpen--;
  }

  /** What is left of the request has nowhere to go, but must be read past. */
  #finish(): void {
    this.#over = true;
    this.#body = [];
    this.#leave();
    if (!this.#ended) this.#routed.stream.resume();
  }
}

const EMPTY = Buffer.alloc(0);

/** The least that a service wants of a body, within what a worker may hold; 0 when none wants any. */
function bodyMax(choices: readonly AuthChoice[], { worker }: Routed): number {
  const wanted = choices.map((c) => c.program.bodyBytesMax).filter((bytes) => bytes > 0);
  return wanted.length === 0 ? 0 : Math.min(worker.limits.authBodyBytesMax, ...wanted);
}

/** `Service shop/login:9000/grpc` is spoken to as `login.shop:9000`. */
function hostOf(key: string): string {
  const [, namespace = '', name = '', port = ''] = /^\S+ ([^/]+)\/([^:]+)(:\d+)/.exec(key) ?? [];
  return `${name}.${namespace}${port}`;
}

/** The cookies of a good answer, as an addition to the response; null without any. */
function cookiesOf(fields: Fields): FilterProgram | null {
  const add: { name: string; value: string }[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]!.toLowerCase() === 'set-cookie') {
      add.push({ name: 'set-cookie', value: fields[i + 1]! });
    }
  }
  return add.length === 0 ? null : { kind: 'responseHeaders', set: [], add, remove: [] };
}
