// What the requests to an endpoint say about it. One that fails several times in a row is passed over
// for a short while, then given one request to prove itself; one that is new gets its share little by
// little. One memory for each endpoint of a worker, whatever number of rules and backends lead to it.
//
// Budget: nothing for an endpoint that is well: one look at `impaired` where it is chosen, one at
// `failures` where it has answered. Allocates nothing. Guarded by bench/proxy.ts.

import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';

export class Health {
  /** Choosing it needs a second look: it is ejected, on trial, or warming up. */
  impaired = false;
  /** Requests that failed in a row. */
  failures = 0;
  readonly #limits: Limits;
  readonly #counters: Counters;
  #ejectedUntilMs = 0;
  /** How long the last ejection was. */
  #ejectionMs = 0;
  #warmSinceMs = 0;

  constructor(limits: Limits, counters: Counters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** A request was answered, with anything but a gateway's own excuses. */
  succeeded(): void {
    this.failures = 0;
    this.#ejectedUntilMs = 0;
    this.#ejectionMs = 0;
    this.impaired = this.#warmSinceMs !== 0;
  }

  /** It could not be connected to, broke off, did not answer in time, or answered 502, 503 or 504. */
  failed(nowMs = performance.now()): void {
    const { ejectAfterFailures, ejectionMs, ejectionMsMax } = this.#limits;
    this.failures++;
    // What was under way when it was ejected says nothing new.
    if (this.failures < ejectAfterFailures || nowMs < this.#ejectedUntilMs) return;
    this.#ejectionMs = Math.min(
      this.#ejectionMs === 0 ? ejectionMs : this.#ejectionMs * 2,
      ejectionMsMax,
    );
    this.#ejectedUntilMs = nowMs + this.#ejectionMs;
    this.impaired = true;
    this.#counters.ejections++;
  }

  /** It has come to a backend that had others: it begins with a small share. */
  warm(nowMs = performance.now()): void {
    if (this.#limits.slowStartMs === 0) return;
    this.#warmSinceMs = nowMs;
    this.impaired = true;
  }

  /** Whether it takes requests; one that comes from an ejection takes one at a time. */
  takes(nowMs: number, outstanding: number): boolean {
    if (this.failures < this.#limits.ejectAfterFailures) return true;
    return nowMs >= this.#ejectedUntilMs && outstanding === 0;
  }

  /** Of its fair share of requests, from just above 0 to 1. */
  share(nowMs: number): number {
    if (this.#warmSinceMs === 0) return 1;
    const share = (nowMs - this.#warmSinceMs) / this.#limits.slowStartMs;
    if (share < 1) return Math.max(share, SHARE_MIN);
    this.#warmSinceMs = 0;
    this.impaired = this.failures >= this.#limits.ejectAfterFailures;
    return 1;
  }

  /** More of a backend's endpoints are ejected than may be: all are chosen from. */
  isPanic(takingCount: number, count: number): boolean {
    const isPanic = takingCount * 100 < count * (100 - this.#limits.ejectedPercentMax);
    if (isPanic) this.#counters.panics++;
    return isPanic;
  }
}

const SHARE_MIN = 0.1;

/** Statuses by which a server says that it cannot serve, rather than that it did. */
export function isFailure(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}
