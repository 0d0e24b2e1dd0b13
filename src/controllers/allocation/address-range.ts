// The addresses of Services in one family: a range as text, and who holds which of its numbers. IPv4
// addresses are their own numbers; those of IPv6 are counted from the start of the range.

import { formatIp, parseIp } from '../../api/core/ip.ts';
import { familyOf, parseCidr } from '../../lib/cidr.ts';
import { formatIPv4, parseIPv4 } from '../../lib/ipv4.ts';
import { addressBand, countedBand, endsRound } from './bands.ts';
import { Pool } from './pool.ts';

export type IpFamily = 'IPv4' | 'IPv6';

export interface AddressRange {
  readonly family: IpFamily;
  readonly cidr: string;
  readonly pool: Pool;
  /** A number outside of the pool for an address outside of the range; undefined for other families. */
  numberOf(address: string): number | undefined;
  addressOf(number: number): string;
}

/** Of `10.96.0.0/16` or `fd00:96::/112`. Throws a FairwayError when it is no range of addresses. */
export function createAddressRange(cidr: string): AddressRange {
  if (familyOf(cidr) === 'ipv4') {
    const pool = new Pool(addressBand(cidr), endsRound);
    return { family: 'IPv4', cidr, pool, numberOf: parseIPv4, addressOf: formatIPv4 };
  }
  const pool = new Pool(countedBand(cidr));
  const { first, last } = parseCidr(cidr) ?? { first: 0n, last: 0n };
  return {
    family: 'IPv6',
    cidr,
    pool,
    numberOf: (address) => {
      const ip = parseIp(address);
      if (ip?.family !== 6) return undefined;
      return ip.bits >= first && ip.bits <= last ? Number(ip.bits - first) : -1;
    },
    addressOf: (number) =>
      formatIp({ family: 6, bits: first + BigInt(number), leadingZeros: false, mapped: false }),
  };
}
