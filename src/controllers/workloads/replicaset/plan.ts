// One ReplicaSet and its pods → the pods to create and to end, and its status. Status counts the pods
// there are once the writes are done, so that nobody reads a number that is already wrong.

import { Pod } from '../../../api/core/pod.ts';
import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { matchesLabels } from '../../../api/selectors.ts';
import { deepEqual } from '../../../lib/equal.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { ObjectWrite } from '../../../store/write.ts';
import { claim } from '../../shared/claim.ts';
import { freeNames } from '../../shared/hash.ts';
import { controllerReference, isTerminating, uidOf } from '../../shared/metadata.ts';
import { availableAtMs, isActive, isFinished, isReady } from '../../shared/pods.ts';
import { putWrite, removePod, statusWrite } from '../../shared/writes.ts';
import { podFromTemplate } from '../pod-from-template.ts';
import { deletionOrder } from './deletion-order.ts';

export interface ReplicaSetView {
  readonly snapshot: Snapshot;
  readonly replicaSet: ReplicaSet;
  readonly owned: readonly Pod[];
  /** Pods without a controller that it selects. */
  readonly orphans: readonly Pod[];
}

export interface Plan {
  readonly writes: readonly ObjectWrite[];
  /** When a pod becomes available by waiting alone (milliseconds since the epoch). */
  readonly dueMs?: number | undefined;
}

export function planReplicaSet(view: ReplicaSetView, nowMs: number): Plan {
  const { snapshot, replicaSet, owned, orphans } = view;
  const claimed = claim({
    snapshot,
    owner: replicaSet,
    ownerKind: ReplicaSet,
    childKind: Pod,
    selector: replicaSet.spec.selector,
    owned: owned.filter(isActive),
    orphans: orphans.filter(isActive),
  });
  const missing = isTerminating(replicaSet) ? 0 : replicaSet.spec.replicas - claimed.held.length;
  const created = missing > 0 ? newPods(snapshot, replicaSet, missing) : [];
  const ended = new Set(missing < 0 ? deletionOrder(claimed.held).slice(0, -missing) : []);
  const kept = claimed.held.filter((pod) => !ended.has(pod));
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  const terminating = owned.filter((pod) => isTerminating(pod) && !isFinished(pod)).length;
  const status = statusOf(replicaSet, [...kept, ...created], terminating + ended.size, nowMs);
  return {
    writes: [
      ...claimed.writes,
      ...created.map((pod) => putWrite(snapshot, Pod, pod)),
      ...[...ended].flatMap(removePod),
      ...(deepEqual(status, replicaSet.status)
        ? []
        : [statusWrite(ReplicaSet, replicaSet, status)]),
    ],
    dueMs: nextAvailableMs(kept, minReadySeconds, nowMs),
  };
}

function newPods(snapshot: Snapshot, replicaSet: ReplicaSet, count: number): readonly Pod[] {
  const { namespace = '', name: ownName = '' } = replicaSet.metadata;
  const owner = controllerReference(ReplicaSet, replicaSet);
  const { template } = replicaSet.spec;
  const pods = snapshot.table(Pod);
  const generateName = `${ownName}-`;
  const isTaken = (name: string): boolean => pods.get(namespace, name) !== undefined;
  const nextName = freeNames(generateName, uidOf(replicaSet), isTaken);
  return Array.from({ length: count }, () =>
    podFromTemplate({ template, namespace, name: nextName(), generateName, owner }),
  );
}

/** Counts of nothing are left out, as in Go's JSON. */
function statusOf(
  { spec, status, metadata }: ReplicaSet,
  pods: readonly Pod[],
  terminating: number,
  nowMs: number,
): ReplicaSet['status'] {
  const wanted = spec.template.metadata.labels ?? {};
  const labelled = pods.filter((pod) => matchesLabels(wanted, pod.metadata.labels)).length;
  const ready = pods.filter(isReady).length;
  const available = pods.filter((pod) => {
    const atMs = availableAtMs(pod, spec.minReadySeconds ?? 0);
    return atMs !== undefined && atMs <= nowMs;
  }).length;
  return {
    replicas: pods.length,
    ...(labelled > 0 ? { fullyLabeledReplicas: labelled } : {}),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}),
    ...(terminating > 0 ? { terminatingReplicas: terminating } : {}),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(status.conditions === undefined ? {} : { conditions: status.conditions }),
  };
}

/** The first moment after `nowMs` at which one more pod is available; undefined when all are or none will be. */
export function nextAvailableMs(
  pods: readonly Pod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const times = pods.flatMap((pod) => availableAtMs(pod, minReadySeconds) ?? []);
  const future = times.filter((timeMs) => timeMs > nowMs);
  return future.length === 0 ? undefined : Math.min(...future);
}
