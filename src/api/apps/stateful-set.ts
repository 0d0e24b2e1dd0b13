// The kind StatefulSet.

import { canonical } from '../core/canonical.ts';
import { PersistentVolumeClaim } from '../core/claims.ts';
import { changed, isObject } from '../core/defaulting.ts';
import { atomicList, checked, choice, int32, int64, keyed, text, time } from '../core/fields.ts';
import { podTemplateDefaults } from '../core/pod-defaults.ts';
import { PodTemplateSpec } from '../core/pod-template.ts';
import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { LabelSelector, ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, intOrString, object, oneOf, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { checkStatefulSet } from './stateful-set-check.ts';
import { containersColumn, imagesColumn } from './workload-columns.ts';

const RollingUpdate = object({
  partition: def(int32('Only pods from this ordinal on are updated.'), 0),
  maxUnavailable: def(
    intOrString({ doc: 'How many pods may be missing during an update: a number or a share.' }),
    1,
  ),
});

const UpdateStrategy = object({
  type: def(
    choice<'RollingUpdate' | 'OnDelete' | 'Recreate'>(
      'RollingUpdate, OnDelete (pods are replaced when somebody deletes them) or Recreate.',
    ),
    'RollingUpdate',
  ),
  rollingUpdate: opt(described(RollingUpdate, 'How fast, for RollingUpdate.')),
});

const retentions = ['Retain', 'Delete'] as const;

const ClaimRetentionPolicy = object({
  whenDeleted: def(
    oneOf(retentions, { doc: 'What becomes of claims when the StatefulSet is deleted.' }),
    'Retain',
  ),
  whenScaled: def(
    oneOf(retentions, { doc: 'What becomes of claims when there are to be fewer pods.' }),
    'Retain',
  ),
});

const Ordinals = object({ start: opt(int32('The first ordinal; 0 when absent.')) });

const StatefulSetSpec = object({
  replicas: def(int32('How many pods there are to be.'), 1),
  selector: described(LabelSelector, 'The pods that belong to it; cannot be changed.'),
  template: requiredDef(described(PodTemplateSpec, 'What the pods are made from.'), {}),
  volumeClaimTemplates: opt(
    atomicList(PersistentVolumeClaim, 'Claims on storage every pod gets for itself.'),
  ),
  serviceName: opt(text('The headless Service below which the pods have names.')),
  podManagementPolicy: def(
    choice<'OrderedReady' | 'Parallel'>(
      'OrderedReady (one pod after the other) or Parallel; cannot be changed.',
    ),
    'OrderedReady',
  ),
  updateStrategy: def(described(UpdateStrategy, 'How old pods are replaced by new ones.'), {}),
  revisionHistoryLimit: def(int32('How many old revisions are kept to go back to.'), 10),
  minReadySeconds: opt(int32('Seconds a pod has to be ready before it counts.')),
  persistentVolumeClaimRetentionPolicy: def(
    described(ClaimRetentionPolicy, 'What becomes of the claims of pods that are gone.'),
    {},
  ),
  ordinals: opt(described(Ordinals, 'How pods are numbered.')),
});

const StatefulSetCondition = object({
  type: opt(text('What the condition is about.')),
  status: opt(text('Whether it holds: True, False or Unknown.')),
  lastTransitionTime: opt(time('When status last changed.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});

const StatefulSetStatus = object({
  observedGeneration: opt(int64('The metadata.generation the status was made for.')),
  replicas: requiredDef(int32('How many pods there are.'), 0),
  readyReplicas: opt(int32('How many of them are ready.')),
  currentReplicas: opt(int32('How many of them are of currentRevision.')),
  updatedReplicas: opt(int32('How many of them are of updateRevision.')),
  currentRevision: opt(text('The revision before the update.')),
  updateRevision: opt(text('The revision after the update.')),
  collisionCount: opt(int32('How often a name for a revision was taken already.')),
  conditions: opt(
    keyed(StatefulSetCondition, { keys: ['type'], doc: 'What is known of the StatefulSet.' }),
  ),
  availableReplicas: opt(int32('How many of them are ready for long enough.')),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(StatefulSetSpec, 'The pods there are to be.'), {}),
  status: def(described(StatefulSetStatus, 'The pods there are.'), {}),
});
export type StatefulSet = Infer<typeof shape>;

function statefulSetDefaults(statefulSet: StatefulSet): StatefulSet {
  const { spec } = statefulSet;
  if (!isObject(spec)) return statefulSet;
  const { updateStrategy: strategy } = spec;
  const rolls =
    isObject(strategy) && strategy.type === 'RollingUpdate' && strategy.rollingUpdate === undefined;
  const rollingUpdate = { partition: 0, maxUnavailable: 1 };
  return changed(statefulSet, {
    spec: changed(spec, {
      template: podTemplateDefaults(spec.template),
      updateStrategy: rolls ? { ...strategy, rollingUpdate } : strategy,
    }),
  });
}

const columns: readonly Column[] = [
  {
    name: 'Ready',
    type: 'string',
    value: ({ spec, status }: StatefulSet) => `${status.readyReplicas ?? 0}/${spec.replicas}`,
  },
  containersColumn,
  imagesColumn,
];

export const StatefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  doc: 'Pods with names and storage of their own that outlast them.',
  schema: checked(shape, checkStatefulSet),
  hasStatus: true,
  hasGeneration: true,
  columns,
  nameFormat: 'dns1123Label',
  setDefaults: (statefulSet) => statefulSetDefaults(canonical(shape, statefulSet)),
});
