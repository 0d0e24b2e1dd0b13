// What a rule asks of its requests beyond one attempt that may take as long as it likes: the times, the
// retries, and the copy of the body that a retry sends again. Made only for rules that ask.
//
// Budget: 1 µs. Allocates itself, a timer for each time that is set, and copies of a body while it may
// be sent again.

import { Buffer } from 'node:buffer';
import type { Retry, Timeouts } from '../../../model/policy.ts';
import type { Limits } from './limits.ts';

export interface Policy {
  readonly timeouts: Timeouts | null;
  readonly retry: Retry | null;
}

/** Whom time runs out for. */
export interface Hurried {
  onRequestTimeout(): void;
  onAttemptTimeout(): void;
  onConnectTimeout(): void;
}

export class Attempts {
  readonly #policy: Policy;
  readonly #hurried: Hurried;
  readonly #limits: Limits;
  #retriesLeft: number;
  readonly #requestTimer: NodeJS.Timeout | undefined;
  #attemptTimer: NodeJS.Timeout | undefined;
  #backoffTimer: NodeJS.Timeout | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #startedMs = Date.now();
  /** The body so far; null when it cannot be sent again. */
  #kept: Buffer[] | null;
  #keptBytes = 0;

  constructor(policy: Policy, limits: Limits, hurried: Hurried) {
    this.#policy = policy;
    this.#limits = limits;
    this.#hurried = hurried;
    this.#retriesLeft = Math.min(policy.retry?.attempts ?? 0, limits.retriesMax);
    this.#kept = this.#retriesLeft > 0 ? [] : null;
    const requestMs = policy.timeouts?.requestMs ?? 0;
    if (requestMs > 0) {
      this.#requestTimer = setTimeout(() => this.#hurried.onRequestTimeout(), timerMs(requestMs));
    }
  }

  /** An attempt begins. */
  begin(): void {
    const attemptMs = this.#policy.timeouts?.backendRequestMs ?? 0;
    if (attemptMs > 0) {
      this.#attemptTimer = setTimeout(() => this.#hurried.onAttemptTimeout(), timerMs(attemptMs));
    }
    const connectMs = this.#policy.timeouts?.connectMs ?? 0;
    if (connectMs > 0) {
      this.#connectTimer = setTimeout(() => this.#hurried.onConnectTimeout(), timerMs(connectMs));
    }
  }

  /** There is a connection: from now on, silence counts. */
  connected(): void {
    clearTimeout(this.#connectTimer);
    const idleMs = this.#policy.timeouts?.idleMs ?? 0;
    if (idleMs === 0) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#hurried.onAttemptTimeout(), timerMs(idleMs));
  }

  /** Something has gone out, or come in. */
  touch(): void {
    this.#idleTimer?.refresh();
  }

  /** Whether what may not be repeated is repeated all the same. */
  get repeatsAll(): boolean {
    return this.#policy.retry?.repeatsAll === true;
  }

  /** Whether statuses count for what may be repeated only. */
  get idempotentOnly(): boolean {
    return this.#policy.retry?.idempotentOnly === true;
  }

  /** Keeps body bytes for a retry. Gives the copy, if it made one. */
  keep(bytes: Buffer): Buffer | null {
    if (this.#kept === null) return null;
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > this.#limits.retryBytesMax) {
      this.#kept = null;
      return null;
    }
    const copy = Buffer.from(bytes);
    this.#kept.push(copy);
    return copy;
  }

  /** The body as it must be sent again. Only while `mayRetry`. */
  body(): Buffer[] {
    return [...(this.#kept ?? [])];
  }

  /** Whether a status is one to try again after. */
  wants(status: number): boolean {
    return this.#policy.retry?.codes.includes(status) ?? false;
  }

  /** Whether another attempt can be made. */
  get mayRetry(): boolean {
    const { withinMs = Infinity } = this.#policy.retry ?? {};
    if (Date.now() - this.#startedMs > withinMs) return false;
    return this.#retriesLeft > 0 && this.#kept !== null;
  }

  /** Makes another attempt after the time that has to pass first. */
  again(start: () => void): void {
    this.#retriesLeft--;
    clearTimeout(this.#attemptTimer);
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#idleTimer);
    const { backoffMs = 0 } = this.#policy.retry ?? {};
    // Never at once, even without a backoff: what failed is still on the stack.
    this.#backoffTimer = setTimeout(start, timerMs(backoffMs));
  }

  /** The exchange is over, or has become a tunnel that may stay as long as it likes. */
  end(): void {
    clearTimeout(this.#requestTimer);
    clearTimeout(this.#attemptTimer);
    clearTimeout(this.#backoffTimer);
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#idleTimer);
    this.#kept = null;
  }
}

/** A timer that is set for longer fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

function timerMs(ms: number): number {
  return Math.min(ms, TIMER_MS_MAX);
}
