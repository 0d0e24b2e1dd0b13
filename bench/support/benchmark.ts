// What a benchmark is: something that runs for a bounded time and gives a table for people and the
// numbers behind it for a file.

import type { Scratch } from './scratch.ts';

/** What a benchmark is given. */
export interface Context {
  /** Only the rows that show most, and fewer repetitions: a look in a minute, not a result. */
  readonly quick: boolean;
  /** Names of the rows asked for; empty for all. */
  readonly rows: readonly string[];
  /** Aborted by Ctrl-C and when the benchmark takes longer than it may. */
  readonly signal: AbortSignal;
  /** A folder and processes that are gone when the benchmark has ended, however it ends. */
  readonly scratch: Scratch;
  /** Tells what is being done now; not part of the result. */
  readonly progress: (text: string) => void;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Outcome {
  readonly tables: readonly Table[];
  /** What a reader of the numbers must know: what was skipped and why, how noisy the machine was. */
  readonly notes: readonly string[];
  /** The numbers unrounded, as the result file holds them. */
  readonly values: unknown;
}

export interface Benchmark {
  /** What it measures, in one line. */
  readonly about: string;
  /** It is ended after this long. */
  readonly limitMs: number;
  readonly run: (context: Context) => Promise<Outcome>;
}

/** Whether a row was asked for; all are when none is named. */
export function isWanted({ rows }: Context, name: string): boolean {
  return rows.length === 0 || rows.includes(name);
}
