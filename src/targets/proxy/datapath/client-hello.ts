// The first bytes of a TLS connection → the server name the client asks for (RFC 8446 4.1.2, RFC 6066
// 3), without ending the TLS. Strict, and bounded: the bytes go on to a backend that must not read
// another name from them than we did.
//
// A ClientHello is one handshake message, and may come in many records and many more reads:
//
//   record   type=22 version(2) length(2) │ fragment of a handshake message …
//   message  type=1 length(3) │ version(2) random(32) session<..32> ciphers<2..> compressions<1..> extensions
//
// Budget: once for each connection. Allocates what it gathers, at most HELLO_BYTES_MAX.

/** Bytes of a ClientHello, its records' headers included. Those of browsers have less than 2,000. */
export const HELLO_BYTES_MAX = 16 * 1024;
/** Records a ClientHello may be spread over. */
const RECORDS_MAX = 32;

const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const HANDSHAKE_RECORD = 22;
const FRAGMENT_BYTES_MAX = 2 ** 14;
const CLIENT_HELLO = 1;
const RANDOM_BYTES = 32;
const SESSION_ID_BYTES_MAX = 32;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

export type ClientHello =
  /** More bytes are needed. */
  | { readonly kind: 'partial' }
  /** No ClientHello, whatever follows. */
  | { readonly kind: 'bad'; readonly reason: string }
  /** `serverName` is empty when the client names none; otherwise as sent. */
  | { readonly kind: 'hello'; readonly serverName: string };

const PARTIAL: ClientHello = { kind: 'partial' };

function bad(reason: string): ClientHello {
  return { kind: 'bad', reason };
}

/** Reads the beginning of a connection; `bytes` is all that has come so far. */
export function parseClientHello(bytes: Buffer): ClientHello {
  const message = gatherMessage(bytes);
  return Buffer.isBuffer(message) ? parseMessage(message) : message;
}

/** The body of the first handshake message, out of the records it is spread over. */
function gatherMessage(bytes: Buffer): Buffer | ClientHello {
  const fragments: Buffer[] = [];
  let gathered = 0;
  for (let at = 0, records = 1; at < bytes.length; records++) {
    if (bytes[at] !== HANDSHAKE_RECORD) return bad('it does not begin with a TLS handshake');
    // The record version is 3.x whatever the version of TLS.
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return bad('no version of TLS is like that');
    if (at + RECORD_HEADER_BYTES > bytes.length) break;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > FRAGMENT_BYTES_MAX) return bad('a record has no valid length');
    if (records > RECORDS_MAX) return bad(`it is spread over more than ${RECORDS_MAX} records`);
    const fragment = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    fragments.push(fragment);
    gathered += fragment.length;
    at += RECORD_HEADER_BYTES + length;
    const complete = completeMessage(fragments, gathered);
    if (complete !== null) return complete;
  }
  return bytes.length >= HELLO_BYTES_MAX
    ? bad(`it has more than ${HELLO_BYTES_MAX} bytes`)
    : PARTIAL;
}

function completeMessage(
  fragments: readonly Buffer[],
  gathered: number,
): Buffer | ClientHello | null {
  if (gathered === 0) return null;
  const all = fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
  if (all[0] !== CLIENT_HELLO) return bad('its first message is no ClientHello');
  if (gathered < MESSAGE_HEADER_BYTES) return null;
  const length = all.readUIntBE(1, 3);
  if (length > HELLO_BYTES_MAX) return bad(`it has more than ${HELLO_BYTES_MAX} bytes`);
  if (gathered < MESSAGE_HEADER_BYTES + length) return null;
  // The client has nothing more to say until it is answered.
  if (gathered > MESSAGE_HEADER_BYTES + length) return bad('something follows the ClientHello');
  return all.subarray(MESSAGE_HEADER_BYTES);
}

function parseMessage(message: Buffer): ClientHello {
  const reader = new Reader(message);
  reader.skip(2 + RANDOM_BYTES);
  const sessionId = reader.vector(1);
  const ciphers = reader.vector(2);
  const compressions = reader.vector(1);
  if (reader.failed || sessionId.length > SESSION_ID_BYTES_MAX) return bad('its fields overlap');
  if (ciphers.length < 2 || ciphers.length % 2 !== 0) return bad('it has no valid cipher suites');
  if (compressions.length < 1) return bad('it has no compression methods');
  // TLS 1.2 allows a ClientHello without extensions.
  if (reader.atEnd) return { kind: 'hello', serverName: '' };
  const extensions = new Reader(reader.vector(2));
  if (reader.failed || !reader.atEnd) return bad('its extensions have no valid length');
  return findServerName(extensions);
}

function findServerName(extensions: Reader): ClientHello {
  const seen = new Set<number>();
  let serverName = '';
  while (!extensions.atEnd) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (extensions.failed) return bad('an extension has no valid length');
    if (seen.has(type)) return bad(`extension ${type} is there twice`);
    seen.add(type);
    if (type !== SERVER_NAME_EXTENSION) continue;
    const name = parseServerNames(data);
    if (name === null) return bad('its server name is not valid');
    serverName = name;
  }
  return { kind: 'hello', serverName };
}

/** The one host name in the list; null when there is none, or several, or something else. */
function parseServerNames(data: Buffer): string | null {
  const outer = new Reader(data);
  const list = new Reader(outer.vector(2));
  if (outer.failed || !outer.atEnd) return null;
  const type = list.number(1);
  const name = list.vector(2);
  if (list.failed || !list.atEnd || type !== HOST_NAME) return null;
  const text = name.toString('latin1');
  return SERVER_NAME.test(text) ? text : null;
}

/** ASCII letters, digits and what else names are made of; no blanks, controls, or bytes above 126. */
const SERVER_NAME = /^[A-Za-z0-9._:-]{1,255}$/;

/** Reads numbers and length-prefixed vectors; past the end it fails once and for all. */
class Reader {
  failed = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.failed || this.#at === this.#bytes.length;
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#bytes.length) this.failed = true;
  }

  number(size: 1 | 2): number {
    if (this.failed || this.#at + size > this.#bytes.length) {
      this.failed = true;
      return 0;
    }
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  /** The bytes after a length of `size` bytes. */
  vector(size: 1 | 2): Buffer {
    const length = this.number(size);
    const start = this.#at;
    this.skip(length);
    return this.failed ? Buffer.alloc(0) : this.#bytes.subarray(start, this.#at);
  }
}
