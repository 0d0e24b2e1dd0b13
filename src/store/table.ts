// The objects of one kind, as a value that never changes: `with` and `without` give a new table that
// shares the rest. Sorted by namespace and name, because whoever lists objects must not depend on the
// order in which they came.

import type { KubeObject } from '../api/kind.ts';

/** What the store knows of an object besides the object itself. */
export interface Entry<T extends KubeObject = KubeObject> {
  readonly object: T;
  /** Where the object was written down; absent for what a controller made. */
  readonly source?: SourceRef;
}

/** Where an object was written down. Line and column are found on demand (sources/files). */
export interface SourceRef {
  /** The source that delivered it, as `files` or `api`. */
  readonly source: string;
  /** The file as the user named it; `-` for standard input; empty where there is none. */
  readonly file: string;
  /** The document's place in the file, counted from 0. */
  readonly document: number;
  /** Its place in a List, counted from 0; absent outside one. */
  readonly item?: number;
}

export interface Table<T extends KubeObject = KubeObject> {
  readonly size: number;
  get(namespace: string, name: string): Entry<T> | undefined;
  /** All objects, sorted by namespace and name. The same array as long as the table is the same. */
  readonly objects: readonly T[];
  inNamespace(namespace: string): readonly T[];
}

/** `namespace/name`; for objects of the whole cluster `/name`. Names cannot hold a slash. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** A table that is being changed; `freeze` gives it away and starts the next change from a copy. */
export class TableBuilder {
  #entries = new Map<string, Entry>();
  #frozen: FrozenTable | undefined;
  /** The table given away last, and what was changed since. */
  #base: FrozenTable | undefined;
  #changed = new Set<string>();

  get(namespace: string, name: string): Entry | undefined {
    return this.#entries.get(keyOf(namespace, name));
  }

  set(entry: Entry): void {
    this.#thaw();
    const { namespace = '', name = '' } = entry.object.metadata;
    const key = keyOf(namespace, name);
    this.#entries.set(key, entry);
    this.#changed.add(key);
  }

  delete(namespace: string, name: string): void {
    this.#thaw();
    const key = keyOf(namespace, name);
    this.#entries.delete(key);
    this.#changed.add(key);
  }

  freeze(): Table {
    this.#frozen ??= new FrozenTable(this.#entries, this.#base, this.#changed);
    return this.#frozen;
  }

  /** The frozen table keeps the map it has; changes go to a copy. */
  #thaw(): void {
    if (this.#frozen === undefined) return;
    this.#entries = new Map(this.#entries);
    // Only a list that was made is of use; and tables must not hold on to all tables before them.
    this.#base = this.#frozen.isListed ? this.#frozen : undefined;
    this.#changed = new Set();
    this.#frozen = undefined;
  }
}

/** Up to this share of changed objects, putting them in place is cheaper than sorting anew. */
const FEW_CHANGES = 1 / 16;

class FrozenTable implements Table {
  readonly #entries: ReadonlyMap<string, Entry>;
  #objects: readonly KubeObject[] | undefined;
  #byNamespace: Map<string, readonly KubeObject[]> | undefined;
  /** What `objects` is made from, until it is made. */
  #base: FrozenTable | undefined;
  readonly #changed: ReadonlySet<string>;

  constructor(
    entries: ReadonlyMap<string, Entry>,
    base?: FrozenTable,
    changed: ReadonlySet<string> = new Set(),
  ) {
    this.#entries = entries;
    this.#base = base;
    this.#changed = changed;
  }

  get size(): number {
    return this.#entries.size;
  }

  get isListed(): boolean {
    return this.#objects !== undefined;
  }

  get(namespace: string, name: string): Entry | undefined {
    return this.#entries.get(keyOf(namespace, name));
  }

  get objects(): readonly KubeObject[] {
    if (this.#objects === undefined) {
      this.#objects = this.#merged() ?? this.#sorted();
      this.#base = undefined;
    }
    return this.#objects;
  }

  inNamespace(namespace: string): readonly KubeObject[] {
    this.#byNamespace ??= groupByNamespace(this.objects);
    return this.#byNamespace.get(namespace) ?? [];
  }

  #sorted(): readonly KubeObject[] {
    return Array.from(this.#entries.values(), (entry) => entry.object).toSorted(compareObjects);
  }

  /** The objects of the table before, with the few changed ones put in their places. */
  #merged(): readonly KubeObject[] | undefined {
    if (this.#base === undefined) return undefined;
    const before = this.#base.objects;
    if (this.#changed.size > before.length * FEW_CHANGES) return undefined;
    const objects = [...before];
    for (const key of this.#changed) {
      const slash = key.indexOf('/');
      const place = search(objects, key.slice(0, slash), key.slice(slash + 1));
      const entry = this.#entries.get(key);
      if (entry === undefined) {
        if (place.found) objects.splice(place.index, 1);
      } else {
        objects.splice(place.index, place.found ? 1 : 0, entry.object);
      }
    }
    return objects;
  }
}

/** Where an object of that name is in a sorted list, or would be. */
function search(
  objects: readonly KubeObject[],
  namespace: string,
  name: string,
): { readonly index: number; readonly found: boolean } {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { metadata } = objects[middle] as KubeObject;
    const order =
      compareStrings(metadata.namespace ?? '', namespace) ||
      compareStrings(metadata.name ?? '', name);
    if (order === 0) return { index: middle, found: true };
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return { index: low, found: false };
}

const EMPTY = new FrozenTable(new Map());

/** The table of a kind that has no objects. */
export function emptyTable<T extends KubeObject>(): Table<T> {
  return EMPTY as unknown as Table<T>;
}

/** Orders by namespace, then name, by code unit: the same on every machine. */
export function compareObjects(a: KubeObject, b: KubeObject): number {
  return (
    compareStrings(a.metadata.namespace ?? '', b.metadata.namespace ?? '') ||
    compareStrings(a.metadata.name ?? '', b.metadata.name ?? '')
  );
}

function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function groupByNamespace(objects: readonly KubeObject[]): Map<string, readonly KubeObject[]> {
  return Map.groupBy(objects, (object) => object.metadata.namespace ?? '');
}
