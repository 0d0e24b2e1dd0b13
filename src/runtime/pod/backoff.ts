// How long a container that ended waits for its next start: 1 s, then twice as long each time, up to
// 60 s; from the beginning again after it has run for 10 minutes. Kubelet's ten seconds and five
// minutes are for a cluster; here somebody is waiting for a mistake to be repaired.

export interface BackoffTimes {
  readonly initialMs: number;
  readonly maxMs: number;
  /** A run of this length was a good one. */
  readonly resetAfterMs: number;
}

export const BACKOFF_TIMES: BackoffTimes = {
  initialMs: 1000,
  maxMs: 60_000,
  resetAfterMs: 600_000,
};

export class Backoff {
  readonly #times: BackoffTimes;
  #nextMs: number;

  constructor(times: BackoffTimes) {
    this.#times = times;
    this.#nextMs = times.initialMs;
  }

  /** The wait after a run that lasted so long. */
  next(ranMs: number): number {
    if (ranMs >= this.#times.resetAfterMs) this.#nextMs = this.#times.initialMs;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, this.#times.maxMs);
    return waitMs;
  }
}
