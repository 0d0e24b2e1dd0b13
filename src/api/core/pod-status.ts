// What is known of a running pod.

import { described, list, object, opt, requiredDef, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { healthConditions } from './claims.ts';
import { ContainerStatus } from './container-status.ts';
import { atomicList, int64, keyed, quantity, requiredText, setList, text, time } from './fields.ts';
import { ResourceRequirements, resourceList } from './resources.ts';

const PodCondition = object({
  type: requiredText('What the condition is about, as Ready.'),
  observedGeneration: opt(int64('The metadata.generation the verdict was made for.')),
  status: requiredText('Whether it holds: True, False or Unknown.'),
  lastProbeTime: opt(time('When it was last looked at.')),
  lastTransitionTime: opt(time('When status last changed.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});
export type PodCondition = Infer<typeof PodCondition>;

const HostIP = object({ ip: requiredText('An address of the node.') });

const PodIP = object({ ip: requiredText('An address of the pod.') });

const PodResourceClaimStatus = object({
  name: requiredText('Name of an entry of spec.resourceClaims.'),
  resourceClaimName: opt(text('The ResourceClaim made for it.')),
});

const ContainerExtendedResourceRequest = object({
  containerName: requiredText('The container.'),
  resourceName: requiredText('The resource it asks for.'),
  requestName: requiredText('The request of the claim that provides it.'),
});

const PodExtendedResourceClaimStatus = object({
  requestMappings: requiredDef(
    atomicList(ContainerExtendedResourceRequest, 'Which request provides which resource.'),
    [],
  ),
  resourceClaimName: requiredText('The ResourceClaim that provides extended resources.'),
});

const MappedResources = object({
  name: requiredText('The resource of the node.'),
  quantity: quantity('How much of it.'),
});

const OverheadResources = object({
  name: requiredText('The resource of the node.'),
  perPod: opt(quantity('How much once for the pod.')),
  perContainer: opt(quantity('How much for every container.')),
});

const NodeAllocatableResourceClaimStatus = object({
  resourceClaimName: requiredText('The ResourceClaim.'),
  containers: opt(setList(string(), 'The containers that use it.')),
  mapping: opt(
    keyed(MappedResources, { keys: ['name'], doc: 'Resources of the node it stands for.' }),
  ),
  overhead: opt(
    keyed(OverheadResources, { keys: ['name'], doc: 'Resources of the node it costs besides.' }),
  ),
});

const PodVolumeHealth = object({
  name: requiredText('Name of the volume.'),
  healthConditions,
  lastTransitionTime: opt(time('When the conditions last changed.')),
});

export const PodStatus = object({
  observedGeneration: opt(int64('The metadata.generation the status was made for.')),
  phase: opt(text('Pending, Running, Succeeded, Failed or Unknown.')),
  conditions: opt(keyed(PodCondition, { keys: ['type'], doc: 'What is known of the pod.' })),
  message: opt(text('Why the pod is as it is, in a sentence for people.')),
  reason: opt(text('Why the pod is as it is, in one word for programs.')),
  nominatedNodeName: opt(text('The node the pod waits for room on.')),
  hostIP: opt(text('Address of the node.')),
  hostIPs: opt(
    list(HostIP, { listType: 'atomic', mergeKey: 'ip', doc: 'All addresses of the node.' }),
  ),
  podIP: opt(text('Address of the pod.')),
  podIPs: opt(keyed(PodIP, { keys: ['ip'], doc: 'All addresses: one of each family.' })),
  startTime: opt(time('When the node took the pod on.')),
  initContainerStatuses: opt(atomicList(ContainerStatus, 'One for each init container.')),
  containerStatuses: opt(atomicList(ContainerStatus, 'One for each container.')),
  qosClass: opt(text('Guaranteed, Burstable or BestEffort.')),
  ephemeralContainerStatuses: opt(atomicList(ContainerStatus, 'One for each ephemeral one.')),
  resize: opt(text('How far a change of resources is; no longer filled in.')),
  resourceClaimStatuses: opt(
    keyed(PodResourceClaimStatus, { keys: ['name'], doc: 'ResourceClaims made for the pod.' }),
  ),
  extendedResourceClaimStatus: opt(
    described(PodExtendedResourceClaimStatus, 'Extended resources that a claim provides.'),
  ),
  allocatedResources: opt(resourceList('What the node set aside for the pod.')),
  resources: opt(described(ResourceRequirements, 'Limits and requests in effect.')),
  nodeAllocatableResourceClaimStatuses: opt(
    keyed(NodeAllocatableResourceClaimStatus, {
      keys: ['resourceClaimName'],
      doc: 'Claims that stand for resources of the node.',
    }),
  ),
  volumeHealth: opt(keyed(PodVolumeHealth, { keys: ['name'], doc: 'Volumes that are not well.' })),
});
export type PodStatus = Infer<typeof PodStatus>;
