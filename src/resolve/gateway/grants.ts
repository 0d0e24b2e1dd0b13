// ReferenceGrants: may an object of one namespace refer to one of another? Without a grant in the
// namespace referred to, it may not (GEP-709).

import { ReferenceGrant } from '../../api/gateway/referencegrant.ts';
import type { Reader } from '../reader.ts';

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

export interface Grants {
  permits(from: ReferenceFrom, to: ReferenceTo): boolean;
}

/** The grants there are; those that were asked count as read. */
export function grantsOf(reader: Reader): Grants {
  return {
    permits: (from, to) =>
      from.namespace === to.namespace ||
      reader.list(ReferenceGrant, to.namespace).some((grant) => grantPermits(grant, from, to)),
  };
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
