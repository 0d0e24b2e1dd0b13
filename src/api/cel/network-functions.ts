// The functions on addresses, networks and URLs that Kubernetes adds to CEL: isIP, ip, isCIDR, cidr,
// isURL, url and the methods of what they return.

import { celFunc, celMethod, CelScalar, mapType } from '@bufbuild/cel';
import type { CelFunc, CelValue } from '@bufbuild/cel';
import { cidrFamily, formatIp, parseIp } from '../core/ip.ts';
import { isOpaque, textIn, wrap } from './opaque.ts';

const { STRING, BOOL, INT, DYN } = CelScalar;
const OPAQUE = mapType(DYN, DYN);

/** Kubernetes' CEL refuses IPv4 written as IPv6, leading zeros and zones. */
function readIp(text: string) {
  const ip = parseIp(text);
  if (ip === undefined) return undefined;
  return ip.leadingZeros || ip.mapped ? undefined : ip;
}

type Ip = NonNullable<ReturnType<typeof readIp>>;

function ipIn(text: string): Ip {
  const ip = readIp(text);
  if (ip === undefined) throw new Error(`IP Address ${JSON.stringify(text)} parse error`);
  return ip;
}

interface Network {
  readonly ip: Ip;
  readonly prefixLength: number;
}

function readCidr(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const ip = readIp(text.slice(0, Math.max(slash, 0)));
  const length = text.slice(slash + 1);
  if (ip === undefined || cidrFamily(text) === undefined || /^0\d/.test(length)) return undefined;
  return { ip, prefixLength: Number(length) };
}

function cidrIn(text: string): Network {
  const cidr = readCidr(text);
  if (cidr === undefined) throw new Error(`network address parse error: ${JSON.stringify(text)}`);
  return cidr;
}

function masked({ ip, prefixLength }: Network): bigint {
  const hostBits = BigInt((ip.family === 4 ? 32 : 128) - prefixLength);
  return (ip.bits >> hostBits) << hostBits;
}

function contains(network: Network, ip: Ip): boolean {
  return (
    network.ip.family === ip.family &&
    masked({ ip, prefixLength: network.prefixLength }) === masked(network)
  );
}

function containsNetwork(outer: Network, inner: Network): boolean {
  return outer.prefixLength <= inner.prefixLength && contains(outer, inner.ip);
}

/** The high bits of an address, to compare with a known range. */
function high(ip: Ip, bits: number): bigint {
  return ip.bits >> BigInt((ip.family === 4 ? 32 : 128) - bits);
}

const isV4 = (ip: Ip) => ip.family === 4;
const isMulticast = (ip: Ip) => (isV4(ip) ? high(ip, 4) === 0xen : high(ip, 8) === 0xffn);
const isLinkLocalMulticast = (ip: Ip) =>
  isV4(ip) ? high(ip, 24) === 0xe00000n : high(ip, 16) === 0xff02n;
const isLinkLocalUnicast = (ip: Ip) =>
  isV4(ip) ? high(ip, 16) === 0xa9fen : high(ip, 10) === 0x3fan;
const isLoopback = (ip: Ip) => (isV4(ip) ? high(ip, 8) === 127n : ip.bits === 1n);
const isUnspecified = (ip: Ip) => ip.bits === 0n;
const isGlobalUnicast = (ip: Ip) =>
  !isMulticast(ip) &&
  !isLinkLocalUnicast(ip) &&
  !isLoopback(ip) &&
  !isUnspecified(ip) &&
  !(isV4(ip) && ip.bits === 0xffffffffn);

/** A method on an address. */
function ipMethod(name: string, test: (ip: Ip) => boolean): CelFunc {
  return celMethod(name, OPAQUE, [], BOOL, function () {
    return test(ipIn(textIn('ip', this)));
  });
}

/** Kubernetes takes an address or a network as text or as what ip() and cidr() return. */
function asIp(value: CelValue): Ip {
  return ipIn(typeof value === 'string' ? value : textIn('ip', value));
}
function asCidr(value: CelValue): Network {
  return cidrIn(typeof value === 'string' ? value : textIn('cidr', value));
}

const ipFunctions: readonly CelFunc[] = [
  celFunc('isIP', [STRING], BOOL, (text) => readIp(text) !== undefined),
  celFunc('ip', [STRING], DYN, (text) => wrap('ip', formatIp(ipIn(text)))),
  celFunc('ip.isCanonical', [STRING], BOOL, (text) => formatIp(ipIn(text)) === text),
  celFunc('string', [OPAQUE], STRING, (value) =>
    isOpaque('cidr', value) ? textIn('cidr', value) : textIn('ip', value),
  ),
  celMethod('family', OPAQUE, [], INT, function () {
    return BigInt(ipIn(textIn('ip', this)).family);
  }),
  ipMethod('isUnspecified', isUnspecified),
  ipMethod('isLoopback', isLoopback),
  ipMethod('isLinkLocalMulticast', isLinkLocalMulticast),
  ipMethod('isLinkLocalUnicast', isLinkLocalUnicast),
  ipMethod('isGlobalUnicast', isGlobalUnicast),
];

const cidrFunctions: readonly CelFunc[] = [
  celFunc('isCIDR', [STRING], BOOL, (text) => readCidr(text) !== undefined),
  celFunc('cidr', [STRING], DYN, (text) => {
    const cidr = cidrIn(text);
    return wrap('cidr', `${formatIp(cidr.ip)}/${cidr.prefixLength}`);
  }),
  celMethod('containsIP', OPAQUE, [DYN], BOOL, function (address) {
    return contains(cidrIn(textIn('cidr', this)), asIp(address));
  }),
  celMethod('containsCIDR', OPAQUE, [DYN], BOOL, function (other) {
    return containsNetwork(cidrIn(textIn('cidr', this)), asCidr(other));
  }),
  celMethod('prefixLength', OPAQUE, [], INT, function () {
    return BigInt(cidrIn(textIn('cidr', this)).prefixLength);
  }),
  celMethod('ip', OPAQUE, [], DYN, function () {
    return wrap('ip', formatIp(cidrIn(textIn('cidr', this)).ip));
  }),
  celMethod('masked', OPAQUE, [], DYN, function () {
    const network = cidrIn(textIn('cidr', this));
    const ip = { ...network.ip, bits: masked(network) };
    return wrap('cidr', `${formatIp(ip)}/${network.prefixLength}`);
  }),
];

/** An absolute URL, or a path from the root, as Go's ParseRequestURI takes it. */
function readUrl(text: string): URL | undefined {
  if (/[\0-\x20\x7f]/.test(text)) return undefined;
  if (text.startsWith('/')) return URL.parse(text, 'none://') ?? undefined;
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) ? (URL.parse(text) ?? undefined) : undefined;
}

/** Parts are cut from the text (RFC 3986, appendix B): a URL object would lower case and normalize. */
const URL_PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/;

function urlPart(value: unknown, part: 1 | 2 | 3 | 4): string {
  return URL_PARTS.exec(textIn('url', value))?.[part] ?? '';
}

function hostOf(value: unknown): string {
  return urlPart(value, 2).replace(/^.*@/, '');
}

const HOST_AND_PORT = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/;

function urlMethod(name: string, read: (value: unknown) => string): CelFunc {
  return celMethod(name, OPAQUE, [], STRING, function () {
    return read(this);
  });
}

const urlFunctions: readonly CelFunc[] = [
  celFunc('isURL', [STRING], BOOL, (text) => readUrl(text) !== undefined),
  celFunc('url', [STRING], DYN, (text) => {
    if (readUrl(text) === undefined) throw new Error(`URL parse error: ${JSON.stringify(text)}`);
    return wrap('url', text);
  }),
  urlMethod('getScheme', (value) => urlPart(value, 1).toLowerCase()),
  urlMethod('getHost', hostOf),
  urlMethod('getHostname', (value) =>
    (HOST_AND_PORT.exec(hostOf(value))?.[1] ?? '').replace(/^\[(.*)\]$/, '$1'),
  ),
  urlMethod('getPort', (value) => HOST_AND_PORT.exec(hostOf(value))?.[2] ?? ''),
  urlMethod('getEscapedPath', (value) => urlPart(value, 3)),
  celMethod('getQuery', OPAQUE, [], mapType(STRING, DYN), function () {
    const query = new Map<string, string[]>();
    for (const [key, item] of new URLSearchParams(urlPart(this, 4))) {
      query.set(key, [...(query.get(key) ?? []), item]);
    }
    return query;
  }),
];

export const networkFunctions: readonly CelFunc[] = [
  ...ipFunctions,
  ...cidrFunctions,
  ...urlFunctions,
];
