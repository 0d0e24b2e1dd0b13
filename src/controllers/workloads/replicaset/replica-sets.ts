// Keeps as many pods as each ReplicaSet asks for.

import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { Pod } from '../../../api/core/pod.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { ObjectWrite } from '../../../store/write.ts';
import type { Controller, ReconcileContext } from '../../controller.ts';
import { Agenda } from '../../shared/agenda.ts';
import { Household } from '../../shared/household.ts';
import { planReplicaSet } from './plan.ts';

export function createReplicaSetController(): Controller {
  return new ReplicaSets();
}

class ReplicaSets implements Controller {
  readonly name = 'replicaset';
  readonly #household = new Household(ReplicaSet, Pod);
  readonly #agenda = new Agenda();

  reconcile(snapshot: Snapshot, { now, wakeAt }: ReconcileContext): readonly ObjectWrite[] {
    this.#household.notice(snapshot, (key) => this.#agenda.add(key));
    const nowMs = now.getTime();
    const out: ObjectWrite[] = [];
    const nextMs = this.#agenda.work(nowMs, (key) => {
      const replicaSet = this.#household.owner(key);
      if (replicaSet === undefined) return { wrote: false };
      const owned = this.#household.ownedBy(replicaSet);
      const orphans = this.#household.orphansFor(replicaSet);
      const { writes, dueMs } = planReplicaSet({ snapshot, replicaSet, owned, orphans }, nowMs);
      out.push(...writes);
      return { wrote: writes.length > 0, dueMs };
    });
    wakeAt(nextMs);
    return out;
  }
}
