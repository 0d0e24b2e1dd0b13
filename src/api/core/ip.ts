// IP addresses and networks as API fields hold them. Kubernetes refuses what two programs could read
// differently: leading zeros (octal to some) and IPv4 addresses written as IPv6.

import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';

interface ParsedIp {
  /** An IPv4 address written as IPv6 (::ffff:10.0.0.1) counts as IPv4. */
  readonly family: 4 | 6;
  /** 32 or 128 bits. */
  readonly bits: bigint;
  readonly leadingZeros: boolean;
  readonly mapped: boolean;
}

interface ParsedCidr {
  readonly ip: ParsedIp;
  readonly prefixLength: number;
  readonly leadingZeros: boolean;
}

const MAPPED_PREFIX = 0xffffn;

/** Reads an address; undefined when the text is none. Zones (fe80::1%eth0) are not part of one. */
export function parseIp(text: string): ParsedIp | undefined {
  if (!text.includes(':')) {
    const v4 = parseIpv4(text);
    return v4 === undefined ? undefined : { family: 4, ...v4, mapped: false };
  }
  const v6 = parseIpv6(text);
  if (v6 === undefined) return undefined;
  return v6.bits >> 32n === MAPPED_PREFIX
    ? { family: 4, bits: v6.bits & 0xffffffffn, leadingZeros: v6.leadingZeros, mapped: true }
    : { family: 6, ...v6, mapped: false };
}

/** The family of an address, undefined when the text is none. */
export function ipFamily(text: string): 4 | 6 | undefined {
  return parseIp(text)?.family;
}

interface Bits {
  readonly bits: bigint;
  readonly leadingZeros: boolean;
}

const IPV4 = /^(\d{1,8})\.(\d{1,8})\.(\d{1,8})\.(\d{1,8})$/;
const LEADING_ZERO = /\b0\d/;

function parseIpv4(text: string): Bits | undefined {
  const parts = IPV4.exec(text);
  if (parts === null) return undefined;
  let bits = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(parts[i]);
    if (octet > 255) return undefined;
    bits = bits * 256 + octet;
  }
  return { bits: BigInt(bits), leadingZeros: LEADING_ZERO.test(text) };
}

function parseIpv6(text: string): Bits | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = '', tail] = halves;
  const left = parseGroups(head, tail === undefined);
  const right = tail === undefined ? { groups: [], leadingZeros: false } : parseGroups(tail, true);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.groups.length - right.groups.length;
  // The two colons stand for one group of zeros at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left.groups, ...Array.from({ length: missing }, () => 0), ...right.groups];
  return {
    bits: groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n),
    leadingZeros: left.leadingZeros || right.leadingZeros,
  };
}

/** Groups between colons; the last of an address may be an IPv4 address. */
function parseGroups(
  text: string,
  isLast: boolean,
): { groups: readonly number[]; leadingZeros: boolean } | undefined {
  if (text === '') return { groups: [], leadingZeros: false };
  const groups: number[] = [];
  let leadingZeros = false;
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (isLast && i === parts.length - 1 && part.includes('.')) {
      const v4 = parseIpv4(part);
      if (v4 === undefined) return undefined;
      groups.push(Number(v4.bits >> 16n), Number(v4.bits & 0xffffn));
      leadingZeros = v4.leadingZeros;
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return { groups, leadingZeros };
}

/** The canonical text of an address (RFC 5952). */
export function formatIp(ip: ParsedIp): string {
  if (ip.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((ip.bits >> shift) & 0xffn)).join('.');
  }
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) {
    groups.push(Number((ip.bits >> shift) & 0xffffn));
  }
  const { start, length } = longestZeros(groups);
  const hex = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i - length + 1, length };
  }
  return best;
}

/** An address in a field older than the strict rules: any text form of a sound address. */
export function checkIp(value: string, path: string): readonly FieldError[] {
  const ip = parseIp(value);
  if (ip === undefined) {
    const detail = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
    return [fieldError.invalid(path, value, detail)];
  }
  const errors: FieldError[] = [];
  if (ip.leadingZeros) errors.push(fieldError.invalid(path, value, 'must not have leading 0s'));
  if (ip.mapped) {
    errors.push(fieldError.invalid(path, value, 'must not be an IPv4-mapped IPv6 address'));
  }
  return errors;
}

/** The same, in canonical text form. */
export function checkCanonicalIp(value: string, path: string): readonly FieldError[] {
  const errors = checkIp(value, path);
  if (errors.length > 0) return errors;
  const ip = parseIp(value);
  const canonical = ip === undefined ? value : formatIp(ip);
  return canonical === value
    ? []
    : [fieldError.invalid(path, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}

/**
 * An address an endpoint can have: not one that means something else on every machine. Loopback
 * addresses may be endpoints here, unlike in Kubernetes: it is where pods without a cluster are.
 */
export function checkEndpointIp(value: string, path: string): readonly FieldError[] {
  const ip = parseIp(value);
  return ip !== undefined && isLoopback(ip) ? [] : checkExternalIp(value, path);
}

/** The same for addresses outside, which are never loopback. */
export function checkExternalIp(value: string, path: string): readonly FieldError[] {
  const ip = parseIp(value);
  if (ip === undefined) return [fieldError.invalid(path, value, 'must be a valid IP address')];
  const detail = specialRange(ip, value);
  return detail === undefined ? [] : [fieldError.invalid(path, value, detail)];
}

function isLoopback({ family, bits }: ParsedIp): boolean {
  return family === 4 ? bits >> 24n === 127n : bits === 1n;
}

function specialRange(ip: ParsedIp, text: string): string | undefined {
  const v4 = ip.family === 4;
  if (ip.bits === 0n) return `may not be unspecified (${text})`;
  if (isLoopback(ip)) {
    return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  }
  if (v4 ? ip.bits >> 16n === 0xa9fen : ip.bits >> 118n === 0x3fan) {
    return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  }
  if (v4 ? ip.bits >> 8n === 0xe00000n : ip.bits >> 112n === 0xff02n) {
    return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  }
  return undefined;
}

function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/');
  const length = text.slice(slash + 1);
  const ip = slash === -1 ? undefined : parseIp(text.slice(0, slash));
  if (ip === undefined || !/^\d{1,8}$/.test(length)) return undefined;
  const prefixLength = Number(length);
  if (prefixLength > (text.includes(':') ? 128 : 32)) return undefined;
  return {
    ip,
    prefixLength,
    leadingZeros: ip.leadingZeros || (length.length > 1 && length.startsWith('0')),
  };
}

/** The family of a network, undefined when the text is none. */
export function cidrFamily(text: string): 4 | 6 | undefined {
  return parseCidr(text)?.ip.family;
}

/** A network: an address without bits beyond the prefix. */
export function checkCidr(value: string, path: string): readonly FieldError[] {
  const cidr = parseCidr(value);
  if (cidr === undefined) {
    const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    return [fieldError.invalid(path, value, detail)];
  }
  if (cidr.leadingZeros) {
    return [fieldError.invalid(path, value, 'must not have leading 0s in IP or prefix length')];
  }
  if (cidr.ip.mapped) {
    return [fieldError.invalid(path, value, 'must not have an IPv4-mapped IPv6 address')];
  }
  const hostBits = BigInt((cidr.ip.family === 4 ? 32 : 128) - cidr.prefixLength);
  return (cidr.ip.bits >> hostBits) << hostBits === cidr.ip.bits
    ? []
    : [fieldError.invalid(path, value, 'must not have bits set beyond the prefix length')];
}
