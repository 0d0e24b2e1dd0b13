// What is known of one request once it is over: what the access log writes and diagnostics channels tell.
//
// Budget: one record for each request that is looked at.

/** How a request ended: answered; reset by one of the two sides or by us. */
export type RequestEnd = 'done' | 'reset';

/** Filled in on a request's way. Public: subscribers of `fairway:request` are given it. */
export interface RequestRecord {
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly client: string;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2.0';
  readonly scheme: 'http' | 'https';
  readonly method: string;
  readonly authority: string;
  readonly target: string;
  /** As the backend sees it; empty when ids are off. */
  readonly requestId: string;
  readonly userAgent: string;
  readonly referer: string;
  /** The rule that took it, the backend it went to, and the endpoint it was tried on last; empty for none. */
  rule: string;
  backend: string;
  endpoint: string;
  /** Endpoints it was tried on. */
  attempts: number;
  /** 0 when it had no answer. */
  status: number;
  /** Of bodies, as they were before any framing. */
  bytesIn: number;
  bytesOut: number;
  durationMs: number;
  end: RequestEnd;
}
