// What a rule of an Ingress does → filters, backends and policies of a rule of an HTTPRoute. What would
// open a door that was shut is left out with all of its rule: the rule then answers 500, and is reported.

import { Service } from '../api/core/service.ts';
import { METHODS } from '../api/gateway/httpfilters.ts';
import { parsePathTemplate } from '../lib/path-template.ts';
import { compilePattern } from '../lib/regex.ts';
import type { AuthFilter, Filter, HeaderValue } from '../model/filter.ts';
import type { Action, Backend, ForwardResult, WeightedBackend } from '../model/model.ts';
import { FRAMING } from '../resolve/filters/filters.ts';
import { addExtra, lose, readServiceKey, saidBy, settingsOf } from './context.ts';
import type { Context } from './context.ts';
import { ACCESS, BASIC, translateGuard, usualPolicy } from './guards.ts';
import { templateOf } from './paths.ts';
import type { PathPlan } from './paths.ts';
import { translateRedirect } from './redirects.ts';
import { textOf } from './text.ts';
import type { Json } from './types.ts';

type JsonObject = { readonly [field: string]: Json };

export interface TranslatedAction {
  readonly filters: readonly JsonObject[];
  readonly backendRefs: readonly JsonObject[];
  readonly retry?: JsonObject;
  readonly sessionPersistence?: JsonObject;
  /** The spec of a TrafficPolicy without its targets. */
  readonly policy?: JsonObject;
  /** Must stand alone with its one match. */
  readonly isSingle: boolean;
  /** Why it answers 500. */
  readonly closed?: string;
  readonly remarks: readonly string[];
}

export interface Surroundings {
  readonly scheme: 'http' | 'https';
  /** Of the route. */
  readonly namespace: string;
  readonly plan: PathPlan;
  /** Set in every response on HTTPS. */
  readonly secureResponse: readonly HeaderValue[];
}

/** Null: nothing needs to be said, as the answer is 404 in any case. */
export function translateAction(
  context: Context,
  action: Action,
  surroundings: Surroundings,
): TranslatedAction | null {
  const { result } = action;
  switch (result.kind) {
    case 'respond':
      if (result.statusCode === 404) {
        noteUnclaimed(context, action);
        return null;
      }
      lose(
        context,
        action,
        'lost',
        ALL_ANSWERS,
        `an answer with ${result.statusCode} cannot be said; the rule answers 500`,
        'all',
      );
      return closed(`ingress-nginx answers ${result.statusCode} here: ${result.reason}`);
    case 'redirect': {
      const translated = translateRedirect(result, surroundings.scheme);
      if ('trouble' in translated) {
        lose(
          context,
          action,
          'lost',
          REDIRECTS,
          `${translated.trouble}; the rule answers 500`,
          'all',
        );
        return closed(translated.trouble);
      }
      if (action.filters.some(({ kind }) => kind === 'corsHeaders')) {
        lose(
          context,
          action,
          'approximate',
          CORS,
          'OPTIONS requests are redirected like all others, and not answered; redirects have no CORS headers',
          ['status', 'location', 'fields', 'response'],
        );
      }
      if (action.filters.some(({ kind }) => kind === 'responseHeaders')) {
        lose(
          context,
          action,
          'approximate',
          ['custom-headers', 'configuration-snippet'],
          'redirects have no headers that are added to responses',
          ['fields'],
        );
      }
      for (const difference of translated.differences) {
        lose(context, action, 'approximate', REDIRECTS, difference, ['location']);
      }
      return {
        filters: [{ type: 'RequestRedirect', requestRedirect: translated.filter }],
        backendRefs: [],
        ...sizeOf(context, action),
        isSingle: false,
        remarks: [],
      };
    }
    case 'forward':
      return translateForward(context, action, result, surroundings);
  }
}

/** Paths nobody has answer 404, whatever the oldest Ingress of the host says of all others. */
function noteUnclaimed(context: Context, action: Action): void {
  const { guard, filters } = action;
  if (filters.some(({ kind }) => kind === 'corsHeaders')) {
    lose(
      context,
      action,
      'approximate',
      CORS,
      'paths that no Ingress has answer 404 without CORS headers, to OPTIONS as well',
      ['status', 'fields'],
    );
  }
  if (filters.some(({ kind }) => kind === 'responseHeaders')) {
    lose(
      context,
      action,
      'approximate',
      ['custom-headers', 'configuration-snippet'],
      'paths that no Ingress has answer 404 without headers that are added to responses',
      ['fields'],
    );
  }
  if (
    guard?.clients !== undefined ||
    guard?.basic !== undefined ||
    guard?.clientCertificate !== undefined
  ) {
    lose(
      context,
      action,
      'approximate',
      [...ACCESS, ...BASIC, 'auth-tls-secret'],
      'paths that no Ingress has answer 404 to everybody, and not 401 or 403',
      ['status', 'fields', 'location'],
    );
  }
}

/** What the Gateway says of sizes is not what the Ingress says. */
function sizeOf({ config, standardOnly }: Context, { guard }: Action): { policy?: JsonObject } {
  const size = guard?.bodyBytesMax;
  if (standardOnly || size === undefined || size === usualPolicy(config)['bodyBytesMax']) return {};
  return { policy: { bodyBytesMax: size } };
}

const CORS = [
  'enable-cors',
  'cors-allow-origin',
  'cors-allow-methods',
  'cors-allow-headers',
  'cors-expose-headers',
  'cors-allow-credentials',
  'cors-max-age',
];
const ALL_ANSWERS = [
  'configuration-snippet',
  'server-snippet',
  'backend-protocol',
  'auth-type',
  'auth-url',
  'permanent-redirect',
  'temporal-redirect',
];
const REDIRECTS = [
  'permanent-redirect',
  'permanent-redirect-code',
  'temporal-redirect',
  'temporal-redirect-code',
  'app-root',
  'from-to-www-redirect',
  'ssl-redirect',
  'force-ssl-redirect',
  'preserve-trailing-slash',
  'relative-redirects',
  'use-port-in-redirects',
  'configuration-snippet',
];

function closed(why: string): TranslatedAction {
  return {
    filters: [],
    backendRefs: [],
    isSingle: false,
    closed: why,
    remarks: [`closed: ${why}`],
  };
}

function translateForward(
  context: Context,
  action: Action,
  result: ForwardResult,
  surroundings: Surroundings,
): TranslatedAction {
  const guard = translateGuard(context, action);
  if ('closed' in guard) {
    lose(
      context,
      action,
      'lost',
      guard.annotations,
      `${guard.closed}; the rule answers 500`,
      'all',
    );
    return closed(guard.closed);
  }
  const filters = translateFilters(context, action, surroundings);
  if ('closed' in filters) {
    lose(
      context,
      action,
      'lost',
      filters.annotations,
      `${filters.closed}; the rule answers 500`,
      'all',
    );
    return closed(filters.closed);
  }
  const refs: JsonObject[] = [];
  for (const backend of result.backends) {
    const ref = translateBackend(
      context,
      action,
      backend,
      surroundings,
      result.backends.length > 1,
    );
    if (typeof ref === 'string') {
      lose(context, action, 'lost', ['canary'], ref, 'all');
      return closed(ref);
    }
    refs.push(ref);
  }
  notePolicies(context, action);
  return {
    filters: filters.list,
    backendRefs: refs,
    ...retryOf(context, action),
    ...sessionOf(context, action),
    ...(guard.policy === undefined ? {} : { policy: guard.policy }),
    isSingle: surroundings.plan.replacement !== undefined,
    remarks: filters.remarks,
  };
}

interface FilterList {
  readonly list: readonly JsonObject[];
  readonly remarks: readonly string[];
}

interface Closed {
  readonly closed: string;
  readonly annotations: readonly string[];
}

class FilterWriter {
  readonly list: JsonObject[] = [];
  readonly remarks: string[] = [];
  readonly requestSet: HeaderValue[] = [];
  readonly requestRemove: string[] = [];
  readonly responseSet: HeaderValue[] = [];
  readonly responseAdd: HeaderValue[] = [];
  readonly responseRemove: string[] = [];
  readonly rewrite: { hostname?: string; path?: JsonObject } = {};

  finish(): FilterList {
    const request = modifier(this.requestSet, [], this.requestRemove);
    const response = modifier(this.responseSet, this.responseAdd, this.responseRemove);
    return {
      list: [
        ...this.list,
        ...(request === undefined
          ? []
          : [{ type: 'RequestHeaderModifier', requestHeaderModifier: request }]),
        ...(Object.keys(this.rewrite).length === 0
          ? []
          : [{ type: 'URLRewrite', urlRewrite: { ...this.rewrite } as JsonObject }]),
        ...(response === undefined
          ? []
          : [{ type: 'ResponseHeaderModifier', responseHeaderModifier: response }]),
      ],
      remarks: this.remarks,
    };
  }
}

function modifier(
  set: readonly HeaderValue[],
  add: readonly HeaderValue[],
  remove: readonly string[],
): JsonObject | undefined {
  const list = (items: readonly HeaderValue[]): readonly JsonObject[] =>
    items.map(({ name, value }) => ({ name, value }));
  if (set.length + add.length + remove.length === 0) return undefined;
  return {
    ...(set.length === 0 ? {} : { set: list(set) }),
    ...(add.length === 0 ? {} : { add: list(add) }),
    ...(remove.length === 0 ? {} : { remove }),
  };
}

function translateFilters(
  context: Context,
  action: Action,
  surroundings: Surroundings,
): FilterList | Closed {
  const out = new FilterWriter();
  for (const filter of action.filters) {
    const trouble = translateFilter(context, action, filter, surroundings, out);
    if (trouble !== undefined) return trouble;
  }
  out.responseSet.push(...surroundings.secureResponse);
  return out.finish();
}

function translateFilter(
  context: Context,
  action: Action,
  filter: Filter,
  surroundings: Surroundings,
  out: FilterWriter,
): Closed | undefined {
  switch (filter.kind) {
    case 'requestHeaders':
      out.requestSet.push(...filter.set, ...filter.add);
      out.requestRemove.push(...filter.remove);
      return undefined;
    case 'templateHeaders':
      for (const { name, value } of filter.set) {
        if (value.length === 0) out.requestRemove.push(name);
        else if (value.every((part) => typeof part === 'string') && !FRAMING.has(name)) {
          out.requestSet.push({ name, value: value.join('') });
        } else {
          const reason = `header ${name} for backends is made of parts of the request, which no filter can do`;
          lose(context, action, 'lost', ['configuration-snippet', 'x-forwarded-prefix'], reason, [
            'headers',
          ]);
        }
      }
      return undefined;
    case 'responseHeaders': {
      const usable = ({ name }: HeaderValue): boolean => !FRAMING.has(name);
      out.responseSet.push(...filter.set.filter(usable));
      out.responseAdd.push(...filter.add.filter(usable));
      out.responseRemove.push(...filter.remove.filter((name) => !FRAMING.has(name)));
      return undefined;
    }
    case 'rewrite':
      return translateRewrite(context, action, filter, surroundings, out);
    case 'mirror': {
      const service = readServiceKey(filter.backend);
      if (service === undefined) return undefined;
      noteReference(context, service, surroundings.namespace, action);
      out.list.push({
        type: 'RequestMirror',
        requestMirror: { backendRef: refTo(service, surroundings.namespace) },
      });
      const names = saidBy(context, action.origin, ['mirror-host', 'mirror-request-body']);
      if (names.length > 0) {
        lose(
          context,
          action,
          'lost',
          names,
          'a copy has the host and the body of the request it is a copy of',
        );
      }
      return undefined;
    }
    case 'corsHeaders':
      out.list.push(...translateCors(context, action));
      return undefined;
    case 'rewriteFields':
      lose(
        context,
        action,
        'lost',
        ['proxy-cookie-domain', 'proxy-cookie-path', 'proxy-redirect-from', 'proxy-redirect-to'],
        'Set-Cookie, Location and Refresh of backends go through as they are: no filter changes parts of them',
      );
      return undefined;
    case 'auth':
      return translateAuth(context, action, filter, surroundings, out);
    case 'cors':
      // Ingresses do not make these.
      return undefined;
  }
}

const HOSTNAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/;

function translateRewrite(
  context: Context,
  action: Action,
  { hostname, path }: Extract<Filter, { kind: 'rewrite' }>,
  { plan, namespace }: Surroundings,
  out: FilterWriter,
): Closed | undefined {
  if (hostname !== undefined) {
    if (HOSTNAME.test(hostname)) out.rewrite.hostname = hostname;
    else
      lose(
        context,
        action,
        'lost',
        ['upstream-vhost'],
        `${hostname} is no hostname that a URLRewrite may have`,
        ['host'],
      );
  }
  if (path?.kind !== 'search') return undefined;
  const template = templateOf(path);
  if (plan.type === 'PathPrefix' && template.some((part) => typeof part === 'number')) {
    if (plan.replacement !== undefined) {
      out.rewrite.path = { type: 'ReplacePrefixMatch', replacePrefixMatch: plan.replacement };
    }
    return undefined;
  }
  if (path.query !== undefined)
    lose(
      context,
      action,
      'lost',
      ['rewrite-target'],
      'the query in rewrite-target is left out: filters change paths only',
      ['path'],
    );
  if (path.dropsQuery === true)
    lose(
      context,
      action,
      'approximate',
      ['rewrite-target'],
      'the query goes on to the backend: no filter drops it',
      ['path'],
    );
  const annotations = ['rewrite-target'];
  if (template.every((part) => typeof part === 'string')) {
    const text = template.join('');
    const value = text.startsWith('/') ? text : `/${text}`;
    if (!PATH.test(value))
      return {
        closed: `rewrite-target ${value} has characters that a path cannot have`,
        annotations,
      };
    out.rewrite.path = { type: 'ReplaceFullPath', replaceFullPath: value };
    return undefined;
  }
  const captured =
    'rewrite-target puts parts of the path together anew, for which the standard has no field';
  if (context.standardOnly) return { closed: captured, annotations };
  const replacement = template
    .map((part) => (typeof part === 'string' ? part.replaceAll('$', '$$$$') : `\${${part}}`))
    .join('');
  const pattern = compilePattern(plan.value);
  const read = 'trouble' in pattern ? pattern : parsePathTemplate(replacement, pattern);
  if ('trouble' in read)
    return {
      closed: `rewrite-target cannot be said by a PathRewrite: ${read.trouble}`,
      annotations,
    };
  const name = nameFor(
    `${action.origin.name}-rewrite`,
    `${plan.value} ${replacement}`,
    context,
    namespace,
  );
  addExtra(context, {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'PathRewrite',
    namespace,
    name,
    spec: { pattern: plan.value, replacement },
    remarks: [{ path: [], text: `fairway.dev: ${captured}`, origin: action.origin }],
  });
  out.list.push({
    type: 'ExtensionRef',
    extensionRef: { group: 'fairway.dev', kind: 'PathRewrite', name },
  });
  out.remarks.push(`fairway.dev: ${captured}`);
  return undefined;
}

/** A name that is free, or has this content already. */
function nameFor(base: string, content: string, context: Context, namespace: string): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    const known = context.extras.get(`PathRewrite ${namespace}/${name}`);
    if (
      known === undefined ||
      `${textOf(known.spec['pattern'])} ${textOf(known.spec['replacement'])}` === content
    )
      return name;
  }
}

function translateCors(context: Context, action: Action): readonly JsonObject[] {
  const cors = settingsOf(context, action.origin)?.cors;
  if (cors === undefined) return [];
  const origins = cors.origins.filter((o) => /^\*$|^https?:\/\//.test(o));
  lose(
    context,
    action,
    'approximate',
    CORS,
    'only answers to requests with an Origin have CORS headers, and only preflight requests are answered for the backend',
    ['status', 'fields', 'backend', 'headers', 'response'],
  );
  if (origins.length < cors.origins.length)
    lose(
      context,
      action,
      'lost',
      ['cors-allow-origin'],
      'origins that are not http:// or https:// are left out',
      ['fields', 'response'],
    );
  const items = (text: string): readonly string[] => [
    ...new Set(
      text
        .split(',')
        .map((t) => t.trim())
        .filter((t) => t !== ''),
    ),
  ];
  const methods = items(cors.methods).filter((m) => (METHODS as readonly string[]).includes(m));
  const headers = items(cors.headers);
  const exposed = items(cors.exposeHeaders);
  return [
    {
      type: 'CORS',
      cors: {
        allowOrigins: [...new Set(origins)],
        ...(methods.length === 0 ? {} : { allowMethods: methods }),
        ...(headers.length === 0 ? {} : { allowHeaders: headers }),
        ...(exposed.length === 0 ? {} : { exposeHeaders: exposed }),
        ...(cors.credentials ? { allowCredentials: true } : {}),
        maxAge: Math.max(1, cors.maxAge),
      },
    },
  ];
}

function translateAuth(
  context: Context,
  action: Action,
  { backend, question }: AuthFilter,
  { namespace }: Surroundings,
  out: FilterWriter,
): Closed | undefined {
  const annotations = [
    'auth-url',
    'auth-signin',
    'auth-response-headers',
    'auth-method',
    'auth-proxy-set-headers',
    'auth-request-redirect',
    'auth-always-set-cookie',
    'auth-signin-redirect-param',
    'enable-global-auth',
  ];
  const service = readServiceKey(backend);
  const said = 'who may ask is decided by another service (auth-url)';
  if (context.standardOnly)
    return { closed: `${said}, for which the standard channel has no filter`, annotations };
  if (service === undefined || question.protocol !== 'http' || !PATH.test(question.path.value)) {
    return { closed: `${said}, which an ExternalAuth filter cannot ask`, annotations };
  }
  noteReference(context, service, namespace, action);
  const takes = question.takes === 'all' ? [] : question.takes;
  out.list.push({
    type: 'ExternalAuth',
    externalAuth: {
      protocol: 'HTTP',
      backendRef: refTo(service, namespace),
      http: {
        path: question.path.value,
        ...(question.sends === 'all' ? {} : { allowedHeaders: [...question.sends, 'cookie'] }),
        ...(takes.length === 0 ? {} : { allowedResponseHeaders: takes }),
      },
    },
  });
  out.remarks.push('experimental channel: ExternalAuth');
  lose(
    context,
    action,
    'approximate',
    annotations,
    `the service is asked with the path of the request behind ${question.path.value}, and only its answer 200 lets requests through`,
    ['headers', 'status'],
  );
  if (question.signIn !== undefined)
    lose(
      context,
      action,
      'lost',
      ['auth-signin', 'auth-signin-redirect-param'],
      'clients without a session are answered with 401, and not sent to sign in',
    );
  return undefined;
}

function translateBackend(
  context: Context,
  action: Action,
  weighted: WeightedBackend,
  { namespace }: Surroundings,
  isWeighted: boolean,
): JsonObject | string {
  const key = weighted.backend;
  const service = key === null ? undefined : readServiceKey(key);
  if (key === null || service === undefined)
    return weighted.broken?.reason ?? 'the backend does not exist';
  const backend = context.model.backends.get(key);
  if (backend !== undefined) noteProtocol(context, action, backend, service);
  if (weighted.filters.length > 0) {
    lose(
      context,
      action,
      'lost',
      ['default-backend'],
      'nothing answers in place of a backend that has no endpoints; the default backend is used now, as there are none',
      ['headers'],
    );
  }
  noteReference(context, service, namespace, action);
  return { ...refTo(service, namespace), ...(isWeighted ? { weight: weighted.weight } : {}) };
}

interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

function refTo({ namespace, name, port }: ServiceRef, from: string): JsonObject {
  return { name, ...(namespace === from ? {} : { namespace }), port };
}

function noteReference(context: Context, to: ServiceRef, from: string, { origin }: Action): void {
  if (to.namespace === from) return;
  context.references.push({
    fromKind: 'HTTPRoute',
    fromNamespace: from,
    toKind: 'Service',
    toNamespace: to.namespace,
    toName: to.name,
    origin,
  });
}

/** TLS to a backend is a policy; HTTP/2 is said by the Service itself. */
function noteProtocol(
  context: Context,
  action: Action,
  backend: Backend,
  service: ServiceRef,
): void {
  const ports = context.snapshot.get(Service, service.namespace, service.name)?.spec.ports ?? [];
  const port = ports.find((p) => p.port === service.port);
  if (backend.protocol === 'h2c' && port?.appProtocol !== 'kubernetes.io/h2c') {
    lose(
      context,
      action,
      'lost',
      ['backend-protocol'],
      `port ${service.port} of Service ${service.namespace}/${service.name} must say appProtocol: kubernetes.io/h2c, or it is spoken to in HTTP/1.1`,
      ['how'],
    );
  }
  const { tls } = backend;
  if (tls === undefined) return;
  const hostname =
    tls.serverName === '' ||
    !HOSTNAME.test(tls.serverName) ||
    tls.serverName === 'upstream_balancer'
      ? `${service.name}.${service.namespace}.svc`
      : tls.serverName;
  const { namespace } = service;
  const name = `${service.name}-${service.port}-tls`;
  if (tls.isUnverified === true) {
    lose(
      context,
      action,
      'approximate',
      [
        'backend-protocol',
        'proxy-ssl-verify',
        'proxy-ssl-secret',
        'proxy-ssl-name',
        'proxy-ssl-server-name',
      ],
      `the certificate of Service ${namespace}/${service.name} is verified now, as one for ${hostname}: the standard has no TLS without`,
      ['how'],
    );
  }
  const isListed = tls.authorities !== 'system';
  if (isListed) {
    addExtra(context, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace,
      name: `${name}-ca`,
      spec: {},
      data: { 'ca.crt': (tls.authorities as readonly string[]).join('\n') },
      remarks: [
        {
          path: [],
          text: 'the authority of the Secret that proxy-ssl-secret names',
          origin: action.origin,
        },
      ],
    });
  }
  addExtra(context, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'BackendTLSPolicy',
    namespace,
    name,
    spec: {
      targetRefs: [
        {
          group: '',
          kind: 'Service',
          name: service.name,
          ...((port?.name ?? '') === '' ? {} : { sectionName: port?.name ?? '' }),
        },
      ],
      validation: {
        ...(isListed
          ? { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: `${name}-ca` }] }
          : { wellKnownCACertificates: 'System' }),
        hostname,
      },
    },
    remarks: [{ path: [], text: 'backend-protocol HTTPS', origin: action.origin }],
  });
}

function retryOf(context: Context, action: Action): { retry?: JsonObject } {
  const { retry, origin } = action;
  const names = ['proxy-next-upstream', 'proxy-next-upstream-tries', 'proxy-next-upstream-timeout'];
  if (saidBy(context, origin, names).length === 0) return {};
  if (context.standardOnly) {
    lose(context, action, 'lost', names, 'the standard channel has no retries');
    return {};
  }
  if (retry === undefined || retry.attempts === 0) return {};
  lose(
    context,
    action,
    'approximate',
    names,
    'retries are of the experimental channel; conditions besides statuses and the time for all tries are left out',
  );
  const codes = retry.codes.filter((code) => code >= 400);
  return { retry: { attempts: retry.attempts, ...(codes.length === 0 ? {} : { codes }) } };
}

function sessionOf(context: Context, action: Action): { sessionPersistence?: JsonObject } {
  const { session } = action;
  if (session === undefined) return {};
  const names = [
    'affinity',
    'affinity-mode',
    'affinity-canary-behavior',
    'session-cookie-name',
    'session-cookie-expires',
    'session-cookie-max-age',
    'session-cookie-path',
    'session-cookie-domain',
    'session-cookie-samesite',
    'session-cookie-secure',
    'session-cookie-change-on-failure',
  ];
  if (context.standardOnly) {
    lose(
      context,
      action,
      'lost',
      names,
      'the standard channel has no session persistence: clients do not stay with an endpoint',
    );
    return {};
  }
  lose(
    context,
    action,
    'approximate',
    names,
    "sessionPersistence is of the experimental channel; attributes of the cookie are the implementation's, and clients get a new one",
  );
  const seconds = session.cookie?.maxAgeSeconds ?? 0;
  return {
    sessionPersistence: {
      type: 'Cookie',
      sessionName: session.name,
      ...(seconds > 0
        ? { absoluteTimeout: `${seconds}s`, cookieConfig: { lifetimeType: 'Permanent' } }
        : {}),
    },
  };
}

/** What no request shows. */
function notePolicies(context: Context, action: Action): void {
  if (action.hashBy !== undefined)
    lose(
      context,
      action,
      'lost',
      ['upstream-hash-by'],
      'requests are spread as the implementation does it: the standard has no hashing',
    );
  if (action.errorPages !== undefined)
    lose(
      context,
      action,
      'lost',
      ['custom-http-errors', 'default-backend'],
      'statuses of backends go through: no filter puts another answer in their place',
    );
}
