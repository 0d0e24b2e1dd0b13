// What a deletion waits for that was asked for with a policy: with `orphan`, that what the object owns no
// longer names it; in the foreground, that what it alone owns is gone, and the rest no longer names it.
// Both are finalizers, taken off here.

import { parseApiVersion } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { kindKey } from '../../store/snapshot.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller } from '../controller.ts';
import { TableWatch } from '../shared/changes.ts';
import { isTerminating, objectKey, uidOf, withoutOwner } from '../shared/metadata.ts';
import type { OwnerReference } from '../shared/metadata.ts';
import { putWrite, removeWrites } from '../shared/writes.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export interface DeletionPolicyOptions {
  /** The kinds that own or are owned. */
  readonly kinds: () => readonly Kind[];
}

export function createDeletionPolicyController({ kinds }: DeletionPolicyOptions): Controller {
  return new DeletionPolicies(kinds);
}

class DeletionPolicies implements Controller {
  readonly name = 'deletion-policies';
  readonly #listKinds: () => readonly Kind[];
  readonly #watches = new Map<string, readonly [Kind, TableWatch<KubeObject>]>();
  /** Objects whose deletion waits, by kind and name. */
  readonly #waiting = new Map<string, readonly [Kind, KubeObject]>();

  constructor(kinds: () => readonly Kind[]) {
    this.#listKinds = kinds;
  }

  /** Kinds that users define come while we run. */
  #learnKinds(): void {
    for (const kind of this.#listKinds()) {
      const key = kindKey(kind);
      if (!this.#watches.has(key)) this.#watches.set(key, [kind, new TableWatch(kind)]);
    }
  }

  reconcile(snapshot: Snapshot): readonly ObjectWrite[] {
    this.#learnKinds();
    for (const [kind, watch] of this.#watches.values()) {
      for (const { before, after } of watch.changes(snapshot)) {
        const object = after ?? before;
        if (object === undefined) continue;
        const key = `${kind.group}/${kind.kind}/${objectKey(object)}`;
        if (after !== undefined && waits(after)) this.#waiting.set(key, [kind, after]);
        else this.#waiting.delete(key);
      }
    }
    return [...this.#waiting.values()].flatMap(([kind, owner]) =>
      this.#proceed(snapshot, kind, owner),
    );
  }

  #proceed(snapshot: Snapshot, kind: Kind, owner: KubeObject): readonly ObjectWrite[] {
    const { finalizers = [] } = owner.metadata;
    const owned = this.#ownedBy(snapshot, owner);
    if (finalizers.includes(ORPHAN)) {
      const freed = owned.map(([ownedKind, object]) =>
        putWrite(snapshot, ownedKind, withoutOwner(object, uidOf(owner))),
      );
      return [...freed, ...withoutFinalizer(snapshot, kind, owner, ORPHAN)];
    }
    if (owned.length === 0) return withoutFinalizer(snapshot, kind, owner, FOREGROUND);
    return owned.flatMap(([ownedKind, object]) =>
      this.#hasOther(snapshot, object, owner)
        ? [putWrite(snapshot, ownedKind, withoutOwner(object, uidOf(owner)))]
        : removeWrites(ownedKind, object),
    );
  }

  /** Whether somebody else owns the object, who is not about to take what they own with them. */
  #hasOther(snapshot: Snapshot, { metadata }: KubeObject, owner: KubeObject): boolean {
    const { namespace = '', ownerReferences = [] } = metadata;
    return ownerReferences.some(
      (reference) => reference.uid !== uidOf(owner) && this.#stays(snapshot, reference, namespace),
    );
  }

  /** Of owners of other kinds nothing is known: they may well be there. */
  #stays(snapshot: Snapshot, { apiVersion, kind, name, uid }: OwnerReference, namespace: string) {
    const { group } = parseApiVersion(apiVersion);
    const known = this.#listKinds().find((one) => one.kind === kind && one.group === group);
    if (known === undefined) return true;
    const object = snapshot.get(known, known.namespaced ? namespace : '', name);
    if (object === undefined || uidOf(object) !== uid) return false;
    return !(isTerminating(object) && object.metadata.finalizers?.includes(FOREGROUND) === true);
  }

  /** Looks at every object there is: deletions that wait are few, and soon over. */
  #ownedBy(snapshot: Snapshot, owner: KubeObject): readonly (readonly [Kind, KubeObject])[] {
    const uid = uidOf(owner);
    return this.#listKinds().flatMap((kind) =>
      snapshot
        .list(kind)
        .filter((object) => uidOf(object) !== uid)
        .filter(({ metadata }) => metadata.ownerReferences?.some((o) => o.uid === uid) === true)
        .map((object) => [kind, object] as const),
    );
  }
}

function waits(object: KubeObject): boolean {
  const { finalizers = [] } = object.metadata;
  return isTerminating(object) && finalizers.some((f) => f === ORPHAN || f === FOREGROUND);
}

/** Without its last finalizer the object goes. */
function withoutFinalizer(
  snapshot: Snapshot,
  kind: Kind,
  object: KubeObject,
  finalizer: string,
): readonly ObjectWrite[] {
  const { namespace = '', name = '', finalizers = [] } = object.metadata;
  const left = finalizers.filter((f) => f !== finalizer);
  const rest = { ...object, metadata: { ...object.metadata, finalizers: left } };
  if (left.length > 0) return [putWrite(snapshot, kind, rest)];
  const writes = removeWrites(kind, rest);
  // A pod that runs is deleted by its runtime, once nothing else is waited for.
  return writes.some(({ op }) => op === 'delete')
    ? [{ op: 'delete', kind, namespace, name }]
    : [putWrite(snapshot, kind, rest)];
}
