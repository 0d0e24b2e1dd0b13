// The ConfigMap of ingress-nginx → the options that change what becomes of requests. Names and defaults
// are those of ingress-nginx 1.15.

import type { ConfigMap } from '../../../api/core/config-map.ts';
import { problem } from '../../status/conditions.ts';
import type { Problem } from '../../status/conditions.ts';

export interface NginxConfig {
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  readonly preserveTrailingSlash: boolean;
  readonly relativeRedirects: boolean;
  readonly httpRedirectCode: number;
  readonly hsts: boolean;
  readonly hstsMaxAge: string;
  readonly hstsIncludeSubdomains: boolean;
  readonly hstsPreload: boolean;
  readonly useForwardedHeaders: boolean;
  readonly computeFullForwardedFor: boolean;
  readonly proxyRealIpCidr: readonly string[];
  readonly enableUnderscores: boolean;
  readonly noTlsRedirectLocations: readonly string[];
  readonly noAuthLocations: readonly string[];
  readonly allowSnippets: boolean;
  /** Risks of annotations up to this one are taken: 0 Low, 1 Medium, 2 High, 3 Critical. */
  readonly riskLevel: number;
  readonly allowCrossNamespace: boolean;
  readonly limitReqStatus: number;
  readonly limitConnStatus: number;
  readonly bodySize: string;
  readonly connectTimeout: number;
  readonly sendTimeout: number;
  readonly readTimeout: number;
  readonly nextUpstream: string;
  readonly nextUpstreamTries: number;
  readonly nextUpstreamTimeout: number;
  readonly retryNonIdempotent: boolean;
  readonly customHttpErrors: readonly number[];
  readonly allowlist: readonly string[];
  readonly denylist: readonly string[];
  readonly cookieDomain: string;
  readonly cookiePath: string;
  readonly redirectFrom: string;
  readonly redirectTo: string;
  readonly serviceUpstream: boolean;
  readonly upstreamHashBy: string;
  readonly allowedResponseHeaders: readonly string[];
  readonly addsOriginalUri: boolean;
  readonly strictPaths: boolean;
  /** `namespace/name` of a ConfigMap with headers for backends, and for responses; empty for none. */
  readonly proxySetHeaders: string;
  readonly addHeaders: string;
  readonly global: GlobalAuth;
  readonly problems: readonly Problem[];
}

/** global-auth-*: who is asked about every request, except where an Ingress says no. */
export interface GlobalAuth {
  readonly url: string;
  readonly method: string;
  readonly signin: string;
  readonly redirectParam: string;
  readonly responseHeaders: readonly string[];
  readonly requestRedirect: string;
}

/** Options that have a meaning in ingress-nginx alone, or say what Fairway does anyway. */
const WITHOUT_EFFECT =
  /^(?:log-|access-log|error-log|enable-access|disable-access|http-access|stream-access|worker-|max-worker|keep-alive|upstream-keepalive|client-(?:header|body)|large-client|http2-|gzip|use-gzip|brotli|enable-brotli|enable-opentelemetry|opentelemetry|otel|otlp|ssl-(?:ciphers|protocols|session|dh|ecdh|early|buffer)|proxy-buff|proxy-request-buffering|proxy-busy|proxy-max-temp|proxy-headers-hash|server-name-hash|map-hash|variables-hash|reuse-port|enable-multi|bind-address|syslog|nginx-status|use-http2|server-tokens|debug-|disable-ipv6|load-balance|generate-request-id|proxy-http-version|hide-headers|default-type|annotation-value-word|ignore-invalid|skip-access|enable-aio|enable-auth-access|aio|resolver|strict-validate|grpc-buffer|use-geoip|geoip)/;

const RISKS = ['low', 'medium', 'high', 'critical'];

/** What a ConfigMap says; without one, the defaults. */
export function readConfig(map: ConfigMap | undefined): NginxConfig {
  const read = new OptionReader(map?.data ?? {});
  const config = {
    sslRedirect: read.bool('ssl-redirect', true),
    forceSslRedirect: read.bool('force-ssl-redirect', false),
    preserveTrailingSlash: read.bool('preserve-trailing-slash', false),
    relativeRedirects: read.bool('relative-redirects', false),
    httpRedirectCode: read.redirectCode('http-redirect-code', 308),
    hsts: read.bool('hsts', true),
    hstsMaxAge: read.text('hsts-max-age', '31536000'),
    hstsIncludeSubdomains: read.bool('hsts-include-subdomains', true),
    hstsPreload: read.bool('hsts-preload', false),
    useForwardedHeaders: read.bool('use-forwarded-headers', false),
    computeFullForwardedFor: read.bool('compute-full-forwarded-for', false),
    proxyRealIpCidr: read.list('proxy-real-ip-cidr', ['0.0.0.0/0']),
    enableUnderscores: read.bool('enable-underscores-in-headers', false),
    noTlsRedirectLocations: read.list('no-tls-redirect-locations', ['/.well-known/acme-challenge']),
    noAuthLocations: read.list('no-auth-locations', ['/.well-known/acme-challenge']),
    allowSnippets: read.bool('allow-snippet-annotations', false),
    riskLevel: Math.max(
      0,
      RISKS.indexOf(read.text('annotations-risk-level', 'High').toLowerCase()),
    ),
    allowCrossNamespace: read.bool('allow-cross-namespace-resources', false),
    limitReqStatus: read.int('limit-req-status-code', 503),
    limitConnStatus: read.int('limit-conn-status-code', 503),
    bodySize: read.text('proxy-body-size', '1m'),
    connectTimeout: read.int('proxy-connect-timeout', 5),
    sendTimeout: read.int('proxy-send-timeout', 60),
    readTimeout: read.int('proxy-read-timeout', 60),
    nextUpstream: read.text('proxy-next-upstream', 'error timeout'),
    nextUpstreamTries: read.int('proxy-next-upstream-tries', 3),
    nextUpstreamTimeout: read.int('proxy-next-upstream-timeout', 0),
    retryNonIdempotent: read.bool('retry-non-idempotent', false),
    customHttpErrors: read.list('custom-http-errors', []).map(Number).filter(isErrorStatus),
    allowlist: read.list('whitelist-source-range', []),
    denylist: read.list('denylist-source-range', []),
    cookieDomain: read.text('proxy-cookie-domain', 'off'),
    cookiePath: read.text('proxy-cookie-path', 'off'),
    redirectFrom: read.text('proxy-redirect-from', 'off'),
    redirectTo: read.text('proxy-redirect-to', 'off'),
    serviceUpstream: read.bool('service-upstream', false),
    upstreamHashBy: read.text('upstream-hash-by', ''),
    allowedResponseHeaders: read.list('global-allowed-response-headers', []),
    addsOriginalUri: read.bool('proxy-add-original-uri-header', false),
    strictPaths: read.bool('strict-validate-path-type', true),
    proxySetHeaders: read.text('proxy-set-headers', ''),
    addHeaders: read.text('add-headers', ''),
    global: {
      url: read.text('global-auth-url', ''),
      method: read.text('global-auth-method', ''),
      signin: read.text('global-auth-signin', ''),
      redirectParam: read.text('global-auth-signin-redirect-param', ''),
      responseHeaders: read.list('global-auth-response-headers', []),
      requestRedirect: read.text('global-auth-request-redirect', ''),
    },
  };
  return { ...config, problems: read.finish() };
}

export function isErrorStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 300 && status <= 599;
}

/** As Go's strconv.ParseBool. */
export function parseBool(text: string): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

class OptionReader {
  readonly #data: Readonly<Record<string, string>>;
  readonly #known = new Set<string>();
  readonly #problems: Problem[] = [];

  constructor(data: Readonly<Record<string, string>>) {
    this.#data = data;
  }

  text(name: string, fallback: string): string {
    this.#known.add(name);
    const value = this.#data[name]?.trim();
    if (value === undefined || value === '') return fallback;
    if (/[\r\n]/.test(value)) {
      this.#bad(name, 'it has a line break in it');
      return fallback;
    }
    return value;
  }

  bool(name: string, fallback: boolean): boolean {
    const text = this.text(name, String(fallback));
    const value = parseBool(text);
    if (value === undefined) this.#bad(name, `"${text}" is neither true nor false`);
    return value ?? fallback;
  }

  int(name: string, fallback: number): number {
    const text = this.text(name, String(fallback));
    if (/^-?\d+$/.test(text)) return Number(text);
    this.#bad(name, `"${text}" is no whole number`);
    return fallback;
  }

  redirectCode(name: string, fallback: number): number {
    const code = this.int(name, fallback);
    if ([301, 302, 307, 308].includes(code)) return code;
    this.#bad(name, `${code} is not one of 301, 302, 307 and 308`);
    return fallback;
  }

  list(name: string, fallback: readonly string[]): readonly string[] {
    const text = this.text(name, '');
    if (text === '') return fallback;
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  finish(): readonly Problem[] {
    for (const name of Object.keys(this.#data).toSorted()) {
      if (this.#known.has(name) || WITHOUT_EFFECT.test(name)) continue;
      this.#problems.push({
        ...problem(
          'UnsupportedOption',
          `data[${name}]`,
          `option ${name} of ingress-nginx is not known to Fairway and has no effect`,
          'say it with annotations, or take it out',
        ),
        severity: 'warning',
      });
    }
    return this.#problems;
  }

  #bad(name: string, why: string): void {
    const message = `option ${name} is left at its default: ${why}`;
    this.#problems.push({
      ...problem('InvalidOption', `data[${name}]`, message),
      severity: 'warning',
    });
  }
}
