// What may be done to the pods of a StatefulSet at this moment. One after the other, unless the set says
// Parallel: no pod is made before those below it are available, and none ends before those above it
// have ended (k8s.io/kubernetes pkg/controller/statefulset/stateful_set_control.go).

import type { StatefulSet } from '../../../api/apps/stateful-set.ts';
import type { Pod } from '../../../api/core/pod.ts';
import { resolveAmount } from '../../shared/amount.ts';
import { isTerminating } from '../../shared/metadata.ts';
import { isFinished } from '../../shared/pods.ts';
import {
  firstOrdinal,
  isAvailable,
  isRunningAndReady,
  isUnavailable,
  newReplica,
  ordinalOf,
  revisionNameOf,
  withIdentity,
} from './replica.ts';
import type { Replica } from './replica.ts';
import type { Revision, Revisions } from './revisions.ts';

/** Pods to be made, to be written anew and to be ended. */
export interface Actions {
  readonly created: readonly Pod[];
  readonly relabelled: readonly Pod[];
  readonly ended: readonly Pod[];
}

interface Situation {
  readonly set: StatefulSet;
  readonly nowMs: number;
  /** One for every number there is to be, in order. */
  readonly replicas: readonly Replica[];
  /** Pods with other numbers, the highest first. */
  readonly condemned: readonly Replica[];
}

const NOTHING: Actions = { created: [], relabelled: [], ended: [] };

export function actionsFor(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: Revisions,
  nowMs: number,
): Actions {
  const situation = situationOf(set, pods, revisions, nowMs);
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel';
  const living = isOrdered ? inOrder(situation) : atOnce(situation);
  if (living.isBlocked) return living.actions;
  const ended = isOrdered ? endInOrder(situation) : endAtOnce(situation);
  if (ended.length > 0) return { ...living.actions, ended: [...living.actions.ended, ...ended] };
  if (isOrdered && situation.condemned.length > 0) return living.actions;
  const outdated = updateVictims(situation, revisions.update);
  return { ...living.actions, ended: [...living.actions.ended, ...outdated] };
}

function situationOf(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: Revisions,
  nowMs: number,
): Situation {
  const first = firstOrdinal(set);
  const last = first + set.spec.replicas - 1;
  const byOrdinal = new Map<number, Pod>();
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal !== undefined) byOrdinal.set(ordinal, pod);
  }
  const replicas = Array.from({ length: set.spec.replicas }, (_, i): Replica => {
    const ordinal = first + i;
    const pod = byOrdinal.get(ordinal);
    if (pod !== undefined) return { ordinal, pod, exists: true };
    return newReplica(set, ordinal, revisionFor(set, ordinal, revisions));
  });
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => ordinal < first || ordinal > last)
    .toSorted(([a], [b]) => b - a)
    .map(([ordinal, pod]) => ({ ordinal, pod, exists: true }));
  return { set, nowMs, replicas, condemned };
}

/** A pod below the partition is made as it was before the update. */
function revisionFor(
  { spec, status }: StatefulSet,
  ordinal: number,
  { current, update }: Revisions,
): Revision {
  if (spec.updateStrategy.type !== 'RollingUpdate') return update;
  const index = ordinal - (spec.ordinals?.start ?? 0);
  const { rollingUpdate } = spec.updateStrategy;
  const before =
    rollingUpdate === undefined ? (status.currentReplicas ?? 0) : rollingUpdate.partition;
  return index < before ? current : update;
}

interface Living {
  readonly actions: Actions;
  /** Nothing else may be done before these are done. */
  readonly isBlocked: boolean;
}

function inOrder({ set, replicas, nowMs }: Situation): Living {
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const relabelled: Pod[] = [];
  for (const replica of replicas) {
    const { pod, exists } = replica;
    const actions = { ...NOTHING, relabelled };
    if (!exists) return { actions: { ...actions, created: [pod] }, isBlocked: true };
    if (isFinished(pod)) {
      const ended = isTerminating(pod) ? [] : [pod];
      return { actions: { ...actions, ended }, isBlocked: true };
    }
    if (isTerminating(pod) || !isAvailable(pod, minReadySeconds, nowMs)) {
      return { actions, isBlocked: true };
    }
    const labelled = withIdentity(replica);
    if (labelled !== pod) relabelled.push(labelled);
  }
  return { actions: { ...NOTHING, relabelled }, isBlocked: false };
}

function atOnce({ replicas }: Situation): Living {
  const finished = replicas.filter(({ pod, exists }) => exists && isFinished(pod));
  const rest = replicas.filter(({ pod, exists }) => exists && !isFinished(pod));
  return {
    actions: {
      created: replicas.filter(({ exists }) => !exists).map(({ pod }) => pod),
      relabelled: rest.filter((replica) => withIdentity(replica) !== replica.pod).map(withIdentity),
      ended: finished.map(({ pod }) => pod).filter((pod) => !isTerminating(pod)),
    },
    isBlocked: false,
  };
}

/** The highest pod that is too many, once all above it are gone and none below it is unwell. */
function endInOrder({ set, replicas, condemned, nowMs }: Situation): readonly Pod[] {
  const [highest] = condemned;
  if (highest === undefined) return [];
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const unwell = [...replicas, ...condemned.toReversed()].find((replica) =>
    isUnavailable(replica, minReadySeconds, nowMs),
  );
  const isWell = isRunningAndReady(highest.pod) && isAvailable(highest.pod, minReadySeconds, nowMs);
  return isWell || highest === unwell ? [highest.pod] : [];
}

function endAtOnce({ condemned }: Situation): readonly Pod[] {
  return condemned.map(({ pod }) => pod).filter((pod) => !isTerminating(pod));
}

/**
 * Pods to end so that they are made again from the new template: from the highest number down to the
 * partition, as many as may be missing at a time.
 */
function updateVictims({ set, replicas, nowMs }: Situation, update: Revision): readonly Pod[] {
  const { updateStrategy, minReadySeconds = 0, replicas: count } = set.spec;
  if (updateStrategy.type !== 'RollingUpdate') return [];
  const { partition = 0, maxUnavailable = 1 } = updateStrategy.rollingUpdate ?? {};
  const missingMax = Math.max(1, resolveAmount(maxUnavailable, count, 'up'));
  const victims: Pod[] = [];
  let missing = 0;
  for (let i = replicas.length - 1; i >= partition && missing < missingMax; i--) {
    const replica = replicas[i];
    if (replica === undefined) continue;
    const { pod, exists } = replica;
    if (exists && revisionNameOf(pod) !== update.name && !isTerminating(pod)) {
      victims.push(pod);
      missing++;
    } else if (isUnavailable(replica, minReadySeconds, nowMs)) missing++;
  }
  return victims;
}
