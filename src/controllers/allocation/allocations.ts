// Which Service has which addresses and node ports: what the allocators decide by. Filled from the
// Services there are; the Services themselves are the record.

import { Service } from '../../api/core/service.ts';
import { needsClusterIp, needsHealthCheck, needsNodePorts } from '../../api/core/service-type.ts';
import { FairwayError } from '../../lib/errors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { TableWatch } from '../shared/changes.ts';
import type { Changed } from '../shared/changes.ts';
import { compareAge, compareText, objectKey, uidOf } from '../shared/metadata.ts';
import { createAddressRange } from './address-range.ts';
import type { AddressRange } from './address-range.ts';
import { portBand } from './bands.ts';
import { Pool } from './pool.ts';

export interface AllocationRanges {
  /**
   * Addresses of Services, as `127.96.0.0/16`; of both families as `10.96.0.0/16,fd00:96::/112`, that of
   * Services which do not say a family first.
   */
  readonly serviceCidr: string;
  /** Node ports; 30000 to 32767 when absent. */
  readonly nodePorts?: { readonly first: number; readonly last: number };
}

const NODE_PORTS_DEFAULT = { first: 30_000, last: 32_767 } as const;

export class Allocations {
  /** One of each family there is; the first is that of Services which do not say one. */
  readonly ranges: readonly AddressRange[];
  readonly ports: Pool;

  /** Throws a FairwayError when `serviceCidr` is no range, or several of one family. */
  constructor({ serviceCidr, nodePorts = NODE_PORTS_DEFAULT }: AllocationRanges) {
    this.ranges = serviceCidr.split(',').map(createAddressRange);
    if (new Set(this.ranges.map(({ family }) => family)).size < this.ranges.length) {
      throw new FairwayError('FW_BAD_RANGE', `two ranges of one family: ${serviceCidr}`, {
        hint: 'give one of IPv4, one of IPv6, or one of each, as 10.96.0.0/16,fd00:96::/112',
      });
    }
    this.ports = new Pool(portBand(nodePorts.first, nodePorts.last));
  }

  /** Takes in what changed: who has a number keeps it, and among new Services the older goes first. */
  follow(changes: readonly Changed<Service>[]): void {
    for (const { before } of changes) if (before !== undefined) this.release(before);
    const claims = changes.toSorted(
      (a, b) => seniority(a) - seniority(b) || compareClaimants(a.after, b.after),
    );
    for (const { after } of claims) if (after !== undefined) this.claim(after);
  }

  /** Takes down what the Service has, as far as nobody else has it. */
  claim(service: Service): void {
    const owner = ownerOf(service);
    this.#eachAddress(service, (pool, number) => pool.claim(number, owner));
    for (const port of portsOf(service)) this.ports.claim(port, owner);
  }

  /** The Service has gone, or is about to be looked at anew. */
  release(service: Service): void {
    const owner = ownerOf(service);
    this.#eachAddress(service, (pool, number) => pool.release(number, owner));
    for (const port of portsOf(service)) this.ports.release(port, owner);
  }

  #eachAddress({ spec }: Service, take: (pool: Pool, number: number) => void): void {
    if (!needsClusterIp(spec)) return;
    for (const address of spec.clusterIPs ?? []) {
      for (const range of this.ranges) {
        const number = range.numberOf(address);
        if (number !== undefined) take(range.pool, number);
      }
    }
  }
}

/**
 * Follows the Services of a store: who has what in a snapshot. For whoever has to allocate at once, as
 * the API server while a client waits.
 */
export function createAllocationTracker(
  ranges: AllocationRanges,
): (snapshot: Snapshot) => Allocations {
  const watch = new TableWatch(Service);
  const allocations = new Allocations(ranges);
  return (snapshot) => {
    allocations.follow(watch.changes(snapshot));
    return allocations;
  };
}

/** 0 for a Service that was there before, 1 for one that comes with everything, 2 for a new one. */
function seniority({ before, after }: Changed<Service>): number {
  if (after === undefined) return 0;
  if (before !== undefined && uidOf(before) === uidOf(after)) return 0;
  return after.spec.ipFamilies === undefined ? 2 : 1;
}

function compareClaimants(a: Service | undefined, b: Service | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return compareAge(a, b) || compareText(objectKey(a), objectKey(b));
}

/** Whose name allocations are under: a Service not created yet has none but its own. */
export function ownerOf(service: Service): string {
  return uidOf(service) || objectKey(service);
}

function portsOf({ spec }: Service): readonly number[] {
  const nodePorts = needsNodePorts(spec)
    ? (spec.ports ?? []).map(({ nodePort = 0 }) => nodePort)
    : [];
  const healthCheck = needsHealthCheck(spec) ? [spec.healthCheckNodePort ?? 0] : [];
  return [...nodePorts, ...healthCheck].filter((port) => port !== 0);
}
