// Findings about an object, as controllers make them.

import type { ObjectRef } from '../../api/finding.ts';
import type { KubeObject } from '../../api/kind.ts';

/** Names the object in a finding's origin. */
export function refOf({ kind, metadata }: KubeObject): ObjectRef {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}
