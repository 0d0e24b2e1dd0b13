// The kind Pod.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, object } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { canonical } from './canonical.ts';
import { checked } from './fields.ts';
import { checkPod } from './checks/pod-check.ts';
import { podColumns } from './pod-columns.ts';
import { podCarryOver, podDefaults } from './pod-defaults.ts';
import { PodSpec } from './pod-spec.ts';
import { PodStatus } from './pod-status.ts';

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(PodSpec, 'What the pod is made of.'), {}),
  status: def(described(PodStatus, 'What is known of it.'), {}),
});
export type Pod = Infer<typeof shape>;

export const Pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  doc: 'Containers that run together on one node, with one address.',
  schema: checked(shape, checkPod),
  hasStatus: true,
  // Since Kubernetes 1.34.
  hasGeneration: true,
  columns: podColumns,
  setDefaults: (pod) => podDefaults(canonical(shape, pod)),
  carryOver: podCarryOver,
});
