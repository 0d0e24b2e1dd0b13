// Memory that runs short: looked at once a second. From 80 % of what there may be on, new requests are
// refused (503, Retry-After) while those under way finish; from 90 % on, connections are asked to end as
// well. Below 75 % all is as before.
//
// Not hot: once a second for each worker.

import { getHeapStatistics } from 'node:v8';
import type { Clock, Timed } from './clock.ts';
import type { Counters } from './counters.ts';

const RELIEF = 0.75;
const REFUSE = 0.8;
const CLOSE = 0.9;

export interface PressureOptions {
  /** Of the whole process. */
  readonly memoryBytesMax: number;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Asks connections to end. */
  readonly closeIdle: () => void;
  /** How full memory is, as a share; for tests. */
  readonly measure?: () => number;
}

export class Pressure implements Timed {
  deadlineMs = 1;
  readonly #options: PressureOptions;
  readonly #measure: () => number;

  constructor(options: PressureOptions) {
    this.#options = options;
    this.#measure = options.measure ?? (() => memoryShare(options.memoryBytesMax));
    options.clock.add(this);
  }

  onDeadline(): void {
    const { clock, counters, closeIdle } = this.#options;
    this.deadlineMs = clock.nowMs;
    const share = this.#measure();
    if (share >= CLOSE) {
      counters.underPressure = 2;
      closeIdle();
    } else if (share >= REFUSE) {
      counters.underPressure = 1;
    } else if (share < RELIEF) {
      counters.underPressure = 0;
    }
  }
}

/** The worse of two: memory of the process, and the heap of this thread, which has a bound of its own. */
function memoryShare(memoryBytesMax: number): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return Math.max(residentBytes() / memoryBytesMax, used / limit);
}

/** 0 when it cannot be told: reading it takes a descriptor, and there may be none left. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0;
  }
}
