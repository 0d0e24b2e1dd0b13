// The address of a Service: the one it asks for, the one it has, or the lowest that is free.

import type { ServiceSpec } from '../../api/core/service-spec.ts';
import { fieldError } from '../../api/schema/errors.ts';
import { formatIPv4, parseIPv4 } from '../../lib/ipv4.ts';
import type { Allocations } from './allocations.ts';
import type { Refusal } from './refusal.ts';

export interface AddressWish {
  readonly spec: ServiceSpec;
  readonly owner: string;
  /** What the Service has now; kept where nothing else is asked for that can be given. */
  readonly current: readonly string[];
}

export interface Address {
  /** Empty when there is none to be had. */
  readonly clusterIPs: readonly string[];
  readonly refusals: readonly Refusal[];
}

/** For Services that are not headless. Of several addresses asked for, the first of IPv4 counts. */
export function decideAddress(wish: AddressWish, allocations: Allocations): Address {
  const asked = wish.spec.clusterIPs ?? [];
  const text = asked.find((one) => parseIPv4(one) !== undefined);
  const number = text === undefined ? undefined : parseIPv4(text);
  if (text === undefined || number === undefined) return anyAddress(wish, allocations);
  const { addresses, serviceCidr } = allocations;
  if (!addresses.has(number)) {
    const why = `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${serviceCidr}`;
    const given = anyAddress(wish, allocations);
    return { ...given, refusals: [refusal(asked, text, why), ...given.refusals] };
  }
  if ((addresses.ownerOf(number) ?? wish.owner) !== wish.owner) {
    // Another address would hide that two Services want to be the same one.
    const refusals = [refusal(asked, text, 'provided IP is already allocated')];
    return { clusterIPs: [], refusals };
  }
  return { clusterIPs: [text], refusals: [] };
}

function anyAddress({ owner, current }: AddressWish, { addresses }: Allocations): Address {
  const kept = current.find((text) => {
    const number = parseIPv4(text);
    return number !== undefined && addresses.ownerOf(number) === owner;
  });
  if (kept !== undefined) return { clusterIPs: [kept], refusals: [] };
  const free = addresses.lowestFree();
  if (free !== undefined) return { clusterIPs: [formatIPv4(free)], refusals: [] };
  const message = 'failed to allocate a serviceIP: range is full';
  const error = { type: 'internal', message } as const;
  return { clusterIPs: [], refusals: [{ step: 'addresses', field: 'clusterIPs', error }] };
}

function refusal(asked: readonly string[], address: string, why: string): Refusal {
  const detail = `failed to allocate IP ${address}: ${why}`;
  const errors = [fieldError.invalid('spec.clusterIPs', asked, detail)];
  return { step: 'addresses', field: 'clusterIPs', error: { type: 'invalid', errors } };
}
