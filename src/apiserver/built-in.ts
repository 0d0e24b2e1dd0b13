// Which kinds Kubernetes builds in, and which come to it as CustomResourceDefinitions. Clients see the
// difference: only built-in kinds take strategic merge patches, and custom ones have columns of dates.

import type { Kind } from '../api/kind.ts';

const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'apiextensions.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
]);

export function isBuiltIn(kind: Pick<Kind, 'group'>): boolean {
  return BUILT_IN_GROUPS.has(kind.group);
}
