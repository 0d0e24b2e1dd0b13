// What a WebSocket needs when its two sides speak different versions of HTTP. HTTP/1.1 proves by a key
// and its hash that the server has understood (RFC 6455 1.3); over HTTP/2, :protocol says so, and there
// is neither (RFC 8441 5). Who changes the version makes the half that is missing.
//
// Not hot: once for each connection that is upgraded across versions.

import { createHash, randomBytes } from 'node:crypto';
import { fieldValue } from './fields.ts';
import type { Fields, RequestHead } from './stream.ts';

const KEY = 'sec-websocket-key';
const ACCEPT = 'sec-websocket-accept';
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Whether a protocol that is asked for in an upgrade is HTTP itself: h2c and its kin. */
export function isHttpVersion(name: string): boolean {
  return /^(?:h2c?|http(?:\/.*)?)$/i.test(name);
}

/** What a server answers to a key. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64');
}

/** The request as HTTP/1.1 asks, and the key we made for it; '' when the client brought one. */
export function withKey(head: RequestHead): { readonly head: RequestHead; readonly key: string } {
  const isMissing =
    head.protocol.toLowerCase() === 'websocket' && fieldValue(head.fields, KEY) === undefined;
  if (!isMissing) return { head, key: '' };
  const key = randomBytes(16).toString('base64');
  return { head: { ...head, fields: [...head.fields, KEY, key] }, key };
}

/** The request as HTTP/2 asks, and the key it came with; '' when there was none. */
export function withoutKey(head: RequestHead): {
  readonly head: RequestHead;
  readonly key: string;
} {
  const key = fieldValue(head.fields, KEY) ?? '';
  return { head: { ...head, fields: without(head.fields, KEY) }, key };
}

/** The fields of a 101 for a client that has sent `key`. */
export function withAccept(fields: Fields, key: string, protocol: string): Fields {
  const out = [...fields, 'upgrade', protocol];
  if (key !== '') out.push(ACCEPT, acceptOf(key));
  return out;
}

/** The fields of a 101 without the answer to a key of ours; null when it is not the right one. */
export function checkedAccept(fields: Fields, key: string): Fields | null {
  if (fieldValue(fields, ACCEPT) !== acceptOf(key)) return null;
  return without(fields, ACCEPT);
}

function without(fields: Fields, name: string): Fields {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]!.toLowerCase() !== name) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept;
}
