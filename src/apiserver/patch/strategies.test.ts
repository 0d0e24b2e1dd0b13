import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { appsKinds } from '../../api/apps/kinds.ts';
import { coordinationKinds } from '../../api/coordination/kinds.ts';
import { coreKinds } from '../../api/core/kinds.ts';
import { discoveryKinds } from '../../api/discovery/kinds.ts';
import { networkingKinds } from '../../api/networking/kinds.ts';
import type { Node } from '../../api/schema/schema.ts';
import { listStrategy } from './strategies.ts';

const kinds = [
  ...coreKinds,
  ...appsKinds,
  ...discoveryKinds,
  ...coordinationKinds,
  ...networkingKinds,
];

/** Every list that is merged, as `ports by containerPort`, below the object that holds it. */
function* merged(node: Node, parent: string): Generator<string> {
  if (node.type === 'list') yield* merged(node.items, parent);
  if (node.type === 'map') yield* merged(node.values, parent);
  if (node.type !== 'object') return;
  for (const [field, { node: value }] of node.fields) {
    if (value.type === 'list') {
      const strategy = listStrategy(value, parent, field);
      if (strategy.type === 'map') yield `${parent}.${field} by ${strategy.key}`;
      if (strategy.type === 'set') yield `${parent}.${field}`;
    }
    yield* merged(value, field);
  }
}

// What the types of Kubernetes 1.37 mark with patchStrategy:"merge", by reflection over k8s.io/api.
const METADATA = ['metadata.finalizers', 'metadata.ownerReferences by uid'];
const CONTAINERS = ['containers', 'ephemeralContainers', 'initContainers'].flatMap((name) => [
  `${name}.env by name`,
  `${name}.ports by containerPort`,
  `${name}.volumeDevices by devicePath`,
  `${name}.volumeMounts by mountPath`,
]);
const POD_SPEC = [
  ...CONTAINERS,
  'spec.containers by name',
  'spec.ephemeralContainers by name',
  'spec.evictionResponders by name',
  'spec.hostAliases by ip',
  'spec.imagePullSecrets by name',
  'spec.initContainers by name',
  'spec.resourceClaims by name',
  'spec.schedulingGates by name',
  'spec.topologySpreadConstraints by topologyKey',
  'spec.volumes by name',
];
const expected: Readonly<Record<string, readonly string[]>> = {
  Deployment: [...POD_SPEC, 'status.conditions by type'],
  Namespace: ['status.conditions by type'],
  Node: ['spec.podCIDRs', 'status.addresses by type', 'status.conditions by type'],
  Pod: [
    ...POD_SPEC,
    ...['containerStatuses', 'ephemeralContainerStatuses', 'initContainerStatuses'].flatMap(
      (name) => [`${name}.allocatedResourcesStatus by name`, `${name}.volumeMounts by mountPath`],
    ),
    'nodeAllocatableResourceClaimStatuses.mapping by name',
    'nodeAllocatableResourceClaimStatuses.overhead by name',
    'status.conditions by type',
    'status.hostIPs by ip',
    'status.nodeAllocatableResourceClaimStatuses by resourceClaimName',
    'status.podIPs by ip',
    'status.resourceClaimStatuses by name',
    'volumeHealth.healthConditions by status',
  ],
  ReplicaSet: [...POD_SPEC, 'status.conditions by type'],
  Service: ['spec.ports by port', 'status.conditions by type'],
  ServiceAccount: ['.secrets by name'],
  StatefulSet: [
    ...POD_SPEC,
    'healthStatus.healthConditions by status',
    'status.conditions by type',
  ],
};

describe('lists in strategic merge patches', () => {
  for (const kind of kinds) {
    it(`of ${kind.kind} are merged where upstream's are`, () => {
      const lists = [...new Set(merged(kind.schema, ''))].toSorted();
      assert.deepEqual(lists, [...METADATA, ...(expected[kind.kind] ?? [])].toSorted());
    });
  }
});
