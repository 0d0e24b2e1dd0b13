// One StatefulSet and its pods → what is to be done now, and its status.

import { StatefulSet } from '../../../api/apps/stateful-set.ts';
import { Pod } from '../../../api/core/pod.ts';
import { deepEqual } from '../../../lib/equal.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import { claim } from '../../shared/claim.ts';
import { isTerminating } from '../../shared/metadata.ts';
import { putWrite, removePod, statusWrite } from '../../shared/writes.ts';
import { nextAvailableMs } from '../replicaset/plan.ts';
import type { Plan } from '../replicaset/plan.ts';
import { actionsFor } from './order.ts';
import type { Actions } from './order.ts';
import { isAvailable, isRunningAndReady, ordinalOf, revisionNameOf } from './replica.ts';
import { outdatedRevisions, ownedRevisions, revisionsOf } from './revisions.ts';
import type { Revisions } from './revisions.ts';

export interface StatefulSetView {
  readonly snapshot: Snapshot;
  readonly set: StatefulSet;
  readonly owned: readonly Pod[];
  /** Pods without a controller that it selects. */
  readonly orphans: readonly Pod[];
}

export function planStatefulSet(view: StatefulSetView, nowMs: number): Plan {
  const { snapshot, set, owned, orphans } = view;
  const claimed = claim({
    snapshot,
    owner: set,
    ownerKind: StatefulSet,
    childKind: Pod,
    selector: set.spec.selector,
    owned,
    // Only pods that could be its own by their names are taken in.
    orphans: orphans.filter((pod) => ordinalOf(set, pod) !== undefined),
  });
  const known = ownedRevisions(snapshot, set);
  const revisions = revisionsOf(snapshot, set, known);
  const actions = isTerminating(set)
    ? { created: [], relabelled: [], ended: [] }
    : actionsFor(set, claimed.held, revisions, nowMs);
  const status = statusOf(set, podsAfter(claimed.held, actions), revisions, nowMs);
  const used = new Set([revisions.update.name, status.currentRevision ?? '']);
  for (const pod of claimed.held) used.add(revisionNameOf(pod));
  return {
    writes: [
      ...claimed.writes,
      ...(isTerminating(set) ? [] : revisions.writes),
      ...actions.created.map((pod) => putWrite(snapshot, Pod, pod)),
      ...actions.relabelled.map((pod) => putWrite(snapshot, Pod, pod)),
      ...actions.ended.flatMap(removePod),
      ...outdatedRevisions(set, known, used),
      ...(deepEqual(status, set.status) ? [] : [statusWrite(StatefulSet, set, status)]),
    ],
    dueMs: nextAvailableMs(claimed.held, set.spec.minReadySeconds ?? 0, nowMs),
  };
}

interface Counted {
  readonly pod: Pod;
  readonly isEnding: boolean;
}

/** The pods there are once the actions are taken. */
function podsAfter(held: readonly Pod[], { created, ended }: Actions): readonly Counted[] {
  return [
    ...held.map((pod) => ({ pod, isEnding: isTerminating(pod) || ended.includes(pod) })),
    ...created.map((pod) => ({ pod, isEnding: false })),
  ];
}

/** Counts of nothing are left out, as in Go's JSON; replicas and availableReplicas are not. */
function statusOf(
  set: StatefulSet,
  pods: readonly Counted[],
  { current, update, collisionCount }: Revisions,
  nowMs: number,
): StatefulSet['status'] {
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const ofRevision = (name: string): number =>
    pods.filter(({ pod, isEnding }) => !isEnding && revisionNameOf(pod) === name).length;
  const ready = pods.filter(({ pod }) => isRunningAndReady(pod)).length;
  const updated = ofRevision(update.name);
  const isComplete =
    set.spec.updateStrategy.type === 'RollingUpdate' &&
    [updated, ready, pods.length].every((count) => count === set.spec.replicas);
  const currentCount = isComplete ? updated : ofRevision(current.name);
  const { generation } = set.metadata;
  const { conditions } = set.status;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    replicas: pods.length,
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(currentCount > 0 ? { currentReplicas: currentCount } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    currentRevision: isComplete ? update.name : current.name,
    updateRevision: update.name,
    collisionCount,
    ...(conditions === undefined ? {} : { conditions }),
    availableReplicas: pods.filter(({ pod }) => isAvailable(pod, minReadySeconds, nowMs)).length,
  };
}
