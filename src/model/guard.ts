// What a request must pass before its rule does anything else for it. Asked in the order of the fields;
// answers to preflight requests of browsers come after the size of the body, and before the rest.

import type { TextTemplate } from './template.ts';

export interface Guard {
  /** A longer body is answered with 413. */
  readonly bodyBytesMax?: number;
  /** Who must show a certificate that is valid; without, the answer is `statusCode`. */
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
  readonly statusCode: number;
  /** Where to instead of an answer with `statusCode`. */
  readonly redirect?: string;
  /** RE2 syntax: what the subject must have in it. */
  readonly subject?: string;
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
