// Small tools for filling objects in. What is filled in may still be invalid in any way, whatever its
// type says, and is never changed in place: an object that needs nothing stays the same.

import { isRecord } from '../schema/normalize.ts';

/** True for an object, whatever its type says: what is defaulted may still be invalid. */
export function isObject(value: unknown): boolean {
  return isRecord(value);
}

/** Maps a list; the same list when no item changes. */
export function mapItems<T>(items: readonly T[], each: (item: T) => T): readonly T[] {
  let out: T[] | undefined;
  for (const [i, item] of items.entries()) {
    const next = each(item);
    if (next !== item) (out ??= [...items])[i] = next;
  }
  return out ?? items;
}

/** Maps what may be a list of objects; anything else is left for validation to complain about. */
export function eachOf<T>(
  items: readonly T[] | undefined,
  each: (item: T) => T,
): readonly T[] | undefined {
  if (!Array.isArray(items)) return items;
  return mapItems<T>(items, (item) => (isObject(item) ? each(item) : item));
}

/** `object` with some fields replaced, and those that are undefined removed; the same when equal. */
export function changed<T extends object>(
  object: T,
  changes: { readonly [K in keyof T]?: T[K] | undefined },
): T {
  let out: T | undefined;
  for (const key of Object.keys(changes) as (keyof T)[]) {
    const value = changes[key];
    if (value === object[key]) continue;
    out ??= { ...object };
    if (value === undefined) delete out[key];
    else out[key] = value;
  }
  return out ?? object;
}
