// Writes as controllers make them. An object that was written down somewhere keeps its place: a
// controller completes what others own.

import type { Kind, KubeObject } from '../../api/kind.ts';
import { Pod } from '../../api/core/pod.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { isTerminating } from './metadata.ts';
import { isFinished } from './pods.ts';

/** Creates the object, or replaces it with its source kept. */
export function putWrite<T extends KubeObject>(
  snapshot: Snapshot,
  kind: Kind<T>,
  object: T,
): ObjectWrite {
  const { namespace = '', name = '' } = object.metadata;
  const source = snapshot.table(kind).get(namespace, name)?.source;
  return {
    op: 'put',
    kind: kind as unknown as Kind,
    object,
    ...(source === undefined ? {} : { source }),
  };
}

export function statusWrite<T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  status: unknown,
): ObjectWrite {
  const { namespace = '', name = '' } = object.metadata;
  return { op: 'status', kind: kind as unknown as Kind, namespace, name, status };
}

/**
 * Removes an object as the API server would: a running pod gets its grace period, and what somebody
 * has put a finalizer on waits for them. Nothing for what is on its way already.
 */
export function removeWrites(kind: Kind, object: KubeObject): readonly ObjectWrite[] {
  const { namespace = '', name = '', finalizers = [] } = object.metadata;
  const pod = kind.kind === Pod.kind && kind.group === '' ? (object as Pod) : undefined;
  const runs = pod !== undefined && (pod.spec.nodeName ?? '') !== '' && !isFinished(pod);
  if (!runs && finalizers.length === 0) return [{ op: 'delete', kind, namespace, name }];
  if (isTerminating(object)) return [];
  const gracePeriodSeconds = runs ? pod.spec.terminationGracePeriodSeconds : 0;
  return [{ op: 'terminate', kind, namespace, name, gracePeriodSeconds }];
}

/** The same for a pod. */
export function removePod(pod: Pod): readonly ObjectWrite[] {
  return removeWrites(Pod, pod);
}
