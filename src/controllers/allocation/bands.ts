// Ranges of addresses and ports, each with a lower band that is kept for those who ask for a certain one
// (KEP-3070 and KEP-3668): what is given out without asking comes from above it.

import { parseCidr } from '../../lib/cidr.ts';
import { parseRange } from '../../lib/ipv4.ts';
import { FairwayError } from '../../lib/errors.ts';

/** All numbers are inclusive. */
export interface Band {
  readonly first: number;
  /** Where numbers are given out from; those below are given only when all above are taken. */
  readonly dynamicFirst: number;
  readonly last: number;
}

/** A range with no more numbers than this is not divided. */
const LOWER_MIN = 16;
const LOWER_ADDRESSES_MAX = 256;
const LOWER_PORTS_MAX = 128;
/** Of an IPv6 range: its numbers are counted exactly up to here, with room to spare. */
const IPV6_HOST_BITS_MAX = 48;

/** The addresses of a range such as `127.96.0.0/16`, without those of the network and of broadcast. */
export function addressBand(cidr: string): Band {
  const range = parseRange(cidr);
  if (range === undefined || range.last - range.first < 3) {
    throw new FairwayError('FW_BAD_RANGE', `not a range of IPv4 addresses: ${cidr}`, {
      hint: 'write it as 127.96.0.0/16, with a prefix of 30 at most',
    });
  }
  const size = range.last - range.first + 1;
  const first = range.first + 1;
  const lower = lowerSize(size, Math.floor(size / 16), LOWER_ADDRESSES_MAX);
  return { first, dynamicFirst: first + lower, last: range.last - 1 };
}

/** The same of a range of IPv6, counted from its start; there is no broadcast address. */
export function countedBand(cidr: string): Band {
  const range = parseCidr(cidr);
  const size = range?.family === 'ipv6' ? range.last - range.first + 1n : 0n;
  if (size < 4n || size > 1n << BigInt(IPV6_HOST_BITS_MAX)) {
    throw new FairwayError('FW_BAD_RANGE', `not a range of IPv6 addresses for Services: ${cidr}`, {
      hint: `write it as fd00:96::/112, with a prefix of ${128 - IPV6_HOST_BITS_MAX} to 126`,
    });
  }
  const count = Number(size);
  const lower = lowerSize(count, Math.floor(count / 16), LOWER_ADDRESSES_MAX);
  return { first: 1, dynamicFirst: 1 + lower, last: count - 1 };
}

/** Too many programs refuse addresses that end in 0 or 255: they are given only to who asks for one. */
export function endsRound(address: number): boolean {
  const last = address & 0xff;
  return last === 0 || last === 255;
}

/** The ports of a range such as 30000-32767. */
export function portBand(first: number, last: number): Band {
  const size = last - first + 1;
  const lower = lowerSize(size, Math.floor(size / 32), LOWER_PORTS_MAX);
  return { first, dynamicFirst: first + lower, last };
}

function lowerSize(size: number, share: number, lowerMax: number): number {
  return size <= LOWER_MIN ? 0 : Math.min(Math.max(LOWER_MIN, share), lowerMax);
}
