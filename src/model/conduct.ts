// How a port reads requests and hands them on, where it is to be like another proxy and not like Fairway.

import type { HeaderValue } from './filter.ts';

export interface Conduct {
  /**
   * decoded: rules are asked about the path with all escapes undone, its dots resolved and its slashes
   * merged, while backends see it as it was sent, unless it was rewritten.
   */
  readonly paths: 'decoded';
  /**
   * Backends are told of the client in X-Real-IP, X-Forwarded-Port, X-Forwarded-Scheme, X-Scheme and
   * X-Request-ID as well; what the client itself said in X-Forwarded-For and X-Forwarded-Host goes on as
   * X-Original-Forwarded-For and X-Original-Forwarded-Host.
   */
  readonly forwarded: 'full';
  /** Networks whose word about the client counts; absent: nobody's. */
  readonly trustedProxies?: readonly string[];
  /** X-Forwarded-For is continued instead of written anew. */
  readonly appendsForwardedFor?: true;
  /** Header names with an underscore are dropped. */
  readonly dropsUnderscores?: true;
  /** Added to every response on HTTPS, its own answers included. */
  readonly secureResponse: readonly HeaderValue[];
}
