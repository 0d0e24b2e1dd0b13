// What a request must pass before its rule does anything else for it. Asked in the order of the fields;
// answers to preflight requests of browsers come after the size of the body, and before the rest.

import type { TextTemplate } from './template.ts';

export interface Guard {
  /** A longer body is answered with 413. */
  readonly bodyBytesMax?: number;
  /** What the certificate of the client must be like; asked first of all. */
  readonly clientCertificate?: ClientCertificateGuard;
  readonly rates: readonly RateLimit[];
  readonly requests?: ConcurrencyLimit;
  /** Who may ask, by IP address; others are answered with 403. */
  readonly clients?: ClientRanges;
  /** Names and passwords; without, the answer is 401. */
  readonly basic?: BasicAuth;
  /** any: either the address or the name is enough. */
  readonly satisfy: 'all' | 'any';
}

export interface ClientCertificateGuard {
  /** `ClientQuestion.id`: found valid by other authorities, a certificate counts for nothing here. */
  readonly by: string;
  /**
   * valid: one that is valid. optional: one that is, or none. anyAuthority: as optional, though whoever
   * may have issued it. nothing: nobody was asked for one.
   */
  readonly wants: 'valid' | 'optional' | 'anyAuthority' | 'nothing';
  /** The answer to others. */
  readonly statusCode: number;
  /** Where to instead of an answer with `statusCode`. */
  readonly redirect?: string;
  /** RE2 syntax: what the subject must have in it, as in RFC 2253; without, the answer is 403. */
  readonly subject?: string;
}

/** A certificate that a client has shown. */
export interface ShownCertificate {
  /** `ClientQuestion.id` of whoever asked. */
  readonly by: string;
  /** As in RFC 2253: `CN=somebody,O=example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Why it is not valid, as a code of OpenSSL; null when it is. */
  readonly fault: string | null;
  readonly pem: string;
}

/** Faults that are about who has issued a certificate. */
const OF_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

/** Whether a certificate, or its absence, is what a guard wants, its subject aside. */
export function isWanted(
  { by, wants }: ClientCertificateGuard,
  shown: ShownCertificate | null,
): boolean {
  if (wants === 'nothing') return true;
  if (shown === null || shown.by !== by) return shown === null && wants !== 'valid';
  if (shown.fault === null) return true;
  return wants === 'anyAuthority' && OF_AUTHORITY.has(shown.fault);
}

export interface RateLimit {
  /** Rules that name the same share one count. */
  readonly zone: string;
  /** In `perMs`. */
  readonly requests: number;
  readonly perMs: number;
  /** So many more may come at once. */
  readonly burst: number;
  readonly statusCode: number;
  /** Networks that are not counted. */
  readonly exempt: readonly string[];
  /** What is counted apart; absent: each IP address. */
  readonly key?: TextTemplate;
}

export interface ConcurrencyLimit {
  readonly zone: string;
  /** Requests of one client under way at once. */
  readonly max: number;
  readonly statusCode: number;
  readonly exempt: readonly string[];
}

/** Networks, as `10.0.0.0/8`. */
export interface ClientRanges {
  readonly deny: readonly string[];
  /** Absent: everybody who is not denied. */
  readonly allow?: readonly string[];
}

export interface BasicAuth {
  readonly realm: string;
  /** Name and hashed password, as in htpasswd files. Never printed. */
  readonly users: readonly (readonly [name: string, hash: string])[];
}
