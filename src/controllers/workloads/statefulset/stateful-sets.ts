// Keeps the pods of every StatefulSet.

import { StatefulSet } from '../../../api/apps/stateful-set.ts';
import { Pod } from '../../../api/core/pod.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { ObjectWrite } from '../../../store/write.ts';
import type { Controller, ReconcileContext } from '../../controller.ts';
import { Agenda } from '../../shared/agenda.ts';
import { TableWatch } from '../../shared/changes.ts';
import { Household } from '../../shared/household.ts';
import { controllerOf } from '../../shared/metadata.ts';
import { ControllerRevision } from './controller-revision.ts';
import { planStatefulSet } from './plan.ts';

export function createStatefulSetController(): Controller {
  return new StatefulSets();
}

class StatefulSets implements Controller {
  readonly name = 'statefulset';
  readonly #household = new Household(StatefulSet, Pod);
  readonly #revisions = new TableWatch(ControllerRevision);
  readonly #agenda = new Agenda();

  reconcile(snapshot: Snapshot, { now, wakeAt }: ReconcileContext): readonly ObjectWrite[] {
    this.#household.notice(snapshot, (key) => this.#agenda.add(key));
    for (const { before, after } of this.#revisions.changes(snapshot)) {
      const revision = after ?? before;
      const owner = revision === undefined ? undefined : controllerOf(revision);
      if (revision === undefined || owner === undefined) continue;
      this.#agenda.add(`${revision.metadata.namespace ?? ''}/${owner.name}`);
    }
    const nowMs = now.getTime();
    const out: ObjectWrite[] = [];
    const nextMs = this.#agenda.work(nowMs, (key) => {
      const set = this.#household.owner(key);
      if (set === undefined) return { wrote: false };
      const owned = this.#household.ownedBy(set);
      const orphans = this.#household.orphansFor(set);
      const { writes, dueMs } = planStatefulSet({ snapshot, set, owned, orphans }, nowMs);
      out.push(...writes);
      return { wrote: writes.length > 0, dueMs };
    });
    wakeAt(nextMs);
    return out;
  }
}
