// One request of our own to a service that is asked whether another request may go on: finds a
// connection, sends, and passes the answer to whoever understands it. Every way to fail is one call.
//
// Budget: as a mirror. Allocates itself and a timer.

import type { Certificate } from '../certificates.ts';
import type { Worker } from '../dispatch.ts';
import type { Backend } from '../backend.ts';
import type { Endpoint, Taker } from '../endpoint.ts';
import type {
  ClientConnection,
  Fields,
  RequestHead,
  ResetReason,
  ResponseHead,
  ResponseReceiver,
  Sender,
} from '../stream.ts';

/** Who asks. After `onFailed`, or the end of the answer, nothing more is called. */
export interface Asker {
  onAnswer(head: ResponseHead, end: boolean): void;
  onAnswerBody(bytes: Buffer): void;
  onAnswerEnd(trailers: Fields | null): void;
  onFailed(reason: string): void;
}

export interface QuestionOptions {
  readonly worker: Worker;
  readonly backend: Backend;
  /** Shown to backends that ask for a certificate. */
  readonly identity: Certificate | null;
  readonly head: RequestHead;
  /** Empty for none. */
  readonly body: Buffer;
  readonly asker: Asker;
}

export class Question implements ResponseReceiver, Taker {
  readonly #options: QuestionOptions;
  readonly #tried: Endpoint[] = [];
  readonly #timer: NodeJS.Timeout;
  #endpoint: Endpoint | null = null;
  #sender: Sender | null = null;
  /** Connections that are not ours any more may still answer. */
  #isAnswered = false;
  #over = false;

  constructor(options: QuestionOptions) {
    this.#options = options;
    const { authTimeoutMs } = options.worker.limits;
    this.#timer = setTimeout(() => this.#fail('it did not answer in time'), authTimeoutMs);
  }

  start(): void {
    this.#tryNext();
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    const sender = this.#sender;
    this.#leave();
    sender?.reset('cancelled');
  }

  pause(): void {
    this.#sender?.pause();
  }

  resume(): void {
    this.#sender?.resume();
  }

  onConnection(connection: ClientConnection): void {
    if (this.#over) {
      this.#endpoint?.giveBack(connection);
      return;
    }
    const { head, body } = this.#options;
    // Always with a length, even of nothing: the service is told how long the body is.
    const sender = connection.request({ ...head, contentLength: body.length }, false, this);
    this.#sender = sender;
    if (body.length > 0) sender.sendBody(body);
    sender.sendEnd(null);
  }

  onConnectFailed(): void {
    this.#tryNext();
  }

  onInterim(): void {
    // The final answer counts.
  }

  onTunnel(): void {
    const sender = this.#sender;
    this.#fail('it gave no valid answer');
    sender?.reset('cancelled');
  }

  onHead(head: ResponseHead, end: boolean): void {
    if (this.#over) return;
    this.#isAnswered = true;
    if (end) this.#leave();
    this.#options.asker.onAnswer(head, end);
  }

  onBody(bytes: Buffer): void {
    if (!this.#over) this.#options.asker.onAnswerBody(bytes);
  }

  onEnd(trailers: Fields | null): void {
    if (this.#over) return;
    this.#leave();
    this.#options.asker.onAnswerEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    this.#sender = null;
    if (this.#over) return;
    // A question may be asked twice; a connection that waited for long may be gone.
    if (!this.#isAnswered && reason !== 'protocol' && reason !== 'timeout') this.#tryNext();
    else this.#fail('it broke off or gave no valid answer');
  }

  onDrain(): void {
    // The body is small, and whole.
  }

  #tryNext(): void {
    if (this.#over) return;
    this.#letGo();
    const { worker, backend, identity } = this.#options;
    const mayTry = this.#tried.length < worker.limits.connectAttemptsMax;
    const endpoint = mayTry ? (backend.pick(this.#tried) ?? backend.pick([])) : null;
    if (endpoint === null) {
      this.#fail('it cannot be reached');
      return;
    }
    this.#tried.push(endpoint);
    this.#endpoint = endpoint;
    endpoint.outstanding++;
    endpoint.takeAs(identity, this);
  }

  #fail(reason: string): void {
    if (this.#over) return;
    const sender = this.#sender;
    this.#leave();
    sender?.reset('cancelled');
    this.#options.asker.onFailed(`${this.#options.backend.key}: ${reason}`);
  }

  #letGo(): void {
    if (this.#endpoint !== null) this.#endpoint.outstanding--;
    this.#endpoint = null;
    this.#sender = null;
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#letGo();
  }
}
