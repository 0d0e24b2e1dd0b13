// Gives Services of type LoadBalancer an address of the pool. The status says who has which; one that is
// asked for is given when it is free.

import { Service } from '../../api/core/service.ts';
import { formatIPv4, parseIPv4 } from '../../lib/ipv4.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { compareObjects } from '../../store/table.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { addressBand, endsRound } from '../allocation/bands.ts';
import { Pool } from '../allocation/pool.ts';
import type { Controller } from '../controller.ts';
import { compareAge, uidOf } from '../shared/metadata.ts';
import { statusWrite } from '../shared/writes.ts';
import { currentAddress, isOurs, requestedAddress } from './requests.ts';

export interface LoadBalancerOptions {
  /** The pool, as `127.80.128.0/17`. */
  readonly loadBalancerCidr: string;
}

/** Throws a FairwayError when the pool is no IPv4 range. */
export function createLoadBalancerController({
  loadBalancerCidr,
}: LoadBalancerOptions): Controller {
  const { first, last } = addressBand(loadBalancerCidr);
  // Nobody asks for numbers at large, so that there is no band for those who do.
  const band = { first, dynamicFirst: first, last };
  let table: unknown;
  let settled: readonly Service[] = [];
  return {
    name: 'loadbalancer',
    reconcile(snapshot: Snapshot): readonly ObjectWrite[] {
      const services = snapshot.table(Service);
      if (services === table) return [];
      const concerned = services.objects.filter(isConcerned);
      const writes = isSame(concerned, settled) ? [] : assign(concerned, new Pool(band, endsRound));
      // With writes under way, the next snapshot is looked at in any case.
      table = writes.length > 0 ? undefined : services;
      settled = writes.length > 0 ? [] : concerned;
      return writes;
    },
  };
}

/** One of ours, or one that is no more and still has its address. */
function isConcerned(service: Service): boolean {
  if (isOurs(service)) return true;
  return service.spec.type !== 'LoadBalancer' && currentAddress(service) !== undefined;
}

function isSame(a: readonly Service[], b: readonly Service[]): boolean {
  return a.length === b.length && a.every((service, i) => service === b[i]);
}

/**
 * Who has the address they ask for keeps it, and so does everybody who asks for none of the pool's; then
 * wishes are granted by age, and the others get what is left. A wish for an address that another has
 * comes to nothing, as a different one would hide the conflict; one outside of the pool is no wish.
 */
function assign(services: readonly Service[], pool: Pool): readonly ObjectWrite[] {
  const addresses = new Map<Service, number>();
  const give = (service: Service, address: number | undefined): void => {
    if (address === undefined || addresses.has(service)) return;
    if (!pool.has(address) || pool.ownerOf(address) !== undefined) return;
    pool.claim(address, uidOf(service));
    addresses.set(service, address);
  };
  const ours = services.filter(isOurs).toSorted(compareAge);
  const wishOf = (service: Service): number | undefined => {
    const wish = parseIPv4(requestedAddress(service)?.address ?? '');
    return wish !== undefined && pool.has(wish) ? wish : undefined;
  };
  const modest = ours.filter((service) => wishOf(service) === undefined);
  for (const service of ours)
    if (currentNumber(service) === wishOf(service)) give(service, wishOf(service));
  for (const service of modest) give(service, currentNumber(service));
  for (const service of ours) give(service, wishOf(service));
  for (const service of modest.toSorted(compareObjects)) {
    if (!addresses.has(service)) give(service, pool.lowestFree());
  }
  return services.flatMap((service) => statusWrites(service, addresses.get(service)));
}

function currentNumber(service: Service): number | undefined {
  return parseIPv4(currentAddress(service) ?? '');
}

function statusWrites(service: Service, address: number | undefined): readonly ObjectWrite[] {
  const loadBalancer =
    address === undefined ? {} : { ingress: [{ ip: formatIPv4(address), ipMode: 'VIP' }] };
  if (deepEqual(service.status.loadBalancer, loadBalancer)) return [];
  return [statusWrite(Service, service, { ...service.status, loadBalancer })];
}
