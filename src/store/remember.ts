// What is made from all objects of a few kinds, made again only when one of those has changed.

import type { Kind } from '../api/kind.ts';
import type { Snapshot } from './snapshot.ts';

/** `make` must read no other kinds. */
export function whenChanged<T>(
  kinds: readonly Kind[],
  make: (snapshot: Snapshot) => T,
): (snapshot: Snapshot) => T {
  let last: { readonly tables: readonly unknown[]; readonly value: T } | undefined;
  return (snapshot) => {
    const tables = kinds.map((kind) => snapshot.table(kind));
    if (last === undefined || tables.some((table, i) => table !== last?.tables[i])) {
      last = { tables, value: make(snapshot) };
    }
    return last.value;
  };
}
