// Reading a snapshot while remembering what was read, so that a result can be used again as long as
// everything it was made from is the same. This is what makes one change cheap among ten thousand
// objects, without any resolver having to say what it depends on.

import type { Kind, KubeObject } from '../api/kind.ts';
import type { VersionedMap } from '../lib/versioned-map.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Table } from '../store/table.ts';

/** One object that was looked for, or all of a kind in a namespace, and what was found. */
type Read =
  | {
      readonly kind: Kind;
      readonly namespace: string;
      readonly name: string;
      readonly object: KubeObject | undefined;
    }
  | {
      readonly kind: Kind;
      readonly namespace: string;
      readonly objects: readonly KubeObject[];
    };

/** Something that was looked for among results, as the Gateway a route is for. */
export interface Lookup {
  /** What results they are. */
  readonly what: string;
  readonly key: string;
}

/** What resolvers read single objects through. */
export class Reader {
  readonly #snapshot: Snapshot;
  readonly #reads: Read[] = [];
  readonly #lookups: Lookup[] = [];

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): T | undefined {
    const object = this.#snapshot.get(kind, namespace, name);
    this.#reads.push({ kind: kind, namespace, name, object });
    return object;
  }

  /** All objects of a kind in a namespace. */
  list<T extends KubeObject>(kind: Kind<T>, namespace: string): readonly T[] {
    const objects = this.#snapshot.table(kind).inNamespace(namespace);
    this.#reads.push({ kind: kind, namespace, objects });
    return objects;
  }

  /** A result of another resolver: one of `results`, which all readers of a round know as `what`. */
  find<V>(what: string, results: VersionedMap<V>, key: string): V | undefined {
    this.#lookups.push({ what, key });
    return results.get(key);
  }

  /** What was read, in a form that can be checked against a later snapshot. */
  finish(): Reads {
    return new Reads(this.#snapshot, this.#reads);
  }

  get reads(): readonly Read[] {
    return this.#reads;
  }

  get lookups(): readonly Lookup[] {
    return this.#lookups;
  }
}

class Reads {
  readonly #reads: readonly Read[];
  readonly #tables: Map<Kind, Table>;

  constructor(snapshot: Snapshot, reads: readonly Read[]) {
    this.#reads = reads;
    this.#tables = tablesOf(snapshot, reads);
  }

  /** True when reading the same again would give the same objects. */
  stillHold(snapshot: Snapshot): boolean {
    const changed = new Set<Kind>();
    for (const [kind, table] of this.#tables) {
      if (snapshot.table(kind) !== table) changed.add(kind);
    }
    if (changed.size === 0) return true;
    for (const read of this.#reads) {
      if (changed.has(read.kind) && !stillHolds(read, snapshot)) return false;
    }
    // Other objects of these kinds changed: do not look again until they do.
    for (const kind of changed) this.#tables.set(kind, snapshot.table(kind));
    return true;
  }
}

function stillHolds(read: Read, snapshot: Snapshot): boolean {
  const { kind, namespace } = read;
  return 'objects' in read
    ? same(read.objects, snapshot.table(kind).inNamespace(namespace))
    : snapshot.get(kind, namespace, read.name) === read.object;
}

function tablesOf(snapshot: Snapshot, reads: readonly Read[]): Map<Kind, Table> {
  return new Map(reads.map(({ kind }) => [kind, snapshot.table(kind)]));
}

/** Results by object, each with what it was made from. */
export class Memo<K, V> {
  #entries = new Map<K, { inputs: readonly unknown[]; reads: Reads; value: V }>();
  #next = new Map<K, { inputs: readonly unknown[]; reads: Reads; value: V }>();

  /**
   * The result for `key`: made before from the same `inputs` and the same objects, or made now. Inputs
   * are compared by identity.
   */
  get(key: K, snapshot: Snapshot, inputs: readonly unknown[], make: (reader: Reader) => V): V {
    let entry = this.#entries.get(key);
    if (entry === undefined || !same(entry.inputs, inputs) || !entry.reads.stillHold(snapshot)) {
      const reader = new Reader(snapshot);
      const value = make(reader);
      entry = { inputs, reads: reader.finish(), value };
    }
    this.#next.set(key, entry);
    return entry.value;
  }

  /** Ends a round: results nobody asked for in it are forgotten. */
  sweep(): void {
    this.#entries = this.#next;
    this.#next = new Map();
  }
}

export function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
