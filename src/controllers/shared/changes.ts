// What changed in a table since the last look. Tables are sorted and share the objects that did not
// change, so that a walk along both finds the differences by comparing identities.

import type { Kind, KubeObject } from '../../api/kind.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { compareObjects } from '../../store/table.ts';
import type { Table } from '../../store/table.ts';

/** `before` is absent for a new object, `after` for one that is gone. */
export interface Changed<T> {
  readonly before?: T;
  readonly after?: T;
}

/** Remembers a table and tells what is different in the next one. */
export class TableWatch<T extends KubeObject> {
  readonly #kind: Kind<T>;
  #table: Table<T> | undefined;
  #objects: readonly T[] = [];

  constructor(kind: Kind<T>) {
    this.#kind = kind;
  }

  /** What changed since the last call; everything there is at the first. */
  changes(snapshot: Snapshot): readonly Changed<T>[] {
    const table = snapshot.table(this.#kind);
    if (table === this.#table) return [];
    const before = this.#objects;
    this.#table = table;
    this.#objects = table.objects;
    return changesBetween(before, table.objects);
  }
}

/** The differences of two lists sorted by namespace and name, in that order. */
export function changesBetween<T extends KubeObject>(
  before: readonly T[],
  after: readonly T[],
): readonly Changed<T>[] {
  const changes: Changed<T>[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const old = before[i];
    const next = after[j];
    if (old !== undefined && old === next) {
      i++;
      j++;
      continue;
    }
    const order = orderOf(old, next);
    if (order <= 0) i++;
    if (order >= 0) j++;
    changes.push({
      ...(order <= 0 && old !== undefined ? { before: old } : {}),
      ...(order >= 0 && next !== undefined ? { after: next } : {}),
    });
  }
  return changes;
}

/** Below 0 when `old` comes first or stands alone, above 0 for `next`, 0 for two of one name. */
function orderOf(old: KubeObject | undefined, next: KubeObject | undefined): number {
  if (old === undefined) return 1;
  return next === undefined ? -1 : compareObjects(old, next);
}
