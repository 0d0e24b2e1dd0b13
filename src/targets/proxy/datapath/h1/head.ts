// Bytes of a head → RequestHead or ResponseHead, strictly by RFC 9112: what two parsers could read
// differently is refused, never repaired. One anchored expression proves the whole head well formed;
// only then is it cut into fields, so the cutting needs no checks of its own. What goes on to the
// other side is written anew from the result: bytes of a peer are never forwarded as they came.
//
// Budget: 1.5 µs for a head of 13 fields (bench/head.ts). Allocates the head, its field list and the
// slices of one Latin-1 string.

import { isDisguised } from '../../../../lib/disguised-name.ts';
import { isHttpVersion } from '../websocket.ts';
import { LENGTH_UNKNOWN } from '../stream.ts';
import type { Fields, RequestHead, ResponseHead } from '../stream.ts';
import type { Limits } from '../limits.ts';

/** A head that cannot be accepted; `status` is what a client is answered with. */
export interface BadHead {
  readonly status: number;
  readonly reason: string;
}

/** What a head says about its message besides the head itself. */
export interface Framing {
  /** HTTP/1.1 rather than 1.0. */
  readonly modern: boolean;
  /** The body comes in chunks. */
  readonly chunked: boolean;
  /** The sender will not use the connection again. */
  readonly close: boolean;
  /** Seconds the sender keeps an idle connection, from its Keep-Alive field; 0 when it does not say. */
  readonly keepAliveSeconds: number;
}

const TOKEN_CHARS = "!#$%&'*+\\-.^`|~0-9A-Za-z";
const VALUE = '[\\t\\x20-\\x7e\\x80-\\xff]*';
const REQUEST_LINE = `[${TOKEN_CHARS}_]+ [\\x21\\x22\\x24-\\x5b\\x5d-\\x7e]+ HTTP/1\\.[01]\\r\\n`;
const STATUS_LINE = `HTTP/1\\.[01] [1-9][0-9]{2}(?: ${VALUE})?\\r\\n`;
const REQUEST = headPattern(REQUEST_LINE, TOKEN_CHARS);
const RESPONSE = headPattern(STATUS_LINE, TOKEN_CHARS);
// Underscores in names are rare, and looking for them in every name of every head is not worth it.
const REQUEST_WITH_UNDERSCORES = headPattern(REQUEST_LINE, `${TOKEN_CHARS}_`);
const RESPONSE_WITH_UNDERSCORES = headPattern(STATUS_LINE, `${TOKEN_CHARS}_`);
const METHOD_CHARS_MAX = 24;
/** A name or an address, and perhaps a port; no user, no list, nothing percent-encoded. */
const AUTHORITY = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

function headPattern(firstLine: string, nameChars: string): RegExp {
  return new RegExp(`^${firstLine}(?:[${nameChars}]+:${VALUE}\\r\\n)*\\r\\n$`);
}

/** Names with commas between: there are parsers that find `close` in whatever else it is. */
const CONNECTION = new RegExp(
  `^(?:[${TOKEN_CHARS}_]+[ \\t]*)?(?:,[ \\t]*(?:[${TOKEN_CHARS}_]+[ \\t]*)?)*$`,
);

const PLAIN_CHUNKED = /\ntransfer-encoding: *chunked *\r/i;

/** What the walk over the fields collects; reused, as parsing never yields in between. */
const found = {
  host: '',
  hosts: 0,
  contentLength: '',
  contentLengths: 0,
  transferEncoding: '',
  transferEncodings: 0,
  connection: '',
  upgrade: '',
  expect: '',
  keepAlive: '',
};

/** Framing of the head parsed last: read at once, as the next parse overwrites it. */
const framing = { modern: true, chunked: false, close: false, keepAliveSeconds: 0 };

export function lastFraming(): Framing {
  return framing;
}

/** Parses a request head that ends with its empty line. */
export function parseRequestHead(
  text: string,
  scheme: 'http' | 'https',
  limits: Limits,
): RequestHead | BadHead {
  const underscores = !REQUEST.test(text);
  if (underscores && !REQUEST_WITH_UNDERSCORES.test(text)) return explainBadRequest(text);
  // The expression has told that there are two blanks and what stands between them.
  const methodEnd = text.indexOf(' ');
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  const method = text.slice(0, methodEnd);
  const target = text.slice(methodEnd + 1, targetEnd);
  if (method.length > METHOD_CHARS_MAX) return bad(400, 'the method is too long');
  if (target.length > limits.targetBytesMax) return bad(414, 'the target is too long');
  framing.modern = text.charCodeAt(targetEnd + 'HTTP/1.1'.length) === 0x31;
  const fields = takeFields(text, targetEnd + 1 + 'HTTP/1.1\r\n'.length, limits.headFieldsMax);
  if (fields === null) return bad(431, 'there are too many header fields');
  const plain = underscores ? withoutDisguised(fields) : fields;
  return requestHead(text, { method, target, fields: plain, scheme });
}

function requestHead(
  text: string,
  { method, target, fields, scheme }: Pick<RequestHead, 'method' | 'target' | 'fields' | 'scheme'>,
): RequestHead | BadHead {
  // PRI is no method, but how HTTP/2 begins (RFC 9113 3.4).
  if (method === 'CONNECT' || method === 'TRACE' || method === 'PRI') {
    return bad(405, `${method} is not served`);
  }
  const length = bodyLength(text, 0);
  if (typeof length !== 'number') return length;
  if (found.connection !== '' && !CONNECTION.test(found.connection)) {
    return bad(400, 'Connection is not a list of names');
  }
  // Servers of HTTP/1.0 know no bodies there, and would take one for the next request.
  if (
    !framing.modern &&
    length !== 0 &&
    (method === 'GET' || method === 'HEAD' || method === 'DELETE')
  ) {
    return bad(400, `a ${method} in HTTP/1.0 has a body`);
  }
  const protocol = upgradeProtocol();
  if (protocol !== '' && length !== 0) return bad(400, 'a request to upgrade has a body');
  let expectContinue = false;
  if (found.expect !== '') {
    if (found.expect.toLowerCase() !== '100-continue')
      return bad(417, 'the expectation is unknown');
    expectContinue = framing.modern;
  }
  if (target === '*' && method !== 'OPTIONS') return bad(400, 'the target * is for OPTIONS alone');
  const place = originForm(target);
  if ('status' in place) return place;
  return {
    method,
    target: place.target,
    authority: place.authority,
    scheme,
    fields: withoutNominated(fields),
    contentLength: length,
    protocol,
    expectContinue,
  };
}

/** Target and authority in one form: RFC 9112 3.2 says an absolute target outranks Host. */
function originForm(target: string): { target: string; authority: string } | BadHead {
  if (found.hosts > 1) return bad(400, 'there is more than one Host');
  if (found.hosts === 0 && framing.modern) return bad(400, 'there is no Host');
  if (found.hosts === 1 && !AUTHORITY.test(found.host)) return bad(400, 'Host is not a host');
  if (target.charCodeAt(0) === 0x2f /* / */ || target === '*') {
    return { target, authority: found.host };
  }
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
  if (absolute === null) return bad(400, 'the target is neither a path nor a URL');
  const authority = absolute[1]!;
  const rest = absolute[2]!;
  if (!AUTHORITY.test(authority)) return bad(400, 'the target has no valid host');
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}

/** Parses a response head. `noBody`: the request was HEAD, so no body follows whatever the head says. */
export function parseResponseHead(text: string, limits: Limits): ResponseHead | BadHead {
  if (!RESPONSE.test(text) && !RESPONSE_WITH_UNDERSCORES.test(text)) {
    return bad(502, 'the response head is not valid');
  }
  framing.modern = text.charCodeAt('HTTP/1.'.length) === 0x31;
  const status = Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
  const fields = takeFields(text, text.indexOf('\r\n') + 2, limits.headFieldsMax);
  if (fields === null) return bad(502, 'the response has too many header fields');
  const length = bodyLength(text, LENGTH_UNKNOWN);
  if (typeof length !== 'number') return bad(502, length.reason);
  framing.keepAliveSeconds = keepAliveSeconds();
  return { status, fields: withoutNominated(fields), contentLength: length };
}

/** The protocol a 101 response changes to; '' when it names none. */
export function lastUpgrade(): string {
  return found.upgrade;
}

function keepAliveSeconds(): number {
  const timeout = found.keepAlive === '' ? null : /timeout=(\d{1,6})/i.exec(found.keepAlive);
  return timeout === null ? 0 : Number(timeout[1]);
}

/** Cuts field lines apart. Keeps end-to-end fields, notes the ones that belong to this connection. */
function takeFields(text: string, start: number, countMax: number): Fields | null {
  resetFound();
  const fields: Fields = [];
  const end = text.length - 2;
  let count = 0;
  for (let at = start; at < end;) {
    if (++count > countMax) return null;
    const colon = text.indexOf(':', at);
    const eol = text.indexOf('\r\n', colon);
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, eol);
    if (!takeSpecial(name, value)) fields.push(name, value);
    at = eol + 2;
  }
  return fields;
}

function resetFound(): void {
  found.host = '';
  found.hosts = 0;
  found.contentLength = '';
  found.contentLengths = 0;
  found.transferEncoding = '';
  found.transferEncodings = 0;
  found.connection = '';
  found.upgrade = '';
  found.expect = '';
  found.keepAlive = '';
}

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** True when the field is about this connection or this hop and is not passed on as it is. */
function takeSpecial(name: string, value: string): boolean {
  switch (name.length) {
    case 2:
      return isName(name, 'te');
    case 4:
      if (!isName(name, 'host')) return false;
      found.host = value;
      found.hosts++;
      return true;
    case 5:
      // CGI-like backends would take it for the proxy that they are to use themselves (httpoxy).
      return isName(name, 'proxy');
    case 6:
      if (!isName(name, 'expect')) return false;
      found.expect = value;
      return true;
    case 7:
      if (!isName(name, 'upgrade')) return isName(name, 'trailer');
      found.upgrade = found.upgrade === '' ? value : `${found.upgrade}, ${value}`;
      return true;
    case 10:
      if (isName(name, 'connection')) {
        found.connection = found.connection === '' ? value : `${found.connection}, ${value}`;
        return true;
      }
      if (!isName(name, 'keep-alive')) return false;
      found.keepAlive = value;
      return true;
    case 14:
      if (!isName(name, 'content-length')) return isName(name, 'http2-settings');
      found.contentLength = value;
      found.contentLengths++;
      return true;
    case 16:
      return isName(name, 'proxy-connection');
    case 17:
      if (!isName(name, 'transfer-encoding')) return false;
      found.transferEncoding = value;
      found.transferEncodings++;
      return true;
    default:
      return false;
  }
}

/** Of the same length. Most names that are not the one differ in their first letter. */
function isName(name: string, lower: string): boolean {
  if ((name.charCodeAt(0) | 0x20) !== lower.charCodeAt(0)) return false;
  return name === lower || name.toLowerCase() === lower;
}

/** X_Forwarded_For reaches CGI-like backends under the name of X-Forwarded-For, which we set. */
function withoutDisguised(fields: Fields): Fields {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!isDisguised(fields[i]!)) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept;
}

/** RFC 9112 6.3, without its leniency: anything said twice or in two ways is refused. */
function bodyLength(text: string, otherwise: number): number | BadHead {
  framing.chunked = false;
  framing.close = !framing.modern;
  if (found.connection !== '') readConnection();
  if (found.transferEncodings > 0) {
    if (found.contentLengths > 0) return bad(400, 'there are Content-Length and Transfer-Encoding');
    if (!framing.modern) return bad(400, 'Transfer-Encoding in HTTP/1.0');
    if (found.transferEncodings > 1) return bad(400, 'there is more than one Transfer-Encoding');
    if (found.transferEncoding.toLowerCase() !== 'chunked') {
      return bad(501, 'the Transfer-Encoding is not chunked');
    }
    // Valid with a tab around it, but there are parsers that then read it as none.
    if (!PLAIN_CHUNKED.test(text)) return bad(400, 'the Transfer-Encoding is not plain');
    framing.chunked = true;
    return LENGTH_UNKNOWN;
  }
  if (found.contentLengths === 0) return otherwise;
  if (found.contentLengths > 1) return bad(400, 'there is more than one Content-Length');
  if (!/^[0-9]{1,15}$/.test(found.contentLength)) return bad(400, 'Content-Length is not a number');
  return Number(found.contentLength);
}

function readConnection(): void {
  const connection = found.connection.toLowerCase();
  if (connection === 'keep-alive') framing.close = false;
  else if (connection === 'close') framing.close = true;
  else {
    const tokens = connection.split(',').map((token) => token.trim());
    if (tokens.includes('close')) framing.close = true;
    else if (tokens.includes('keep-alive')) framing.close = false;
  }
}

/**
 * What the sender wants to change to. Other versions of HTTP do not count: in a tunnel, requests would come
 * past the rules.
 */
function upgradeProtocol(): string {
  if (found.upgrade === '' || !framing.modern) return '';
  if (!/(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(found.connection)) return '';
  if (!/h2|http/i.test(found.upgrade)) return found.upgrade;
  const offered = found.upgrade.split(',').map((name) => name.trim());
  return offered.filter((name) => !isHttpVersion(name)).join(', ');
}

/** Fields that Connection names belong to this hop. The usual tokens are no fields. */
function withoutNominated(fields: Fields): Fields {
  const connection = found.connection;
  if (connection === '' || /^(?:keep-alive|close|upgrade)$/i.test(connection)) return fields;
  const nominated = connection.toLowerCase().split(',');
  const names = new Set(nominated.map((token) => token.trim()));
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!names.has(fields[i]!.toLowerCase())) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept;
}

function bad(status: number, reason: string): BadHead {
  return { status, reason };
}

/** Which of the reasons it is that a request head is not one: slow, and only asked when it is not. */
function explainBadRequest(text: string): BadHead {
  const line = text.slice(0, text.indexOf('\r\n'));
  const version = / HTTP\/([0-9])\.([0-9])$/.exec(line);
  if (version !== null && (version[1] !== '1' || Number(version[2]) > 1)) {
    return bad(505, 'only HTTP/1.0 and HTTP/1.1 are served here');
  }
  return bad(400, 'the request head is not valid');
}
