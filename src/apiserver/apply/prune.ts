// What goes when a manager no longer applies it: the fields and items it applied last time, does not
// apply now, and nobody else owns.

import { isRecord } from '../../api/schema/normalize.ts';
import type { ListNode, Node } from '../../api/schema/schema.ts';
import { difference, intersection, isEmpty, isMember, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldsOf, withNamedParents } from './owned.ts';
import { isNamedList, isTakenApart, itemElement, nodeBelow } from './structure.ts';
import { fieldElement } from './element.ts';

/**
 * The merged object without what the manager gave up. `last` is what it applied before, `owned` what
 * all managers own now, this one with its new set.
 *
 * Taking `last` away takes along what is below it, which may be others'. So first everything goes, then
 * whatever anybody owns comes back, and at last whatever the manager never owned. An item of a list
 * that no manager owns as an item is removed whole, with defaults and with single fields that an
 * update has set in it.
 */
export function prune(
  schema: Node,
  merged: unknown,
  { last, applied, owned }: { last: FieldSet; applied: FieldSet; owned: FieldSet },
): unknown {
  if (isEmpty(difference(last, applied))) return merged;
  const given = withNamedParents(schema, last);
  const kept = withNamedParents(schema, owned);
  const all = namedFields(schema, merged);
  const bare = namedFields(schema, remove(schema, merged, given));
  const unowned = difference(all, union(bare, kept));
  const left = namedFields(schema, remove(schema, merged, unowned));
  return remove(schema, merged, intersection(difference(all, left), given));
}

function namedFields(schema: Node, object: unknown): FieldSet {
  return withNamedParents(schema, fieldsOf(schema, object));
}

/**
 * The value without the paths of the set. An object that loses everything and stays is empty; a list,
 * and whatever is atomic, becomes null, which goes when the object is normalized.
 */
function remove(node: Node, value: unknown, set: FieldSet): unknown {
  if (isEmpty(set)) return value;
  if (isNamedList(node) && Array.isArray(value)) return removeItems(node, value, set);
  if (!isTakenApart(node, value) || !isRecord(value)) return isScalar(value) ? value : null;
  const out: Record<string, unknown> = {};
  let same = true;
  for (const name of Object.keys(value)) {
    const element = fieldElement(name);
    const below = set[element];
    if (below === undefined) out[name] = value[name];
    else {
      same = false;
      const inner = nodeBelow(node, element);
      if (!isMember(below) && inner !== undefined) out[name] = remove(inner, value[name], below);
    }
  }
  if (same) return value;
  return out;
}

function removeItems(node: ListNode, list: readonly unknown[], set: FieldSet): unknown {
  const out: unknown[] = [];
  for (const item of list) {
    const element = itemElement(node, item);
    const below = element === undefined ? undefined : set[element];
    if (below === undefined) out.push(item);
    else if (!isMember(below)) out.push(remove(node.items, item, below) ?? undefined);
  }
  const kept = out.filter((item) => item !== undefined);
  return kept.length === 0 ? null : kept;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}
