// What a change of size means for ReplicaSets in the middle of an update, or of a Deployment that is
// paused: each gets its share, so that neither the new nor the old one bears the risk alone
// (k8s.io/kubernetes pkg/controller/deployment/sync.go).

import type { Deployment } from '../../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { compareAge } from '../../shared/metadata.ts';
import { desiredReplicas, maxReplicas } from './annotations.ts';
import { isRolling, maxSurge } from './fenceposts.ts';
import { allOf, isWanted, replicaCount, scaled } from './rollout.ts';
import type { Rollout } from './rollout.ts';

/** True when the Deployment has another size than when its ReplicaSets were scaled last. */
export function isResized(rollout: Rollout): boolean {
  const { replicas } = rollout.deployment.spec;
  return allOf(rollout)
    .filter(isWanted)
    .some((replicaSet) => (desiredReplicas(replicaSet) ?? replicas) !== replicas);
}

/** The ReplicaSets that are to be scaled, as they are to be. */
export function scaleStep(rollout: Rollout): readonly ReplicaSet[] {
  const { deployment, newest } = rollout;
  const wanted = allOf(rollout).filter(isWanted);
  const only = wanted.length > 1 ? undefined : (wanted[0] ?? newest ?? rollout.old.at(-1));
  if (only !== undefined) {
    const next = scaled(deployment, only, deployment.spec.replicas);
    return next === only ? [] : [next];
  }
  if (wanted.length === 0) return [];
  if (newest !== undefined && isSaturated(deployment, newest)) {
    return rollout.old.filter(isWanted).map((old) => scaled(deployment, old, 0));
  }
  return isRolling(deployment) ? inProportion(deployment, wanted) : [];
}

/** The newest ReplicaSet has all the pods there are to be, and they work. */
function isSaturated({ spec }: Deployment, newest: ReplicaSet): boolean {
  return (
    newest.spec.replicas === spec.replicas &&
    desiredReplicas(newest) === spec.replicas &&
    (newest.status.availableReplicas ?? 0) === spec.replicas
  );
}

function inProportion(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): readonly ReplicaSet[] {
  const { replicas } = deployment.spec;
  const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0;
  const toAdd = allowed - replicaCount(replicaSets);
  // The largest first; of equals the newer one grows and the older one shrinks first.
  const sorted = replicaSets.toSorted(
    (a, b) =>
      b.spec.replicas - a.spec.replicas || (toAdd > 0 ? compareAge(b, a) : compareAge(a, b)),
  );
  let added = 0;
  const sizes = sorted.map((replicaSet) => {
    const share = shareOf(deployment, replicaSet);
    const left = toAdd - added;
    const change = toAdd > 0 ? Math.min(share, left) : toAdd < 0 ? Math.max(share, left) : 0;
    added += change;
    return replicaSet.spec.replicas + change;
  });
  // What rounding leaves over goes to the largest.
  if (sizes[0] !== undefined) sizes[0] = Math.max(0, sizes[0] + toAdd - added);
  const next = sorted.map((replicaSet, i) => scaled(deployment, replicaSet, sizes[i] ?? 0));
  return next.filter((replicaSet, i) => replicaSet !== sorted[i]);
}

/** By how many pods a ReplicaSet changes to keep its share of the whole. */
function shareOf(deployment: Deployment, replicaSet: ReplicaSet): number {
  const { spec, status } = deployment;
  const current = replicaSet.spec.replicas;
  if (spec.replicas === 0) return -current;
  const before = maxReplicas(replicaSet) ?? status.replicas ?? 0;
  if (before === 0) return 0;
  return Math.round((current * (spec.replicas + maxSurge(deployment))) / before) - current;
}
