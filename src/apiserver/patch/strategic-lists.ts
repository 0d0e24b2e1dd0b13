// Lists in strategic merge patches: which items there are afterwards, and in which order. Items of the
// patch stand as the patch (or its $setElementOrder) says; items that only the object has keep their
// place among each other, and stand before an item of the patch where they stood before it.

import { isRecord } from '../../api/schema/normalize.ts';
import { directiveOf, isListReplacement, plainObject } from './directives.ts';
import { jsonType, malformed, unfit } from './errors.ts';
import type { PatchRefusal } from './errors.ts';
import type { ListStrategy } from './strategies.ts';
import { getOwn } from './values.ts';
import type { JsonObject } from './values.ts';

type List = readonly unknown[];

/** Merges one item of the patch into one of the object. */
type MergeItem = (original: JsonObject, patch: JsonObject) => JsonObject;

/** What tells items apart: the value of the merge key, or the value itself. */
type Identity = (item: unknown) => unknown;

/** Merges two lists of objects by a key. */
export function mergeByKey(original: List, patch: List, key: string, merge: MergeItem): List {
  const idOf = identityByKey(key);
  checkObjects([...original, ...patch]);
  const items = patch as readonly JsonObject[];
  const replaced = items.some(isListReplacement);
  const added = items.filter((item) => directiveOf(item) === 'merge');
  const gone = new Set(items.filter((item) => directiveOf(item) === 'delete').map(idOf));
  const kept = replaced
    ? []
    : original.filter((item) => !gone.has(getOwn(item as JsonObject, key)));
  const merged = [...kept];
  const places = new Map<unknown, number>();
  for (const [i, item] of kept.entries()) {
    const id = getOwn(item as JsonObject, key);
    if (!places.has(id)) places.set(id, i);
  }
  for (const item of added) {
    const id = idOf(item);
    const place = places.get(id);
    if (place === undefined) {
      places.set(id, merged.length);
      merged.push(plainObject(item));
    } else merged[place] = merge(merged[place] as JsonObject, item);
  }
  return arrange(merged, added, kept, idOf);
}

/** Merges two lists of strings or numbers: each stays once. */
export function mergeSet(original: List, patch: List): List {
  checkScalars([...original, ...patch]);
  return arrange([...new Set([...original, ...patch])], patch, original, (item) => item);
}

export function deleteFromSet(original: List, deleted: List): List {
  checkScalars(deleted);
  const gone = new Set(deleted);
  return original.filter((item) => !gone.has(item));
}

/**
 * Puts `merged` into the order of `$setElementOrder`. Items of the patch list must stand in it, in the
 * same order.
 */
export function setOrder(
  merged: List,
  order: List,
  lists: { readonly original: List; readonly patch: List },
  strategy: ListStrategy,
): List {
  if (strategy.type === 'replace') return merged;
  const idOf = strategy.type === 'map' ? identityByKey(strategy.key) : (item: unknown) => item;
  if (strategy.type === 'map') checkObjects([...order, ...merged]);
  else checkScalars([...order, ...merged]);
  checkOrder(lists.patch, order, idOf);
  return arrange(merged, order, lists.original, idOf);
}

function checkOrder(patch: List, order: List, idOf: Identity): void {
  if (patch.length === 0 || order.length === 0) return;
  const listed = patch.filter((item) => !isRecord(item) || directiveOf(item) === 'merge');
  let next = 0;
  for (const item of order) {
    if (next < listed.length && idOf(item) === idOf(listed[next])) next++;
  }
  if (next === listed.length) return;
  const [have, want] = [JSON.stringify(patch), JSON.stringify(order)];
  throw malformed(
    `The order in patch list:\n${have}\n doesn't match $setElementOrder list:\n${want}\n`,
  );
}

/** Items named in `order` as it names them, the others as in `originalOrder`, in one list. */
function arrange(items: List, order: List, originalOrder: List, idOf: Identity): List {
  const places = firstPlaces(order, idOf);
  const originalPlaces = firstPlaces(originalOrder, idOf);
  const named = items.filter((item) => places.has(idOf(item))).toSorted(byPlace(places, idOf));
  const others = items
    .filter((item) => !places.has(idOf(item)))
    .toSorted(byPlace(originalPlaces, idOf));
  const out: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const place = originalPlaces.get(idOf(item));
    while (place !== undefined && next < others.length) {
      const other = originalPlaces.get(idOf(others[next]));
      if (other === undefined || other >= place) break;
      out.push(others[next++]);
    }
    out.push(item);
  }
  return [...out, ...others.slice(next)];
}

function firstPlaces(list: List, idOf: Identity): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>();
  for (const [i, item] of list.entries()) {
    const id = idOf(item);
    if (!places.has(id)) places.set(id, i);
  }
  return places;
}

function byPlace(places: ReadonlyMap<unknown, number>, idOf: Identity) {
  return (a: unknown, b: unknown) => (places.get(idOf(a)) ?? 0) - (places.get(idOf(b)) ?? 0);
}

function identityByKey(key: string): Identity {
  return (item) => {
    const id = isRecord(item) ? getOwn(item, key) : undefined;
    if (id !== undefined) return id;
    throw malformed(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
  };
}

function checkObjects(items: List): void {
  const stray = items.findIndex((item) => !isRecord(item));
  if (stray !== -1) throw wrongItem(items[stray], 'object');
}

function checkScalars(items: List): void {
  const type = typeof items[0];
  for (const item of items) {
    if (item === null || typeof item === 'object') throw wrongItem(item, 'string or number');
    if (typeof item !== type) throw wrongItem(item, type);
  }
}

function wrongItem(item: unknown, wanted: string): PatchRefusal {
  if (Array.isArray(item)) return unfit('lists of lists are not supported');
  return malformed(
    `list element types are not identical: expected ${wanted}, got ${jsonType(item)}`,
  );
}
