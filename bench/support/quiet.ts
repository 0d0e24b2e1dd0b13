// Waiting for a machine that others use as well to be quiet. What is measured next to a compiler says
// nothing about us.

import { setTimeout as delay } from 'node:timers/promises';
import { busyMs } from './cpu.ts';

const LOOK_MS = 250;
const WAIT_MS_MAX = 30_000;

/** Above this share of a core used by others, a measurement is dropped. */
export const FOREIGN_SHARE_MAX = 0.12;

/** Resolves when no core is busy, or gives up waiting. Gives how long it took. */
export async function untilQuiet(signal: AbortSignal): Promise<number> {
  const started = performance.now();
  while (performance.now() - started < WAIT_MS_MAX) {
    const before = busyMs();
    await delay(LOOK_MS, undefined, { signal });
    const shares = busyMs().map((busy, core) => (busy - before[core]!) / LOOK_MS);
    if (shares.every((share) => share <= FOREIGN_SHARE_MAX)) break;
  }
  return performance.now() - started;
}
