// Who belongs to an owner: what carries its reference and is still selected stays, what is no longer
// selected is let go, and what is selected and nobody's is adopted (k8s.io/kubernetes
// pkg/controller/controller_ref_manager.go).

import type { Kind, KubeObject } from '../../api/kind.ts';
import type { LabelSelector } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { controllerReference, isTerminating, uidOf, withOwner, withoutOwner } from './metadata.ts';
import { putWrite } from './writes.ts';

export interface ClaimOptions<C extends KubeObject> {
  readonly snapshot: Snapshot;
  readonly owner: KubeObject;
  readonly ownerKind: Kind;
  readonly childKind: Kind<C>;
  readonly selector: LabelSelector;
  readonly owned: readonly C[];
  /** Without a controller, and selected. */
  readonly orphans: readonly C[];
}

export interface Claim<C> {
  /** What belongs to the owner once the writes are done. */
  readonly held: readonly C[];
  readonly writes: readonly ObjectWrite[];
}

/** An owner that is being deleted neither adopts nor lets go. */
export function claim<C extends KubeObject>(options: ClaimOptions<C>): Claim<C> {
  const { snapshot, owner, ownerKind, childKind, selector, owned, orphans } = options;
  const isSelected = (child: C): boolean => matchesSelector(selector, child.metadata.labels);
  const held = owned.filter(isSelected);
  if (isTerminating(owner)) return { held, writes: [] };
  const reference = controllerReference(ownerKind, owner);
  const released = owned
    .filter((child) => !isSelected(child) && !isTerminating(child))
    .map((child) => withoutOwner(child, uidOf(owner)));
  const adopted = orphans
    .filter((child) => !isTerminating(child))
    .map((child) => withOwner(child, reference));
  return {
    held: [...held, ...adopted],
    writes: [...released, ...adopted].map((child) => putWrite(snapshot, childKind, child)),
  };
}
