// How much of what a backend is sent may be retries: counts requests and retries over the time that is
// looked back on. Each worker counts its own, so that the least rate is one for each worker.
//
// Budget: 0.1 µs for a request to a backend with a budget, nothing for others. Allocates nothing.

import type { RetryBudget } from '../../../model/policy.ts';

/** Steps in which the time moves on. */
const SLOTS = 10;

/** How many there were within the last `spanMs`, a tenth of it more or less. */
class Window {
  readonly #slotMs: number;
  readonly #counts = new Float64Array(SLOTS);
  #slot = 0;
  sum = 0;

  constructor(spanMs: number) {
    this.#slotMs = Math.max(1, spanMs / SLOTS);
  }

  /** Forgets what is too long ago. */
  moveTo(nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    const steps = Math.min(SLOTS, slot - this.#slot);
    for (let i = 1; i <= steps; i++) {
      const at = (slot - steps + i) % SLOTS;
      this.sum -= this.#counts[at]!;
      this.#counts[at] = 0;
    }
    this.#slot = Math.max(slot, this.#slot);
  }

  /** After `moveTo`. */
  count(): void {
    this.#counts[this.#slot % SLOTS]!++;
    this.sum++;
  }
}

export class RetryMeter {
  readonly budget: RetryBudget;
  readonly #requests: Window;
  readonly #retries: Window;
  readonly #recentRetries: Window;

  constructor(budget: RetryBudget) {
    this.budget = budget;
    this.#requests = new Window(budget.intervalMs);
    this.#retries = new Window(budget.intervalMs);
    this.#recentRetries = new Window(budget.minIntervalMs);
  }

  /** A request is sent for the first time. */
  request(nowMs: number): void {
    this.#requests.moveTo(nowMs);
    this.#requests.count();
  }

  /** Whether a request may be sent once more; if so, it is counted. */
  mayRetry(nowMs: number): boolean {
    this.#requests.moveTo(nowMs);
    this.#retries.moveTo(nowMs);
    this.#recentRetries.moveTo(nowMs);
    const { percent, minRetries } = this.budget;
    // The retry itself is one of the requests of which so many may be retries.
    const all = this.#requests.sum + this.#retries.sum + 1;
    const isWithin = (this.#retries.sum + 1) * 100 <= percent * all;
    if (!isWithin && this.#recentRetries.sum >= minRetries) return false;
    this.#retries.count();
    this.#recentRetries.count();
    return true;
  }
}
