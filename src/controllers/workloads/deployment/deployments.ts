// Keeps the ReplicaSets of every Deployment: one for its present template, older ones to go back to.

import { Deployment } from '../../../api/apps/deployment.ts';
import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { ObjectWrite } from '../../../store/write.ts';
import type { Controller, ReconcileContext } from '../../controller.ts';
import { Agenda } from '../../shared/agenda.ts';
import { Household } from '../../shared/household.ts';
import { planDeployment } from './plan.ts';

export function createDeploymentController(): Controller {
  return new Deployments();
}

class Deployments implements Controller {
  readonly name = 'deployment';
  readonly #household = new Household(Deployment, ReplicaSet);
  readonly #agenda = new Agenda();

  reconcile(snapshot: Snapshot, { now, wakeAt }: ReconcileContext): readonly ObjectWrite[] {
    this.#household.notice(snapshot, (key) => this.#agenda.add(key));
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
        },
        now,
      );
      out.push(...writes);
      return { wrote: writes.length > 0, dueMs };
    });
    wakeAt(nextMs);
    return out;
  }
}
