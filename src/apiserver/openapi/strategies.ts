// How strategic merge patches treat a field, as published: kubectl reads it to compute what `apply`
// sends. Mostly it follows from the schema; what does not is listed here.

import type { Node } from '../../api/schema/schema.ts';

/** Keyed lists that are replaced as a whole, as `<field of the object>.<field>`. */
const REPLACED = new Set([
  'resources.claims',
  'allocatedResourcesStatus.resources',
  'status.volumeHealth',
]);

/** The sets that are merged; younger ones are replaced. */
const MERGED_SETS = new Set(['metadata.finalizers', 'spec.podCIDRs']);

/** What names one of several alternatives: fields of the others go when it changes. */
const RETAINS_KEYS = new Set([
  'spec.strategy',
  'spec.volumes',
  'spec.resourceClaims',
  'status.resourceClaimStatuses',
]);

/** The extensions of the field `field` of the object that is the field `parent`. */
export function patchExtensions(
  node: Node,
  parent: string,
  field: string,
): Readonly<Record<string, string>> {
  const name = `${parent}.${field}`;
  const retains = RETAINS_KEYS.has(name);
  if (node.type !== 'list') {
    // The strategy of a Lease is one word.
    return retains && node.type === 'object' ? { 'x-kubernetes-patch-strategy': 'retainKeys' } : {};
  }
  if (MERGED_SETS.has(name)) return { 'x-kubernetes-patch-strategy': 'merge' };
  const key = node.mergeKey ?? (node.listType === 'map' ? node.keys?.[0] : undefined);
  if (key === undefined || REPLACED.has(name)) return {};
  return {
    'x-kubernetes-patch-strategy': retains ? 'merge,retainKeys' : 'merge',
    'x-kubernetes-patch-merge-key': key,
  };
}
