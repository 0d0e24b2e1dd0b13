// What names an item of a list: the key fields of a `map` list, the whole value in a `set`. Items of
// other lists have no name of their own.

import { isRecord } from './normalize.ts';
import type { ListNode } from './schema.ts';

/** The key of an item as it is shown: `{ name: 'http' }`, or the item itself in a set. */
export function keyOf(node: ListNode, item: unknown): unknown {
  if (node.listType !== 'map') return item;
  // An item that is no object has no key fields.
  const fields = isRecord(item) ? item : {};
  return Object.fromEntries((node.keys ?? []).map((key) => [key, fields[key]]));
}

/** The same as text, to compare and to look up by. */
export function keyText(node: ListNode, item: unknown): string {
  return JSON.stringify(keyOf(node, item));
}

/** The items of a former value by key; undefined where items cannot be told apart by one. */
export function indexByKey(node: ListNode, items: unknown): Map<string, unknown> | undefined {
  if (node.listType !== 'map' || !Array.isArray(items)) return undefined;
  return new Map(items.map((item) => [keyText(node, item), item]));
}
