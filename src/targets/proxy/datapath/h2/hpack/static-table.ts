// The static table of HPACK (RFC 7541 appendix A) and the shape every table entry has. An entry carries
// the kind of its name and of the whole field (field-kind.ts), so that a field that is only referred to is
// never looked at again.
//
// Budget: nothing; a table only.

import { classesOf } from '../byte-class.ts';
import { fieldKind, nameKind } from '../field-kind.ts';

/** A field in a header table. */
export interface Entry {
  readonly name: string;
  readonly value: string;
  readonly nameKind: number;
  readonly kind: number;
}

/** What an entry counts beyond its name and value (RFC 7541 §4.1). */
export const ENTRY_OVERHEAD_BYTES = 32;

/** The table size both sides start with (RFC 9113 §6.5.2); we never offer and never use more. */
export const TABLE_BYTES_MAX = 4096;

/** Name and value by index, from 1. */
const FIELDS: readonly (readonly [name: string, value: string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];

/** Entries by index, from 1; there is none at 0, which is no valid index. */
export const STATIC_TABLE: readonly (Entry | undefined)[] = [
  undefined,
  ...FIELDS.map(([name, value]) => entryOf(name, value)),
];

/** The last static index; dynamic entries follow it. */
export const STATIC_COUNT: number = FIELDS.length;

/** What the static table knows of a name: where it stands first, and the values it has. */
export interface StaticName {
  readonly index: number;
  readonly values: readonly string[];
  readonly indexes: readonly number[];
}

/** The static table by name. Empty values are left out: they are not what anybody sends. */
export const STATIC_NAMES: ReadonlyMap<string, StaticName> = groupByName();

function entryOf(name: string, value: string): Entry {
  const kind = nameKind(name, 0);
  return { name, value, nameKind: kind, kind: fieldKind(kind, value, latin1Classes(value)) };
}

function latin1Classes(value: string): number {
  const bytes = Buffer.from(value, 'latin1');
  return classesOf(bytes, 0, bytes.length);
}

function groupByName(): Map<string, StaticName> {
  const names = new Map<string, { index: number; values: string[]; indexes: number[] }>();
  FIELDS.forEach(([name, value], at) => {
    const known = names.get(name) ?? { index: at + 1, values: [], indexes: [] };
    names.set(name, known);
    if (value === '') return;
    known.values.push(value);
    known.indexes.push(at + 1);
  });
  return names;
}
