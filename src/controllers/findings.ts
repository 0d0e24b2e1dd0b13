// Everything controllers have to say about the objects, once they have come to rest on them.

import type { Finding } from '../api/finding.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { allocationFindings } from './allocation/findings.ts';
import { placementFindings } from './cluster/findings.ts';
import { ownerFindings } from './cluster/garbage.ts';
import { mirroringFindings } from './endpointslice/mirroring.ts';
import { CONTROLLED_KINDS } from './kinds.ts';
import { loadBalancerFindings } from './loadbalancer/findings.ts';
import { serviceAddressFindings } from './service-address/findings.ts';

/** Findings of all controllers about a snapshot that `reconcileAll` has left behind. */
export function controllerFindings(snapshot: Snapshot): readonly Finding[] {
  return [
    ...allocationFindings(snapshot),
    ...loadBalancerFindings(snapshot),
    ...serviceAddressFindings(snapshot),
    ...mirroringFindings(snapshot),
    ...placementFindings(snapshot),
    ...ownerFindings(snapshot, CONTROLLED_KINDS),
  ];
}
