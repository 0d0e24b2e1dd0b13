// The folder a pod's commands belong to: that of the manifest it was written in, or of the one its
// owner was written in.

import type { Pod } from '../../api/core/pod.ts';
import type { Locate } from '../types.ts';

/** Undefined for a pod that comes from no file. */
export function manifestDirectory(pod: Pod, locate: Locate): string | undefined {
  const { namespace = '', name = '', ownerReferences = [] } = pod.metadata;
  const own = locate('Pod', namespace, name);
  if (own !== undefined) return own;
  for (const owner of ownerReferences) {
    const directory = locate(owner.kind, namespace, owner.name);
    if (directory !== undefined) return directory;
  }
  return undefined;
}
