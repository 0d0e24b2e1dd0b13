// The address of each Gateway: the one it has, or the lowest that is free. In the order of namespace
// and name, so that the same files give the same addresses on every machine.

import type { Gateway } from '../../api/gateway/gateway.ts';
import { formatIPv4, parseIPv4, parseRange, rangeHas } from '../../lib/ipv4.ts';
import type { Range } from '../../lib/ipv4.ts';

/** Addresses by `namespace/name`; a Gateway without one found the range full. */
export function assignAddresses(
  gateways: readonly Gateway[],
  cidr: string,
): ReadonlyMap<string, string> {
  const range = parseRange(cidr);
  const assigned = new Map<string, string>();
  if (range === undefined) return assigned;
  const taken = new Set<number>();
  for (const gateway of gateways) {
    const held = heldAddress(gateway, range);
    if (held === undefined || taken.has(held)) continue;
    taken.add(held);
    assigned.set(keyOf(gateway), formatIPv4(held));
  }
  let next = range.first + 1;
  for (const gateway of gateways) {
    if (assigned.has(keyOf(gateway))) continue;
    while (next < range.last && taken.has(next)) next++;
    if (next >= range.last) break;
    assigned.set(keyOf(gateway), formatIPv4(next++));
  }
  return assigned;
}

function heldAddress(gateway: Gateway, range: Range): number | undefined {
  const value = gateway.status.addresses?.[0]?.value;
  const number = value === undefined ? undefined : parseIPv4(value);
  return number !== undefined && rangeHas(range, number) ? number : undefined;
}

function keyOf({ metadata }: Gateway): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}
