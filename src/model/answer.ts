// What becomes of a request or a packet, and why: the answer that trace.ts and every target's trace
// give to a probe. Fates are compared by tests; steps are read by people (fairway explain).

import type { Origin } from './model.ts';

/** A request somebody might send. Header names in any case. */
export interface RequestProbe {
  readonly scheme: 'http' | 'https';
  /** The address dialled; absent: any address that serves the port. */
  readonly address?: string;
  readonly port: number;
  readonly method: string;
  /** Host header or :authority. */
  readonly host: string;
  /** IP address of the client; absent: one that no rule speaks of. */
  readonly client?: string;
  /** Of the handshake; absent: the host. */
  readonly serverName?: string;
  /** Whether the certificate that the client shows is one its port asks for; absent: it shows none. */
  readonly clientCertificate?: 'valid' | 'invalid';
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** What becomes of a request. */
export type RequestFate =
  /** Nothing listens there, or no listener takes the server name: no HTTP answer at all. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Fairway answers itself. */
  | OwnAnswer
  | { readonly kind: 'redirect'; readonly statusCode: number; readonly location: string }
  | { readonly kind: 'forward'; readonly shares: readonly Share[] };

export interface OwnAnswer {
  readonly kind: 'respond';
  readonly statusCode: number;
  readonly reason: string;
  /** The fields that matter, names in lower case. */
  readonly headers?: readonly (readonly [string, string])[];
}

/** A backend that is sent a copy of the request. */
export interface Mirrored {
  /** Key of the backend. */
  readonly to: string;
  /** So many out of `denominator` requests. */
  readonly numerator: number;
  readonly denominator: number;
  readonly request: SeenRequest;
}

/** One backend's part of the requests, and what the backend sees of this one. */
export interface Share {
  /** Out of the sum of all shares' weights. */
  readonly weight: number;
  /** Key of the backend, or the answer its broken reference gives. */
  readonly to: string | Omit<OwnAnswer, 'kind'>;
  /** `address:port` of each endpoint that takes new requests. */
  readonly endpoints: readonly string[];
  /** The server that is asked for in TLS; absent for plain text. */
  readonly serverName?: string;
  readonly request: SeenRequest;
  /** What the response goes through on its way back. */
  readonly responseHeaders: readonly HeaderChange[];
  /** In the order of their filters; those of the rule first. */
  readonly mirrors: readonly Mirrored[];
}

export interface SeenRequest {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  /** The probe's headers after all filters, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
}

export interface HeaderChange {
  readonly change: 'set' | 'add' | 'remove';
  readonly name: string;
  readonly value: string;
}

/** A connection, or a datagram, somebody might send. */
export interface ConnectionProbe {
  /** tls begins with a handshake that asks for `serverName`. */
  readonly transport: 'tcp' | 'tls' | 'udp';
  /** The address dialled; absent: any address that serves the port. */
  readonly address?: string;
  readonly port: number;
  /** Empty: the client names no server. */
  readonly serverName: string;
}

/** What becomes of a connection. */
export type ConnectionFate =
  /** Nothing listens there. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Taken, and then broken off (TCP), or dropped without a word (UDP). */
  | { readonly kind: 'reset'; readonly reason: string }
  /** Requests are read from it: ask with a request. */
  | { readonly kind: 'http'; readonly listener: string }
  | {
      readonly kind: 'relay';
      /** Whether TLS ends here, goes through, or there is none. */
      readonly mode: 'passthrough' | 'terminate' | 'plain';
      readonly shares: readonly ConnectionShare[];
    };

export interface ConnectionShare {
  /** Out of the sum of all shares' weights. */
  readonly weight: number;
  /** Key of the backend; null: this share is reset, or dropped. */
  readonly to: string | null;
  /** `address:port` of each endpoint that takes new connections. */
  readonly endpoints: readonly string[];
  /** Set when the bytes go on in TLS that begins here. */
  readonly secured?: true;
}

export interface ConnectionAnswer {
  readonly fate: ConnectionFate;
  readonly steps: readonly Step[];
}

/** One decision on the way, in order. */
export interface Step {
  readonly stage: 'entry point' | 'listener' | 'host' | 'rule' | 'filter' | 'backend' | 'result';
  /** `taken` happened; `lost` was a candidate, and `because` says why not. */
  readonly verdict: 'taken' | 'lost';
  /** The candidate: `listener shop/web/http`, `HTTPRoute shop/cart rule 1`. */
  readonly what: string;
  readonly because: string;
  readonly origin?: Origin;
}

export interface RequestAnswer {
  readonly fate: RequestFate;
  readonly steps: readonly Step[];
}
