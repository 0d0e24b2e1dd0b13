// ReferenceGrants: may an object of one namespace refer to one of another? Without a grant in the
// namespace referred to, it may not (GEP-709).

import { ReferenceGrant } from '../../api/gateway/referencegrant.ts';
import type { Reader } from '../reader.ts';
import type { Snapshot } from '../../store/snapshot.ts';

export interface ReferenceFrom {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

export interface ReferenceTo {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** All grants. A new value only when a grant has changed. */
export interface Grants {
  permits(from: ReferenceFrom, to: ReferenceTo): boolean;
}

const made = new WeakMap<object, Grants>();

/** The grants of a snapshot. */
export function grantsOf(snapshot: Snapshot): Grants {
  const table = snapshot.table(ReferenceGrant);
  let grants = made.get(table);
  if (grants === undefined) {
    grants = {
      permits: (from, to) =>
        from.namespace === to.namespace ||
        table.inNamespace(to.namespace).some((grant) => grantPermits(grant, from, to)),
    };
    made.set(table, grants);
  }
  return grants;
}

function grantPermits(grant: ReferenceGrant, from: ReferenceFrom, to: ReferenceTo): boolean {
  return (
    grant.spec.from.some(
      (f) => f.group === from.group && f.kind === from.kind && f.namespace === from.namespace,
    ) &&
    grant.spec.to.some(
      (t) =>
        t.group === to.group &&
        t.kind === to.kind &&
        (t.name === undefined || t.name === '' || t.name === to.name),
    )
  );
}

/** Where resolvers of single objects find everything beyond the object itself. */
export interface Surroundings {
  readonly reader: Reader;
  readonly grants: Grants;
  /** Whether Services of type ExternalName may be backends; absent: they may not. */
  readonly externalNames?: boolean;
}
