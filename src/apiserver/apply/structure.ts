// How a value is taken apart, by its schema: the named parts of objects and maps, and the items of
// lists that have a name. Everything else is a leaf, owned as a whole: scalars, atomic lists, maps and
// objects. Where the schema says nothing (`any`) the value decides: objects are maps, lists atomic.

import { isRecord } from '../../api/schema/normalize.ts';
import type { ListNode, Node, ObjectNode } from '../../api/schema/schema.ts';
import { compareText, fieldElement, keyElement, valueElement } from './element.ts';
import type { ItemKey } from './element.ts';
import { UNTRACKED } from './tracked.ts';

/** True when values of the node are taken apart by name. */
export function isKeyed(node: Node): boolean {
  switch (node.type) {
    case 'object':
    case 'map':
      return node.atomic !== true;
    case 'any':
      return true;
    default:
      return false;
  }
}

/** True when the items of the list have names. */
export function isNamedList(node: Node): node is ListNode {
  return node.type === 'list' && (node.listType === 'set' || node.listType === 'map');
}

/** The value is of the form its schema takes apart. */
export function isTakenApart(node: Node, value: unknown): boolean {
  return isKeyed(node) ? isRecord(value) : isNamedList(node) && Array.isArray(value);
}

/** A field of the value itself: a label may be named `constructor`. */
export function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

export interface Part {
  readonly name: string;
  readonly element: string;
  readonly node: Node;
  /** The schema has it by name; without, it is an entry of a map, and owned besides its content. */
  readonly named: boolean;
}

/** The parts a value may have, sorted. Those of an object may be absent in this value. */
export function partsOf(node: Node, value: Readonly<Record<string, unknown>>): readonly Part[] {
  if (node.type === 'object') return objectParts(node, value);
  const entries = node.type === 'map' ? node.values : node;
  return Object.keys(value)
    .toSorted(compareText)
    .map((name) => ({ name, element: fieldElement(name), node: entries, named: false }));
}

/** The schema below one step of a path; undefined where the schema ends. */
export function nodeBelow(node: Node, element: string): Node | undefined {
  if (node.type === 'list') return element.startsWith('k:') ? node.items : undefined;
  const name = element.slice(2);
  switch (node.type) {
    case 'object':
      return node.fields.get(name)?.node ?? (node.preserveUnknown === true ? ANYTHING : undefined);
    case 'map':
      return node.values;
    case 'any':
      return node;
    default:
      return undefined;
  }
}

/** What the schema does not know and keeps. */
export const ANYTHING: Node = { type: 'any' };

const OBJECT_PARTS = new WeakMap<ObjectNode, readonly Part[]>();

function objectParts(node: ObjectNode, value: Readonly<Record<string, unknown>>): readonly Part[] {
  let parts = OBJECT_PARTS.get(node);
  if (parts === undefined) {
    parts = [...node.fields]
      .filter(([, field]) => field.node !== UNTRACKED)
      .map(([name, { node: n }]) => ({ name, element: fieldElement(name), node: n, named: true }))
      .toSorted(byName);
    OBJECT_PARTS.set(node, parts);
  }
  if (node.preserveUnknown !== true) return parts;
  const unknown = Object.keys(value).filter((name) => !node.fields.has(name));
  if (unknown.length === 0) return parts;
  const more = unknown.map((name) => ({
    name,
    element: fieldElement(name),
    node: ANYTHING,
    named: false,
  }));
  return [...parts, ...more].toSorted(byName);
}

function byName(a: Part, b: Part): number {
  return compareText(a.name, b.name);
}

interface KeyField {
  readonly name: string;
  readonly default: unknown;
}

const KEY_FIELDS = new WeakMap<ListNode, readonly KeyField[]>();

function keyFields(node: ListNode): readonly KeyField[] {
  let fields = KEY_FIELDS.get(node);
  if (fields === undefined) {
    const { items } = node;
    fields = (node.keys ?? []).toSorted(compareText).map((name) => ({
      name,
      default: items.type === 'object' ? items.fields.get(name)?.default : undefined,
    }));
    KEY_FIELDS.set(node, fields);
  }
  return fields;
}

/**
 * The step to an item: a key field that is absent counts with its default, and is left out without.
 * Undefined when the item cannot have a name: no object in a keyed list, or none of its keys; a
 * container or null in a set.
 */
export function itemElement(node: ListNode, item: unknown): string | undefined {
  if (node.listType === 'set') {
    return typeof item === 'object' || item === undefined ? undefined : valueElement(item);
  }
  if (!isRecord(item)) return undefined;
  const key: [string, unknown][] = [];
  for (const field of keyFields(node)) {
    const value = own(item, field.name) ?? field.default;
    if (value !== undefined && value !== null) key.push([field.name, value]);
  }
  return key.length === 0 ? undefined : keyElement(key satisfies ItemKey);
}

/** The items of one name: almost always one. */
export type Namesakes = readonly unknown[];

/** The items of a list by their step, in the order they come; items without a name are left out. */
export function itemsByElement(node: ListNode, list: unknown): ReadonlyMap<string, Namesakes> {
  const out = new Map<string, unknown[]>();
  if (!Array.isArray(list)) return out;
  for (const item of list as unknown[]) {
    const element = itemElement(node, item);
    if (element === undefined) continue;
    const twins = out.get(element);
    if (twins === undefined) out.set(element, [item]);
    else twins.push(item);
  }
  return out;
}
