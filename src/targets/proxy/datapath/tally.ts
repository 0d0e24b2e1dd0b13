// All numbers of a worker, in one piece of memory that it shares with the control plane:
//
//   counters and gauges │ those of HTTP/2 │ durations of requests: one count for each bucket, and their sum
//
// The worker adds, the control plane reads; nobody asks anybody. Not hot itself: made once.

import { COUNTER_COUNT, newCounters, readCounters } from './counters.ts';
import type { Counters } from './counters.ts';
import { H2_COUNTER_COUNT, newH2Counters, readH2Counters } from './h2/shared.ts';
import type { H2Counters } from './h2/shared.ts';

/** Upper ends of the buckets durations are counted in, in seconds; what is longer is in one more. */
export const DURATION_BUCKETS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** The answers of a kind: the first digit of their status. */
const STATUS_CLASSES = 5;
const BUCKETS = DURATION_BUCKETS.length + 1;
const DURATIONS = BUCKETS + 1 + STATUS_CLASSES;
const LENGTH = COUNTER_COUNT + H2_COUNTER_COUNT + DURATIONS;

export interface Tally {
  readonly counters: Counters;
  readonly h2: H2Counters;
  readonly durations: Durations;
}

/** A tally as it is at one moment, as plain data. */
export interface TallyRead {
  readonly counters: Counters;
  readonly h2: H2Counters;
  /** For each bucket, the last one beyond all. Not cumulative. */
  readonly buckets: readonly number[];
  readonly seconds: number;
  /** Answers by the first digit of their status, from 1xx on. */
  readonly statuses: readonly number[];
}

export function newTallyMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(LENGTH * Float64Array.BYTES_PER_ELEMENT);
}

export function tallyIn(memory: SharedArrayBuffer): Tally {
  const [counters, h2, durations] = partsOf(memory);
  return {
    counters: newCounters(counters),
    h2: newH2Counters(h2),
    durations: new Durations(durations),
  };
}

export function readTally(memory: SharedArrayBuffer): TallyRead {
  const [counters, h2, durations] = partsOf(memory);
  return {
    counters: readCounters(counters),
    h2: readH2Counters(h2),
    buckets: [...durations.subarray(0, BUCKETS)],
    seconds: durations[BUCKETS]!,
    statuses: [...durations.subarray(BUCKETS + 1)],
  };
}

/** How long requests took, and how they were answered. Counted only while somebody measures. */
export class Durations {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  add(seconds: number, status: number): void {
    const values = this.#values;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket++;
    values[bucket]!++;
    values[BUCKETS]! += seconds;
    const kind = Math.floor(status / 100);
    if (kind >= 1 && kind <= STATUS_CLASSES) values[BUCKETS + kind]!++;
  }
}

function partsOf(memory: SharedArrayBuffer): [Float64Array, Float64Array, Float64Array] {
  const all = new Float64Array(memory);
  const h2At = COUNTER_COUNT;
  const durationsAt = h2At + H2_COUNTER_COUNT;
  return [all.subarray(0, h2At), all.subarray(h2At, durationsAt), all.subarray(durationsAt)];
}
