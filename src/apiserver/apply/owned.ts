// Sets made from an object, and sets brought in line with a schema.

import { isRecord } from '../../api/schema/normalize.ts';
import type { ListNode, Node } from '../../api/schema/schema.ts';
import { compareElements } from './element.ts';
import { asMember, EMPTY, isEmpty } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { isNamedList, isTakenApart, itemsByElement, nodeBelow, own, partsOf } from './structure.ts';

/**
 * The paths that applying an object claims: its leaves, its list items and its entries of maps, but
 * not the objects that only lead there. An empty object is a leaf; an empty keyed list claims nothing.
 */
export function fieldsOf(schema: Node, object: unknown): FieldSet {
  return nodeOf(schema, object) ?? EMPTY;
}

/** The node of the set for a value: undefined when there is nothing to claim in it. */
function nodeOf(node: Node, value: unknown): FieldSet | undefined {
  if (value === null && isTakenApartAtAll(node)) return undefined;
  if (!isTakenApart(node, value)) return EMPTY;
  if (isNamedList(node)) return itemsOf(node, value);
  return isRecord(value) ? entriesOf(node, value) : undefined;
}

function isTakenApartAtAll(node: Node): boolean {
  return isTakenApart(node, {}) || isTakenApart(node, []);
}

function entriesOf(node: Node, value: Readonly<Record<string, unknown>>): FieldSet | undefined {
  let out: Record<string, FieldSet> | undefined;
  for (const part of partsOf(node, value)) {
    const item = own(value, part.name);
    if (item === undefined) continue;
    const child = nodeOf(part.node, item);
    const claimed = !part.named || item === null || (isRecord(item) && isEmptyRecord(item));
    if (child === undefined && !claimed) continue;
    (out ??= {})[part.element] = child === undefined ? EMPTY : claimed ? asMember(child) : child;
  }
  return out;
}

function isEmptyRecord(value: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(value).length === 0;
}

function itemsOf(node: ListNode, list: unknown): FieldSet | undefined {
  const found: [string, FieldSet][] = [];
  for (const [element, items] of itemsByElement(node, list)) {
    const child = items.length === 1 ? nodeOf(node.items, items[0]) : undefined;
    found.push([element, child === undefined ? EMPTY : asMember(child)]);
  }
  if (found.length === 0) return undefined;
  return Object.fromEntries(found.toSorted(([a], [b]) => compareElements(a, b)));
}

/**
 * The set with every named field that leads to a path in it: who owns `.metadata.labels.app` keeps
 * `.metadata.labels` from being removed, and removes it when it is the last.
 */
export function withNamedParents(schema: Node, set: FieldSet): FieldSet {
  let out: Record<string, FieldSet> | undefined;
  for (const element in set) {
    const child = set[element] as FieldSet;
    if (element === '.' || isEmpty(child)) continue;
    const below = nodeBelow(schema, element);
    if (below === undefined) continue;
    const inner = withNamedParents(below, child);
    const named = schema.type === 'object' && schema.fields.has(element.slice(2));
    const next = named ? asMember(inner) : inner;
    if (next !== child) (out ??= { ...set })[element] = next;
  }
  return out ?? set;
}

const FITTED = new WeakMap<FieldSet, Node>();

/**
 * The set as this schema has it. A value that was once taken apart and is atomic now is owned as a
 * whole by whoever owned a part of it.
 */
export function fitToSchema(schema: Node, set: FieldSet): FieldSet {
  if (FITTED.get(set) === schema) return set;
  const fitted = fitNode(schema, set);
  FITTED.set(fitted, schema);
  return fitted;
}

function fitNode(node: Node, set: FieldSet): FieldSet {
  let out: Record<string, FieldSet> | undefined;
  for (const element in set) {
    const child = set[element] as FieldSet;
    if (element === '.' || isEmpty(child)) continue;
    const below = nodeBelow(node, element);
    if (below === undefined) continue;
    const next = isTakenApartAtAll(below) ? fitNode(below, child) : EMPTY;
    if (next !== child) (out ??= { ...set })[element] = next;
  }
  return out ?? set;
}
