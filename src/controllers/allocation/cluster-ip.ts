// The addresses of a Service: of each of its families the one it asks for, the one it has, or the lowest
// that is free.

import type { ServiceSpec } from '../../api/core/service-spec.ts';
import { fieldError } from '../../api/schema/errors.ts';
import type { AddressRange, IpFamily } from './address-range.ts';
import type { Allocations } from './allocations.ts';
import type { Refusal } from './refusal.ts';

export interface AddressWish {
  readonly spec: ServiceSpec;
  readonly owner: string;
  /** Those the Service is to have, of the configured ones. */
  readonly families: readonly IpFamily[];
  /** What the Service has now; kept where nothing else is asked for that can be given. */
  readonly current: readonly string[];
}

export interface Address {
  /** Empty when there is none to be had. */
  readonly clusterIPs: readonly string[];
  /** Of the addresses; what was wanted when there is none. */
  readonly ipFamilies: readonly IpFamily[];
  readonly refusals: readonly Refusal[];
}

/** For Services that are not headless: an address of each family, in their order. */
export function decideAddress(wish: AddressWish, allocations: Allocations): Address {
  const clusterIPs: string[] = [];
  const ipFamilies: IpFamily[] = [];
  const refusals: Refusal[] = [];
  for (const family of wish.families) {
    const range = allocations.ranges.find((one) => one.family === family);
    if (range === undefined) continue;
    const { address, refused } = addressIn(range, wish);
    refusals.push(...refused);
    // The first address is what the Service is known by: without it, the second is not served alone.
    if (address === undefined && clusterIPs.length === 0) break;
    if (address === undefined) continue;
    clusterIPs.push(address);
    ipFamilies.push(family);
  }
  return {
    clusterIPs,
    ipFamilies: ipFamilies.length === 0 ? wish.families : ipFamilies,
    refusals,
  };
}

interface Given {
  readonly address?: string;
  readonly refused: readonly Refusal[];
}

/** Of several addresses asked for, the first of the family counts. */
function addressIn(range: AddressRange, wish: AddressWish): Given {
  const asked = wish.spec.clusterIPs ?? [];
  const text = asked.find((one) => range.numberOf(one) !== undefined);
  const number = text === undefined ? undefined : range.numberOf(text);
  if (text === undefined || number === undefined) return anyAddress(range, wish);
  if (!range.pool.has(number)) {
    const why = `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${range.cidr}`;
    const given = anyAddress(range, wish);
    return { ...given, refused: [refusal(asked, text, why), ...given.refused] };
  }
  if ((range.pool.ownerOf(number) ?? wish.owner) !== wish.owner) {
    // Another address would hide that two Services want to be the same one.
    return { refused: [refusal(asked, text, 'provided IP is already allocated')] };
  }
  return { address: text, refused: [] };
}

function anyAddress(range: AddressRange, { owner, current }: AddressWish): Given {
  const { pool } = range;
  const kept = current.find((text) => {
    const number = range.numberOf(text);
    return number !== undefined && pool.ownerOf(number) === owner;
  });
  if (kept !== undefined) return { address: kept, refused: [] };
  const free = pool.lowestFree();
  if (free !== undefined) return { address: range.addressOf(free), refused: [] };
  const message = 'failed to allocate a serviceIP: range is full';
  const error = { type: 'internal', message } as const;
  return { refused: [{ step: 'addresses', field: 'clusterIPs', error }] };
}

function refusal(asked: readonly string[], address: string, why: string): Refusal {
  const detail = `failed to allocate IP ${address}: ${why}`;
  const errors = [fieldError.invalid('spec.clusterIPs', asked, detail)];
  return { step: 'addresses', field: 'clusterIPs', error: { type: 'invalid', errors } };
}
