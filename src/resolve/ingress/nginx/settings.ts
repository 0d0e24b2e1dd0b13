// The annotations of one Ingress → the settings of its locations, as ingress-nginx 1.15 reads them: what
// it falls back to, what refuses the location, and what it never looks at. Every annotation gets an
// answer; what does not do what it says is a problem with a way out.

import { ANNOTATION_PREFIX, annotationFacts } from '../../../api/ingress-nginx/annotations.ts';
import type { Ingress } from '../../../api/networking/ingress.ts';
import { nearest } from '../../../lib/nearest.ts';
import { ANNOTATIONS } from '../../../api/ingress-nginx/annotations.ts';
import { parseCidr } from '../../../lib/cidr.ts';
import { problem } from '../../status/conditions.ts';
import type { Problem } from '../../status/conditions.ts';
import { isErrorStatus, parseBool } from './config.ts';
import type { NginxConfig } from './config.ts';

export interface CanarySettings {
  readonly header: string;
  readonly headerValue: string;
  readonly headerPattern: string;
  readonly cookie: string;
  readonly weight: number;
  readonly weightTotal: number;
}

export interface AuthUrlSettings {
  readonly url: string;
  readonly method: string;
  readonly signin: string;
  readonly redirectParam: string;
  readonly responseHeaders: readonly string[];
  /** `namespace/name` of a ConfigMap; empty for none. */
  readonly proxySetHeaders: string;
  readonly requestRedirect: string;
  readonly alwaysSetCookie: boolean;
}

export interface CorsSettings {
  /** `*` alone for all. */
  readonly origins: readonly string[];
  readonly methods: string;
  readonly headers: string;
  readonly exposeHeaders: string;
  readonly credentials: boolean;
  readonly maxAge: number;
}

export interface AffinitySettings {
  readonly canaryBehavior: 'sticky' | 'legacy';
  readonly name: string;
  readonly path: string;
  readonly domain: string;
  readonly sameSite: string;
  readonly isSecure: boolean | undefined;
  readonly expiresSeconds: number | undefined;
  readonly maxAgeSeconds: number | undefined;
}

export interface LimitSettings {
  readonly rps: number;
  readonly rpm: number;
  readonly connections: number;
  readonly burstMultiplier: number;
  readonly exempt: readonly string[];
}

export interface AuthTlsSettings {
  /** `namespace/name` */
  readonly secret: string;
  readonly verifyClient: 'on' | 'off' | 'optional' | 'optional_no_ca';
  readonly errorPage: string;
  readonly passesCertificate: boolean;
  readonly matchCn: string;
}

export interface ProxySslSettings {
  /** `namespace/name`; empty for none. */
  readonly secret: string;
  readonly verifies: boolean;
  readonly name: string;
  readonly sendsName: boolean;
}

/** What one Ingress says of all its locations. Empty text: nothing said. */
export interface NginxSettings {
  /** Why the locations answer 503 whatever else they say. */
  readonly denied: string | undefined;
  readonly rewriteTarget: string;
  readonly useRegex: boolean;
  readonly appRoot: string;
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  readonly preserveTrailingSlash: boolean;
  readonly usePortInRedirects: boolean;
  readonly relativeRedirects: boolean;
  readonly redirect: { readonly url: string; readonly code: number } | undefined;
  readonly fromToWww: boolean;
  readonly serverAliases: readonly string[];
  readonly upstreamVhost: string;
  readonly xForwardedPrefix: string;
  readonly customHeaders: string;
  readonly backendProtocol: string;
  readonly serviceUpstream: boolean;
  readonly canary: CanarySettings | undefined;
  readonly affinity: AffinitySettings | undefined;
  readonly upstreamHashBy: string;
  readonly cors: CorsSettings | undefined;
  readonly authUrl: AuthUrlSettings | undefined;
  readonly enableGlobalAuth: boolean;
  readonly basicAuth:
    | { readonly secret: string; readonly isMap: boolean; readonly realm: string }
    | undefined;
  readonly authTls: AuthTlsSettings | undefined;
  readonly satisfy: 'all' | 'any';
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly limits: LimitSettings;
  readonly bodyBytesMax: number;
  readonly connectTimeout: number;
  readonly readTimeout: number;
  readonly nextUpstream: string;
  readonly nextUpstreamTries: number;
  readonly nextUpstreamTimeout: number;
  readonly cookieDomain: string;
  readonly cookiePath: string;
  readonly redirectFrom: string;
  readonly redirectTo: string;
  readonly proxySsl: ProxySslSettings;
  readonly sslPassthrough: boolean;
  /** Name of a Service of the same namespace. */
  readonly defaultBackend: string;
  readonly customHttpErrors: readonly number[];
  readonly interceptsErrors: boolean;
  readonly mirrorTarget: string;
  readonly mirrorHost: string;
  readonly mirrorsBody: boolean;
  readonly configurationSnippet: string;
  readonly serverSnippet: string;
  readonly problems: readonly Problem[];
}

const remembered = new WeakMap<object, { config: NginxConfig; settings: NginxSettings }>();

/** The settings of an Ingress. Remembered by its annotations. */
export function readSettings(ingress: Ingress, config: NginxConfig): NginxSettings {
  const key = ingress.metadata.annotations ?? ingress.metadata;
  const known = remembered.get(key);
  if (known !== undefined && known.config === config) return known.settings;
  const settings = read(ingress, config);
  remembered.set(key, { config, settings });
  return settings;
}

const RISK = /^(?:configuration|server|stream|auth|modsecurity)-snippet$/;

/** Annotations that say who is let in. */
const PROTECTS = /^(?:auth-(?:tls-\S+|url|type|secret|secret-type)|\w+-source-range|satisfy)$/;

/** Characters of a snippet. */
const SNIPPET_CHARS_MAX = 16_384;
const URL_CHARS_MAX = 4096;

class Annotations {
  readonly problems: Problem[] = [];
  denied: string | undefined;
  readonly namespace: string;
  readonly #values: ReadonlyMap<string, string>;

  constructor({ metadata }: Ingress) {
    this.namespace = metadata.namespace ?? '';
    const values = new Map<string, string>();
    for (const [name, value] of Object.entries(metadata.annotations ?? {})) {
      if (name.startsWith(ANNOTATION_PREFIX)) {
        values.set(name.slice(ANNOTATION_PREFIX.length), value);
      }
    }
    for (const [name, value] of values) {
      if (!RISK.test(name) && /[\r\n\0]/.test(value.trim())) {
        this.#drop(name, 'it has a line break or another control character in it');
        values.delete(name);
      } else if (value.length > SNIPPET_CHARS_MAX) {
        this.#drop(name, `it has more than ${SNIPPET_CHARS_MAX} characters`);
        values.delete(name);
      }
    }
    this.#values = values;
  }

  /** What was to keep somebody out must not be left out. */
  #drop(name: string, why: string): void {
    if (PROTECTS.test(name)) this.deny(name, `annotation ${name} is of no use: ${why}`);
    else this.bad(name, why);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  names(): readonly string[] {
    return [...this.#values.keys()].toSorted();
  }

  /** Undefined when it is absent, empty, or not of the form. */
  optional(name: string, form?: RegExp, what?: string): string | undefined {
    const value = this.#values.get(name)?.trim();
    if (value === undefined || value === '') return undefined;
    if (form === undefined || form.test(value)) return value;
    this.bad(name, what ?? `"${clip(value)}" is not of the form it must have`);
    return undefined;
  }

  text(name: string, fallback = '', form?: RegExp): string {
    return this.optional(name, form) ?? fallback;
  }

  bool(name: string, fallback: boolean): boolean {
    const value = this.optional(name);
    const parsed = value === undefined ? undefined : parseBool(value);
    if (value !== undefined && parsed === undefined) {
      this.bad(name, `"${clip(value)}" is neither true nor false`);
    }
    return parsed ?? fallback;
  }

  int(name: string, fallback: number): number {
    const value = this.optional(name);
    if (value === undefined) return fallback;
    if (/^[+-]?\d{1,9}$/.test(value)) return Number(value);
    this.bad(name, `"${clip(value)}" is no whole number`);
    return fallback;
  }

  list(name: string): readonly string[] {
    return (this.optional(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  /** The value has no meaning: what ingress-nginx does then is done. */
  bad(name: string, why: string): void {
    this.problems.push(
      problem(
        'InvalidAnnotation',
        fieldOf(name),
        `annotation ${name} is not used: ${why}`,
        'correct the value',
      ),
    );
  }

  note(severity: 'warning' | 'info', reason: string, name: string, message: string, hint?: string) {
    this.problems.push({ ...problem(reason, fieldOf(name), message, hint), severity });
  }

  /** The location must not be served as if the annotation were not there. */
  deny(name: string, why: string, hint?: string): void {
    this.denied ??= why;
    const message = `requests are answered with 503: ${why}`;
    this.problems.push(problem('Denied', fieldOf(name), message, hint));
  }

  /** `namespace/name`, of the same namespace unless others are allowed. Empty when it is not usable. */
  reference(name: string, config: NginxConfig): string {
    const value = this.text(name);
    if (value === '') return '';
    const [first = '', second, ...rest] = value.split('/');
    const [namespace, object] = second === undefined ? [this.namespace, first] : [first, second];
    if (rest.length > 0 || object === '' || namespace === '') {
      this.deny(name, `annotation ${name} is not of the form name or namespace/name`);
      return '';
    }
    if (namespace !== this.namespace && !config.allowCrossNamespace) {
      this.deny(
        name,
        `annotation ${name} names an object of namespace ${namespace}`,
        'allow-cross-namespace-resources in the ConfigMap of ingress-nginx lets it',
      );
      return '';
    }
    return `${namespace}/${object}`;
  }
}

function fieldOf(name: string): string {
  return `metadata.annotations[${ANNOTATION_PREFIX}${name}]`;
}

function clip(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value;
}

const HEADER_LIST = /^[A-Za-z0-9-_, ]*$/;
const CORS_ORIGIN = /^(?:[a-z]+:\/\/(?:\*\.)?[A-Za-z0-9\-.]*(?::\d+)?|\*|null)?$/;
const DEFAULT_CORS_HEADERS =
  'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization';

function read(ingress: Ingress, config: NginxConfig): NginxSettings {
  const a = new Annotations(ingress);
  const settings = {
    rewriteTarget: a.text('rewrite-target', '', /^\/?[-._~a-zA-Z0-9/:$?&=%+,;@!()*']*$/),
    useRegex: a.bool('use-regex', false),
    appRoot: readAppRoot(a),
    sslRedirect: a.bool('ssl-redirect', config.sslRedirect),
    forceSslRedirect: a.bool('force-ssl-redirect', config.forceSslRedirect),
    preserveTrailingSlash: a.bool('preserve-trailing-slash', config.preserveTrailingSlash),
    usePortInRedirects: a.bool('use-port-in-redirects', false),
    relativeRedirects: a.bool('relative-redirects', config.relativeRedirects),
    redirect: readRedirect(a),
    fromToWww: a.bool('from-to-www-redirect', false),
    serverAliases: readAliases(a),
    upstreamVhost: a.text('upstream-vhost', '', /^[^\s"';{}\\]*$/),
    xForwardedPrefix: a.text('x-forwarded-prefix', '', /^[^\s"';{}\\]*$/),
    customHeaders: a.reference('custom-headers', config),
    backendProtocol: readProtocol(a),
    serviceUpstream: a.bool('service-upstream', config.serviceUpstream),
    canary: readCanary(a),
    affinity: readAffinity(a),
    upstreamHashBy: a.text('upstream-hash-by', config.upstreamHashBy, /^[^\s"';\\]*$/),
    cors: readCors(a),
    authUrl: readAuthUrl(a, config),
    enableGlobalAuth: a.bool('enable-global-auth', true),
    basicAuth: readBasicAuth(a, config),
    authTls: readAuthTls(a, config),
    satisfy: readSatisfy(a),
    allow: readRanges(
      a,
      a.has('allowlist-source-range') ? 'allowlist-source-range' : 'whitelist-source-range',
      config.allowlist,
    ),
    deny: readRanges(a, 'denylist-source-range', config.denylist),
    limits: readLimits(a),
    bodyBytesMax: readBodySize(a, config),
    connectTimeout: a.int('proxy-connect-timeout', config.connectTimeout),
    readTimeout: readReadTimeout(a, config),
    nextUpstream: a.text('proxy-next-upstream', config.nextUpstream, /^[a-z_0-9 ]+$/),
    nextUpstreamTries: a.int('proxy-next-upstream-tries', config.nextUpstreamTries),
    nextUpstreamTimeout: a.int('proxy-next-upstream-timeout', config.nextUpstreamTimeout),
    cookieDomain: a.text('proxy-cookie-domain', config.cookieDomain),
    cookiePath: a.text('proxy-cookie-path', config.cookiePath),
    redirectFrom: a.text('proxy-redirect-from', config.redirectFrom),
    redirectTo: a.text('proxy-redirect-to', config.redirectTo),
    proxySsl: {
      secret: a.reference('proxy-ssl-secret', config),
      verifies: a.text('proxy-ssl-verify', 'off', /^(?:on|off)$/) === 'on',
      name: a.text('proxy-ssl-name', '', /^[-._~a-zA-Z0-9:]*$/),
      sendsName: a.text('proxy-ssl-server-name', 'off', /^(?:on|off)$/) === 'on',
    },
    sslPassthrough: a.bool('ssl-passthrough', false),
    defaultBackend: a.text('default-backend', '', /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/),
    customHttpErrors: readErrors(a, config),
    interceptsErrors: !a.bool('disable-proxy-intercept-errors', false),
    mirrorTarget: a.text('mirror-target', '', /^[^\s"';{}\\]*$/),
    mirrorHost: a.text('mirror-host', '', /^[^\s"';{}\\]*$/),
    mirrorsBody: a.text('mirror-request-body', 'on') !== 'off',
    ...readSnippets(a, config),
  };
  noteOthers(a, settings);
  return { ...settings, denied: a.denied, problems: a.problems };
}

function readAppRoot(a: Annotations): string {
  const value = a.optional('app-root');
  if (value === undefined || /^\/[^\s"';{}\\]*$/.test(value)) return value ?? '';
  a.bad('app-root', 'it must be a path that begins with a slash');
  return '';
}

/** Temporal before permanent; the first one that is there decides. */
function readRedirect(a: Annotations): NginxSettings['redirect'] {
  const temporal = readUrl(a, 'temporal-redirect');
  const code = (name: string, most: number, fallback: number): number => {
    const given = a.int(name, 0);
    return given >= 300 && given <= most ? given : fallback;
  };
  if (temporal !== undefined) {
    if (a.has('permanent-redirect')) {
      const message = 'annotation permanent-redirect has no effect beside temporal-redirect';
      a.note('warning', 'Contradiction', 'permanent-redirect', message, 'take one of them out');
    }
    return { url: temporal, code: code('temporal-redirect-code', 307, 302) };
  }
  const permanent = readUrl(a, 'permanent-redirect');
  if (permanent === undefined) return undefined;
  return { url: permanent, code: code('permanent-redirect-code', 308, 301) };
}

function readUrl(a: Annotations, name: string): string | undefined {
  const value = a.optional(name);
  if (value === undefined) return undefined;
  if (
    value.length <= URL_CHARS_MAX &&
    /^(?:https?:\/\/|\$scheme:\/\/|\/)[^\s"';{}\\]*$/.test(value)
  )
    return value;
  a.deny(name, `annotation ${name} is no URL`, 'begin it with https:// or http://');
  return undefined;
}

function readAliases(a: Annotations): readonly string[] {
  return a.list('server-alias').filter((alias) => {
    if (/^(?:\*\.)?[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*\.?$/.test(alias)) return true;
    a.bad('server-alias', `"${clip(alias)}" is neither a name nor *.name`);
    return false;
  });
}

const PROTOCOLS = ['HTTP', 'HTTPS', 'AUTO_HTTP', 'GRPC', 'GRPCS', 'FCGI'];

function readProtocol(a: Annotations): string {
  const value = a.text('backend-protocol', 'HTTP').toUpperCase();
  if (!PROTOCOLS.includes(value)) {
    a.bad('backend-protocol', `"${clip(value)}" is none of ${PROTOCOLS.join(', ')}`);
    return 'HTTP';
  }
  if (value === 'FCGI') {
    a.deny('backend-protocol', 'FastCGI is not spoken', 'put a web server that speaks it between');
  }
  return value;
}

function readCanary(a: Annotations): CanarySettings | undefined {
  const said = a.names().filter((name) => name.startsWith('canary-'));
  if (!a.bool('canary', false)) {
    const [first] = said;
    if (first !== undefined) {
      const message = `annotation ${first} has no effect without canary: "true"`;
      a.note('warning', 'Contradiction', first, message, 'add the annotation canary: "true"');
    }
    return undefined;
  }
  const header = a.text('canary-by-header', '', /^[-_A-Za-z0-9.~/:]*$/);
  for (const name of ['canary-by-header-value', 'canary-by-header-pattern']) {
    if (a.has(name) && header === '') {
      const message = `annotation ${name} has no effect without canary-by-header`;
      a.note('warning', 'Contradiction', name, message);
    }
  }
  const weightTotal = a.int('canary-weight-total', 100);
  if (weightTotal < 100) {
    const message = `a total of ${weightTotal} counts as 100: ingress-nginx knows only larger ones`;
    a.note('warning', 'CanaryWeightTotal', 'canary-weight-total', message);
  }
  return {
    header,
    headerValue: a.text('canary-by-header-value'),
    headerPattern: a.text('canary-by-header-pattern'),
    cookie: a.text('canary-by-cookie'),
    weight: Math.max(0, a.int('canary-weight', 0)),
    weightTotal: Math.max(100, weightTotal),
  };
}

function readAffinity(a: Annotations): AffinitySettings | undefined {
  const type = a.optional('affinity');
  if (type === undefined) return undefined;
  if (type !== 'cookie') {
    a.bad('affinity', `"${clip(type)}" is not cookie`);
    return undefined;
  }
  const seconds = (name: string): number | undefined => {
    const value = a.optional(name, /^-?\d{1,9}$/);
    return value === undefined ? undefined : Number(value);
  };
  return {
    canaryBehavior: a.text('affinity-canary-behavior', 'sticky') === 'legacy' ? 'legacy' : 'sticky',
    name: a.text('session-cookie-name', 'INGRESSCOOKIE', /^[-_.a-zA-Z0-9]+$/),
    path: a.text('session-cookie-path', '', /^\/[^\s;]*$/),
    domain: a.text('session-cookie-domain', '', /^[-_.a-zA-Z0-9]+$/),
    sameSite: a.text('session-cookie-samesite', '', /^(?:None|Lax|Strict)$/i),
    isSecure: a.has('session-cookie-secure') ? a.bool('session-cookie-secure', false) : undefined,
    expiresSeconds: seconds('session-cookie-expires'),
    maxAgeSeconds: seconds('session-cookie-max-age'),
  };
}

function readCors(a: Annotations): CorsSettings | undefined {
  const isOn = a.bool('enable-cors', false);
  if (!isOn) {
    const first = a.names().find((name) => name.startsWith('cors-'));
    if (first !== undefined) {
      const message = `annotation ${first} has no effect without enable-cors: "true"`;
      a.note('warning', 'Contradiction', first, message);
    }
    return undefined;
  }
  return {
    origins: readOrigins(a),
    methods: a.text(
      'cors-allow-methods',
      'GET, PUT, POST, DELETE, PATCH, OPTIONS',
      /^(?:[A-Za-z]+,? ?)+$/,
    ),
    headers: a.text('cors-allow-headers', DEFAULT_CORS_HEADERS, HEADER_LIST),
    exposeHeaders: a.text('cors-expose-headers', '', /^(?:(?:[A-Za-z0-9\-_]+|\*),? ?)+$/),
    credentials: a.bool('cors-allow-credentials', true),
    maxAge: a.int('cors-max-age', 1_728_000),
  };
}

function readOrigins(a: Annotations): readonly string[] {
  if (!a.has('cors-allow-origin')) return ['*'];
  const origins = a.list('cors-allow-origin');
  if (origins.includes('*')) return ['*'];
  return origins.filter((origin) => {
    if (CORS_ORIGIN.test(origin)) return true;
    a.bad('cors-allow-origin', `"${clip(origin)}" is no origin`);
    return false;
  });
}

function readAuthUrl(a: Annotations, config: NginxConfig): AuthUrlSettings | undefined {
  const url = a.optional('auth-url');
  if (url === undefined) {
    if (a.has('auth-signin')) {
      const message = 'annotation auth-signin has no effect without auth-url';
      a.note('warning', 'Contradiction', 'auth-signin', message);
    }
    return undefined;
  }
  if (!/^https?:\/\/[^\s"'{}\\]+$/.test(url)) {
    a.deny('auth-url', 'annotation auth-url is no URL', 'begin it with http:// or https://');
    return undefined;
  }
  return {
    url,
    method: a.text('auth-method', '', /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE)$/),
    signin: a.text('auth-signin', '', /^[^\s"'{}\\]+$/),
    redirectParam: a.text('auth-signin-redirect-param', '', /^[-._~A-Za-z0-9]+$/),
    responseHeaders: a.list('auth-response-headers').filter((name) => {
      if (/^[-_A-Za-z0-9]+$/.test(name)) return true;
      a.deny('auth-response-headers', `"${clip(name)}" is no name of a header`);
      return false;
    }),
    proxySetHeaders: a.reference('auth-proxy-set-headers', config),
    requestRedirect: a.text('auth-request-redirect'),
    alwaysSetCookie: a.bool('auth-always-set-cookie', false),
  };
}

function readBasicAuth(a: Annotations, config: NginxConfig): NginxSettings['basicAuth'] {
  const type = a.optional('auth-type');
  if (type === undefined) {
    if (a.has('auth-secret')) {
      const message = 'annotation auth-secret has no effect without auth-type: everybody is let in';
      a.note('warning', 'Contradiction', 'auth-secret', message, 'add auth-type: basic');
    }
    return undefined;
  }
  if (type !== 'basic') {
    const why =
      type === 'digest' ? 'digest authentication is not done' : `"${clip(type)}" is not basic`;
    a.deny('auth-type', why, 'use auth-type: basic');
    return undefined;
  }
  const secret = a.reference('auth-secret', config);
  if (secret === '') {
    a.deny('auth-type', 'annotation auth-secret names no Secret', 'name a Secret with a key auth');
    return undefined;
  }
  const kind = a.text('auth-secret-type', 'auth-file');
  if (kind !== 'auth-file' && kind !== 'auth-map') {
    a.deny('auth-secret-type', `"${clip(kind)}" is neither auth-file nor auth-map`);
  }
  return { secret, isMap: kind === 'auth-map', realm: a.text('auth-realm', '', /^[^"\\]*$/) };
}

function readAuthTls(a: Annotations, config: NginxConfig): AuthTlsSettings | undefined {
  const secret = a.reference('auth-tls-secret', config);
  if (secret === '') {
    const first = a
      .names()
      .find((name) => name.startsWith('auth-tls-') && name !== 'auth-tls-secret');
    if (first !== undefined && !a.has('auth-tls-secret')) {
      const message = `annotation ${first} has no effect without auth-tls-secret`;
      a.note('warning', 'Contradiction', first, message);
    }
    return undefined;
  }
  const verify = a.text('auth-tls-verify-client', 'on', /^(?:on|off|optional|optional_no_ca)$/);
  return {
    secret,
    verifyClient: verify as AuthTlsSettings['verifyClient'],
    errorPage: a.text('auth-tls-error-page', '', /^[^\s"';{}\\]*$/),
    passesCertificate: a.bool('auth-tls-pass-certificate-to-upstream', false),
    matchCn: a.text('auth-tls-match-cn'),
  };
}

function readSatisfy(a: Annotations): 'all' | 'any' {
  const value = a.text('satisfy', 'all');
  if (value === 'any' || value === 'all') return value;
  a.bad('satisfy', `"${clip(value)}" is neither any nor all`);
  return 'all';
}

/** A list none of whose entries can be read refuses all, lest a typo open the door. */
function readRanges(a: Annotations, name: string, fallback: readonly string[]): readonly string[] {
  if (!a.has(name)) return fallback;
  const items = a.list(name);
  const good = items.filter((item) => parseCidr(item) !== undefined);
  for (const item of items) {
    if (!good.includes(item)) a.bad(name, `"${clip(item)}" is no IP address or network`);
  }
  if (good.length === 0) a.deny(name, `annotation ${name} has no IP address or network in it`);
  return good;
}

function readLimits(a: Annotations): LimitSettings {
  const positive = (name: string): number => Math.max(0, a.int(name, 0));
  const listed = a.has('limit-allowlist') ? 'limit-allowlist' : 'limit-whitelist';
  return {
    rps: positive('limit-rps'),
    rpm: positive('limit-rpm'),
    connections: positive('limit-connections'),
    burstMultiplier: Math.max(0, a.int('limit-burst-multiplier', 5)),
    exempt: a.list(listed).filter((item) => {
      if (parseCidr(item) !== undefined) return true;
      a.bad(listed, `"${clip(item)}" is no IP address or network`);
      return false;
    }),
  };
}

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

/** Bytes; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12})([bkmg]?)$/i.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (SIZES[(match[2] ?? '').toLowerCase()] ?? 1);
}

/** 0 for no limit. */
function readBodySize(a: Annotations, config: NginxConfig): number {
  const fallback = parseSize(config.bodySize) ?? 1024 ** 2;
  const value = a.optional('proxy-body-size');
  if (value === undefined) return fallback;
  const size = parseSize(value);
  if (size === undefined) a.bad('proxy-body-size', `"${clip(value)}" is no size as 8m`);
  return size ?? fallback;
}

/** The longer of both, as one clock runs for sending and reading. */
function readReadTimeout(a: Annotations, config: NginxConfig): number {
  const read = a.int('proxy-read-timeout', config.readTimeout);
  const send = a.int('proxy-send-timeout', config.sendTimeout);
  return a.has('proxy-send-timeout') && !a.has('proxy-read-timeout') ? Math.max(read, send) : read;
}

function readErrors(a: Annotations, config: NginxConfig): readonly number[] {
  if (!a.has('custom-http-errors')) return config.customHttpErrors;
  return a
    .list('custom-http-errors')
    .map(Number)
    .filter((status) => {
      if (isErrorStatus(status)) return true;
      a.bad('custom-http-errors', 'statuses are numbers from 300 to 599');
      return false;
    });
}

function readSnippets(
  a: Annotations,
  config: NginxConfig,
): Pick<NginxSettings, 'configurationSnippet' | 'serverSnippet'> {
  const isLive = config.allowSnippets && config.riskLevel >= 3;
  const read = (name: string): string => {
    const text = a.text(name);
    if (text === '' || isLive) return text;
    a.note(
      'warning',
      'SnippetNotAllowed',
      name,
      `annotation ${name} has no effect, as in ingress-nginx where snippets are not allowed`,
      'set allow-snippet-annotations: "true" and annotations-risk-level: Critical in the ConfigMap, if it did have an effect where you come from',
    );
    return '';
  };
  return {
    configurationSnippet: read('configuration-snippet'),
    serverSnippet: read('server-snippet'),
  };
}

/** Annotations that nothing above has read, and those whose effect differs. */
function noteOthers(a: Annotations, settings: Pick<NginxSettings, 'useRegex'>): void {
  for (const name of a.names()) {
    const facts = annotationFacts(name);
    if (facts === undefined) {
      const near = nearest(
        name,
        ANNOTATIONS.map((known) => known.name),
      );
      const hint = near === undefined ? 'take it out' : `did you mean ${near}?`;
      const message = `ingress-nginx has no annotation ${name}`;
      a.note('warning', 'UnknownAnnotation', name, message, hint);
      continue;
    }
    if (name === 'use-regex' && !settings.useRegex) continue;
    switch (facts.verdict) {
      case 'works':
        break;
      case 'differs':
        a.note(
          'info',
          'AnnotationDiffers',
          name,
          `annotation ${name} works, with a difference: ${facts.note}`,
        );
        break;
      case 'none':
        a.note(
          'info',
          'AnnotationWithoutEffect',
          name,
          `annotation ${name} has no effect: ${facts.note}`,
        );
        break;
      case 'unsupported':
        a.problems.push(
          problem(
            'UnsupportedAnnotation',
            fieldOf(name),
            `annotation ${name} does not work`,
            facts.note,
          ),
        );
        break;
    }
  }
}
