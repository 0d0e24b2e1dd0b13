// What a Deployment notes on its ReplicaSets, and they on it: revisions, and the size it had when it
// last scaled them (k8s.io/kubernetes pkg/controller/deployment/util).

import type { Deployment } from '../../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../../api/apps/replica-set.ts';
import type { Labels } from '../../shared/metadata.ts';
import { maxSurge } from './fenceposts.ts';

export const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';
const HISTORY_ANNOTATION = 'deployment.kubernetes.io/revision-history';
const DESIRED_ANNOTATION = 'deployment.kubernetes.io/desired-replicas';
const MAX_ANNOTATION = 'deployment.kubernetes.io/max-replicas';

/** Not passed on from a Deployment to its ReplicaSets. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION_ANNOTATION,
  HISTORY_ANNOTATION,
  DESIRED_ANNOTATION,
  MAX_ANNOTATION,
]);

/** Enough for about a hundred revisions. */
const HISTORY_CHARS_MAX = 2000;

/** 0 for a ReplicaSet without a revision. */
export function revisionOf({ metadata }: ReplicaSet): number {
  return Number.parseInt(metadata.annotations?.[REVISION_ANNOTATION] ?? '0', 10) || 0;
}

/** The annotations of the newest ReplicaSet: those of the Deployment, and a revision above all others. */
export function newestAnnotations(
  deployment: Deployment,
  current: Labels | undefined,
  revision: number,
): Labels {
  const annotations: Record<string, string> = { ...current };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN_ANNOTATIONS.has(key)) annotations[key] = value;
  }
  const before = current?.[REVISION_ANNOTATION];
  if ((Number.parseInt(before ?? '0', 10) || 0) < revision) {
    annotations[REVISION_ANNOTATION] = String(revision);
    // It was the newest once before: going back to it makes a new revision of it.
    if (before !== undefined) {
      annotations[HISTORY_ANNOTATION] = extendHistory(current?.[HISTORY_ANNOTATION], before);
    }
  }
  return annotations;
}

/** `1,3`; the oldest revisions go when it grows too long. */
function extendHistory(history: string | undefined, revision: string): string {
  const revisions = history === undefined || history === '' ? [] : history.split(',');
  revisions.push(revision);
  while (revisions.length > 1 && revisions.join().length > HISTORY_CHARS_MAX) revisions.shift();
  return revisions.join();
}

/** What a ReplicaSet is told of the Deployment's size whenever it is scaled. */
export function sizeAnnotations(deployment: Deployment): Labels {
  const { replicas } = deployment.spec;
  return {
    [DESIRED_ANNOTATION]: String(replicas),
    [MAX_ANNOTATION]: String(replicas + maxSurge(deployment)),
  };
}

/** The size the Deployment had when the ReplicaSet was scaled last. */
export function desiredReplicas(replicaSet: ReplicaSet): number | undefined {
  return numberOf(replicaSet, DESIRED_ANNOTATION);
}

/** That size and the surge. */
export function maxReplicas(replicaSet: ReplicaSet): number | undefined {
  return numberOf(replicaSet, MAX_ANNOTATION);
}

function numberOf({ metadata }: ReplicaSet, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
