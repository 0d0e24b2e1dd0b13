// PersistentVolumeClaim, which StatefulSets and Pods hold templates of. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const claimMessages: Package = {
  ModifyVolumeStatus: '1 targetVolumeAttributesClassName string?, 2 status string',
  PersistentVolumeClaim: `
    1 metadata meta.ObjectMeta, 2 spec PersistentVolumeClaimSpec,
    3 status PersistentVolumeClaimStatus`,
  PersistentVolumeClaimCondition: `
    1 type string, 2 status string, 3 lastProbeTime Time, 4 lastTransitionTime Time,
    5 reason string?, 6 message string?`,
  PersistentVolumeClaimSpec: `
    1 accessModes []string?, 4 selector meta.LabelSelector*?,
    2 resources VolumeResourceRequirements, 3 volumeName string?, 5 storageClassName string*?,
    6 volumeMode string*?, 7 dataSource TypedLocalObjectReference*?,
    8 dataSourceRef TypedObjectReference*?, 9 volumeAttributesClassName string*?`,
  PersistentVolumeClaimStatus: `
    1 phase string?, 2 accessModes []string?, 3 capacity {}Quantity?,
    4 conditions []PersistentVolumeClaimCondition?, 5 allocatedResources {}Quantity?,
    7 allocatedResourceStatuses {}string?, 8 currentVolumeAttributesClassName string*?,
    9 modifyVolumeStatus ModifyVolumeStatus*?, 10 healthStatus VolumeHealthStatus*?`,
  PersistentVolumeClaimTemplate: '1 metadata meta.ObjectMeta, 2 spec PersistentVolumeClaimSpec',
  VolumeHealthCondition: '1 status string, 2 reason string, 3 message string?',
  VolumeHealthStatus: '1 healthConditions []VolumeHealthCondition?, 2 lastTransitionTime Time',
  VolumeResourceRequirements: '1 limits {}Quantity?, 2 requests {}Quantity?',
};
