// The PROXY header that a connection of a load balancer begins with (versions 1 and 2 of the protocol):
// bytes → the client's address. Strict: what is not a whole valid header is none.
//
// Not hot: once for each connection, and only on ports that are told to.

import { isIP } from 'node:net';

export type ProxyHeader =
  /** `address` is null when the proxy speaks for itself, or the client has none (LOCAL, UNKNOWN, a path). */
  | { readonly kind: 'header'; readonly bytes: number; readonly address: string | null }
  | { readonly kind: 'partial' }
  | { readonly kind: 'bad' };

/** No header is longer: of version 2, with all that may follow the addresses. */
export const PROXY_HEADER_BYTES_MAX = 4096;

const V1 = Buffer.from('PROXY ', 'latin1');
const V1_BYTES_MAX = 107;
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;

const BAD: ProxyHeader = { kind: 'bad' };
const PARTIAL: ProxyHeader = { kind: 'partial' };

/** Reads the header at the beginning of `bytes`. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsAlike(bytes, V1)) return bytes.length < V1.length ? PARTIAL : parseText(bytes);
  if (beginsAlike(bytes, V2)) return bytes.length < V2_FIXED_BYTES ? PARTIAL : parseBinary(bytes);
  return BAD;
}

function beginsAlike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

const TEXT =
  /^PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|TCP4 ([0-9.]+) ([0-9.]+) ([0-9]{1,5}) ([0-9]{1,5})|TCP6 ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) ([0-9]{1,5}) ([0-9]{1,5}))$/;

function parseText(bytes: Buffer): ProxyHeader {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, V1_BYTES_MAX));
  const end = text.indexOf('\r\n');
  if (end === -1) return bytes.length < V1_BYTES_MAX ? PARTIAL : BAD;
  const match = TEXT.exec(text.slice(0, end));
  if (match === null) return BAD;
  const [, ipv4, , , , ipv6] = match;
  const address = ipv4 ?? ipv6 ?? null;
  const family = ipv4 === undefined ? 6 : 4;
  if (address !== null && isIP(address) !== family) return BAD;
  return { kind: 'header', bytes: end + 2, address };
}

const LOCAL = 0x20;
const PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;

function parseBinary(bytes: Buffer): ProxyHeader {
  const command = bytes[12]!;
  const family = bytes[13]!;
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (command !== LOCAL && command !== PROXY) return BAD;
  if (length > PROXY_HEADER_BYTES_MAX) return BAD;
  if (bytes.length < length) return PARTIAL;
  if (command === LOCAL) return { kind: 'header', bytes: length, address: null };
  const addresses = bytes.subarray(V2_FIXED_BYTES, length);
  switch (family) {
    case TCP4:
      if (addresses.length < 12) return BAD;
      return { kind: 'header', bytes: length, address: [...addresses.subarray(0, 4)].join('.') };
    case TCP6:
      if (addresses.length < 36) return BAD;
      return { kind: 'header', bytes: length, address: formatIPv6(addresses) };
    default:
      return { kind: 'header', bytes: length, address: null };
  }
}

/** Eight groups; the longest run of zeros is left to whoever reads them. */
function formatIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return groups.join(':');
}
