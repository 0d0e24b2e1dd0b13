// One step of a rolling update: first as many new pods as there is room for, then as many old pods fewer
// as are not needed any more (k8s.io/kubernetes pkg/controller/deployment/rolling.go).

import type { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { resolveAmount } from '../../shared/amount.ts';
import { maxUnavailable } from './fenceposts.ts';
import { allOf, availableCount, isWanted, replicaCount, scaled } from './rollout.ts';
import type { Rollout } from './rollout.ts';

/** The ReplicaSets that are to be scaled, as they are to be; none when there is nothing to do now. */
export function rollingStep(rollout: Rollout): readonly ReplicaSet[] {
  const { deployment, newest } = rollout;
  if (newest === undefined) return [];
  const replicas = newReplicas(rollout, newest.spec.replicas);
  if (replicas !== newest.spec.replicas) return [scaled(deployment, newest, replicas)];
  return scaleDownOld(rollout, newest);
}

/** How many pods the newest ReplicaSet may have, which has `current` now. */
export function newReplicas(rollout: Rollout, current: number): number {
  const { deployment } = rollout;
  const { replicas: wanted, strategy } = deployment.spec;
  if (current >= wanted) return wanted;
  const surge = resolveAmount(strategy.rollingUpdate?.maxSurge ?? '25%', wanted, 'up');
  const room = wanted + surge - replicaCount(allOf(rollout));
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

function scaleDownOld(rollout: Rollout, newest: ReplicaSet): readonly ReplicaSet[] {
  const { deployment } = rollout;
  const old = rollout.old.filter(isWanted);
  if (old.length === 0) return [];
  const minAvailable = deployment.spec.replicas - maxUnavailable(deployment);
  const newUnavailable = newest.spec.replicas - (newest.status.availableReplicas ?? 0);
  const spare = replicaCount(allOf(rollout)) - minAvailable - newUnavailable;
  if (spare <= 0) return [];
  const cleaned = dropUnhealthy(rollout, old, spare);
  const available = availableCount([...old, newest]);
  const next = dropHealthy(rollout, cleaned, available - minAvailable);
  return next.filter((replicaSet, i) => replicaSet !== old[i]);
}

/** Old pods that are not available are missed by nobody, and would hold the update up for ever. */
function dropUnhealthy(
  { deployment }: Rollout,
  old: readonly ReplicaSet[],
  countMax: number,
): readonly ReplicaSet[] {
  let left = countMax;
  return old.map((replicaSet) => {
    const { spec, status } = replicaSet;
    const unhealthy = spec.replicas - (status.availableReplicas ?? 0);
    const count = Math.min(left, Math.max(0, unhealthy));
    left -= count;
    return count === 0 ? replicaSet : scaled(deployment, replicaSet, spec.replicas - count);
  });
}

function dropHealthy(
  { deployment }: Rollout,
  old: readonly ReplicaSet[],
  countMax: number,
): readonly ReplicaSet[] {
  let left = Math.max(0, countMax);
  return old.map((replicaSet) => {
    const count = Math.min(left, replicaSet.spec.replicas);
    left -= count;
    return count === 0
      ? replicaSet
      : scaled(deployment, replicaSet, replicaSet.spec.replicas - count);
  });
}
