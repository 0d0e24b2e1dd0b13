// Results by object, for kinds with thousands of objects: a round costs what is different in it. Each
// result knows what it was made from (reader.ts), and the other way round each thing that was read knows
// the results made from it; so of a new snapshot only what changed is looked at.

import type { Kind, KubeObject } from '../api/kind.ts';
import { changedKeys, VersionedMap } from '../lib/versioned-map.ts';
import { kindKey } from '../store/snapshot.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { allKeys, changedIn, splitKey } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { Reader } from './reader.ts';

export interface ResultsOptions<T extends KubeObject, V> {
  readonly kinds: readonly Kind<T>[];
  /** What becomes of an object. `found` are the results of others, as given to `update`. */
  readonly make: (kind: Kind<T>, object: T, reader: Reader, found: Found) => V;
}

/** Results of other resolvers, by the name they are looked up by. */
export type Found = Readonly<Record<string, VersionedMap<unknown>>>;

/** Something results were made from: an object, the objects of a namespace, or another result. */
interface Source {
  readonly id: string;
  /** Keys of the results. */
  readonly users: Set<string>;
}

const NO_SOURCES: readonly Source[] = [];

export class Results<T extends KubeObject, V> {
  readonly #kinds: ReadonlyMap<string, Kind<T>>;
  readonly #make: ResultsOptions<T, V>['make'];
  readonly #sources = new Map<string, Source>();
  readonly #sourcesOf = new Map<string, readonly Source[]>();
  /** The tables that were read, as they were at the last update. */
  readonly #tables = new Map<string, { readonly kind: Kind; table: Table }>();
  #found: Found = {};
  #values = VersionedMap.of<V>();
  #made = 0;

  constructor({ kinds, make }: ResultsOptions<T, V>) {
    this.#kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
    this.#make = make;
  }

  /** How many results were ever made: what tests count. */
  get made(): number {
    return this.#made;
  }

  /** All results, by `Kind namespace/name`. The same value as long as none of them changes. */
  update(snapshot: Snapshot, found: Found = {}): VersionedMap<V> {
    const stale = this.#stale(snapshot, found);
    const changes: (readonly [string, V | undefined])[] = [];
    for (const key of stale) changes.push([key, this.#remake(key, snapshot, found)]);
    for (const kind of this.#kinds.values()) this.#noteTable(kind, snapshot);
    for (const entry of this.#tables.values()) entry.table = snapshot.table(entry.kind);
    this.#found = found;
    this.#values = this.#values.with(changes);
    return this.#values;
  }

  /** The keys of results that may be others now. */
  #stale(snapshot: Snapshot, found: Found): Set<string> {
    const stale = new Set<string>();
    for (const kind of this.#kinds.values()) this.#addOwn(stale, kind, snapshot);
    for (const [id, { kind, table }] of this.#tables) {
      const now = snapshot.table(kind);
      if (now === table) continue;
      for (const key of changedIn(table, now)) {
        this.#addUsers(stale, `${id}|${key}`);
        this.#addUsers(stale, `${id}|${splitKey(key)[0]}/`);
      }
    }
    for (const [what, results] of Object.entries(found)) {
      const before = this.#found[what] ?? EMPTY;
      for (const key of changedKeys(before, results)) this.#addUsers(stale, `${what}|${key}`);
    }
    return stale;
  }

  /** Objects of our kinds that are not what they were, but for their status and the like. */
  #addOwn(stale: Set<string>, kind: Kind<T>, snapshot: Snapshot): void {
    const before = this.#tables.get(kindKey(kind))?.table as Table<T> | undefined;
    const table = snapshot.table(kind);
    if (table === before) return;
    const changed = before === undefined ? allKeys(table) : changedIn(before, table);
    for (const key of changed) {
      const [namespace, name] = splitKey(key);
      const old = before?.get(namespace, name)?.object;
      if (!isSame(old, table.get(namespace, name)?.object)) stale.add(`${kind.kind} ${key}`);
    }
  }

  #addUsers(stale: Set<string>, source: string): void {
    for (const key of this.#sources.get(source)?.users ?? []) stale.add(key);
  }

  #remake(key: string, snapshot: Snapshot, found: Found): V | undefined {
    for (const source of this.#sourcesOf.get(key) ?? NO_SOURCES) {
      source.users.delete(key);
      if (source.users.size === 0) this.#sources.delete(source.id);
    }
    this.#sourcesOf.delete(key);
    const blank = key.indexOf(' ');
    const kind = this.#kinds.get(key.slice(0, blank)) as Kind<T>;
    const object = snapshot.get(kind, ...splitKey(key.slice(blank + 1)));
    if (object === undefined) return undefined;
    const reader = new Reader(snapshot);
    const value = this.#make(kind, object, reader, found);
    this.#made++;
    const ids = new Set<string>();
    for (const read of reader.reads) {
      this.#noteTable(read.kind, snapshot);
      const name = 'objects' in read ? '' : read.name;
      ids.add(`${kindKey(read.kind)}|${read.namespace}/${name}`);
    }
    for (const lookup of reader.lookups) ids.add(`${lookup.what}|${lookup.key}`);
    this.#sourcesOf.set(
      key,
      Array.from(ids, (id) => this.#use(id, key)),
    );
    return value;
  }

  #use(id: string, key: string): Source {
    let source = this.#sources.get(id);
    if (source === undefined) {
      source = { id, users: new Set() };
      this.#sources.set(id, source);
    }
    source.users.add(key);
    return source;
  }

  #noteTable(kind: Kind, snapshot: Snapshot): void {
    const id = kindKey(kind);
    if (!this.#tables.has(id)) this.#tables.set(id, { kind, table: snapshot.table(kind) });
  }
}

const EMPTY = VersionedMap.of<unknown>();

/** What a resolver of its kind reads of an object. */
function isSame(a: KubeObject | undefined, b: KubeObject | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    (a as { readonly spec?: unknown }).spec === (b as { readonly spec?: unknown }).spec &&
    a.metadata.uid === b.metadata.uid &&
    a.metadata.generation === b.metadata.generation
  );
}
