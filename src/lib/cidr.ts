// IP addresses and networks of both families as numbers, for whoever has to know which network an
// address is in. IPv4 alone, and faster: ipv4.ts.

import { parseIPv4 } from './ipv4.ts';

export type Family = 'ipv4' | 'ipv6';

export interface Cidr {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/** Of an address or a network: what has a colon is IPv6. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 'ipv6' : 'ipv4';
}

/** The number of an address; undefined when it is none. */
export function parseAddress(text: string): bigint | undefined {
  if (familyOf(text) === 'ipv6') return parseIPv6(text);
  const value = parseIPv4(text);
  return value === undefined ? undefined : BigInt(value);
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])];
  return groups.reduce((value, group) => value * 65_536n + BigInt(group), 0n);
}

/** Groups of 16 bits; an IPv4 address at the end is two of them. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const dotted = i === parts.length - 1 && part.includes('.') ? parseIPv4(part) : undefined;
    if (dotted !== undefined) groups.push(Math.floor(dotted / 65_536), dotted % 65_536);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** The network of `10.0.0.0/8`, or of one address; undefined when it is none. Host bits are ignored. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const family = familyOf(address);
  const value = parseAddress(address);
  if (value === undefined || rest.length > 0) return undefined;
  const bits = length === undefined ? BITS[family] : Number(length);
  if (length !== undefined && !/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  if (bits > BITS[family]) return undefined;
  const size = 1n << BigInt(BITS[family] - bits);
  const first = (value / size) * size;
  return { family, first, last: first + size - 1n };
}

/** Whether an address is in one of the networks. What cannot be read is in none. */
export function isIn(address: string, networks: readonly string[]): boolean {
  const value = parseAddress(address);
  if (value === undefined) return false;
  const family = familyOf(address);
  return networks.some((text) => {
    const cidr = parsed(text);
    return cidr?.family === family && value >= cidr.first && value <= cidr.last;
  });
}

/** The networks without those that are inside others, in their order. */
export function outermost(networks: readonly string[]): readonly string[] {
  const all = networks.map((text) => ({ text, cidr: parsed(text) }));
  return all
    .filter(({ cidr }, i) => {
      if (cidr === undefined) return false;
      return !all.some(
        ({ cidr: other }, j) =>
          other !== undefined &&
          i !== j &&
          other.family === cidr.family &&
          other.first <= cidr.first &&
          other.last >= cidr.last &&
          (j < i || other.first !== cidr.first || other.last !== cidr.last),
      );
    })
    .map(({ text }) => text);
}

/** Networks are few and asked for often. */
const cache = new Map<string, Cidr | undefined>();
const CACHED_MAX = 10_000;

function parsed(text: string): Cidr | undefined {
  if (!cache.has(text)) {
    if (cache.size >= CACHED_MAX) cache.clear();
    cache.set(text, parseCidr(text));
  }
  return cache.get(text);
}

/** `10.0.0.1:80`, `[fd00::1]:80` */
export function joinHostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
