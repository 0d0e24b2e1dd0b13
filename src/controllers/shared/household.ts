// Owners and what they manage, as ReplicaSets and pods: keeps both by UID and by labels, and says which
// owners a change concerns.

import type { Kind, KubeObject } from '../../api/kind.ts';
import type { LabelSelector } from '../../api/meta.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { compareObjects } from '../../store/table.ts';
import { TableWatch } from './changes.ts';
import type { Changed } from './changes.ts';
import { LabelIndex } from './label-index.ts';
import { controllerOf, isTerminating, objectKey, uidOf } from './metadata.ts';
import { SelectorIndex } from './selector-index.ts';

interface Owner extends KubeObject {
  readonly spec: { readonly selector: LabelSelector };
}

export class Household<O extends Owner, C extends KubeObject> {
  readonly #ownerWatch: TableWatch<O>;
  readonly #childWatch: TableWatch<C>;
  readonly #owners = new Map<string, O>();
  readonly #keyByUid = new Map<string, string>();
  readonly #selectors = new SelectorIndex();
  readonly #owned = new Map<string, Map<string, C>>();
  readonly #orphans = new LabelIndex<C>();

  constructor(ownerKind: Kind<O>, childKind: Kind<C>) {
    this.#ownerWatch = new TableWatch(ownerKind);
    this.#childWatch = new TableWatch(childKind);
  }

  /** Takes a snapshot in; calls `concerned` with the key of every owner to look at because of it. */
  notice(snapshot: Snapshot, concerned: (ownerKey: string) => void): void {
    for (const change of this.#ownerWatch.changes(snapshot)) {
      this.#noticeOwner(change);
      const owner = change.after ?? change.before;
      if (owner !== undefined) concerned(objectKey(owner));
    }
    for (const change of this.#childWatch.changes(snapshot)) this.#noticeChild(change, concerned);
  }

  /** Undefined as well for one that is being deleted: it makes nothing any more, and takes nothing. */
  owner(key: string): O | undefined {
    const owner = this.#owners.get(key);
    return owner === undefined || isTerminating(owner) ? undefined : owner;
  }

  /** What the owner manages, by name. */
  ownedBy(owner: O): readonly C[] {
    return [...(this.#owned.get(uidOf(owner))?.values() ?? [])].toSorted(compareObjects);
  }

  /** What nobody manages and the owner selects, by name. */
  orphansFor(owner: O): readonly C[] {
    return this.#orphans.select(owner.metadata.namespace ?? '', owner.spec.selector);
  }

  #noticeOwner({ before, after }: Changed<O>): void {
    if (before !== undefined) {
      this.#owners.delete(objectKey(before));
      this.#keyByUid.delete(uidOf(before));
      this.#selectors.delete(objectKey(before));
    }
    if (after === undefined) return;
    const key = objectKey(after);
    this.#owners.set(key, after);
    this.#keyByUid.set(uidOf(after), key);
    this.#selectors.set(key, after.metadata.namespace ?? '', after.spec.selector);
  }

  #noticeChild({ before, after }: Changed<C>, concerned: (ownerKey: string) => void): void {
    if (before !== undefined) this.#remove(before, concerned);
    if (after !== undefined) this.#insert(after, concerned);
  }

  #remove(child: C, concerned: (ownerKey: string) => void): void {
    const uid = controllerOf(child)?.uid;
    if (uid === undefined) {
      this.#orphans.update({ before: child });
      return;
    }
    const owned = this.#owned.get(uid);
    owned?.delete(objectKey(child));
    if (owned?.size === 0) this.#owned.delete(uid);
    const key = this.#keyByUid.get(uid);
    if (key !== undefined) concerned(key);
  }

  #insert(child: C, concerned: (ownerKey: string) => void): void {
    const uid = controllerOf(child)?.uid;
    if (uid === undefined) {
      this.#orphans.update({ after: child });
      const { namespace = '', labels } = child.metadata;
      this.#selectors.forEachMatch(namespace, labels, concerned);
      return;
    }
    const owned = this.#owned.get(uid);
    if (owned === undefined) this.#owned.set(uid, new Map([[objectKey(child), child]]));
    else owned.set(objectKey(child), child);
    const key = this.#keyByUid.get(uid);
    if (key !== undefined) concerned(key);
  }
}
