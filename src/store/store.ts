// The objects we know now. Everything that changes an object goes through `write`, in batches: each
// batch is seen whole or not at all, and each change in it has a revision of its own, so that whoever
// follows changes can say exactly how far they came. Readers take a snapshot.

import { randomUUID } from 'node:crypto';
import type { Kind, KubeObject } from '../api/kind.ts';
import { deepEqual } from '../lib/equal.ts';
import { kindKey, Snapshot } from './snapshot.ts';
import { TableBuilder } from './table.ts';
import type { Entry, SourceRef, Table } from './table.ts';
import type { ObjectWrite } from './write.ts';

export interface StoreOptions {
  /** The clock behind creationTimestamp and deletionTimestamp. */
  readonly now?: () => Date;
  /** Where UIDs come from. */
  readonly newUid?: (kind: Kind, namespace: string, name: string) => string;
  /** The revision before the first change; 0 when absent. */
  readonly revision?: number;
}

/** One object that changed; `before` is absent when it was created, `after` when it was deleted. */
export interface Change {
  readonly kind: Kind;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
  /** The resourceVersion of `after`, or of the deletion. Each change has one of its own, ascending. */
  readonly revision: number;
}

export type ChangeListener = (changes: readonly Change[]) => void;

/** Takes changes down before anybody is told of them. Throws what it cannot take. */
export type Keeper = (changes: readonly Change[]) => void;

/** What a write did to one object, before it has its revision. */
type Effect = Omit<Change, 'revision'>;

export class Store {
  readonly #tables = new Map<string, TableBuilder>();
  readonly #listeners = new Set<ChangeListener>();
  readonly #now: () => Date;
  readonly #newUid: (kind: Kind, namespace: string, name: string) => string;
  #revision: number;
  #snapshot: Snapshot | undefined;
  #keeper: Keeper = () => undefined;

  constructor(options: StoreOptions = {}) {
    this.#now = options.now ?? (() => new Date());
    this.#newUid = options.newUid ?? (() => randomUUID());
    this.#revision = options.revision ?? 0;
  }

  /** The revision of the last change. */
  get revision(): number {
    return this.#revision;
  }

  /** One object as it is now, without the cost of a snapshot. */
  get(kind: Kind, namespace: string, name: string): Entry | undefined {
    return this.#tables.get(kindKey(kind))?.get(namespace, name);
  }

  /** Puts an object back as it was kept, identity and version included. Nobody is told. */
  restore(kind: Kind, object: KubeObject, source: SourceRef): void {
    this.#tableOf(kind).set(entryOf(object, source));
    this.#snapshot = undefined;
  }

  /** The objects as they are now. Cheap when nothing changed since the last call. */
  snapshot(): Snapshot {
    if (this.#snapshot === undefined) {
      const tables = new Map<string, Table>();
      for (const [key, builder] of this.#tables) tables.set(key, builder.freeze());
      this.#snapshot = new Snapshot(this.#revision, tables);
    }
    return this.#snapshot;
  }

  /** Names who takes down what `writeKept` writes. */
  keepWith(keeper: Keeper): void {
    this.#keeper = keeper;
  }

  /** Applies a batch. Writes that change nothing are dropped; returns what did change. */
  write(writes: readonly ObjectWrite[]): readonly Change[] {
    const changes = this.#applyAll(writes);
    if (changes.length > 0) this.#tell(changes);
    return changes;
  }

  /** As `write`, but what the keeper refuses has not been: throws what it throws, and nobody is told. */
  writeKept(writes: readonly ObjectWrite[]): readonly Change[] {
    const before = new Map(
      writes.map((write) => {
        const { namespace, name } = targetOf(write);
        const key = [kindKey(write.kind), namespace, name].join('\n');
        return [key, { write, entry: this.get(write.kind, namespace, name) }] as const;
      }),
    );
    const changes = this.#applyAll(writes);
    if (changes.length === 0) return changes;
    try {
      this.#keeper(changes);
    } catch (error) {
      for (const { write, entry } of before.values()) {
        const { namespace, name } = targetOf(write);
        const table = this.#tableOf(write.kind);
        if (entry === undefined) table.delete(namespace, name);
        else table.set(entry);
      }
      throw error;
    }
    this.#tell(changes);
    return changes;
  }

  #applyAll(writes: readonly ObjectWrite[]): readonly Change[] {
    const changes: Change[] = [];
    for (const write of writes) {
      const revision = this.#revision + 1;
      const effect = this.#apply(write, String(revision));
      if (effect === undefined) continue;
      this.#revision = revision;
      changes.push({ ...effect, revision });
    }
    if (changes.length > 0) this.#snapshot = undefined;
    return changes;
  }

  #tell(changes: readonly Change[]): void {
    for (const listener of this.#listeners) listener(changes);
  }

  /** Calls `listener` after every batch that changed something, until the returned function is called. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #apply(write: ObjectWrite, resourceVersion: string): Effect | undefined {
    const table = this.#tableOf(write.kind);
    switch (write.op) {
      case 'put': {
        const { namespace = '', name = '' } = write.object.metadata;
        const entry = table.get(namespace, name);
        return entry === undefined
          ? this.#create(table, write.kind, write.object, write.source, resourceVersion)
          : replace(table, write.kind, entry, write.object, write.source, resourceVersion);
      }
      case 'status': {
        const entry = table.get(write.namespace, write.name);
        if (entry === undefined) return undefined;
        const { managedFields } = write;
        if (statusOf(entry.object) === write.status && managedFields === undefined)
          return undefined;
        const metadata =
          managedFields === undefined
            ? entry.object.metadata
            : { ...entry.object.metadata, managedFields };
        const object = { ...entry.object, metadata, status: write.status };
        return set(table, write.kind, entry, object, entry.source, resourceVersion);
      }
      case 'terminate': {
        const entry = table.get(write.namespace, write.name);
        if (entry === undefined || entry.object.metadata.deletionTimestamp !== undefined) {
          return undefined;
        }
        const deadline = new Date(this.#now().getTime() + write.gracePeriodSeconds * 1000);
        const metadata = {
          ...entry.object.metadata,
          deletionTimestamp: timestamp(deadline),
          deletionGracePeriodSeconds: write.gracePeriodSeconds,
        };
        const object = { ...entry.object, metadata };
        return set(table, write.kind, entry, object, entry.source, resourceVersion);
      }
      case 'delete': {
        const entry = table.get(write.namespace, write.name);
        if (entry === undefined) return undefined;
        table.delete(write.namespace, write.name);
        return { kind: write.kind, before: entry.object };
      }
    }
  }

  #create(
    table: TableBuilder,
    kind: Kind,
    wanted: KubeObject,
    source: SourceRef | undefined,
    resourceVersion: string,
  ): Effect {
    const { namespace = '', name = '' } = wanted.metadata;
    const metadata = {
      ...wanted.metadata,
      uid: this.#newUid(kind, namespace, name),
      creationTimestamp: wanted.metadata.creationTimestamp ?? timestamp(this.#now()),
      resourceVersion,
      ...(kind.hasGeneration ? { generation: 1 } : {}),
    };
    const object = { ...wanted, metadata };
    table.set(entryOf(object, source));
    return { kind, after: object };
  }

  #tableOf(kind: Kind): TableBuilder {
    const key = kindKey(kind);
    let table = this.#tables.get(key);
    if (table === undefined) {
      table = new TableBuilder();
      this.#tables.set(key, table);
    }
    return table;
  }
}

/**
 * Replaces what its writer wants of an object and keeps what the system said about it: identity,
 * deletion and status stay, and the generation counts when anything but metadata and status changed.
 */
function replace(
  table: TableBuilder,
  kind: Kind,
  entry: Entry,
  written: KubeObject,
  source: SourceRef | undefined,
  resourceVersion: string,
): Effect | undefined {
  const old = entry.object;
  const wanted = kind.carryOver?.(old, written) ?? written;
  const specChanged = !sameSpec(old, wanted);
  if (!specChanged && sameMetadata(old, wanted) && sameSource(entry.source, source)) {
    return undefined;
  }
  const generation = (old.metadata.generation ?? 0) + (specChanged ? 1 : 0);
  // Whoever does not speak of who owns which field does not mean to change it.
  const managedFields = wanted.metadata.managedFields ?? old.metadata.managedFields;
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
  const object = {
    ...(specChanged ? wanted : old),
    ...(kind.hasStatus && statusOf(old) !== undefined ? { status: statusOf(old) } : {}),
    metadata: {
      ...wanted.metadata,
      ...(managedFields === undefined ? {} : { managedFields }),
      uid,
      creationTimestamp,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp, deletionGracePeriodSeconds }),
      ...(kind.hasGeneration ? { generation } : {}),
    },
  };
  return set(table, kind, entry, object, source, resourceVersion);
}

function set(
  table: TableBuilder,
  kind: Kind,
  entry: Entry,
  wanted: KubeObject,
  source: SourceRef | undefined,
  resourceVersion: string,
): Effect {
  const object = { ...wanted, metadata: { ...wanted.metadata, resourceVersion } };
  table.set(entryOf(object, source));
  return { kind, before: entry.object, after: object };
}

function targetOf(write: ObjectWrite): { readonly namespace: string; readonly name: string } {
  if (write.op !== 'put') return write;
  const { namespace = '', name = '' } = write.object.metadata;
  return { namespace, name };
}

function entryOf(object: KubeObject, source: SourceRef | undefined): Entry {
  return source === undefined ? { object } : { object, source };
}

function statusOf(object: KubeObject): unknown {
  return (object as { readonly status?: unknown }).status;
}

/** Everything but metadata and status, compared by value: a file read again is the same file. */
function sameSpec(a: KubeObject, b: KubeObject): boolean {
  return deepEqual(specOf(a), specOf(b));
}

function specOf(object: KubeObject): unknown {
  const { metadata: _metadata, ...rest } = object;
  delete (rest as { status?: unknown }).status;
  return rest;
}

function sameMetadata(a: KubeObject, b: KubeObject): boolean {
  const { managedFields } = b.metadata;
  const sameManagers =
    managedFields === undefined || deepEqual(a.metadata.managedFields ?? [], managedFields);
  return sameManagers && deepEqual(desiredMetadata(a), desiredMetadata(b));
}

function desiredMetadata(object: KubeObject): unknown {
  const { labels, annotations, ownerReferences, finalizers } = object.metadata;
  return { labels, annotations, ownerReferences, finalizers };
}

function sameSource(a: SourceRef | undefined, b: SourceRef | undefined): boolean {
  return (
    a?.source === b?.source &&
    a?.file === b?.file &&
    a?.document === b?.document &&
    a?.item === b?.item
  );
}

/** RFC 3339 in seconds, as Kubernetes writes times. */
function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
