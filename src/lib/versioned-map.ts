// A map whose every version stays readable, for the price of what changed: the newest version holds
// the entries, and each older one holds what it had instead of the next and the way to it (Baker's
// version arrays). So "what changed since the version I saw" is asked without looking at the rest, and
// a version nobody holds any more costs nothing. Reading an old version is slower the older it is.

type Undo<V> = Map<string, V | undefined>;

export class VersionedMap<V> implements ReadonlyMap<string, V> {
  /** Set in the newest version only. */
  #entries: Map<string, V> | undefined;
  /** The version after this one, and what it changed, as it was before. */
  #next: VersionedMap<V> | undefined;
  #undo: Undo<V> | undefined;
  readonly #size: number;

  private constructor(entries: Map<string, V>) {
    this.#entries = entries;
    this.#size = entries.size;
  }

  static of<V>(entries: Iterable<readonly [string, V]> = []): VersionedMap<V> {
    return new VersionedMap(new Map(entries));
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    let version = this as VersionedMap<V>;
    while (version.#next !== undefined) {
      const undo = version.#undo as Undo<V>;
      if (undo.has(key)) return undo.get(key);
      version = version.#next;
    }
    return (version.#entries as Map<string, V>).get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /**
   * The next version: each key gets its value, or goes when that is undefined. Gives this very version
   * when nothing is different. Cheap for the newest version; a second successor of an older one is a copy.
   */
  with(changes: Iterable<readonly [string, V | undefined]>): VersionedMap<V> {
    const undo: Undo<V> = new Map();
    const entries = this.#entries ?? this.#copy();
    for (const [key, value] of changes) {
      const before = entries.get(key);
      if (before === value) continue;
      if (!undo.has(key)) undo.set(key, before);
      if (value === undefined) entries.delete(key);
      else entries.set(key, value);
    }
    if (undo.size === 0) return this;
    const next = new VersionedMap(entries);
    if (this.#entries === undefined) return next;
    this.#entries = undefined;
    this.#undo = undo;
    this.#next = next;
    return next;
  }

  /** The keys whose values may differ from those of an earlier version; undefined when it is none of this map's. */
  changedSince(earlier: VersionedMap<V>): ReadonlySet<string> | undefined {
    if (earlier === this) return NONE;
    if (earlier.#next === this) return new Set((earlier.#undo as Undo<V>).keys());
    const keys = new Set<string>();
    let version = earlier;
    while (version !== this) {
      if (version.#next === undefined) return undefined;
      for (const key of (version.#undo as Undo<V>).keys()) keys.add(key);
      version = version.#next;
    }
    return keys;
  }

  /** In no order anybody may rely on. */
  entries(): MapIterator<[string, V]> {
    return (this.#entries ?? this.#copy()).entries();
  }

  keys(): MapIterator<string> {
    return (this.#entries ?? this.#copy()).keys();
  }

  values(): MapIterator<V> {
    return (this.#entries ?? this.#copy()).values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  /** The entries of an old version: those of the newest, with what came between undone. */
  #copy(): Map<string, V> {
    const undone: Undo<V> = new Map();
    let version = this as VersionedMap<V>;
    while (version.#next !== undefined) {
      for (const [key, value] of version.#undo as Undo<V>) {
        if (!undone.has(key)) undone.set(key, value);
      }
      version = version.#next;
    }
    const entries = new Map(version.#entries);
    for (const [key, value] of undone) {
      if (value === undefined) entries.delete(key);
      else entries.set(key, value);
    }
    return entries;
  }
}

const NONE: ReadonlySet<string> = new Set();

/** The keys whose values differ between two maps: at once where one is a later version of the other. */
export function changedKeys<V>(
  before: ReadonlyMap<string, V>,
  after: ReadonlyMap<string, V>,
): ReadonlySet<string> {
  if (before === after) return NONE;
  if (before instanceof VersionedMap && after instanceof VersionedMap) {
    const changed = (after as VersionedMap<V>).changedSince(before as VersionedMap<V>);
    if (changed !== undefined) return changed;
  }
  const keys = new Set<string>();
  for (const [key, value] of after) if (before.get(key) !== value) keys.add(key);
  for (const key of before.keys()) if (!after.has(key)) keys.add(key);
  return keys;
}
