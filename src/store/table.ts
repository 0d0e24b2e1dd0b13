// The objects of one kind, as a value that never changes: the next table shares the rest, and can say
// what became different on the way to it. Lists are sorted by namespace and name, because whoever lists
// objects must not depend on the order in which they came.

import type { KubeObject } from '../api/kind.ts';
import { VersionedMap } from '../lib/versioned-map.ts';

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
  /** The namespaces there are objects in, sorted, at the cost of how many those are. */
  readonly namespaces: readonly string[];
  /**
   * The keys (`keyOf`) of all entries that may be others than in an earlier table of the kind, at the
   * cost of what changed; undefined when `earlier` is no table this one came from.
   */
  changedSince(earlier: Table<T>): ReadonlySet<string> | undefined;
}

/** `namespace/name`; for objects of the whole cluster `/name`. Names cannot hold a slash. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Namespace and name of a key. */
export function splitKey(key: string): readonly [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}

/** A table that is being changed; `freeze` gives away what it is now. */
export class TableBuilder {
  #entries = VersionedMap.of<Entry>();
  /** What was changed since the last freeze. */
  readonly #pending = new Map<string, Entry | undefined>();
  #frozen: FrozenTable | undefined;
  readonly #list = new SortedList();

  get(namespace: string, name: string): Entry | undefined {
    const key = keyOf(namespace, name);
    return this.#pending.has(key) ? this.#pending.get(key) : this.#entries.get(key);
  }

  set(entry: Entry): void {
    const { namespace = '', name = '' } = entry.object.metadata;
    this.#pending.set(keyOf(namespace, name), entry);
  }

  delete(namespace: string, name: string): void {
    this.#pending.set(keyOf(namespace, name), undefined);
  }

  freeze(): Table {
    const entries = this.#entries.with(this.#pending);
    this.#pending.clear();
    if (this.#frozen === undefined || entries !== this.#entries) {
      this.#entries = entries;
      this.#list.notice(entries);
      this.#frozen = new FrozenTable(entries, this.#list);
    }
    return this.#frozen;
  }
}

/** Up to this share of changed objects, putting them in place is cheaper than sorting anew. */
const FEW_CHANGES = 1 / 16;

/** The list made last of any version of a table, from which the next one is made. */
class SortedList {
  #entries: VersionedMap<Entry> | undefined;
  #objects: readonly KubeObject[] = [];
  /** How many versions there have been since. */
  #age = 0;

  /** There is a new version. A list nobody asked for again is let go, with all that holds it up. */
  notice(entries: VersionedMap<Entry>): void {
    if (this.#entries === undefined || ++this.#age <= entries.size * FEW_CHANGES) return;
    this.#entries = undefined;
    this.#objects = [];
  }

  of(entries: VersionedMap<Entry>): readonly KubeObject[] {
    this.#objects = this.#merged(entries) ?? sorted(entries);
    this.#entries = entries;
    this.#age = 0;
    return this.#objects;
  }

  /** The objects of the list before, with the few changed ones put in their places. */
  #merged(entries: VersionedMap<Entry>): readonly KubeObject[] | undefined {
    const before = this.#objects;
    const changed = this.#entries === undefined ? undefined : entries.changedSince(this.#entries);
    if (changed === undefined || changed.size > before.length * FEW_CHANGES) return undefined;
    const objects = [...before];
    for (const key of changed) {
      const place = search(objects, ...splitKey(key));
      const entry = entries.get(key);
      if (entry === undefined) {
        if (place.found) objects.splice(place.index, 1);
      } else {
        objects.splice(place.index, place.found ? 1 : 0, entry.object);
      }
    }
    return objects;
  }
}

function sorted(entries: VersionedMap<Entry>): readonly KubeObject[] {
  return Array.from(entries.values(), (entry) => entry.object).toSorted(compareObjects);
}

class FrozenTable implements Table {
  readonly #entries: VersionedMap<Entry>;
  readonly #list: SortedList;
  #objects: readonly KubeObject[] | undefined;
  readonly #byNamespace = new Map<string, readonly KubeObject[]>();

  constructor(entries: VersionedMap<Entry>, list: SortedList) {
    this.#entries = entries;
    this.#list = list;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(namespace: string, name: string): Entry | undefined {
    return this.#entries.get(keyOf(namespace, name));
  }

  get objects(): readonly KubeObject[] {
    this.#objects ??= this.#list.of(this.#entries);
    return this.#objects;
  }

  inNamespace(namespace: string): readonly KubeObject[] {
    let own = this.#byNamespace.get(namespace);
    if (own === undefined) {
      const { objects } = this;
      // Names are never empty.
      const first = search(objects, namespace, '').index;
      own = objects.slice(first, firstAfter(objects, namespace));
      this.#byNamespace.set(namespace, own);
    }
    return own;
  }

  get namespaces(): readonly string[] {
    const { objects } = this;
    const names: string[] = [];
    for (let at = 0; at < objects.length; at = firstAfter(objects, names.at(-1) ?? '')) {
      names.push(objects[at]?.metadata.namespace ?? '');
    }
    return names;
  }

  changedSince(earlier: Table): ReadonlySet<string> | undefined {
    return earlier instanceof FrozenTable
      ? this.#entries.changedSince(earlier.#entries)
      : undefined;
  }
}

/** Where the objects of the next namespace begin: none comes between one and itself with a zero byte. */
function firstAfter(objects: readonly KubeObject[], namespace: string): number {
  return search(objects, `${namespace}\0`, '').index;
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

const EMPTY = new FrozenTable(VersionedMap.of(), new SortedList());

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

/** The keys of all objects. */
export function allKeys(table: Table): readonly string[] {
  return table.objects.map(({ metadata }) => keyOf(metadata.namespace ?? '', metadata.name ?? ''));
}

/** The keys of objects that may differ between two tables of a kind. */
export function changedIn(before: Table, after: Table): Iterable<string> {
  if (before === after) return [];
  return after.changedSince(before) ?? new Set([...allKeys(before), ...allKeys(after)]);
}
