// What a rule does to a request or its response on the way. Where filters apply is exhaustive
// everywhere: a new variant here makes the compiler name every place that must decide what it means.

import type { Origin, PathChange } from './model.ts';
import type { TextTemplate } from './template.ts';

export type Filter =
  | RequestHeadersFilter
  | ResponseHeadersFilter
  | RewriteFilter
  | MirrorFilter
  | CorsFilter
  | CorsHeadersFilter
  | TemplateHeadersFilter
  | RewriteFieldsFilter
  | AuthFilter;

/** Changes to header fields. Within one: set, then add, then remove. Names in lower case. */
export interface HeaderChanges {
  /** Replaces every field of that name. */
  readonly set: readonly HeaderValue[];
  /** Adds one more field of that name. */
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

export interface RequestHeadersFilter extends HeaderChanges {
  readonly kind: 'requestHeaders';
  readonly origin: Origin;
}

export interface ResponseHeadersFilter extends HeaderChanges {
  readonly kind: 'responseHeaders';
  readonly origin: Origin;
}

/** Changes what the backend sees; the client sees nothing of it. */
export interface RewriteFilter {
  readonly kind: 'rewrite';
  readonly hostname?: string;
  readonly path?: PathChange;
  readonly origin: Origin;
}

/**
 * Sends a copy of some requests to another backend and forgets its answers. The copy is what the other
 * filters beside this one have made of the request.
 */
export interface MirrorFilter {
  readonly kind: 'mirror';
  /** Key into Model.backends. */
  readonly backend: string;
  /** So many requests out of `denominator`, by chance. */
  readonly numerator: number;
  readonly denominator: number;
  readonly origin: Origin;
}

/**
 * Answers the cross-origin questions of browsers in place of the backends. Lists may hold nothing but
 * `*`. Origins are as people wrote them: `https://*.example.com:8443`.
 */
export interface CorsFilter {
  readonly kind: 'cors';
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
  readonly origin: Origin;
}

/**
 * Says what browsers may do across origins in every response, whatever the request, and answers every
 * OPTIONS request with 204: the way of ingress-nginx.
 */
export interface CorsHeadersFilter {
  readonly kind: 'corsHeaders';
  /** Expression in RE2 syntax that is looked for in the origin; null takes all, and allows `*`. */
  readonly origins: string | null;
  /** Fields besides Access-Control-Allow-Origin. */
  readonly fields: readonly HeaderValue[];
  readonly origin: Origin;
}

/** Sets fields of the request to text with parts of the request in it; empty text removes a field. */
export interface TemplateHeadersFilter {
  readonly kind: 'templateHeaders';
  /** Names in lower case. */
  readonly set: readonly { readonly name: string; readonly value: TextTemplate }[];
  readonly origin: Origin;
}

/** Changes parts of fields of the response that name places of the backend. */
export interface RewriteFieldsFilter {
  readonly kind: 'rewriteFields';
  /** Of Set-Cookie: in the order given, the first that takes it. `off` is not among them. */
  readonly cookieDomain?: FieldChange;
  readonly cookiePath?: FieldChange;
  /** Of Location and Refresh: what they begin with. */
  readonly location?: FieldChange;
  /** Comes before a Location that was changed and begins with a slash. */
  readonly locationBase?: TextTemplate;
  readonly origin: Origin;
}

/** `from` is plain text at the beginning, or with `regex` an expression in RE2 syntax found in the value. */
export interface FieldChange {
  readonly from: string;
  readonly regex?: true;
  readonly to: TextTemplate;
}

/**
 * Asks another service whether a request may go on, before anything else becomes of it, redirects
 * included; only preflight requests are answered without. What cannot be asked is refused with 403.
 */
export interface AuthFilter {
  readonly kind: 'auth';
  /** Key into Model.backends. */
  readonly backend: string;
  readonly question: HttpQuestion | GrpcQuestion;
  /** So many bytes of a request's body are sent along; a longer body is refused with 413. 0: none. */
  readonly bodyBytesMax: number;
  readonly origin: Origin;
}

/** Asks with a request that is like the one in question; the status is the answer. */
export interface HttpQuestion {
  readonly protocol: 'http';
  /** Absent: that of the request. */
  readonly method?: string;
  /** Host that is named; absent: that of the request. */
  readonly host?: string;
  /** prefix: stands before path and query of the request. fixed: stands in their place. */
  readonly path: { readonly kind: 'prefix' | 'fixed'; readonly value: string };
  /** Header fields of the request the service sees, besides Authorization. */
  readonly sends: HeaderNames;
  /** What more it is sent; names in lower case. */
  readonly adds?: readonly HeaderValue[];
  /** The same, of text with parts of the request in it. */
  readonly tells?: readonly { readonly name: string; readonly value: TextTemplate }[];
  /**
   * Header fields of a good answer that the backend gets, in place of the client's. Those that are named
   * never come from the client itself.
   */
  readonly takes: HeaderNames;
  /** Header fields of a bad answer that the client gets. */
  readonly returns: HeaderNames;
  /** What is a good answer: 200 alone, or all from 200 to 299. */
  readonly allows: '200' | '2xx';
  /** Cookies that a good answer sets go to the client along with the response. */
  readonly setsCookies?: true;
  /** Where a client is sent that is answered with 401. */
  readonly signIn?: TextTemplate;
}

/** Asks in the protocol of Envoy's ext_authz: envoy.service.auth.v3.Authorization/Check. */
export interface GrpcQuestion {
  readonly protocol: 'grpc';
  /** Header fields of the request the service sees. */
  readonly sends: HeaderNames;
}

/** Names in lower case, or every field that says something of the message and not of its framing. */
export type HeaderNames = 'all' | readonly string[];
