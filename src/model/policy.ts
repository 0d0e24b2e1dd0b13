// What a rule says about how its requests are sent, besides where to: how long they may take, when they
// are tried again, and which of a client's requests stay together.

import type { HeaderValue } from './filter.ts';

/**
 * How a backend's requests are spread over its endpoints: to the one of two with fewer outstanding, to each
 * in its turn, or by the client's address, so that a client stays where it is while endpoints come and go.
 */
export type Balance = 'leastRequests' | 'roundRobin' | 'sourceHash';

export interface Timeouts {
  /** From the request's head to the end of its response, all attempts included; 0 for no limit. */
  readonly requestMs: number;
  /** For one attempt, from connecting to the end of its response; 0 for no limit. */
  readonly backendRequestMs: number;
  /** For connecting; absent: the data path's own limit. */
  readonly connectMs?: number;
  /** The longest an attempt may go on without a byte of its response; absent for no limit. */
  readonly idleMs?: number;
}

/** Attempts that end in a connection error are made again as well, where the request may be repeated. */
export interface Retry {
  /** Statuses of a backend that are not passed on while attempts are left. In order. */
  readonly codes: readonly number[];
  /** How often a request is tried again after the first time. */
  readonly attempts: number;
  /** The least time between two attempts. */
  readonly backoffMs: number;
  /** Requests that may not be repeated (RFC 9110 9.2.2) are repeated all the same. */
  readonly repeatsAll?: true;
  /** Statuses count for requests only that may be repeated. */
  readonly idempotentOnly?: true;
  /** After so long, no further attempt begins. */
  readonly withinMs?: number;
}

/** How much of what is sent to a backend may be retries, so that they make no bad moment worse. */
export interface RetryBudget {
  /** Of all requests within `intervalMs`, retries included. */
  readonly percent: number;
  readonly intervalMs: number;
  /** So many retries within `minIntervalMs` are made however few requests there are. */
  readonly minRetries: number;
  readonly minIntervalMs: number;
}

/** Keeps the requests of one client on one endpoint, by a token the client is given and sends back. */
export interface Session {
  readonly carrier: 'cookie' | 'header';
  /** Of the cookie, or of the header in lower case. */
  readonly name: string;
  /** The time after which a session ends, used or not; 0 for never. */
  readonly absoluteMs: number;
  /** Whether the cookie outlives the browser, for `absoluteMs`. */
  readonly permanent: boolean;
  /** What paths the client sends the cookie for. */
  readonly path: string;
  /** Backends of weight 0 keep the sessions they have. */
  readonly holds?: true;
  /** Further attributes of the cookie, where they are not `HttpOnly; SameSite=Lax`. */
  readonly cookie?: SessionCookie;
}

export interface SessionCookie {
  readonly domain?: string;
  readonly sameSite?: string;
  /** Absent: on HTTPS. */
  readonly isSecure?: boolean;
  /** Seconds from now, for an Expires attribute. */
  readonly expiresSeconds?: number;
  readonly maxAgeSeconds?: number;
}

/** Responses with these statuses are replaced by what another backend says of them. */
export interface ErrorPages {
  readonly statuses: readonly number[];
  /** Key into Model.backends. */
  readonly backend: string;
  /** What that backend is told besides X-Code, X-Format, X-Original-URI and X-Request-ID. */
  readonly headers: readonly HeaderValue[];
}
