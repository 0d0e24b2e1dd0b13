// The kind ServiceAccount.

import { defineKind } from '../kind.ts';
import { LocalObjectReference, ObjectMeta, typeMeta } from '../meta.ts';
import { def, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { atomicList, flag, keyed } from './fields.ts';
import { ObjectReference } from './references.ts';

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  secrets: opt(
    keyed(ObjectReference, { keys: ['name'], doc: 'Secrets that pods of the account may mount.' }),
  ),
  imagePullSecrets: opt(
    atomicList(LocalObjectReference, 'Secrets with which images of its pods are pulled.'),
  ),
  automountServiceAccountToken: opt(flag('A token is put into every container of its pods.')),
});
export type ServiceAccount = Infer<typeof shape>;

export const ServiceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  doc: 'An identity for the processes in pods.',
  schema: shape,
});
