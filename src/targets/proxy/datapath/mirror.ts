// A copy of a request on its way to a backend whose answer nobody waits for. The request it is a copy of
// never waits for it either: what the backend does not take at once is held up to a limit, and beyond
// that the copy is given up.
//
// Budget: as the exchange. Allocates itself, its head, and copies of body bytes while it must hold them.

import type { Backend } from './backend.ts';
import type { Certificate } from './certificates.ts';
import type { Worker } from './dispatch.ts';
import type { Endpoint, Taker } from './endpoint.ts';
import type { ClientConnection, Fields, RequestHead, ResponseReceiver, Sender } from './stream.ts';

export interface MirrorOptions {
  readonly worker: Worker;
  readonly backend: Backend;
  /** Shown to backends that ask for a certificate. */
  readonly identity: Certificate | null;
  readonly head: RequestHead;
  readonly hasBody: boolean;
}

/** Starts a copy; null when there is nowhere to send it or too many are under way. */
export function startMirror(options: MirrorOptions): Mirror | null {
  const { worker, backend } = options;
  const { counters, limits } = worker;
  const endpoint = counters.mirrorsOpen < limits.mirrorsMax ? backend.pick([]) : null;
  if (endpoint === null) {
    counters.mirrorsDropped++;
    return null;
  }
  const mirror = new Mirror(options, endpoint);
  endpoint.takeAs(options.identity, mirror);
  return mirror;
}

export class Mirror implements ResponseReceiver, Taker {
  readonly #options: MirrorOptions;
  readonly #endpoint: Endpoint;
  #sender: Sender | null = null;
  #blocked = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended: boolean;
  #trailers: Fields | null = null;
  #over = false;

  constructor(options: MirrorOptions, endpoint: Endpoint) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#ended = !options.hasBody;
    options.worker.counters.mirrorsOpen++;
    endpoint.outstanding++;
  }

  // ── The request that is copied ──────────────────────────────────────────────────────────────────

  body(bytes: Buffer): void {
    if (this.#over) return;
    const sender = this.#sender;
    if (sender !== null && !this.#blocked) {
      this.#blocked = !sender.sendBody(bytes);
      return;
    }
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#options.worker.limits.bufferedBytesMax) this.#drop();
    else this.#held.push(Buffer.from(bytes));
  }

  end(trailers: Fields | null): void {
    if (this.#over || this.#ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    if (!this.#blocked) this.#sender?.sendEnd(trailers);
  }

  /** The request ends before its time: half a copy is of no use. */
  abort(): void {
    if (!this.#ended) this.#drop();
  }

  // ── The backend ─────────────────────────────────────────────────────────────────────────────────

  onConnection(connection: ClientConnection): void {
    if (this.#over) {
      this.#endpoint.giveBack(connection);
      return;
    }
    const { head, hasBody } = this.#options;
    this.#options.worker.counters.mirrorsSent++;
    const sender = connection.request(head, !hasBody, this);
    this.#sender = sender;
    if (hasBody) this.#flush(sender);
  }

  onConnectFailed(): void {
    this.#drop();
  }

  onDrain(): void {
    if (!this.#blocked || this.#sender === null) return;
    this.#blocked = false;
    this.#flush(this.#sender);
  }

  onInterim(): void {
    // Nobody waits for it.
  }

  onTunnel(): void {
    this.#drop();
  }

  onHead(_head: unknown, end: boolean): void {
    if (end) this.#finish();
  }

  onBody(): void {
    // The answer is read so that the connection can be used again, and forgotten.
  }

  onEnd(): void {
    this.#finish();
  }

  onReset(): void {
    this.#sender = null;
    this.#drop();
  }

  #flush(sender: Sender): void {
    const held = this.#held;
    while (held.length > 0) {
      const bytes = held.shift()!;
      this.#heldBytes -= bytes.length;
      if (!sender.sendBody(bytes)) {
        this.#blocked = true;
        return;
      }
    }
    if (this.#ended) sender.sendEnd(this.#trailers);
  }

  #finish(): void {
    const sender = this.#sender;
    this.#leave();
    if (!this.#ended || this.#blocked) sender?.reset('cancelled');
  }

  #drop(): void {
    if (this.#over) return;
    const sender = this.#sender;
    this.#options.worker.counters.mirrorsDropped++;
    this.#leave();
    sender?.reset('cancelled');
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sender = null;
    this.#held = [];
    this.#options.worker.counters.mirrorsOpen--;
    this.#endpoint.outstanding--;
  }
}
