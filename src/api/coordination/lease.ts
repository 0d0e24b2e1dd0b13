// The kind Lease: who leads, and until when.

import { canonical } from '../core/canonical.ts';
import { checked, int32, text, time } from '../core/fields.ts';
import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { def, described, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';

const LeaseSpec = object({
  holderIdentity: opt(text('Who holds the lease; nobody when absent.')),
  leaseDurationSeconds: opt(int32('Seconds after renewTime until others may take it.')),
  acquireTime: opt(time('When the holder took it.')),
  renewTime: opt(time('When the holder last renewed it.')),
  leaseTransitions: opt(int32('How often the holder changed.')),
  strategy: opt(text('How a coordinator picks the holder, as OldestEmulationVersion.')),
  preferredHolder: opt(text('Who should get the lease next.')),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(LeaseSpec, 'Who holds the lease.'), {}),
});
export type Lease = Infer<typeof shape>;

function checkLease({ spec }: Lease): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec;
  if (duration !== undefined && duration <= 0) {
    const detail = 'must be greater than 0';
    errors.push(fieldError.invalid('spec.leaseDurationSeconds', duration, detail));
  }
  if (transitions !== undefined && transitions < 0) {
    const detail = 'must be greater than or equal to 0';
    errors.push(fieldError.invalid('spec.leaseTransitions', transitions, detail));
  }
  if ((spec.preferredHolder ?? '') !== '' && (spec.strategy ?? '') === '') {
    const detail = 'may only be specified if `strategy` is defined';
    errors.push(fieldError.forbidden('spec.preferredHolder', detail));
  }
  return errors;
}

export const Lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  doc: 'A lock that has to be renewed, as for the election of a leader.',
  schema: checked(shape, checkLease),
  setDefaults: (lease) => canonical(shape, lease),
  columns: [
    { name: 'Holder', type: 'string', value: ({ spec }: Lease) => spec.holderIdentity ?? '' },
  ],
});
