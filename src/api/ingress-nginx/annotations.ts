// Every annotation of ingress-nginx 1.15, and what Fairway makes of it. The order is the one people read
// them in: paths first, what stands in front of backends next, what has no meaning here last.
// docs/ingress-nginx.md is this table; a test compares the two.

export const ANNOTATION_PREFIX = 'nginx.ingress.kubernetes.io/';

/**
 * works: as in ingress-nginx. differs: works, with the difference that is stated. none: has no effect in
 * Fairway, for the reason given. unsupported: does not work; what to do instead is stated.
 */
export type AnnotationVerdict = 'works' | 'differs' | 'none' | 'unsupported';

export interface AnnotationFacts {
  /** Without the prefix. */
  readonly name: string;
  readonly verdict: AnnotationVerdict;
  /** The difference, the reason, or what to do; empty for `works`. */
  readonly note: string;
}

type Row = readonly [name: string, verdict: AnnotationVerdict, note?: string];

const TLS_OF_NODE = 'Fairway offers what the TLS library of Node.js holds for safe';
const STREAMS = 'Fairway streams bodies with backpressure and has no buffers of this kind';
const NO_WAF = 'there is no web application firewall; put one in front, or behind as the backend';
const NO_FCGI = 'FastCGI is not spoken; put a web server that speaks it between';

const ROWS: readonly Row[] = [
  // Paths, rewrites, redirects.
  ['rewrite-target', 'differs', 'variables of nginx are left out, captures are filled in'],
  ['use-regex', 'differs', 'expressions are RE2: look-around and back references are refused'],
  ['app-root', 'works'],
  ['permanent-redirect', 'works'],
  ['permanent-redirect-code', 'works'],
  ['temporal-redirect', 'works'],
  ['temporal-redirect-code', 'works'],
  ['from-to-www-redirect', 'differs', 'the port is left out where it is the one of the scheme'],
  ['ssl-redirect', 'works'],
  ['force-ssl-redirect', 'works'],
  ['preserve-trailing-slash', 'works'],
  [
    'relative-redirects',
    'differs',
    'redirects for a missing slash are relative; others are as written',
  ],
  ['use-port-in-redirects', 'works'],
  ['proxy-redirect-from', 'works'],
  ['proxy-redirect-to', 'works'],
  ['server-alias', 'differs', 'names and *.names; aliases that are expressions are left out'],
  ['upstream-vhost', 'differs', 'variables are not filled in'],
  ['x-forwarded-prefix', 'works'],
  ['custom-headers', 'works'],
  ['connection-proxy-header', 'none', 'connections to backends are kept alive by Fairway itself'],
  // Backends.
  ['backend-protocol', 'differs', 'AUTO_HTTP is HTTP, and FCGI is refused'],
  ['service-upstream', 'works'],
  ['proxy-http-version', 'none', 'HTTP/1.1 is spoken to backends, or HTTP/2 where they speak it'],
  ['http2-push-preload', 'none', 'browsers have removed server push'],
  ['canary', 'works'],
  ['canary-weight', 'works'],
  ['canary-weight-total', 'works'],
  ['canary-by-header', 'works'],
  ['canary-by-header-value', 'works'],
  ['canary-by-header-pattern', 'differs', 'expressions are RE2'],
  ['canary-by-cookie', 'works'],
  ['affinity', 'works'],
  ['affinity-mode', 'differs', 'a client always keeps its endpoint while it is there: persistent'],
  ['affinity-canary-behavior', 'works'],
  ['session-cookie-name', 'works'],
  ['session-cookie-expires', 'works'],
  ['session-cookie-max-age', 'works'],
  ['session-cookie-path', 'works'],
  ['session-cookie-domain', 'works'],
  ['session-cookie-samesite', 'works'],
  ['session-cookie-secure', 'works'],
  ['session-cookie-conditional-samesite-none', 'none', 'the browsers it was for are gone'],
  [
    'session-cookie-change-on-failure',
    'differs',
    'a client moves to another endpoint when its own cannot be connected to',
  ],
  [
    'load-balance',
    'differs',
    'the less busy of two endpoints gets a request, whichever algorithm is named',
  ],
  ['upstream-hash-by', 'works'],
  [
    'upstream-hash-by-subset',
    'unsupported',
    'a key leads to one endpoint; leave the annotation out to accept that',
  ],
  ['upstream-hash-by-subset-size', 'unsupported', 'see upstream-hash-by-subset'],
  // Cross-origin requests.
  ['enable-cors', 'works'],
  ['cors-allow-origin', 'works'],
  ['cors-allow-methods', 'works'],
  ['cors-allow-headers', 'works'],
  ['cors-expose-headers', 'works'],
  ['cors-allow-credentials', 'works'],
  ['cors-max-age', 'works'],
  // Who may.
  [
    'auth-url',
    'differs',
    'the service is a Service of the cluster, by its name; other URLs are refused with 403',
  ],
  ['auth-signin', 'works'],
  ['auth-signin-redirect-param', 'works'],
  ['auth-method', 'works'],
  ['auth-response-headers', 'works'],
  ['auth-proxy-set-headers', 'works'],
  ['auth-request-redirect', 'works'],
  ['auth-cache-key', 'none', 'every request is asked about: nothing is let in by an old answer'],
  ['auth-cache-duration', 'none', 'see auth-cache-key'],
  ['auth-keepalive', 'none', 'connections to the service are always kept alive'],
  ['auth-keepalive-requests', 'none', 'see auth-keepalive'],
  ['auth-keepalive-timeout', 'none', 'see auth-keepalive'],
  ['auth-keepalive-share-vars', 'none', 'the request ID is shared in any case'],
  ['auth-always-set-cookie', 'differs', 'cookies of the service go along with every response'],
  ['auth-snippet', 'unsupported', 'say it with auth-proxy-set-headers'],
  ['enable-global-auth', 'works'],
  ['satisfy', 'differs', 'any is between addresses and names; a service is asked in any case'],
  ['auth-type', 'differs', 'basic; digest is refused, as its hashes are too weak'],
  ['auth-secret', 'works'],
  ['auth-secret-type', 'works'],
  ['auth-realm', 'works'],
  [
    'auth-tls-secret',
    'differs',
    'a Secret without ca.crt closes the host; requests on connections for other hosts get 421',
  ],
  ['auth-tls-verify-client', 'works'],
  ['auth-tls-verify-depth', 'none', 'a chain may be as long as the TLS library takes'],
  [
    'auth-tls-error-page',
    'differs',
    'URLs; pages of the host itself are left out, the answer is 400',
  ],
  ['auth-tls-pass-certificate-to-upstream', 'works'],
  ['auth-tls-match-cn', 'differs', 'expressions are RE2'],
  ['whitelist-source-range', 'works'],
  ['allowlist-source-range', 'works'],
  ['denylist-source-range', 'works'],
  // How much.
  ['limit-rps', 'differs', 'counted by each thread of the data path for its own connections'],
  ['limit-rpm', 'differs', 'as limit-rps'],
  ['limit-connections', 'differs', 'as limit-rps; requests under way are counted'],
  ['limit-burst-multiplier', 'works'],
  ['limit-rate', 'unsupported', 'responses go as fast as the client reads; limit in the backend'],
  ['limit-rate-after', 'unsupported', 'see limit-rate'],
  ['limit-allowlist', 'works'],
  ['limit-whitelist', 'works'],
  ['proxy-body-size', 'works'],
  ['client-body-buffer-size', 'none', STREAMS],
  ['proxy-connect-timeout', 'works'],
  ['proxy-send-timeout', 'differs', 'time without progress counts once, for both directions'],
  ['proxy-read-timeout', 'works'],
  [
    'proxy-next-upstream',
    'differs',
    'statuses, error, timeout and non_idempotent; not invalid_header',
  ],
  ['proxy-next-upstream-tries', 'works'],
  ['proxy-next-upstream-timeout', 'works'],
  ['proxy-request-buffering', 'none', STREAMS],
  ['proxy-buffering', 'none', STREAMS],
  ['proxy-buffer-size', 'none', 'the head of a response may be 32 KiB'],
  ['proxy-buffers-number', 'none', STREAMS],
  ['proxy-busy-buffers-size', 'none', STREAMS],
  ['proxy-max-temp-file-size', 'none', STREAMS],
  // Responses.
  ['proxy-cookie-domain', 'works'],
  ['proxy-cookie-path', 'works'],
  [
    'default-backend',
    'differs',
    'takes the place of a Service without endpoints; its port is the first one',
  ],
  [
    'custom-http-errors',
    'differs',
    'needs the annotation default-backend: without it responses stay as they are',
  ],
  ['disable-proxy-intercept-errors', 'works'],
  [
    'mirror-target',
    'differs',
    'the target is a Service of the cluster; the path is that of the request',
  ],
  ['mirror-host', 'unsupported', 'copies keep the host of the request'],
  ['mirror-request-body', 'unsupported', 'copies have the body of the request'],
  // TLS.
  ['proxy-ssl-secret', 'works'],
  ['proxy-ssl-verify', 'works'],
  ['proxy-ssl-verify-depth', 'none', 'a chain may be as long as the TLS library takes'],
  ['proxy-ssl-name', 'works'],
  ['proxy-ssl-server-name', 'works'],
  ['proxy-ssl-ciphers', 'none', TLS_OF_NODE],
  ['proxy-ssl-protocols', 'none', 'TLS 1.2 and 1.3 are spoken'],
  ['ssl-passthrough', 'works'],
  ['ssl-ciphers', 'none', TLS_OF_NODE],
  ['ssl-prefer-server-ciphers', 'none', TLS_OF_NODE],
  // Pieces of nginx configuration.
  [
    'configuration-snippet',
    'differs',
    'headers, return, deny and allow are understood; anything else refuses the path',
  ],
  ['server-snippet', 'differs', 'as configuration-snippet, for the whole host'],
  ['stream-snippet', 'unsupported', 'use a TCPRoute, a TLSRoute or a UDPRoute'],
  ['modsecurity-snippet', 'unsupported', NO_WAF],
  ['enable-modsecurity', 'unsupported', NO_WAF],
  ['enable-owasp-core-rules', 'unsupported', NO_WAF],
  ['modsecurity-transaction-id', 'none', NO_WAF],
  ['fastcgi-index', 'unsupported', NO_FCGI],
  ['fastcgi-params-configmap', 'unsupported', NO_FCGI],
  // Logs.
  ['enable-access-log', 'none', 'Fairway writes no access log'],
  ['enable-rewrite-log', 'none', 'fairway explain says what becomes of a request'],
  ['enable-opentelemetry', 'none', 'Fairway makes no spans; trace headers go through untouched'],
  ['opentelemetry-trust-incoming-span', 'none', 'see enable-opentelemetry'],
  ['opentelemetry-operation-name', 'none', 'see enable-opentelemetry'],
];

export const ANNOTATIONS: readonly AnnotationFacts[] = ROWS.map(([name, verdict, note = '']) => ({
  name,
  verdict,
  note,
}));

const byName = new Map(ANNOTATIONS.map((facts) => [facts.name, facts]));

/** What is known of an annotation, by its name without the prefix. */
export function annotationFacts(name: string): AnnotationFacts | undefined {
  return byName.get(name);
}
