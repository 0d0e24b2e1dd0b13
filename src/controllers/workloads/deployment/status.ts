// The status of a Deployment from those of its ReplicaSets, with how its update gets on
// (k8s.io/kubernetes pkg/controller/deployment/progress.go).

import type { Deployment } from '../../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { conditionOf, withCondition, withoutCondition } from './conditions.ts';
import type { DeploymentCondition } from './conditions.ts';
import { maxUnavailable } from './fenceposts.ts';
import { allOf, availableCount, replicaCount } from './rollout.ts';
import type { Rollout } from './rollout.ts';

type Status = Deployment['status'];

/** Stands for no deadline at all. */
const NO_DEADLINE = 2_147_483_647;

const COMPLETE_REASON = 'NewReplicaSetAvailable';
const TIMED_OUT_REASON = 'ProgressDeadlineExceeded';

/** Counts and the condition Available; the other conditions are those of `conditions`. */
export function statusOf(
  rollout: Rollout,
  conditions: readonly DeploymentCondition[],
  now: Date,
): Status {
  const { deployment, newest } = rollout;
  const all = allOf(rollout);
  const available = availableCount(all);
  const isAvailable = available >= deployment.spec.replicas - maxUnavailable(deployment);
  const { generation } = deployment.metadata;
  const { collisionCount } = deployment.status;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...counted({
      replicas: sumOf(all, 'replicas'),
      updatedReplicas: newest?.status.replicas ?? 0,
      readyReplicas: sumOf(all, 'readyReplicas'),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, replicaCount(all) - available),
      terminatingReplicas: sumOf(all, 'terminatingReplicas'),
    }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: withCondition(
      conditions,
      isAvailable
        ? {
            type: 'Available',
            status: 'True',
            reason: 'MinimumReplicasAvailable',
            message: 'Deployment has minimum availability.',
          }
        : {
            type: 'Available',
            status: 'False',
            reason: 'MinimumReplicasUnavailable',
            message: 'Deployment does not have minimum availability.',
          },
      now,
    ),
  };
}

type Count = 'replicas' | 'readyReplicas' | 'terminatingReplicas';

function sumOf(replicaSets: readonly ReplicaSet[], count: Count): number {
  return replicaSets.reduce((sum, { status }) => sum + (status[count] ?? 0), 0);
}

/** Counts of nothing are left out, as in Go's JSON. */
function counted<T extends Readonly<Record<string, number>>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)) as Partial<T>;
}

export interface Progress {
  readonly status: Status;
  /** When the update fails for want of progress (milliseconds since the epoch). */
  readonly deadlineMs?: number;
}

/** The status with the condition Progressing: done, on its way, or stuck. */
export function withProgress({ deployment, newest }: Rollout, status: Status, now: Date): Progress {
  const deadlineSeconds = deployment.spec.progressDeadlineSeconds;
  const conditions = status.conditions ?? [];
  if (deadlineSeconds === NO_DEADLINE) {
    return { status: { ...status, conditions: withoutCondition(conditions, 'Progressing') } };
  }
  const current = conditionOf(conditions, 'Progressing');
  const wasComplete = current?.reason === COMPLETE_REASON;
  if (wasComplete && (status.replicas ?? 0) === (status.updatedReplicas ?? 0)) return { status };
  const name =
    newest === undefined
      ? `Deployment "${deployment.metadata.name}"`
      : `ReplicaSet "${newest.metadata.name}"`;
  const judged = (isTrue: boolean, reason: string, message: string, renewed = false): Progress => {
    const verdict = { status: isTrue ? 'True' : 'False', reason, message } as const;
    const next = withCondition(conditions, { type: 'Progressing', ...verdict }, now, renewed);
    return { status: { ...status, conditions: next } };
  };
  if (isComplete(deployment, status)) {
    return judged(true, COMPLETE_REASON, `${name} has successfully progressed.`);
  }
  const deadlineMs = deadlineOf(current, deadlineSeconds);
  if (hasMoved(deployment.status, status)) {
    const moved = judged(true, 'ReplicaSetUpdated', `${name} is progressing.`, true);
    return { ...moved, deadlineMs: now.getTime() + deadlineSeconds * 1000 };
  }
  if (deadlineMs === undefined) return { status };
  return deadlineMs <= now.getTime()
    ? judged(false, TIMED_OUT_REASON, `${name} has timed out progressing.`)
    : { status, deadlineMs };
}

/** All pods are of the newest template and available, and no other one is left. */
export function isComplete({ spec, metadata }: Deployment, status: Status): boolean {
  return (
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

function hasMoved(before: Status, after: Status): boolean {
  const oldOnes = ({ replicas = 0, updatedReplicas = 0 }: Status): number =>
    replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldOnes(after) < oldOnes(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** Nothing runs out for an update that is done or has failed already. */
function deadlineOf(
  condition: DeploymentCondition | undefined,
  deadlineSeconds: number,
): number | undefined {
  const { reason, lastUpdateTime } = condition ?? {};
  if (lastUpdateTime === undefined) return undefined;
  if (reason === COMPLETE_REASON || reason === TIMED_OUT_REASON) return undefined;
  return Date.parse(lastUpdateTime) + deadlineSeconds * 1000;
}
