// Small tools for JSON values that a stranger has written: properties of their own only, so that a
// member named `__proto__` stays a member, and limits that are checked without recursion.

import type { PatchError } from './errors.ts';
import { PatchRefusal } from './errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** How deep a patch may nest, and an object after it. No kind comes near; recursion stays safe. */
export const DEPTH_MAX = 500;

/** The value of an object's own member; undefined where there is none. */
export function getOwn(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a member of an object that is ours to change. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    // Plain assignment would change the prototype.
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else object[key] = value;
}

/** Refuses a value that nests deeper than DEPTH_MAX. */
export function checkDepth(value: unknown, status: PatchError['status'], what: string): void {
  const open: (readonly [value: unknown, depth: number])[] = [[value, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [item, depth] = next;
    if (typeof item !== 'object' || item === null) continue;
    if (depth > DEPTH_MAX) {
      throw new PatchRefusal(status, `${what} nests deeper than ${DEPTH_MAX} levels`);
    }
    for (const child of Object.values(item)) open.push([child, depth + 1]);
  }
}

/** About as many bytes as a value has as JSON: exact but for escapes and letters beyond ASCII. */
export function jsonSize(value: unknown): number {
  let size = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item === 'string') size += item.length + 2;
    else if (Array.isArray(item)) {
      size += item.length + 1 + (item.length === 0 ? 1 : 0);
      for (const child of item) open.push(child);
    } else if (typeof item === 'object' && item !== null) {
      const keys = Object.keys(item);
      size += keys.length === 0 ? 2 : 1;
      for (const key of keys) {
        size += key.length + 4;
        open.push((item as JsonObject)[key]);
      }
    } else size += String(item).length;
  }
  return size;
}
