// One Deployment and its ReplicaSets → the next step towards the pods that are asked for. One step at a
// time, as Kubernetes takes them: the next one is taken when what this one asks for is there
// (k8s.io/kubernetes pkg/controller/deployment).

import { Deployment } from '../../../api/apps/deployment.ts';
import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { deepEqual } from '../../../lib/equal.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { ObjectWrite } from '../../../store/write.ts';
import { claim } from '../../shared/claim.ts';
import { compareAge, isTerminating } from '../../shared/metadata.ts';
import { putWrite, removeWrites, statusWrite } from '../../shared/writes.ts';
import type { Plan } from '../replicaset/plan.ts';
import { REVISION_ANNOTATION, revisionOf } from './annotations.ts';
import { conditionOf, withCondition } from './conditions.ts';
import type { DeploymentCondition } from './conditions.ts';
import { isRolling } from './fenceposts.ts';
import { newReplicas, rollingStep } from './rolling.ts';
import {
  allOf,
  isWanted,
  newReplicaSet,
  rolloutOf,
  scaled,
  syncNewest,
  withReplicaSets,
} from './rollout.ts';
import type { Rollout } from './rollout.ts';
import { isResized, scaleStep } from './scaling.ts';
import { isComplete, statusOf, withProgress } from './status.ts';

export interface DeploymentView {
  readonly snapshot: Snapshot;
  readonly deployment: Deployment;
  readonly owned: readonly ReplicaSet[];
  /** ReplicaSets without a controller that it selects. */
  readonly orphans: readonly ReplicaSet[];
}

/** What a step comes to. */
interface Step {
  /** ReplicaSets as they are to be; the others stay. */
  readonly next: readonly ReplicaSet[];
  readonly created?: ReplicaSet;
  readonly deleted?: readonly ReplicaSet[];
  /** The update goes on by itself: see to it that it does. */
  readonly isUpdate: boolean;
}

export function planDeployment(view: DeploymentView, now: Date): Plan {
  const { snapshot, deployment, owned, orphans } = view;
  const claimed = claim({
    snapshot,
    owner: deployment,
    ownerKind: Deployment,
    childKind: ReplicaSet,
    selector: deployment.spec.selector,
    owned,
    orphans,
  });
  // ReplicaSets that were just adopted are looked at when they are.
  if (claimed.writes.length > 0) return { writes: claimed.writes };
  const stored = rolloutOf(deployment, claimed.held);
  const synced = syncNewest(stored);
  const rollout = withReplicaSets(stored, synced === undefined ? [] : [synced]);
  const step = isTerminating(deployment) ? { next: [], isUpdate: false } : takeStep(rollout);
  const { created, deleted = [] } = step;
  if (created !== undefined && collides(snapshot, created)) {
    // The count is part of what the name is made from: the next one is another.
    const collisionCount = (deployment.status.collisionCount ?? 0) + 1;
    const status = { ...deployment.status, collisionCount };
    return { writes: [statusWrite(Deployment, deployment, status)] };
  }
  const outcome = outcomeOf(rollout, step, now);
  const changed = allOf(withReplicaSets(rollout, step.next)).filter(
    (replicaSet) => !claimed.held.includes(replicaSet),
  );
  const puts = isTerminating(deployment)
    ? []
    : [...changed, ...(created === undefined ? [] : [created])];
  return {
    writes: [
      ...puts.map((next) => putWrite(snapshot, ReplicaSet, next)),
      ...deleted.flatMap((old) => removeWrites(ReplicaSet, old)),
      ...revisionWrites(view, created ?? rollout.newest),
      ...outcome.writes,
    ],
    dueMs: outcome.dueMs,
  };
}

function takeStep(rollout: Rollout): Step {
  const { deployment } = rollout;
  const isPaused = deployment.spec.paused === true;
  if (isPaused || isResized(rollout)) {
    const deleted = isPaused ? outdated(rollout) : [];
    return { next: scaleStep(rollout), deleted, isUpdate: false };
  }
  return isRolling(deployment) ? rollOn(rollout) : recreate(rollout);
}

function rollOn(rollout: Rollout): Step {
  if (rollout.newest === undefined) {
    const created = newReplicaSet(rollout, newReplicas(rollout, 0));
    return { next: [], created, isUpdate: true };
  }
  const next = rollingStep(rollout);
  return { next, deleted: next.length > 0 ? [] : outdated(rollout), isUpdate: true };
}

/** All old pods have to be gone, and not only on their way, before the first new one is made. */
function recreate(rollout: Rollout): Step {
  const { deployment, newest, old } = rollout;
  const wanted = old.filter(isWanted);
  if (wanted.length > 0) {
    return { next: wanted.map((one) => scaled(deployment, one, 0)), isUpdate: true };
  }
  const isGone = ({ status }: ReplicaSet): boolean =>
    status.replicas === 0 && (status.terminatingReplicas ?? 0) === 0;
  if (!old.every(isGone)) {
    return { next: [], isUpdate: true };
  }
  const { replicas } = deployment.spec;
  if (newest === undefined) {
    return { next: [], created: newReplicaSet(rollout, replicas), isUpdate: true };
  }
  const next = newest.spec.replicas === replicas ? [] : [scaled(deployment, newest, replicas)];
  const deleted = isComplete(deployment, deployment.status) ? outdated(rollout) : [];
  return { next, deleted, isUpdate: true };
}

/** Old ReplicaSets beyond the number that is kept to go back to, unless they still have pods. */
function outdated({ deployment, old }: Rollout): readonly ReplicaSet[] {
  const kept = old.filter((replicaSet) => !isTerminating(replicaSet));
  const excess = kept.length - deployment.spec.revisionHistoryLimit;
  if (excess <= 0) return [];
  return kept
    .toSorted((a, b) => revisionOf(a) - revisionOf(b) || compareAge(a, b))
    .slice(0, excess)
    .filter(
      ({ spec, status, metadata }) =>
        spec.replicas === 0 &&
        status.replicas === 0 &&
        (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    );
}

/** True when another object has the name already, by a collision of hashes. */
function collides(snapshot: Snapshot, { metadata }: ReplicaSet): boolean {
  const { namespace = '', name = '' } = metadata;
  return snapshot.get(ReplicaSet, namespace, name) !== undefined;
}

/** The Deployment carries the revision of its newest ReplicaSet. */
function revisionWrites(
  { snapshot, deployment }: DeploymentView,
  newest: ReplicaSet | undefined,
): readonly ObjectWrite[] {
  const revision = newest?.metadata.annotations?.[REVISION_ANNOTATION];
  const { metadata } = deployment;
  if (revision === undefined || isTerminating(deployment)) return [];
  if (metadata.annotations?.[REVISION_ANNOTATION] === revision) return [];
  const annotations = { ...metadata.annotations, [REVISION_ANNOTATION]: revision };
  return [
    putWrite(snapshot, Deployment, { ...deployment, metadata: { ...metadata, annotations } }),
  ];
}

function outcomeOf(rollout: Rollout, step: Step, now: Date): Plan {
  const { deployment } = rollout;
  const conditions = noteStart(rollout, step.created, notePause(deployment, now), now);
  const status = statusOf(rollout, conditions, now);
  const progress = step.isUpdate ? withProgress(rollout, status, now) : { status };
  const writes = deepEqual(progress.status, deployment.status)
    ? []
    : [statusWrite(Deployment, deployment, progress.status)];
  return { writes, dueMs: 'deadlineMs' in progress ? progress.deadlineMs : undefined };
}

/** A paused Deployment is not late, and one that goes on is not yet. */
function notePause(deployment: Deployment, now: Date): readonly DeploymentCondition[] {
  const { spec, status } = deployment;
  const conditions = status.conditions ?? [];
  const reason = conditionOf(conditions, 'Progressing')?.reason;
  if (reason === 'ProgressDeadlineExceeded') return conditions;
  const type = 'Progressing';
  if (spec.paused === true) {
    const message = 'Deployment is paused';
    return withCondition(
      conditions,
      { type, status: 'Unknown', reason: 'DeploymentPaused', message },
      now,
    );
  }
  if (reason !== 'DeploymentPaused') return conditions;
  const message = 'Deployment is resumed';
  return withCondition(
    conditions,
    { type, status: 'Unknown', reason: 'DeploymentResumed', message },
    now,
  );
}

/** The clock of an update starts with its ReplicaSet. */
function noteStart(
  { newest }: Rollout,
  created: ReplicaSet | undefined,
  conditions: readonly DeploymentCondition[],
  now: Date,
): readonly DeploymentCondition[] {
  const type = 'Progressing';
  if (created !== undefined) {
    const message = `Created new replica set "${created.metadata.name}"`;
    return withCondition(
      conditions,
      { type, status: 'True', reason: 'NewReplicaSetCreated', message },
      now,
    );
  }
  if (newest === undefined || conditionOf(conditions, type) !== undefined) return conditions;
  const message = `Found new replica set "${newest.metadata.name}"`;
  return withCondition(
    conditions,
    { type, status: 'True', reason: 'FoundNewReplicaSet', message },
    now,
  );
}
