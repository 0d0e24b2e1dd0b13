// Sorts a header field into the kinds HTTP/2 treats differently, and finds what is malformed in it
// (RFC 9113 §8.2, §8.3). Asked once for each field that comes in as a literal; fields that come out of an
// HPACK table carry the answer with them, so a repeated header costs no second look.
//
// Budget: one look into a Map for each name that is not in a table. Allocates nothing. Guarded by
// bench/proxy.ts.

import { isDisguised } from '../../../../lib/disguised-name.ts';
import { isAuthority } from './authority.ts';
import { NOT_DIGIT, NOT_NAME, NOT_TARGET, NOT_TOKEN, NOT_VALUE } from './byte-class.ts';

export const Kind = {
  /** A field like any other. */
  PLAIN: 0,
  /** Makes its message malformed, wherever it stands. */
  BAD: 1,
  METHOD: 2,
  SCHEME: 3,
  AUTHORITY: 4,
  PATH: 5,
  PROTOCOL: 6,
  STATUS: 7,
  HOST: 8,
  CONTENT_LENGTH: 9,
  COOKIE: 10,
  TE: 11,
  EXPECT: 12,
  /** Credentials: like plain ones in heads, not taken from trailers. */
  CREDENTIAL: 13,
  /** Some backends read it as a field that proxies set: clients may not send it. */
  DISGUISED: 14,
} as const;

/** A method is a token of at most this many characters. */
const METHOD_CHARS_MAX = 24;

/** 999 TB; one digit more could pass what a number holds exactly. */
const LENGTH_DIGITS_MAX = 15;

const SPECIAL_NAMES = new Map<string, number>([
  [':method', Kind.METHOD],
  [':scheme', Kind.SCHEME],
  [':authority', Kind.AUTHORITY],
  [':path', Kind.PATH],
  [':protocol', Kind.PROTOCOL],
  [':status', Kind.STATUS],
  ['host', Kind.HOST],
  ['content-length', Kind.CONTENT_LENGTH],
  ['cookie', Kind.COOKIE],
  ['te', Kind.TE],
  // CGI-like backends would take it for the proxy that they are to use themselves (httpoxy).
  ['proxy', Kind.DISGUISED],
  ['expect', Kind.EXPECT],
  ['authorization', Kind.CREDENTIAL],
  ['proxy-authorization', Kind.CREDENTIAL],
  // Connection-specific fields have no meaning in HTTP/2 and make a message malformed (§8.2.2).
  ['connection', Kind.BAD],
  ['keep-alive', Kind.BAD],
  ['proxy-connection', Kind.BAD],
  ['transfer-encoding', Kind.BAD],
  ['upgrade', Kind.BAD],
]);

/** The kind a name gives its fields; `classes` are the class bits of its bytes (byte-class.ts). */
export function nameKind(name: string, classes: number): number {
  const special = SPECIAL_NAMES.get(name);
  if (special !== undefined) return special;
  if ((classes & NOT_NAME) !== 0 || name === '') return Kind.BAD;
  return isDisguised(name) ? Kind.DISGUISED : Kind.PLAIN;
}

/** The kind of a whole field: that of its name, or BAD when the value is not one the name may have. */
export function fieldKind(kind: number, value: string, classes: number): number {
  if ((classes & NOT_VALUE) !== 0 || isBlankAtEdge(value)) return Kind.BAD;
  switch (kind) {
    case Kind.METHOD:
      return orBad(kind, isToken(value, classes) && value.length <= METHOD_CHARS_MAX);
    case Kind.SCHEME:
      return orBad(kind, value === 'http' || value === 'https');
    case Kind.AUTHORITY:
    case Kind.HOST:
      return orBad(kind, isAuthority(value));
    case Kind.PATH:
      return orBad(kind, (classes & NOT_TARGET) === 0 && (value.startsWith('/') || value === '*'));
    case Kind.PROTOCOL:
      return orBad(kind, isToken(value, classes));
    case Kind.STATUS:
      return orBad(kind, value.length === 3 && (classes & NOT_DIGIT) === 0 && isStatus(value));
    case Kind.CONTENT_LENGTH:
      return orBad(kind, (classes & NOT_DIGIT) === 0 && isLength(value));
    case Kind.TE:
      return orBad(kind, value === 'trailers');
    default:
      return kind;
  }
}

function orBad(kind: number, valid: boolean): number {
  return valid ? kind : Kind.BAD;
}

function isToken(value: string, classes: number): boolean {
  return value !== '' && (classes & NOT_TOKEN) === 0;
}

/** 100 to 599; whatever else three digits spell has no class a proxy could act on. */
function isStatus(value: string): boolean {
  return value >= '100' && value < '600';
}

function isLength(value: string): boolean {
  return value !== '' && value.length <= LENGTH_DIGITS_MAX;
}

/** Blanks around a value are where parsers disagree; RFC 9113 §8.2.1 forbids them. */
function isBlankAtEdge(value: string): boolean {
  if (value === '') return false;
  return isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1));
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
