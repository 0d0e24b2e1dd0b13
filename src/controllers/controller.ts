// The contract of a controller: from all objects at one moment to the writes a control plane would make
// of them. Pure, but for what it remembers of the snapshot before, so that a change costs what changed.

import type { Snapshot } from '../store/snapshot.ts';
import type { ObjectWrite } from '../store/write.ts';

/** What a controller knows besides the objects. */
export interface ReconcileContext {
  /** The one clock of a run: whatever a controller dates is dated with it. */
  readonly now: Date;
  /**
   * Asks to be run again at that time (milliseconds since the epoch) although nothing changed: a pod
   * counts as available only after a while. To be said in every run for as long as it holds.
   */
  readonly wakeAt: (timeMs: number) => void;
}

export interface Controller {
  /** As in `endpointslice`; for messages. */
  readonly name: string;
  /**
   * The writes that bring the objects closer to what they ought to be; none when they are as they
   * ought to be. Snapshots come in the order of their revisions, and writes are applied as a batch
   * before the next call; what was not applied is asked for again.
   */
  reconcile(snapshot: Snapshot, context: ReconcileContext): readonly ObjectWrite[];
}
