// What the runtime writes about a pod besides its status.

import { Pod } from '../../api/core/pod.ts';
import type { ObjectWrite } from '../../store/write.ts';

/** The reason of a pod for which the range is too small. */
const NO_ADDRESS = 'NoAddress';

/** A pod that has stopped is deleted once nobody else has a hand on it. */
export function deletionOf(pod: Pod): readonly ObjectWrite[] {
  const { namespace = '', name = '', finalizers = [] } = pod.metadata;
  return finalizers.length > 0 ? [] : [{ op: 'delete', kind: Pod, namespace, name }];
}

/** Says that a pod cannot start because the range is full; once. */
export function noAddress(pod: Pod, podCidr: string): readonly ObjectWrite[] {
  if (pod.status.reason === NO_ADDRESS) return [];
  const { namespace = '', name = '' } = pod.metadata;
  const message = `no address is free in ${podCidr}`;
  const status = { ...pod.status, phase: 'Pending', reason: NO_ADDRESS, message };
  return [{ op: 'status', kind: Pod, namespace, name, status }];
}
