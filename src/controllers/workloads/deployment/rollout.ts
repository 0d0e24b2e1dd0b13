// A Deployment and its ReplicaSets while they are being worked on. A step gives the ReplicaSets as they
// are to be; what differs from the stored ones is written in the end.

import { Deployment } from '../../../api/apps/deployment.ts';
import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import type { PodTemplateSpec } from '../../../api/core/pod-template.ts';
import { deepEqual } from '../../../lib/equal.ts';
import { valueHash } from '../../shared/hash.ts';
import { compareAge, controllerReference } from '../../shared/metadata.ts';
import { newestAnnotations, revisionOf, sizeAnnotations } from './annotations.ts';

const HASH_LABEL = 'pod-template-hash';

export interface Rollout {
  readonly deployment: Deployment;
  /** The ReplicaSet of the present template; absent until it is made. */
  readonly newest: ReplicaSet | undefined;
  /** The others, oldest first. */
  readonly old: readonly ReplicaSet[];
}

/** Of several ReplicaSets with the present template, the oldest counts. */
export function rolloutOf(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Rollout {
  const byAge = replicaSets.toSorted(compareAge);
  const wanted = withoutHash(deployment.spec.template);
  const newest = byAge.find(({ spec }) => deepEqual(withoutHash(spec.template), wanted));
  return { deployment, newest, old: byAge.filter((replicaSet) => replicaSet !== newest) };
}

export function allOf({ newest, old }: Rollout): readonly ReplicaSet[] {
  return newest === undefined ? old : [...old, newest];
}

/** The rollout with some ReplicaSets replaced by what they are to be, found by name. */
export function withReplicaSets(rollout: Rollout, next: readonly ReplicaSet[]): Rollout {
  const byName = new Map(next.map((replicaSet) => [replicaSet.metadata.name, replicaSet]));
  const replaced = (replicaSet: ReplicaSet): ReplicaSet =>
    byName.get(replicaSet.metadata.name) ?? replicaSet;
  return {
    ...rollout,
    newest: rollout.newest === undefined ? undefined : replaced(rollout.newest),
    old: rollout.old.map(replaced),
  };
}

/** A ReplicaSet that ought to have pods. */
export function isWanted({ spec }: ReplicaSet): boolean {
  return spec.replicas > 0;
}

export function replicaCount(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, { spec }) => sum + spec.replicas, 0);
}

export function availableCount(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, { status }) => sum + (status.availableReplicas ?? 0), 0);
}

/** The ReplicaSet with another number of pods, and with the Deployment's size noted on it. */
export function scaled(
  deployment: Deployment,
  replicaSet: ReplicaSet,
  replicas: number,
): ReplicaSet {
  const { metadata, spec } = replicaSet;
  const annotations = { ...metadata.annotations, ...sizeAnnotations(deployment) };
  if (spec.replicas === replicas && deepEqual(annotations, metadata.annotations)) return replicaSet;
  return { ...replicaSet, metadata: { ...metadata, annotations }, spec: { ...spec, replicas } };
}

/** The newest ReplicaSet with what it takes over from the Deployment. */
export function syncNewest({ deployment, newest, old }: Rollout): ReplicaSet | undefined {
  if (newest === undefined) return undefined;
  const { metadata, spec } = newest;
  const annotations = newestAnnotations(deployment, metadata.annotations, nextRevision(old));
  const { minReadySeconds = 0 } = deployment.spec;
  const isSynced = (spec.minReadySeconds ?? 0) === minReadySeconds;
  if (isSynced && deepEqual(annotations, metadata.annotations)) return newest;
  return {
    ...newest,
    metadata: { ...metadata, annotations },
    spec: isSynced ? spec : { ...spec, minReadySeconds },
  };
}

/**
 * The ReplicaSet of the present template, not created yet. Its name follows from the template, as
 * `web-5d4f8b7c6`, so that two Fairways choose the same.
 */
export function newReplicaSet({ deployment, old }: Rollout, replicas: number): ReplicaSet {
  const { metadata, spec, status } = deployment;
  const { template, selector, minReadySeconds } = spec;
  const hash = valueHash(template, status.collisionCount);
  const labels = { ...template.metadata.labels, [HASH_LABEL]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: ReplicaSet.kind,
    metadata: {
      name: `${metadata.name ?? ''}-${hash}`,
      namespace: metadata.namespace ?? '',
      labels,
      annotations: {
        ...newestAnnotations(deployment, undefined, nextRevision(old)),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(Deployment, deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    status: { replicas: 0 },
  };
}

function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [HASH_LABEL]: _hash, ...labels } = template.metadata.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
