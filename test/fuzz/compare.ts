// What two parsers make of the same bytes. Ours may refuse what llhttp takes; whatever ours takes, llhttp
// must have read in the same way, down to each field and each byte of a body, or two proxies in a row
// would disagree about where a message ends.

import type { RequestHead } from '../../src/targets/proxy/datapath/stream.ts';
import { LENGTH_UNKNOWN } from '../../src/targets/proxy/datapath/stream.ts';
import { writeRequestHead } from '../../src/targets/proxy/datapath/h1/write.ts';
import { KNOWN_METHODS, parseAll } from './llhttp.ts';
import type { Parsed } from './llhttp.ts';
import { cut } from './messages.ts';
import { readRequests, readResponse } from './ours.ts';
import type { Random } from './random.ts';

/** `agree`: both take everything, or both find fault at the same place. `stricter`: only we found fault. */
export type Verdict = { readonly kind: 'agree' | 'stricter' } | Disagreement;
export interface Disagreement {
  readonly kind: 'differ';
  readonly why: string;
}

const differ = (why: string): Disagreement => ({ kind: 'differ', why });

/** Fields that are ours to read and not to pass on. */
const TAKEN = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'http2-settings',
]);

export function compareRequests(random: Random, text: string): Verdict {
  const ours = readRequests([text]);
  const again = readRequests(cut(random, text));
  if (!isSame(ours, again)) {
    return differ('our parser reads pieces in another way than the whole');
  }
  const theirs = parseAll(text, 'request', false);
  for (const [i, { head, body, complete }] of ours.messages.entries()) {
    // RFC 9110 9.1 lets anybody make a method.
    if (!KNOWN_METHODS.has(head.method)) return { kind: 'agree' };
    const other = theirs.messages[i];
    if (other === undefined)
      return differ(`request ${i} is one to us, and none to llhttp: ${theirs.fault}`);
    const why = differenceOf(head, other) ?? forwardedDifference(head);
    if (why !== null) return differ(`request ${i}: ${why}`);
    // After an upgrade llhttp leaves the rest to others, and so do we when the backend agrees.
    if (other.upgrade) return { kind: 'agree' };
    if (complete && !other.complete)
      return differ(`request ${i} is complete to us, not to llhttp: ${theirs.fault}`);
    if (complete ? body !== other.body : !other.body.startsWith(body)) {
      return differ(
        `request ${i} has body ${JSON.stringify(body)} to us, ${JSON.stringify(other.body)} to llhttp`,
      );
    }
  }
  return { kind: (ours.fault !== '') === (theirs.fault !== '') ? 'agree' : 'stricter' };
}

function differenceOf(head: RequestHead, other: Parsed): string | null {
  if (head.method !== other.method) return `method ${head.method} or ${other.method}`;
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(other.url);
  const target = absolute === null ? other.url : absolute[2]!.replace(/^(?!\/)/, '/');
  if (head.target !== target) return `target ${head.target} or ${target}`;
  const host = absolute === null ? (valuesOf(other, 'host')[0] ?? '') : absolute[1]!;
  if (head.authority !== host) return `authority ${head.authority} or ${host}`;
  return fieldDifference(head.fields, other);
}

/** Ours are a part of theirs, in the same order; what is missing is what belongs to the hop. */
function fieldDifference(fields: readonly string[], { headers }: Parsed): string | null {
  const nominated = new Set(
    headers.flatMap((name, i) =>
      i % 2 === 0 && name.toLowerCase() === 'connection' ? tokens(headers[i + 1]!) : [],
    ),
  );
  let at = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const lower = headers[i]!.toLowerCase();
    if (headers[i] === fields[at] && trim(headers[i + 1]!) === fields[at + 1]) at += 2;
    else if (!TAKEN.has(lower) && !nominated.has(lower) && !lower.includes('_')) {
      return `field ${headers[i]} is lost`;
    }
  }
  return at === fields.length ? null : `field ${fields[at]} is not in what llhttp read`;
}

/** What we would send on must be one request to whoever reads it. */
function forwardedDifference(head: RequestHead): string | null {
  const hasBody = head.contentLength !== 0;
  const text = writeRequestHead(head, hasBody);
  const rest = !hasBody ? '' : head.contentLength === LENGTH_UNKNOWN ? '0\r\n\r\n' : '';
  const { messages, fault } = parseAll(text + rest, 'request', false);
  const [only] = messages;
  if (fault !== '' || messages.length !== 1 || only === undefined)
    return `what we forward is no request: ${fault}`;
  if (only.method !== head.method || only.url !== head.target)
    return 'what we forward is another request';
  const hosts = valuesOf(only, 'host');
  return hosts.length === 1 && hosts[0] === head.authority
    ? null
    : 'what we forward has another host';
}

export function compareResponses(random: Random, text: string): Verdict {
  const ours = readResponse([text]);
  const again = readResponse(cut(random, text));
  if (!isSame(ours, again)) {
    return differ('our parser reads pieces in another way than the whole');
  }
  const theirs = parseAll(text, 'response', true);
  const finals = theirs.messages.filter(({ status }) => status >= 200);
  const [found] = ours.messages;
  const [other] = finals;
  if (found === undefined)
    return { kind: theirs.fault === '' && other !== undefined ? 'stricter' : 'agree' };
  // To llhttp, Connection: close of an interim response ends the connection before its response.
  if (other === undefined && ours.interim.length > 0 && theirs.fault === 'HPE_CLOSED_CONNECTION') {
    return { kind: 'agree' };
  }
  if (other === undefined) return differ(`a response to us, and none to llhttp: ${theirs.fault}`);
  if (found.head.status !== other.status)
    return differ(`status ${found.head.status} or ${other.status}`);
  const why = fieldDifference(found.head.fields, other);
  if (why !== null) return differ(why);
  if (found.complete && found.body !== other.body) {
    return differ(
      `body ${JSON.stringify(found.body)} to us, ${JSON.stringify(other.body)} to llhttp`,
    );
  }
  if (found.complete && !other.complete)
    return differ(`complete to us, not to llhttp: ${theirs.fault}`);
  return { kind: found.complete === other.complete ? 'agree' : 'stricter' };
}

/** Which of several faults is named first may depend on how the bytes came. */
function isSame(a: { readonly fault: string }, b: { readonly fault: string }): boolean {
  const plain = (found: { readonly fault: string }): string =>
    JSON.stringify({ ...found, fault: found.fault !== '' });
  return plain(a) === plain(b);
}

function valuesOf({ headers }: Parsed, name: string): readonly string[] {
  return headers.flatMap((given, i) =>
    i % 2 === 0 && given.toLowerCase() === name ? [trim(headers[i + 1]!)] : [],
  );
}

function tokens(list: string): readonly string[] {
  return list.toLowerCase().split(',').map(trim);
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
