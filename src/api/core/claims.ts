// Claims on storage, as pods make them for an ephemeral volume and StatefulSets for their pods. The
// kind PersistentVolumeClaim itself is not served: nothing here provides volumes.

import { def, described, map, object, oneOf, opt, requiredDef, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { LabelSelector, ObjectMeta } from '../meta.ts';
import { keyed, requiredText, text, texts, time } from './fields.ts';
import { TypedLocalObjectReference, TypedObjectReference } from './references.ts';
import { VolumeResourceRequirements, resourceList } from './resources.ts';

export const PersistentVolumeClaimSpec = object({
  accessModes: opt(texts('How nodes may mount it: ReadWriteOnce and others.')),
  selector: opt(described(LabelSelector, 'The volumes that may be bound.')),
  resources: def(described(VolumeResourceRequirements, 'The size of the volume.'), {}),
  volumeName: opt(text('The volume that is bound.')),
  storageClassName: opt(text('Class of the storage; "" for none, the default class when absent.')),
  volumeMode: def(
    oneOf(['Block', 'Filesystem'], { doc: 'Whether it is a file system or a raw device.' }),
    'Filesystem',
  ),
  dataSource: opt(described(TypedLocalObjectReference, 'What the volume is filled from.')),
  dataSourceRef: opt(
    described(TypedObjectReference, 'What the volume is filled from, in any namespace.'),
  ),
  volumeAttributesClassName: opt(text('VolumeAttributesClass of the volume.')),
});
export type PersistentVolumeClaimSpec = Infer<typeof PersistentVolumeClaimSpec>;

const PersistentVolumeClaimCondition = object({
  type: requiredText('What the condition is about.'),
  status: requiredText('Whether it holds: True, False or Unknown.'),
  lastProbeTime: opt(time('When it was last looked at.')),
  lastTransitionTime: opt(time('When status last changed.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});

const ModifyVolumeStatus = object({
  targetVolumeAttributesClassName: opt(text('The class that is being applied.')),
  status: requiredText('How far that is: Pending, InProgress or Infeasible.'),
});

const VolumeHealthCondition = object({
  status: requiredText('What is wrong: Inaccessible, DataLoss or Degraded.'),
  reason: requiredText('Why, in one word for programs.'),
  message: opt(text('Why, in a sentence for people.')),
});

/** What is wrong with a volume, as its driver says. */
export const healthConditions = opt(
  keyed(VolumeHealthCondition, {
    keys: ['status', 'reason'],
    mergeKey: 'status',
    doc: 'What is wrong with the volume.',
  }),
);

const VolumeHealthStatus = object({
  healthConditions,
  lastTransitionTime: opt(time('When the conditions last changed.')),
});

const PersistentVolumeClaimStatus = object({
  phase: def(text('Pending, Bound or Lost.'), 'Pending'),
  accessModes: opt(texts('How nodes may mount the bound volume.')),
  capacity: opt(resourceList('What the bound volume holds.')),
  conditions: opt(
    keyed(PersistentVolumeClaimCondition, { keys: ['type'], doc: 'What is known of the claim.' }),
  ),
  allocatedResources: opt(resourceList('The size that is being provided.')),
  allocatedResourceStatuses: opt(map(string(), { doc: 'How far a change of size is.' })),
  currentVolumeAttributesClassName: opt(text('The class that is in effect.')),
  modifyVolumeStatus: opt(described(ModifyVolumeStatus, 'How far a change of class is.')),
  healthStatus: opt(described(VolumeHealthStatus, 'Health of the volume.')),
});

/** A claim made for a pod with an ephemeral volume. */
export const PersistentVolumeClaimTemplate = object({
  metadata: def(described(ObjectMeta, 'Labels and annotations of the claim.'), {}),
  spec: requiredDef(described(PersistentVolumeClaimSpec, 'The claim.'), {}),
});

/** A claim as a StatefulSet makes it for each pod. */
export const PersistentVolumeClaim = object({
  apiVersion: def(text('API version of the claim.'), 'v1'),
  kind: def(text('Kind of the claim.'), 'PersistentVolumeClaim'),
  metadata: def(described(ObjectMeta, 'Name, labels and annotations of the claim.'), {}),
  spec: def(described(PersistentVolumeClaimSpec, 'The claim.'), {}),
  status: def(described(PersistentVolumeClaimStatus, 'Not used in a template.'), {}),
});
export type PersistentVolumeClaim = Infer<typeof PersistentVolumeClaim>;
