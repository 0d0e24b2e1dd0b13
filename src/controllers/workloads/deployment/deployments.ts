// Keeps the ReplicaSets of every Deployment: one for its present template, older ones to go back to.

import { Deployment } from '../../../api/apps/deployment.ts';
import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { Pod } from '../../../api/core/pod.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { ObjectWrite } from '../../../store/write.ts';
import type { Controller, ReconcileContext } from '../../controller.ts';
import { Agenda } from '../../shared/agenda.ts';
import { Household } from '../../shared/household.ts';
import { controllerOf } from '../../shared/metadata.ts';
import { planDeployment } from './plan.ts';

export function createDeploymentController(): Controller {
  return new Deployments();
}

class Deployments implements Controller {
  readonly name = 'deployment';
  readonly #household = new Household(Deployment, ReplicaSet);
  /** Pods matter where old ones have to be gone before new ones come. */
  readonly #pods = new Household(ReplicaSet, Pod);
  readonly #agenda = new Agenda();

  reconcile(snapshot: Snapshot, { now, wakeAt }: ReconcileContext): readonly ObjectWrite[] {
    this.#household.notice(snapshot, (key) => this.#agenda.add(key));
    this.#pods.notice(snapshot, (key) => this.#noticeReplicaSet(key));
    const out: ObjectWrite[] = [];
    const nextMs = this.#agenda.work(now.getTime(), (key) => {
      const deployment = this.#household.owner(key);
      if (deployment === undefined) return { wrote: false };
      const { writes, dueMs } = planDeployment(
        {
          snapshot,
          deployment,
          owned: this.#household.ownedBy(deployment),
          orphans: this.#household.orphansFor(deployment),
          podsOf: (replicaSet) => this.#pods.ownedBy(replicaSet),
        },
        now,
      );
      out.push(...writes);
      return { wrote: writes.length > 0, dueMs };
    });
    wakeAt(nextMs);
    return out;
  }

  #noticeReplicaSet(key: string): void {
    const replicaSet = this.#pods.owner(key);
    const owner = replicaSet === undefined ? undefined : controllerOf(replicaSet);
    if (replicaSet === undefined || owner === undefined) return;
    const ownerKey = `${replicaSet.metadata.namespace ?? ''}/${owner.name}`;
    const deployment = this.#household.owner(ownerKey);
    if (deployment?.spec.strategy.type === 'Recreate') this.#agenda.add(ownerKey);
  }
}
