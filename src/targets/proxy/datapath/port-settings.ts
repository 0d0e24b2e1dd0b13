// What is set for the ports of one Gateway → what its ports work with.
//
// Not hot: once for each port of a program.

import type { PortSettings } from '../../../model/port-settings.ts';
import type { Clock } from './clock.ts';
import type { Worker } from './dispatch.ts';
import { FRAME_BYTES_MAX } from './h2/frames.ts';
import { H2Shared } from './h2/shared.ts';

/** The worker as ports with these settings see it: other limits, everything else the same. */
export function workerFor(worker: Worker, settings: PortSettings | null, clock: Clock): Worker {
  if (settings === null || Object.keys(settings.limits).length === 0) return worker;
  const limits = { ...worker.limits, ...settings.limits };
  // A head as long as it may be must fit in its frames.
  const frames = Math.ceil(limits.headBytesMax / FRAME_BYTES_MAX) + 1;
  const all = { ...limits, headerFramesMax: Math.max(limits.headerFramesMax, frames) };
  const h2 = new H2Shared({ limits: all, clock, counters: worker.h2.counters });
  return { ...worker, limits: all, h2 };
}
