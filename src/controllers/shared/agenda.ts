// What a controller has to look at: objects that changed, objects whose last look led to writes (which
// may not have been applied), and objects whose time has come. Everything else is left alone, which is
// what makes a change among ten thousand objects cheap.

import { compareText } from './metadata.ts';

/** What came of looking at an object. */
export interface Outcome {
  /** It was written to: look again to see whether that was all. */
  readonly wrote: boolean;
  /** Look again at this time (milliseconds since the epoch), whatever happens. */
  readonly dueMs?: number | undefined;
}

export class Agenda {
  readonly #waiting = new Set<string>();
  readonly #dueMs = new Map<string, number>();

  add(key: string): void {
    this.#waiting.add(key);
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#waiting.delete(key);
    this.#dueMs.delete(key);
  }

  /**
   * Looks at everything that is to be looked at by `nowMs`, in the order of the keys, and keeps what
   * has to be looked at again. Returns when the next one is due; positive infinity for never.
   */
  work(nowMs: number, look: (key: string) => Outcome): number {
    for (const [key, dueMs] of this.#dueMs) if (dueMs <= nowMs) this.#waiting.add(key);
    if (this.#waiting.size > 0) {
      const keys = [...this.#waiting].toSorted(compareText);
      this.#waiting.clear();
      for (const key of keys) {
        const { wrote, dueMs } = look(key);
        if (wrote) this.#waiting.add(key);
        if (dueMs === undefined) this.#dueMs.delete(key);
        else this.#dueMs.set(key, dueMs);
      }
    }
    let nextMs = Number.POSITIVE_INFINITY;
    for (const dueMs of this.#dueMs.values()) nextMs = Math.min(nextMs, dueMs);
    return nextMs;
  }
}
