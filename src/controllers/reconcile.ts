// Runs controllers over the store until none has anything left to write: what one writes is what the
// next one reads, as a Deployment becomes a ReplicaSet, pods and endpoints within one call.

import { formatRef } from '../api/finding.ts';
import type { Store } from '../store/store.ts';
import type { ObjectWrite } from '../store/write.ts';
import type { Controller } from './controller.ts';

/** A chain of controllers comes to rest in a handful of rounds; many more are two that disagree. */
const ROUNDS_MAX = 100;

/** Writes shown when controllers do not come to rest. */
const SAMPLE_MAX = 5;

export interface Reconciled {
  readonly rounds: number;
  /** How many objects were created, changed or deleted, counted once for every batch. */
  readonly changeCount: number;
  /** When to run again although nothing changed (milliseconds since the epoch); absent for never. */
  readonly wakeAtMs?: number;
}

interface Round {
  readonly changeCount: number;
  readonly wakeAtMs: number;
  /** What was written, by the name of the controller. */
  readonly written: readonly (readonly [string, ObjectWrite])[];
}

/**
 * Runs all controllers in order, again and again until a round changes nothing. Throws when they do
 * not come to rest, which is a bug in one of them.
 */
export function reconcileAll(
  controllers: readonly Controller[],
  store: Store,
  now: Date,
): Reconciled {
  let changeCount = 0;
  let round: Round | undefined;
  for (let rounds = 1; rounds <= ROUNDS_MAX; rounds++) {
    round = runOnce(controllers, store, now);
    changeCount += round.changeCount;
    if (round.changeCount > 0) continue;
    const { wakeAtMs } = round;
    return { rounds, changeCount, ...(Number.isFinite(wakeAtMs) ? { wakeAtMs } : {}) };
  }
  throw new Error(
    `controllers do not come to rest within ${ROUNDS_MAX} rounds; in the last one: ${sample(round?.written ?? [])}`,
  );
}

function runOnce(controllers: readonly Controller[], store: Store, now: Date): Round {
  let wakeAtMs = Number.POSITIVE_INFINITY;
  let changeCount = 0;
  const written: (readonly [string, ObjectWrite])[] = [];
  const wakeAt = (timeMs: number): void => {
    wakeAtMs = Math.min(wakeAtMs, timeMs);
  };
  for (const controller of controllers) {
    const writes = controller.reconcile(store.snapshot(), { now, wakeAt });
    if (writes.length === 0) continue;
    changeCount += store.write(writes).length;
    for (const write of writes) written.push([controller.name, write]);
  }
  return { changeCount, wakeAtMs, written };
}

function sample(written: readonly (readonly [string, ObjectWrite])[]): string {
  const shown = written
    .slice(0, SAMPLE_MAX)
    .map(([name, write]) => `${name}: ${write.op} ${formatRef(refOf(write))}`);
  const more = written.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function refOf(write: ObjectWrite): { kind: string; namespace: string; name: string } {
  const { namespace = '', name = '' } = write.op === 'put' ? write.object.metadata : write;
  return { kind: write.kind.kind, namespace, name };
}
