// What a rule says about how its requests are sent, besides where to: how long they may take, when they
// are tried again, and which of a client's requests stay together.

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
}

/** Attempts that end in a connection error are made again as well, where the request may be repeated. */
export interface Retry {
  /** Statuses of a backend that are not passed on while attempts are left. In order. */
  readonly codes: readonly number[];
  /** How often a request is tried again after the first time. */
  readonly attempts: number;
  /** The least time between two attempts. */
  readonly backoffMs: number;
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
}
