// What controllers ask of a pod (k8s.io/kubernetes pkg/api/v1/pod and pkg/controller).

import type { Pod } from '../../api/core/pod.ts';
import { isTerminating } from './metadata.ts';

/** It has run to its end, well or not. */
export function isFinished({ status }: Pod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** It counts as one of the replicas asked for: neither finished nor about to end. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

export function isReady({ status }: Pod): boolean {
  return readyCondition(status)?.status === 'True';
}

/** Since when the pod is ready, in milliseconds since the epoch; undefined when it is not. */
export function readySinceMs({ status }: Pod): number | undefined {
  const condition = readyCondition(status);
  if (condition?.status !== 'True' || condition.lastTransitionTime === undefined) return undefined;
  return Date.parse(condition.lastTransitionTime);
}

/**
 * When a pod is, was or will be available (milliseconds since the epoch): ready for `minReadySeconds`.
 * Undefined when it is not ready; negative infinity when it need not be ready for long.
 */
export function availableAtMs(pod: Pod, minReadySeconds: number): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return Number.NEGATIVE_INFINITY;
  const since = readySinceMs(pod);
  return since === undefined ? undefined : since + minReadySeconds * 1000;
}

function readyCondition(status: Pod['status']) {
  return status.conditions?.find((condition) => condition.type === 'Ready');
}
