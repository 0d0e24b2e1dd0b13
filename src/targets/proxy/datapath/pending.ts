// Requests that wait for a connection to their endpoint, because it has as many as it may. Few enough to
// be answered soon; the rest is told at once to come back later.
//
// Not hot: an endpoint has to be at its limit. Allocates an entry for each request that waits.

import type { Clock, Timed } from './clock.ts';
import type { Counters } from './counters.ts';
import type { Taker } from './endpoint.ts';
import type { Limits } from './limits.ts';

/** Why there is no connection: too many wait for one already, or it took too long. */
export const CROWDED = new Error('too many requests wait for a connection');

export interface PendingOptions {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly clock: Clock;
}

export class Pending {
  readonly #options: PendingOptions;
  readonly #waiting = new Set<Waiting>();

  constructor(options: PendingOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(taker: Taker): void {
    const { limits, counters, clock } = this.#options;
    if (counters.pendingOpen >= limits.pendingRequestsMax) {
      counters.pendingOverflows++;
      // Not at once: whoever asks may not be ready for an answer yet.
      queueMicrotask(() => taker.onConnectFailed(CROWDED));
      return;
    }
    counters.pendingOpen++;
    const waiting = new Waiting(taker, clock.nowMs + limits.pendingTimeoutMs, () => {
      this.#leave(waiting);
      counters.pendingTimeouts++;
      taker.onConnectFailed(CROWDED);
    });
    this.#waiting.add(waiting);
    clock.add(waiting);
  }

  /** Who has waited longest; undefined when nobody does. */
  next(): Taker | undefined {
    for (const waiting of this.#waiting) {
      this.#leave(waiting);
      return waiting.taker;
    }
    return undefined;
  }

  #leave(waiting: Waiting): void {
    const { counters, clock } = this.#options;
    this.#waiting.delete(waiting);
    clock.remove(waiting);
    counters.pendingOpen--;
  }
}

class Waiting implements Timed {
  readonly taker: Taker;
  deadlineMs: number;
  readonly onDeadline: () => void;

  constructor(taker: Taker, deadlineMs: number, onDeadline: () => void) {
    this.taker = taker;
    this.deadlineMs = deadlineMs;
    this.onDeadline = onDeadline;
  }
}
