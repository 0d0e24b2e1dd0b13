// What an HPACK encoder knows of one field name on one connection: how it is written, whether it may be
// indexed at all, and which of its values are in the tables. Made once for each name of a connection.
//
// Budget: one look into a Map for each field. Allocates once for each name. Guarded by
// bench/proxy.ts.

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

/** No value was sent as a literal yet; hashes are not below 0. */
export const NO_CANDIDATE = -1;

const SENDABLE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export interface NameState {
  readonly lowerName: string;
  policy: number;
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
  /**
   * A hash of the value last sent as a literal: when it comes again, it is indexed. No more than a hash,
   * so that values that never come again are not kept; two values with one hash do no harm.
   */
  candidate: number;
}

/** The state of a name among a message's fields, in any case; names that must not be sent say DROP. */
export function learnFieldName(name: string): NameState {
  // Lowered as bytes: a copy, where a name cut out of a head would keep the whole head alive with it.
  const lowerName = Buffer.from(name.toLowerCase(), 'latin1').toString('latin1');
  const policy = POLICIES.get(lowerName) ?? NamePolicy.LEARN;
  return newState(lowerName, SENDABLE_NAME.test(name) ? policy : NamePolicy.DROP);
}

/** The state of a name we write ourselves from a head's properties: pseudo-headers, content-length. */
export function learnOwnName(name: string): NameState {
  return newState(name, NamePolicy.LEARN);
}

/** Turns a name that may be indexed into one that never is. */
export function keepSecret(state: NameState): void {
  const { LEARN, NEVER, NEVER_WHEN_SHORT, LITERAL } = NamePolicy;
  const { policy } = state;
  if (policy === LEARN || policy === NEVER_WHEN_SHORT || policy === LITERAL) state.policy = NEVER;
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
    candidate: NO_CANDIDATE,
  };
}
