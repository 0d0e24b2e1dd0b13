// Judges :authority and Host: a host name or address, perhaps a port, and nothing that another parser
// could read as something else. Stricter than RFC 3986 (no user, no '%', no ',', no empty port), because
// routing and backends must see the same host in it.
//
// Budget: 0.1 µs for a name that was seen before. Allocates nothing then. Guarded by
// bench/proxy.ts.

const HOST_CHARS_MAX = 255;
const PORT_MAX = 65_535;

/** True for `name`, `name:80`, `192.0.2.1`, `[2001:db8::1]:80`; false for an empty string. */
export function isAuthority(text: string): boolean {
  const hostEnd = text.startsWith('[') ? bracketEnd(text) : nameEnd(text);
  if (hostEnd <= 0 || hostEnd > HOST_CHARS_MAX) return false;
  return hostEnd === text.length || (text[hostEnd] === ':' && isPort(text, hostEnd + 1));
}

/** Where a host name ends: at the first character that cannot be part of one. */
function nameEnd(text: string): number {
  let at = 0;
  while (at < text.length && isNameChar(text.charCodeAt(at))) at++;
  return at;
}

/** Behind the ']' of an address in brackets; -1 when it is none. */
function bracketEnd(text: string): number {
  let at = 1;
  while (at < text.length && isAddressChar(text.charCodeAt(at))) at++;
  return at > 2 && text[at] === ']' ? at + 1 : -1;
}

function isPort(text: string, start: number): boolean {
  const digits = text.length - start;
  if (digits < 1 || digits > 5) return false;
  let port = 0;
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= PORT_MAX;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Letters, digits, '-', '.', '_', '~'. */
function isNameChar(code: number): boolean {
  const lower = code | 0x20;
  if ((lower >= 0x61 && lower <= 0x7a) || isDigit(code)) return true;
  return code === 0x2d || code === 0x2e || code === 0x5f || code === 0x7e;
}

/** Hexadecimal digits, ':' and '.' (an IPv4 tail). */
function isAddressChar(code: number): boolean {
  const lower = code | 0x20;
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66) || code === 0x3a || code === 0x2e;
}
