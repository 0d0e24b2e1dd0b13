// What an HPACK encoder knows of one field name on one connection: how it is written, whether it may be
// indexed at all, and which of its values are in the tables. Made once for each name of a connection.

import { STATIC_NAMES } from './static-table.ts';

export const NamePolicy = {
  /** Indexed as its values repeat. */
  LEARN: 0,
  /** Never indexed, by anyone on the way: secrets that could be guessed (RFC 7541 §7.1.3). */
  NEVER: 1,
  /** Never indexed while the value is short: a long cookie cannot be guessed, and is worth indexing. */
  NEVER_WHEN_SHORT: 2,
  /** Literal each time: indexing would only wash the table out. */
  LITERAL: 3,
  /** `te` may only say `trailers` (RFC 9113 §8.2.2). */
  TRAILERS_ONLY: 4,
  /** Must not be sent in HTTP/2, or comes from elsewhere than the fields. */
  DROP: 5,
} as const;

const POLICIES = new Map<string, number>([
  ['authorization', NamePolicy.NEVER],
  ['proxy-authorization', NamePolicy.NEVER],
  ['cookie', NamePolicy.NEVER_WHEN_SHORT],
  ['set-cookie', NamePolicy.LITERAL],
  ['te', NamePolicy.TRAILERS_ONLY],
  // Connection-specific (RFC 9113 §8.2.2).
  ['connection', NamePolicy.DROP],
  ['keep-alive', NamePolicy.DROP],
  ['proxy-connection', NamePolicy.DROP],
  ['transfer-encoding', NamePolicy.DROP],
  ['upgrade', NamePolicy.DROP],
  // Said by the head's own properties; a second, different one would be request smuggling.
  ['host', NamePolicy.DROP],
  ['content-length', NamePolicy.DROP],
  ['expect', NamePolicy.DROP],
]);

const SENDABLE_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

export interface NameState {
  readonly lowerName: string;
  readonly policy: number;
  /** Its first index in the static table, 0 for none. */
  readonly staticIndex: number;
  /** Values known to be in a table, and beside each where: below 0 a static index, else its insertion. */
  readonly values: string[];
  readonly places: number[];
  /** How many of `values` are static; they stand first and stay. */
  readonly staticValues: number;
  /** The insertion that was the last with this name, -1 for none: it may lend its name to literals. */
  lastInsertion: number;
  /** Which dynamic value is overwritten next. */
  nextSlot: number;
  /** The value last sent as a literal: when it comes again, it is indexed. */
  candidate: string | null;
}

/** The state of a name among a message's fields, in any case; names that must not be sent say DROP. */
export function learnFieldName(name: string): NameState {
  const lowerName = name.toLowerCase();
  const policy = POLICIES.get(lowerName) ?? NamePolicy.LEARN;
  return newState(lowerName, SENDABLE_NAME.test(lowerName) ? policy : NamePolicy.DROP);
}

/** The state of a name we write ourselves from a head's properties: pseudo-headers, content-length. */
export function learnOwnName(name: string): NameState {
  return newState(name, NamePolicy.LEARN);
}

function newState(lowerName: string, policy: number): NameState {
  const known = STATIC_NAMES.get(lowerName);
  return {
    lowerName,
    policy,
    staticIndex: known?.index ?? 0,
    values: known ? [...known.values] : [],
    places: known ? known.indexes.map((index) => -index) : [],
    staticValues: known?.values.length ?? 0,
    lastInsertion: -1,
    nextSlot: 0,
    candidate: null,
  };
}
