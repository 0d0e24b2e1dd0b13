// The kind ReplicaSet.

import { deepEqual } from '../../lib/equal.ts';
import { canonical } from '../core/canonical.ts';
import { changed, isObject } from '../core/defaulting.ts';
import { checked, int32, int64, keyed, text, time } from '../core/fields.ts';
import { podTemplateDefaults } from '../core/pod-defaults.ts';
import { PodTemplateSpec } from '../core/pod-template.ts';
import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { LabelSelector, ObjectMeta, typeMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { def, described, object, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { checkNonNegative, checkSelector, checkTemplate } from './workload-check.ts';
import { containersColumn, formatSelector, imagesColumn } from './workload-columns.ts';

const ReplicaSetSpec = object({
  replicas: def(int32('How many pods there are to be.'), 1),
  minReadySeconds: opt(int32('Seconds a pod has to be ready before it counts.')),
  selector: described(LabelSelector, 'The pods that belong to it; cannot be changed.'),
  template: def(described(PodTemplateSpec, 'What the pods are made from.'), {}),
});

const ReplicaSetCondition = object({
  type: opt(text('What the condition is about.')),
  status: opt(text('Whether it holds: True, False or Unknown.')),
  lastTransitionTime: opt(time('When status last changed.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});

const ReplicaSetStatus = object({
  replicas: requiredDef(int32('How many pods there are.'), 0),
  fullyLabeledReplicas: opt(int32('How many of them have all labels of the template.')),
  readyReplicas: opt(int32('How many of them are ready.')),
  availableReplicas: opt(int32('How many of them are ready for long enough.')),
  terminatingReplicas: opt(int32('How many are about to end.')),
  observedGeneration: opt(int64('The metadata.generation the status was made for.')),
  conditions: opt(
    keyed(ReplicaSetCondition, { keys: ['type'], doc: 'What is known of the ReplicaSet.' }),
  ),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(ReplicaSetSpec, 'The pods there are to be.'), {}),
  status: def(described(ReplicaSetStatus, 'The pods there are.'), {}),
});
export type ReplicaSet = Infer<typeof shape>;

function checkReplicaSet(
  { spec }: ReplicaSet,
  _path: string,
  old: ReplicaSet | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkNonNegative(spec.replicas, 'spec.replicas', errors);
  checkNonNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  // Upstream says deployment here as well.
  checkSelector(spec.selector, 'deployment', errors);
  checkTemplate(spec.selector, spec.template, 'ReplicaSet', errors);
  if (old !== undefined && !deepEqual(spec.selector, old.spec.selector)) {
    errors.push(fieldError.invalid('spec.selector', spec.selector, 'field is immutable'));
  }
  return errors;
}

const columns: readonly Column[] = [
  { name: 'Desired', type: 'integer', value: ({ spec }: ReplicaSet) => spec.replicas },
  { name: 'Current', type: 'integer', value: ({ status }: ReplicaSet) => status.replicas },
  { name: 'Ready', type: 'integer', value: ({ status }: ReplicaSet) => status.readyReplicas ?? 0 },
  containersColumn,
  imagesColumn,
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    value: ({ spec }: ReplicaSet) => formatSelector(spec.selector),
  },
];

export const ReplicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  doc: 'A number of pods made from one template; Deployments make these.',
  schema: checked(shape, checkReplicaSet),
  hasStatus: true,
  hasGeneration: true,
  columns,
  setDefaults: (written) => {
    const replicaSet = canonical(shape, written);
    const { spec } = replicaSet;
    if (!isObject(spec)) return replicaSet;
    return changed(replicaSet, {
      spec: changed(spec, { template: podTemplateDefaults(spec.template) }),
    });
  },
});
