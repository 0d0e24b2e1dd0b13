// Everything controllers have to say about the objects, once they have come to rest on them.

import { Deployment } from '../api/apps/deployment.ts';
import { ReplicaSet } from '../api/apps/replica-set.ts';
import { StatefulSet } from '../api/apps/stateful-set.ts';
import { Endpoints } from '../api/core/endpoints.ts';
import { Node } from '../api/core/node.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import type { Finding } from '../api/finding.ts';
import { whenChanged } from '../store/remember.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { allocationFindings } from './allocation/findings.ts';
import { placementFindings } from './cluster/findings.ts';
import { createOwnerFinder } from './cluster/garbage.ts';
import { mirroringFindings } from './endpointslice/mirroring.ts';
import { CONTROLLED_KINDS } from './kinds.ts';
import { loadBalancerFindings } from './loadbalancer/findings.ts';
import { serviceAddressFindings } from './service-address/findings.ts';

/** Finds what controllers have to say of snapshots that `reconcileAll` has left behind, one after another. */
export function createControllerFinder(): (snapshot: Snapshot) => readonly Finding[] {
  const finders = [
    whenChanged([Service], allocationFindings),
    whenChanged([Service], loadBalancerFindings),
    whenChanged([Service], serviceAddressFindings),
    whenChanged([Endpoints, Service], mirroringFindings),
    whenChanged([Node, Pod, Deployment, ReplicaSet, StatefulSet], placementFindings),
    createOwnerFinder(CONTROLLED_KINDS),
  ];
  return (snapshot) => finders.flatMap((find) => find(snapshot));
}
