// Deletes what belonged to an owner that is gone, as the pods of a ReplicaSet. What was written down in
// a file is not garbage: a manifest saved from a cluster names owners by UIDs that mean nothing here,
// and belongs to the owner of that kind and name, if there is one.

import { parseApiVersion } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { Finding } from '../../api/finding.ts';
import { kindKey } from '../../store/snapshot.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { compareObjects } from '../../store/table.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller, ReconcileContext } from '../controller.ts';
import { Agenda } from '../shared/agenda.ts';
import { TableWatch } from '../shared/changes.ts';
import type { Changed } from '../shared/changes.ts';
import { refOf } from '../shared/findings.ts';
import { uidOf } from '../shared/metadata.ts';
import type { OwnerReference } from '../shared/metadata.ts';
import { putWrite, removeWrites } from '../shared/writes.ts';

export interface GarbageOptions {
  /** The kinds that own or are owned. */
  readonly kinds: () => readonly Kind[];
}

export function createGarbageController({ kinds }: GarbageOptions): Controller {
  return new Garbage(kinds);
}

class Garbage implements Controller {
  readonly name = 'garbage';
  readonly #listKinds: () => readonly Kind[];
  readonly #kinds = new Map<string, Kind>();
  readonly #watches = new Map<string, TableWatch<KubeObject>>();
  readonly #alive = new Set<string>();
  /** Keys of objects by the UID of an owner. */
  readonly #dependents = new Map<string, Set<string>>();
  /** Objects in files whose owners are not there: they may come yet. */
  readonly #waiting = new Set<string>();
  readonly #agenda = new Agenda();

  constructor(kinds: () => readonly Kind[]) {
    this.#listKinds = kinds;
  }

  reconcile(snapshot: Snapshot, { now }: ReconcileContext): readonly ObjectWrite[] {
    let isChanged = false;
    this.#learnKinds();
    for (const [kind, watch] of this.#watches) {
      for (const change of watch.changes(snapshot)) {
        this.#notice(kind, change);
        isChanged = true;
      }
    }
    if (isChanged) for (const key of this.#waiting) this.#agenda.add(key);
    const out: ObjectWrite[] = [];
    const gone = new Set<string>();
    this.#agenda.work(now.getTime(), (key) => {
      const writes = this.#collectAll(snapshot, key, gone);
      out.push(...writes);
      return { wrote: writes.length > 0 };
    });
    return out;
  }

  /** Kinds that users define come while we run. One that goes has no objects any more. */
  #learnKinds(): void {
    for (const kind of this.#listKinds()) {
      const key = kindKey(kind);
      if (this.#kinds.has(key)) continue;
      this.#kinds.set(key, kind);
      this.#watches.set(key, new TableWatch(kind));
    }
  }

  #notice(kind: string, { before, after }: Changed<KubeObject>): void {
    if (before !== undefined) {
      const key = placeOf(kind, before);
      for (const { uid } of ownersOf(before)) {
        const keys = this.#dependents.get(uid);
        keys?.delete(key);
        if (keys?.size === 0) this.#dependents.delete(uid);
      }
      if (after === undefined || uidOf(after) !== uidOf(before)) this.#bury(uidOf(before));
    }
    if (after === undefined) return;
    this.#alive.add(uidOf(after));
    const key = placeOf(kind, after);
    for (const { uid } of ownersOf(after)) {
      const keys = this.#dependents.get(uid);
      if (keys === undefined) this.#dependents.set(uid, new Set([key]));
      else keys.add(key);
      this.#agenda.add(key);
    }
  }

  #bury(uid: string): void {
    this.#alive.delete(uid);
    for (const key of this.#dependents.get(uid) ?? []) this.#agenda.add(key);
  }

  /** What an object that goes owned goes at once, however long the line: not one in each round. */
  #collectAll(snapshot: Snapshot, first: string, gone: Set<string>): readonly ObjectWrite[] {
    const out: ObjectWrite[] = [];
    const keys = [first];
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
      if (gone.has(key)) continue;
      for (const write of this.#collect(snapshot, key)) {
        out.push(write);
        if (write.op !== 'delete') continue;
        gone.add(key);
        const { object } = snapshot.table(write.kind).get(write.namespace, write.name) ?? {};
        if (object === undefined) continue;
        this.#alive.delete(uidOf(object));
        keys.push(...(this.#dependents.get(uidOf(object)) ?? []));
      }
    }
    return out;
  }

  #collect(snapshot: Snapshot, key: string): readonly ObjectWrite[] {
    const { kindName, namespace, name } = splitPlace(key);
    const kind = this.#kinds.get(kindName);
    this.#waiting.delete(key);
    if (kind === undefined) return [];
    const entry = snapshot.table(kind).get(namespace, name);
    if (entry === undefined) return [];
    const { object } = entry;
    const owners = ownersOf(object);
    const left = owners.filter((owner) => !this.#isGone(owner));
    if (left.length === owners.length) return [];
    if (isInFile(entry)) {
      const named = owners.map((owner) => this.#byName(snapshot, owner, namespace) ?? owner);
      if (named.some((owner) => this.#isGone(owner))) this.#waiting.add(key);
      return named.every((owner, i) => owner === owners[i])
        ? []
        : [putOwners(snapshot, kind, object, named)];
    }
    return left.length === 0
      ? removeWrites(kind, object)
      : [putOwners(snapshot, kind, object, left)];
  }

  /** Of owners of other kinds nothing is known: they may well be there. */
  #isGone(owner: OwnerReference): boolean {
    return !this.#alive.has(owner.uid) && kindOf(owner, this.#kinds.values()) !== undefined;
  }

  /** The reference with the UID of the owner that is there; undefined when there is none. */
  #byName(
    snapshot: Snapshot,
    owner: OwnerReference,
    namespace: string,
  ): OwnerReference | undefined {
    if (this.#alive.has(owner.uid)) return owner;
    const kind = kindOf(owner, this.#kinds.values());
    const found =
      kind === undefined
        ? undefined
        : snapshot.get(kind, kind.namespaced ? namespace : '', owner.name);
    return found === undefined ? undefined : { ...owner, uid: uidOf(found) };
  }
}

/** Finds objects in files whose owner is nowhere to be found. */
export function createOwnerFinder(
  kinds: readonly Kind[],
): (snapshot: Snapshot) => readonly Finding[] {
  const watches = kinds.map((kind) => ({
    kind,
    watch: new TableWatch(kind),
    /** Objects with owners, by namespace and name. */
    owned: new Map<string, KubeObject>(),
  }));
  return (snapshot) =>
    watches.flatMap(({ kind, watch, owned }) => {
      for (const { before, after } of watch.changes(snapshot)) {
        if (before !== undefined) owned.delete(placeOf('', before));
        if (after !== undefined && ownersOf(after).length > 0) owned.set(placeOf('', after), after);
      }
      const table = snapshot.table(kind);
      return [...owned.values()].toSorted(compareObjects).flatMap((object) => {
        const { namespace = '', name = '' } = object.metadata;
        return isInFile(table.get(namespace, name)) ? ownerFindings(snapshot, kinds, object) : [];
      });
    });
}

function ownerFindings(
  snapshot: Snapshot,
  kinds: readonly Kind[],
  object: KubeObject,
): readonly Finding[] {
  const { namespace = '' } = object.metadata;
  return ownersOf(object).flatMap((owner, i): readonly Finding[] => {
    const ownerKind = kindOf(owner, kinds);
    const scope = ownerKind?.namespaced === false ? '' : namespace;
    if (ownerKind !== undefined && snapshot.get(ownerKind, scope, owner.name) !== undefined) {
      return [];
    }
    return [
      {
        severity: 'info',
        reason: 'OwnerNotFound',
        message: `${owner.kind} ${owner.name}, which owns the object, is not there`,
        hint: 'A cluster would delete the object. Remove ownerReferences to make it stand alone.',
        origin: { object: refOf(object), field: `metadata.ownerReferences[${i}]` },
      },
    ];
  });
}

function kindOf(owner: OwnerReference, kinds: Iterable<Kind>): Kind | undefined {
  const { group } = parseApiVersion(owner.apiVersion);
  for (const kind of kinds) if (kind.kind === owner.kind && kind.group === group) return kind;
  return undefined;
}

function ownersOf({ metadata }: KubeObject): readonly OwnerReference[] {
  return metadata.ownerReferences ?? [];
}

function isInFile(entry: { readonly source?: { readonly file: string } } | undefined): boolean {
  return (entry?.source?.file ?? '') !== '';
}

function putOwners(
  snapshot: Snapshot,
  kind: Kind,
  object: KubeObject,
  ownerReferences: readonly OwnerReference[],
): ObjectWrite {
  return putWrite(snapshot, kind, { ...object, metadata: { ...object.metadata, ownerReferences } });
}

/** Kinds hold slashes, names do not: the last two parts are namespace and name. */
function placeOf(kind: string, { metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function splitPlace(key: string): { kindName: string; namespace: string; name: string } {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  const namespace = parts.pop() ?? '';
  return { kindName: parts.join('/'), namespace, name };
}
