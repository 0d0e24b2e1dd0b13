// What a schema cannot say of a configuration: ranges that are none, that overlap or that are open to
// the network.

import { isIP } from 'node:net';
import { parseRange } from '../lib/ipv4.ts';
import type { Range } from '../lib/ipv4.ts';
import { networkOfBlock } from './network.ts';

export interface ConfigurationFault {
  /** As `network.podCIDR`. */
  readonly path: string;
  readonly message: string;
}

/** As far as this check goes; fields as in the configuration. */
interface Ranges {
  readonly podCIDR?: string;
  readonly serviceCIDR?: string;
  readonly gatewayCIDR?: string;
  readonly loadBalancerCIDR?: string;
  readonly nodePortAddresses?: readonly string[];
  readonly allowNonLoopback: boolean;
}

/** A smaller range has no room for what is to get addresses from it. */
const ADDRESSES_MIN = 4;
const LOOPBACK: Range = { first: 0x7f000000, last: 0x7fffffff };
const ALLOW = 'set network.allowNonLoopback: true to open it to the network';

/** Everything that is wrong with the ranges and addresses, field by field. */
export function checkNetwork(network: Ranges): readonly ConfigurationFault[] {
  const own = networkOfBlock(0);
  const fields = [
    ['podCIDR', network.podCIDR, own.podCidr],
    ['serviceCIDR', network.serviceCIDR, own.serviceCidr],
    ['gatewayCIDR', network.gatewayCIDR, own.gatewayCidr],
    ['loadBalancerCIDR', network.loadBalancerCIDR, own.loadBalancerCidr],
  ] as const;
  const faults: ConfigurationFault[] = [];
  const seen: { readonly name: string; readonly range: Range; readonly isGiven: boolean }[] = [];
  for (const [name, given, standard] of fields) {
    const path = `network.${name}`;
    const text = given ?? standard;
    const range = parseRange(text);
    if (range === undefined) {
      faults.push({ path, message: `${text} is no range of addresses, as 127.244.0.0/16 is` });
      continue;
    }
    if (range.last - range.first + 1 < ADDRESSES_MIN) {
      faults.push({ path, message: `${text} is too small: give it /30 or more room` });
    }
    if (!network.allowNonLoopback && !isWithin(range, LOOPBACK)) {
      faults.push({ path, message: `${text} is not loopback (127.0.0.0/8): ${ALLOW}` });
    }
    const isGiven = given !== undefined;
    const other = seen.find((s) => overlaps(s.range, range) && (s.isGiven || isGiven));
    if (other !== undefined) {
      const at = isGiven ? path : `network.${other.name}`;
      const with_ = isGiven ? `network.${other.name}` : `${path}, which is ${text}`;
      faults.push({ path: at, message: `overlaps with ${with_}` });
    }
    seen.push({ name, range, isGiven });
  }
  return [...faults, ...checkAddresses(network)];
}

function checkAddresses(network: Ranges): readonly ConfigurationFault[] {
  return (network.nodePortAddresses ?? []).flatMap((address, i) => {
    const path = `network.nodePortAddresses[${i}]`;
    if (isIP(address) === 0) return [{ path, message: `${address} is no address` }];
    const isLoopback = address === '::1' || address.startsWith('127.');
    if (isLoopback || network.allowNonLoopback) return [];
    return [{ path, message: `${address} is not loopback (127.0.0.0/8): ${ALLOW}` }];
  });
}

function isWithin(inner: Range, outer: Range): boolean {
  return inner.first >= outer.first && inner.last <= outer.last;
}

function overlaps(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}
