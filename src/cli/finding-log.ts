// What is told of findings while Fairway runs: those that are new, and how many are settled. A container
// that crashes again and again is told of once: its finding comes and goes with each attempt, and counts.

import type { Finding } from '../api/finding.ts';

/** Findings that come and go by themselves are settled once they have been away for so long. */
const CALM_MS = 60_000;

const COMES_AND_GOES: ReadonlySet<string> = new Set([
  'CrashLooping',
  'NotReady',
  'CommandNotFound',
]);

export interface Told {
  readonly fresh: readonly Finding[];
  readonly settled: number;
  /** When to ask again though nothing changes; undefined for never. */
  readonly dueMs: number | undefined;
}

export class FindingLog {
  /** What was told, and since when it has been away. */
  readonly #known = new Map<string, { awayMs: number | undefined; readonly calmMs: number }>();

  /** Takes the findings there are now. */
  update(findings: readonly Finding[], nowMs: number): Told {
    const fresh: Finding[] = [];
    const present = new Set<string>();
    for (const finding of findings) {
      const key = keyOf(finding);
      present.add(key);
      const known = this.#known.get(key);
      if (known !== undefined) {
        known.awayMs = undefined;
        continue;
      }
      const calmMs = COMES_AND_GOES.has(finding.reason) ? CALM_MS : 0;
      this.#known.set(key, { awayMs: undefined, calmMs });
      fresh.push(finding);
    }
    let settled = 0;
    let dueMs: number | undefined;
    for (const [key, known] of this.#known) {
      if (present.has(key)) continue;
      known.awayMs ??= nowMs;
      const settledMs = known.awayMs + known.calmMs;
      if (settledMs <= nowMs) {
        this.#known.delete(key);
        settled++;
      } else {
        dueMs = Math.min(dueMs ?? Infinity, settledMs);
      }
    }
    return { fresh, settled, dueMs };
  }
}

/** What makes two findings the same: of those that count, not the words. */
function keyOf(finding: Finding): string {
  const { reason, origin } = finding;
  return COMES_AND_GOES.has(reason) ? JSON.stringify([reason, origin]) : JSON.stringify(finding);
}
