// The changes of late, so that a watch can begin where a list ended, or go on where it was cut off. A
// ring: what it no longer holds cannot be resumed from, and clients are told to list again (410).

import type { Change } from '../../store/store.ts';

/** Changes that are remembered. */
const CHANGES_MAX = 16_384;

export class WatchLog {
  readonly #ring: (Change | undefined)[];
  readonly #size: number;
  /** Where the next change goes, counted since the start. */
  #next = 0;
  /** The revision of the last change that was forgotten, or before the first one. */
  #forgotten: number;

  constructor(revision: number, size = CHANGES_MAX) {
    this.#ring = Array.from<Change | undefined>({ length: size });
    this.#size = size;
    this.#forgotten = revision;
  }

  /** Takes a change down. Changes come in the order of their revisions. */
  add(change: Change): void {
    const at = this.#next % this.#size;
    const oldest = this.#ring[at];
    if (oldest !== undefined) this.#forgotten = oldest.revision;
    this.#ring[at] = change;
    this.#next++;
  }

  /** The changes after a revision, oldest first; undefined when some of them are forgotten. */
  since(revision: number): readonly Change[] | undefined {
    if (revision < this.#forgotten) return undefined;
    const changes: Change[] = [];
    for (let at = this.#next - 1; at >= 0 && at >= this.#next - this.#size; at--) {
      const change = this.#ring[at % this.#size];
      if (change === undefined || change.revision <= revision) break;
      changes.push(change);
    }
    return changes.toReversed();
  }

  /** The oldest revision a watch can begin at. */
  get oldest(): number {
    return this.#forgotten;
  }
}
