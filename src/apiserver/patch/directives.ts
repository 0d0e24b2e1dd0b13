// The words of strategic merge patches: what an object of a patch says besides its fields.
//
//   $patch: replace | delete | merge         what becomes of the object, list item or list
//   $retainKeys: [a, b]                      other fields of the object go
//   $setElementOrder/<list>: [...]           the order in which the items of a list shall stand
//   $deleteFromPrimitiveList/<list>: [...]   values to take out of a list

import { isRecord } from '../../api/schema/normalize.ts';
import { malformed } from './errors.ts';
import { getOwn, setOwn } from './values.ts';
import type { JsonObject } from './values.ts';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const ORDER = '$setElementOrder';
const DELETE = '$deleteFromPrimitiveList';

const BAD_ORDER = 'invalid patch format of setElementOrder list';
const BAD_DELETION = 'invalid patch format of primitive list';
const BAD_RETAIN = 'invalid patch format of retainKeys';

/** One object of a patch, taken apart. */
export interface ObjectPatch {
  readonly fields: ReadonlyMap<string, unknown>;
  readonly retain?: ReadonlySet<string>;
  readonly orders: ReadonlyMap<string, readonly unknown[]>;
  readonly deletions: ReadonlyMap<string, readonly unknown[]>;
}

/** The `$patch` of an object; merging is what happens without one. */
export function directiveOf(patch: JsonObject): 'replace' | 'delete' | 'merge' {
  if (!Object.hasOwn(patch, PATCH)) return 'merge';
  const directive = patch[PATCH];
  if (directive === 'replace' || directive === 'delete' || directive === 'merge') return directive;
  throw malformed(
    `unknown patch type: ${JSON.stringify(directive)} in map: ${JSON.stringify(patch)}`,
  );
}

/** Takes an object of a patch apart. */
export function parseObject(patch: JsonObject): ObjectPatch {
  const fields = new Map<string, unknown>();
  const orders = new Map<string, readonly unknown[]>();
  const deletions = new Map<string, readonly unknown[]>();
  for (const key of Object.keys(patch)) {
    if (key.startsWith(ORDER)) orders.set(...parallelList(patch, key, ORDER, BAD_ORDER));
    else if (key.startsWith(DELETE)) {
      deletions.set(...parallelList(patch, key, DELETE, BAD_DELETION));
    } else if (key !== PATCH && key !== RETAIN_KEYS) fields.set(key, patch[key]);
  }
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return { fields, orders, deletions };
  return { fields, orders, deletions, retain: retainedKeys(patch[RETAIN_KEYS], fields) };
}

/** `$setElementOrder/ports: [...]` → ports and the list. */
function parallelList(
  patch: JsonObject,
  key: string,
  prefix: string,
  message: string,
): [field: string, list: readonly unknown[]] {
  const list = patch[key];
  if (key[prefix.length] !== '/' || !Array.isArray(list)) throw malformed(message);
  return [key.slice(prefix.length + 1), list];
}

function retainedKeys(list: unknown, fields: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  if (!Array.isArray(list)) throw malformed(BAD_RETAIN);
  const retained = new Set(list.filter((key): key is string => typeof key === 'string'));
  for (const [key, value] of fields) {
    if (value !== null && !retained.has(key)) throw malformed(BAD_RETAIN);
  }
  return retained;
}

/**
 * A value that has nothing to be merged with: without directives, without null members. Undefined
 * when it is nothing but an order to delete.
 */
export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isListReplacement(item)).flatMap((item) => plainItem(item));
  }
  if (!isRecord(value)) return value;
  return directiveOf(value) === 'delete' ? undefined : plainObject(value);
}

function plainItem(item: unknown): readonly unknown[] {
  const plain = plainValue(item);
  return plain === undefined ? [] : [plain];
}

export function plainObject(patch: JsonObject): JsonObject {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of parseObject(patch).fields) {
    const kept = value === null ? undefined : plainValue(value);
    if (kept !== undefined) setOwn(plain, key, kept);
  }
  return plain;
}

/** `{ $patch: replace }` in a list: it is not an item, but says that the list replaces the other. */
export function isListReplacement(item: unknown): boolean {
  return isRecord(item) && getOwn(item, PATCH) === 'replace';
}
