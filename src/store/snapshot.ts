// All objects at one revision, as an immutable value: what controllers and the resolver read. Two
// snapshots share the table of every kind that did not change between them, and an object that did
// not change is the same object in both: that is what makes recomputing cheap.

import { apiVersionOf } from '../api/kind.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { emptyTable } from './table.ts';
import type { SourceRef, Table } from './table.ts';

export class Snapshot {
  readonly revision: number;
  readonly #tables: ReadonlyMap<string, Table>;

  constructor(revision: number, tables: ReadonlyMap<string, Table>) {
    this.revision = revision;
    this.#tables = tables;
  }

  /** All objects of a kind as one value; the same value as long as none of them changed. */
  table<T extends KubeObject>(kind: Kind<T>): Table<T> {
    const table = this.#tables.get(kindKey(kind));
    return table === undefined ? emptyTable<T>() : (table as Table<T>);
  }

  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): T | undefined {
    return this.table(kind).get(namespace, name)?.object;
  }

  /** All objects of a kind, sorted by namespace and name. */
  list<T extends KubeObject>(kind: Kind<T>): readonly T[] {
    return this.table(kind).objects;
  }

  /** Where the object of that kind and name was written down. */
  sourceOf(kind: Kind, namespace: string, name: string): SourceRef | undefined {
    return this.table(kind).get(namespace, name)?.source;
  }
}

/** What tables are kept under. Served versions of a kind share one table. */
export function kindKey(kind: Pick<Kind, 'group' | 'version' | 'kind'>): string {
  return `${apiVersionOf(kind)}/${kind.kind}`;
}
