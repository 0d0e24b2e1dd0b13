// Coarse time for the data path: one timer a second looks at every deadline there is, so that no
// connection and no request costs a timer of its own. Deadlines are therefore met up to a second late,
// which all limits in limits.ts can bear; what must be exact (a route's timeout) takes a real timer.
//
// Budget: one look at each connection a second; to read the time is to read a field. Allocates
// nothing.

/** Something that must act when its time has come. */
export interface Timed {
  /** On the scale of `Clock.nowMs`; 0 for none. */
  deadlineMs: number;
  onDeadline(): void;
}

export const TICK_MS = 1000;

export class Clock {
  /** Milliseconds on a monotonic scale, as of the last tick. */
  nowMs = performance.now();
  readonly #timed = new Set<Timed>();
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#timer ??= setInterval(() => this.tick(performance.now()), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  add(timed: Timed): void {
    this.#timed.add(timed);
  }

  remove(timed: Timed): void {
    this.#timed.delete(timed);
  }

  /** Public for tests, which bring their own time. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    for (const timed of this.#timed) {
      if (timed.deadlineMs !== 0 && timed.deadlineMs <= nowMs) {
        timed.deadlineMs = 0;
        timed.onDeadline();
      }
    }
  }
}
