// What each byte may not be part of, one bit per rule: OR the classes of all bytes of a string and
// every rule about its characters is answered by one mask. Read by the HPACK code while it has the
// bytes at hand anyway, so that no string is walked twice.
//
// Budget: one look into a table for each byte. Allocates nothing. Guarded by bench/proxy.ts.

/** Not allowed in a field value: controls other than tab, and DEL (RFC 9113 §8.2.1, RFC 9110 §5.5). */
export const NOT_VALUE = 1;
/** Not allowed in a field name as HTTP/2 sends it: no token character, or an upper case letter. */
export const NOT_NAME = 2;
/** Not a token character: methods and protocol names. */
export const NOT_TOKEN = 4;
/** Not allowed in a request target: blanks, controls, bytes past ASCII, and '#'. */
export const NOT_TARGET = 8;
/** Not a decimal digit. */
export const NOT_DIGIT = 16;

const TOKEN_MARKS = "!#$%&'*+-.^_`|~";

function classOf(byte: number): number {
  const digit = byte >= 0x30 && byte <= 0x39;
  const upper = byte >= 0x41 && byte <= 0x5a;
  const lower = byte >= 0x61 && byte <= 0x7a;
  const token = digit || upper || lower || TOKEN_MARKS.includes(String.fromCharCode(byte));
  const control = byte < 0x20 || byte === 0x7f;
  let bits = 0;
  if (control && byte !== 0x09) bits |= NOT_VALUE;
  if (!token || upper) bits |= NOT_NAME;
  if (!token) bits |= NOT_TOKEN;
  if (byte <= 0x20 || byte >= 0x7f || byte === 0x23) bits |= NOT_TARGET;
  if (!digit) bits |= NOT_DIGIT;
  return bits;
}

/** The class bits of every byte value. */
export const BYTE_CLASS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => classOf(byte));

/** The class bits of bytes[start, end) together; 0 for none. */
export function classesOf(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= BYTE_CLASS[bytes[at]!]!;
  return bits;
}
