// How a strategic merge patch treats each list of a kind: merged item by item, or replaced. It mostly
// follows from the schema. Where upstream's types are marked for server-side apply and for strategic
// merge in different ways, `mergeKey` in the schema or the tables below say so.

import type { ListNode, Node } from '../../api/schema/schema.ts';

export type ListStrategy =
  | { readonly type: 'replace' }
  /** Strings and numbers, each once. */
  | { readonly type: 'set' }
  | { readonly type: 'map'; readonly key: string };

const REPLACE: ListStrategy = { type: 'replace' };

/** Keyed lists that are replaced all the same, as `<field of the object>.<field>`. */
const REPLACED_MAPS: ReadonlySet<string> = new Set([
  'resources.claims',
  'allocatedResourcesStatus.resources',
  'status.volumeHealth',
]);

/** The only sets that are merged; the others are younger than strategic merge, and replaced. */
const MERGED_SETS: ReadonlySet<string> = new Set(['metadata.finalizers', 'spec.podCIDRs']);

/** `parent` is the field that holds the object with the list: `resources` for `resources.claims`. */
export function listStrategy(node: ListNode, parent: string, field: string): ListStrategy {
  const name = `${parent}.${field}`;
  if (node.listType === 'set') return MERGED_SETS.has(name) ? { type: 'set' } : REPLACE;
  const key = node.mergeKey ?? (node.listType === 'map' ? node.keys?.[0] : undefined);
  return key === undefined || REPLACED_MAPS.has(name) ? REPLACE : { type: 'map', key };
}

/** What the schema says of one member; undefined where it does not look into values. */
export function memberNode(node: Node | undefined, field: string): Node | undefined {
  switch (node?.type) {
    case 'object':
      return node.fields.get(field)?.node;
    case 'map':
      return node.values;
    default:
      return undefined;
  }
}
