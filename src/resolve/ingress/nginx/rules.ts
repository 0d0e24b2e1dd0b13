// Servers and locations of ingress-nginx → hosts and rules of the model, once for HTTP and once for
// HTTPS. What nginx decides in phases (redirects of the server, locations, rewrites, redirects to HTTPS,
// limits, access, the backend) is here the order of rules and what each of them does first.

import { ConfigMap } from '../../../api/core/config-map.ts';
import { Secret } from '../../../api/core/secret.ts';
import { Service } from '../../../api/core/service.ts';
import { EndpointSlice as SLICES } from '../../../api/discovery/endpoint-slice.ts';
import { isKnownHash, parseHtpasswd } from '../../../lib/htpasswd.ts';
import { normalizeHost } from '../../../lib/hostname.ts';
import type { PathTemplate } from '../../../lib/path-template.ts';
import { compilePattern } from '../../../lib/regex.ts';
import type { CorsHeadersFilter, FieldChange, Filter, HeaderValue } from '../../../model/filter.ts';
import type { ClientCertificateGuard, Guard } from '../../../model/guard.ts';
import type { Match, PathMatch } from '../../../model/match.ts';
import type {
  Action,
  BackendTls,
  Certificate,
  ForwardResult,
  Host,
  Origin,
  RedirectResult,
  Result,
  Rule,
  WeightedBackend,
} from '../../../model/model.ts';
import type { Retry, Session, Timeouts } from '../../../model/policy.ts';
import type { TextTemplate } from '../../../model/template.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { BackendManner, BackendUse } from '../../gateway/backends.ts';
import { loadCertificate } from '../../gateway/certificates.ts';
import { problem } from '../../status/conditions.ts';
import { resolveIngressBackend, useOf } from '../backends.ts';
import type { ResolvedAuthTls } from './auth-tls.ts';
import { resolveAuthUrl } from './auth-url.ts';
import type { NginxConfig } from './config.ts';
import { serviceOfUrl } from './service-url.ts';
import { isRewritten, nameOf, originOf } from './servers.ts';
import type {
  IngressProblem,
  LocationBackend,
  NginxCanary,
  NginxLocation,
  NginxServer,
} from './servers.ts';
import type { NginxSettings } from './settings.ts';
import { isFieldValue, parseSnippet } from './snippets.ts';
import type { Snippet } from './snippets.ts';
import { parseText } from './variables.ts';

export interface RuleContext {
  readonly snapshot: Snapshot;
  readonly config: NginxConfig;
  readonly uses: Map<string, BackendUse>;
  readonly problems: IngressProblem[];
  /** Whether the host has a certificate of its own, so that requests are sent to HTTPS. */
  readonly hasTls: boolean;
  /** Whether Services of type ExternalName may be backends. */
  readonly externalNames: boolean;
  /** What clients of the host must show; absent: nothing. */
  readonly authTls?: ResolvedAuthTls;
  /** Certificates that are shown to backends, by key. */
  readonly certificates: Map<string, Certificate>;
}

export type Scheme = 'http' | 'https';

/** One host of the model for each scheme. */
export function buildHosts(
  server: NginxServer,
  context: RuleContext,
): Readonly<Record<Scheme, readonly Host[]>> {
  const builder = new RuleBuilder(server, context);
  // Unlike in the host of a rule, the star of an alias takes any number of labels.
  const names = [patternOf(server.hostname), ...server.aliases.map(normalizeHost)];
  const hostsFor = (scheme: Scheme): readonly Host[] => {
    const rules = builder.rules(scheme);
    return names.map((hostname) => ({ hostname, rules }));
  };
  return { http: hostsFor('http'), https: hostsFor('https') };
}

/** A wildcard takes one label. */
export function patternOf(hostname: string): string {
  return hostname.startsWith('*.')
    ? `?.${normalizeHost(hostname.slice(2))}`
    : normalizeHost(hostname);
}

/** The host that redirects from www, or to it; undefined when there is none to make. */
export function wwwRedirect(
  server: NginxServer,
  known: ReadonlySet<string>,
  config: NginxConfig,
): Host | undefined {
  const { hostname } = server;
  if (!server.fromToWww || hostname === '' || hostname.startsWith('*')) return undefined;
  const from = hostname.startsWith('www.') ? hostname.slice(4) : `www.${hostname}`;
  if (known.has(from)) return undefined;
  const origin = originOf(
    server.ingresses[0]!,
    'metadata.annotations[nginx.ingress.kubernetes.io/from-to-www-redirect]',
  );
  const result: RedirectResult = {
    kind: 'redirect',
    statusCode: config.httpRedirectCode,
    location: [{ of: 'scheme' }, `://${hostname}`, { of: 'trimmedTarget' }],
    origin,
  };
  const action: Action = { id: `host ${hostname} from ${from}`, filters: [], result, origin };
  return {
    hostname: from,
    rules: [{ match: matchOf({ kind: 'prefix', value: '/' }), action, origin }],
  };
}

function addCertificate(
  clientCertificate: ClientCertificateGuard | undefined,
): Pick<Guard, 'clientCertificate'> {
  return clientCertificate === undefined ? {} : { clientCertificate };
}

function matchOf(path: PathMatch): Match {
  return { path, headers: [], queryParams: [] };
}

/** One character for each byte, as paths are when they have no escapes left. */
function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

class RuleBuilder {
  readonly #server: NginxServer;
  readonly #context: RuleContext;
  readonly #serverSnippet: Snippet | undefined;
  /** Problems are told once, though rules are made for each scheme. */
  readonly #told = new Set<string>();

  constructor(server: NginxServer, context: RuleContext) {
    this.#server = server;
    this.#context = context;
    this.#serverSnippet =
      server.serverSnippet === undefined ? undefined : parseSnippet(server.serverSnippet.text);
  }

  rules(scheme: Scheme): readonly Rule[] {
    const { locations, isRegex } = this.#server;
    const exact: Rule[] = [];
    const expressions: Rule[] = [];
    const prefixes: Rule[] = [];
    for (const location of locations) {
      const { path } = location;
      if (isRegex) {
        const value = `(?i)^${toBytes(path)}`;
        const compiled = compilePattern(value);
        if ('trouble' in compiled) {
          this.#refusePattern(location, compiled.trouble);
          continue;
        }
        this.#warnBacktracking(location);
        expressions.push(...this.#locationRules(location, { kind: 'search', value }, scheme));
      } else if (location.pathType === 'Exact') {
        exact.push(
          ...this.#locationRules(location, { kind: 'exact', value: toBytes(path) }, scheme),
        );
      } else {
        const value = path === '/' ? '/' : toBytes(path.slice(0, -1));
        prefixes.push(...this.#locationRules(location, { kind: 'prefix', value }, scheme));
      }
    }
    if (!isRegex) exact.push(...this.#slashRules(exact, scheme));
    const rules = [...this.#appRootRules(), ...exact, ...expressions, ...prefixes];
    return this.#withCertificates(rules, scheme);
  }

  /** Certificates of clients are looked at before a rule is even looked for. */
  #withCertificates(rules: readonly Rule[], scheme: Scheme): readonly Rule[] {
    const { authTls } = this.#context;
    if (authTls === undefined) return rules;
    const { closed, guard } = authTls;
    const clientCertificate = guard[scheme];
    if (closed === undefined && clientCertificate === undefined) return rules;
    // Rules that share an action go on to share it.
    const changed = new Map<Action, Action>();
    return rules.map((rule) => {
      const { id, origin, guard: own = { rates: [], satisfy: 'all' } } = rule.action;
      let action = changed.get(rule.action);
      if (action === undefined && clientCertificate === undefined) {
        const result = { kind: 'respond', statusCode: 403, reason: closed ?? '' } as const;
        action = { id, filters: [], result, origin };
      }
      action ??= { ...rule.action, guard: { ...own, ...addCertificate(clientCertificate) } };
      changed.set(rule.action, action);
      return { ...rule, action };
    });
  }

  /** `/` goes to the application's own root, before any location is looked for. */
  #appRootRules(): readonly Rule[] {
    const location = this.#server.locations.find((l) => (l.settings?.appRoot ?? '') !== '');
    if (location === undefined) return [];
    const { origin } = location;
    const root = location.settings?.appRoot ?? '';
    const result: RedirectResult = {
      kind: 'redirect',
      statusCode: 302,
      location: [{ of: 'scheme' }, '://', { of: 'authority' }, ...parseText(root).template],
      origin,
    };
    const action: Action = { id: `${idOf(location)} app-root`, filters: [], result, origin };
    return [{ match: matchOf({ kind: 'exact', value: '/' }), action, origin }];
  }

  /** nginx sends `/a` to `/a/` where there is a location for that and none for `/a`. */
  #slashRules(exact: readonly Rule[], _scheme: Scheme): readonly Rule[] {
    const taken = new Set(exact.map((rule) => rule.match.path.value));
    const made: Rule[] = [];
    for (const location of this.#server.locations) {
      const { path, origin } = location;
      const value = toBytes(path.slice(0, -1));
      if (path === '/' || !path.endsWith('/') || taken.has(value)) continue;
      if (location.settings?.denied !== undefined) continue;
      taken.add(value);
      const target: TextTemplate = [path, { of: 'queryMark' }, { of: 'query' }];
      const result: RedirectResult = {
        kind: 'redirect',
        statusCode: 301,
        location:
          location.settings?.relativeRedirects === true
            ? target
            : [{ of: 'scheme' }, '://', { of: 'host' }, ...target],
        origin,
      };
      const action: Action = { id: `${idOf(location)} slash`, filters: [], result, origin };
      made.push({ match: matchOf({ kind: 'exact', value }), action, origin });
    }
    return made;
  }

  #locationRules(location: NginxLocation, path: PathMatch, scheme: Scheme): readonly Rule[] {
    const { origin, settings } = location;
    const match = matchOf(path);
    if (settings === null) return [{ match, action: this.#unclaimed(location), origin }];
    const action = this.#action(location, settings, path);
    if (action.result.kind !== 'forward')
      return this.#withSecurity(location, match, action, scheme);
    return this.#withCanary(location, match, action).flatMap((rule) =>
      this.#withSecurity(location, rule.match, rule.action, scheme),
    );
  }

  #unclaimed(location: NginxLocation): Action {
    const { origin } = location;
    return { id: idOf(location), filters: [], result: DEFAULT_BACKEND, origin };
  }

  /** Where HTTPS is wanted and what came is not, a redirect takes the place of what follows. */
  #withSecurity(
    location: NginxLocation,
    match: Match,
    action: Action,
    scheme: Scheme,
  ): readonly Rule[] {
    const { origin, settings } = location;
    const { config, hasTls } = this.#context;
    const rule = { match, action, origin };
    if (settings === null || settings.denied !== undefined) return [rule];
    // Answers of the location itself come before.
    if (action.result.kind === 'redirect') return [rule];
    if (isUnder(location.path, config.noTlsRedirectLocations)) return [rule];
    if (!settings.forceSslRedirect && !(settings.sslRedirect && hasTls)) return [rule];
    const secure = { match, action: this.#secureRedirect(location, settings, action), origin };
    if (!config.useForwardedHeaders) return scheme === 'http' ? [secure] : [rule];
    const said = (value: string): Rule => ({
      ...(value === 'http' ? secure : rule),
      match: { ...match, headers: [...match.headers, { name: 'x-forwarded-proto', value }] },
    });
    return scheme === 'http'
      ? [
          {
            ...rule,
            match: {
              ...match,
              headers: [...match.headers, { name: 'x-forwarded-proto', value: 'https' }],
            },
          },
          secure,
        ]
      : [said('http'), rule];
  }

  #secureRedirect(location: NginxLocation, settings: NginxSettings, action: Action): Action {
    const { origin } = location;
    const target = settings.preserveTrailingSlash
      ? ({ of: 'target' } as const)
      : ({ of: 'trimmedTarget' } as const);
    const result: RedirectResult = {
      kind: 'redirect',
      statusCode: this.#context.config.httpRedirectCode,
      location: settings.usePortInRedirects
        ? ['https://', { of: 'host' }, ':443', target]
        : ['https://', { of: 'secureAuthority' }, target],
      origin,
    };
    const { bodyBytesMax } = action.guard ?? {};
    const filters = action.filters.filter(
      ({ kind }) => kind === 'corsHeaders' || kind === 'responseHeaders',
    );
    return {
      id: `${action.id} to HTTPS`,
      filters,
      result,
      ...(bodyBytesMax === undefined ? {} : { guard: { bodyBytesMax, rates: [], satisfy: 'all' } }),
      origin,
    };
  }

  #withCanary(location: NginxLocation, match: Match, action: Action): readonly Rule[] {
    const { canary, origin } = location;
    if (canary === null || action.result.kind !== 'forward') return [{ match, action, origin }];
    return this.#canaryRules(location, canary, match, { ...action, result: action.result });
  }

  #canaryRules(
    location: NginxLocation,
    canary: NginxCanary,
    match: Match,
    action: Action & { readonly result: ForwardResult },
  ): readonly Rule[] {
    const { settings } = canary;
    const origin = canary.backend.origin;
    const main = action.result.backends[0] as WeightedBackend;
    const other = this.#backend(canary.backend, location, location.settings as NginxSettings);
    const weight = Math.min(settings.weight, settings.weightTotal);
    // Who has a session with the one stays there, whatever else is said: so both stand in every rule.
    const keeps = action.session !== undefined && canary.isSticky;
    const to = (canaryWeight: number, mainWeight: number, id: string): Action => ({
      ...action,
      id: `${action.id} ${id}`,
      result: {
        kind: 'forward',
        backends: [
          { ...other, weight: canaryWeight },
          { ...main, weight: mainWeight },
        ].filter((b) => b.weight > 0 || keeps),
      },
    });
    const always = to(1, 0, 'canary');
    const never = to(0, 1, 'main');
    const rules: Rule[] = [];
    const add = (extra: Partial<Match>, chosen: Action): void => {
      rules.push({ match: { ...match, ...extra }, action: chosen, origin });
    };
    const { headerValue, headerPattern, cookie } = settings;
    const header = settings.header.toLowerCase();
    const byHeader = (value: string, regex = false): Partial<Match> => ({
      headers: [...match.headers, { name: header, value, ...(regex ? { regex: true } : {}) }],
    });
    if (header !== '' && headerValue !== '') {
      add(byHeader(headerValue), always);
    } else if (header !== '' && headerPattern !== '') {
      const whole = `(?s:.*)(?:${headerPattern})(?s:.*)`;
      const compiled = compilePattern(whole);
      if ('trouble' in compiled) {
        this.#tell(
          location,
          'InvalidPattern',
          canary.backend.origin.field,
          `the pattern of canary-by-header-pattern is not used: ${compiled.trouble}`,
          'use RE2 syntax',
        );
      } else add(byHeader(whole, true), always);
    } else if (header !== '') {
      add(byHeader('always'), always);
      add(byHeader('never'), never);
    }
    if (cookie !== '') {
      add({ cookies: [{ name: cookie, value: 'always' }] }, always);
      add({ cookies: [{ name: cookie, value: 'never' }] }, never);
    }
    const rest = settings.weightTotal - weight;
    rules.push({ match, action: to(weight, rest, 'split'), origin: location.origin });
    return rules;
  }

  #action(location: NginxLocation, settings: NginxSettings, path: PathMatch): Action {
    const { origin } = location;
    const id = idOf(location);
    const groups = path.kind === 'search' ? { groupsOf: path.value } : {};
    if (settings.denied !== undefined) {
      const result = { kind: 'respond', statusCode: 503, reason: settings.denied } as const;
      return { id, filters: [], result, origin };
    }
    const cors = corsFilter(settings, origin);
    const snippet = this.#snippet(location, settings);
    const denied = snippet.unknown[0];
    if (denied !== undefined) {
      const reason = 'a snippet of nginx configuration is not understood';
      return { id, filters: [], result: { kind: 'respond', statusCode: 503, reason }, origin };
    }
    const responses = this.#responseFilters(location, settings, snippet);
    const size = settings.bodyBytesMax > 0 ? { bodyBytesMax: settings.bodyBytesMax } : {};
    const sizeOnly =
      settings.bodyBytesMax > 0 ? { guard: { ...size, rates: [], satisfy: 'all' } as Guard } : {};
    const answer = this.#ownAnswer(location, settings, snippet);
    if (answer !== undefined) {
      return {
        id,
        filters: [...cors, ...responses],
        result: answer,
        ...sizeOnly,
        ...groups,
        origin,
      };
    }
    const result = this.#result(location, settings);
    const guard = this.#guard(location, settings, snippet);
    const requests = this.#requestFilters(location, settings, snippet);
    return {
      id,
      filters: [...cors, ...requests, ...responses],
      result,
      ...(result.kind === 'forward' ? policyOf(settings, this.#context.config) : {}),
      ...sessionOf(location, settings),
      ...this.#hashOf(location, settings),
      ...this.#errorPages(location, settings),
      guard,
      ...groups,
      origin,
    };
  }

  /** What the location answers without a backend: redirects, and `return` in a snippet. */
  #ownAnswer(
    location: NginxLocation,
    settings: NginxSettings,
    snippet: Snippet,
  ): Result | undefined {
    const { origin } = location;
    if (snippet.answer !== undefined) {
      const { statusCode, text } = snippet.answer;
      const isRedirect = [301, 302, 303, 307, 308].includes(statusCode) && text !== '';
      if (isRedirect) return this.#redirect(location, text, statusCode);
      return { kind: 'respond', statusCode, reason: text };
    }
    if (settings.redirect !== undefined) {
      return this.#redirect(location, settings.redirect.url, settings.redirect.code);
    }
    const target = settings.rewriteTarget;
    if (isRewritten(location) && /^https?:\/\/|^\$scheme/.test(target)) {
      const keepsQuery = !target.endsWith('?');
      const text = keepsQuery ? target : target.slice(0, -1);
      const { template } = parseText(text);
      const query: TextTemplate = text.includes('?')
        ? [{ of: 'queryMark' }, { of: 'query' }]
        : [{ of: 'queryMark' }, { of: 'query' }];
      return {
        kind: 'redirect',
        statusCode: 302,
        location: keepsQuery ? [...template, ...query] : template,
        origin,
      };
    }
    return undefined;
  }

  #redirect(location: NginxLocation, url: string, statusCode: number): Result {
    const { template, unknown } = parseText(url);
    const { origin } = location;
    if (unknown.length > 0) {
      const message = `the redirect to ${url} needs ${unknown.join(', ')}, which Fairway does not have`;
      this.#tell(
        location,
        'UnsupportedVariable',
        'metadata.annotations',
        message,
        'write the URL out',
      );
      return { kind: 'respond', statusCode: 503, reason: message };
    }
    return { kind: 'redirect', statusCode, location: template, origin };
  }

  #result(location: NginxLocation, settings: NginxSettings): Result {
    if (location.backend === null) return DEFAULT_BACKEND;
    const main = this.#backend(location.backend, location, settings);
    return { kind: 'forward', backends: [main] };
  }

  #backend(
    written: LocationBackend,
    location: NginxLocation,
    settings: NginxSettings,
  ): WeightedBackend {
    const { origin, ref } = written;
    const manner = mannerOf(settings, this.#proxyTls(location, settings));
    const resolved = resolveIngressBackend(
      ref,
      origin,
      this.#context.snapshot,
      { takesTargetPorts: true, externalNames: this.#context.externalNames },
      manner,
    );
    if ('problem' in resolved) {
      const { reason, field, message, hint } = resolved.problem;
      this.#tell(location, reason, field, message, hint);
      const broken = { kind: 'respond', statusCode: 503, reason: message } as const;
      return { backend: null, weight: 1, filters: [], broken, origin };
    }
    const fallback = this.#fallback(location, settings, resolved.use);
    const use = fallback ?? resolved.use;
    this.#context.uses.set(use.key, use);
    const filters: readonly Filter[] =
      fallback === undefined ? [] : [errorHeaders(location, resolved.use, origin)];
    return { backend: use.key, weight: 1, filters, origin };
  }

  /** The Service that answers in place of one without endpoints. */
  #fallback(
    location: NginxLocation,
    settings: NginxSettings,
    main: BackendUse,
  ): BackendUse | undefined {
    if (settings.defaultBackend === '' || this.#hasEndpoints(main)) return undefined;
    return this.#serviceUse(location, settings.defaultBackend);
  }

  #hasEndpoints({ namespace, name }: BackendUse): boolean {
    const service = this.#context.snapshot.get(Service, namespace, name);
    // A name is looked up when it is needed.
    if (service?.spec.type === 'ExternalName') return true;
    return this.#context.snapshot
      .list(SLICES)
      .some(
        ({ metadata, endpoints }) =>
          metadata.namespace === namespace &&
          metadata.labels?.['kubernetes.io/service-name'] === name &&
          endpoints.some(({ conditions }) => conditions.ready ?? true),
      );
  }

  /** The first port of a Service of the Ingress's namespace. */
  #serviceUse(location: NginxLocation, name: string): BackendUse | undefined {
    const namespace = location.ingress?.metadata.namespace ?? '';
    const service = this.#context.snapshot.get(Service, namespace, name);
    const port = service?.spec.ports?.[0];
    if (port === undefined) {
      const message = `Service ${namespace}/${name} of annotation default-backend does not exist, or has no port`;
      this.#tell(location, 'BackendNotFound', ANNOTATION('default-backend'), message);
      return undefined;
    }
    return useOf(namespace, name, port);
  }

  #errorPages(location: NginxLocation, settings: NginxSettings): Pick<Action, 'errorPages'> {
    const { customHttpErrors, interceptsErrors, defaultBackend } = settings;
    if (customHttpErrors.length === 0 || !interceptsErrors || defaultBackend === '') return {};
    const use = this.#serviceUse(location, defaultBackend);
    if (use === undefined) return {};
    this.#context.uses.set(use.key, use);
    const backend = location.backend?.ref.service;
    const headers = [
      { name: 'x-namespace', value: location.ingress?.metadata.namespace ?? '' },
      { name: 'x-ingress-name', value: location.ingress?.metadata.name ?? '' },
      { name: 'x-service-name', value: backend?.name ?? '' },
      { name: 'x-service-port', value: String(backend?.port.name ?? backend?.port.number ?? '') },
    ];
    return { errorPages: { statuses: customHttpErrors, backend: use.key, headers } };
  }

  #guard(location: NginxLocation, settings: NginxSettings, snippet: Snippet): Guard {
    const { limits, allow, deny, satisfy, bodyBytesMax } = settings;
    const { config } = this.#context;
    const zone = location.ingress === null ? '' : nameOf(location.ingress);
    const isOpen = isUnder(location.path, config.noAuthLocations);
    const rate = (requests: number, perMs: number, kind: string) =>
      requests === 0
        ? []
        : [
            {
              zone: `${zone} ${kind}`,
              requests,
              perMs,
              burst: requests * limits.burstMultiplier,
              statusCode: config.limitReqStatus,
              exempt: limits.exempt,
            },
          ];
    const ranges = [...deny, ...snippet.deny];
    const allowed = [...allow, ...snippet.allow];
    const asksAddress = ranges.length > 0 || allowed.length > 0 || snippet.deniesAll;
    return {
      ...(bodyBytesMax > 0 ? { bodyBytesMax } : {}),
      rates: [...rate(limits.rps, 1000, 'rps'), ...rate(limits.rpm, 60_000, 'rpm')],
      ...(limits.connections === 0
        ? {}
        : {
            requests: {
              zone: `${zone} connections`,
              max: limits.connections,
              statusCode: config.limitConnStatus,
              exempt: limits.exempt,
            },
          }),
      ...(asksAddress
        ? {
            clients: {
              deny: ranges,
              ...(allowed.length > 0 || snippet.deniesAll ? { allow: allowed } : {}),
            },
          }
        : {}),
      ...(isOpen ? {} : this.#basic(location, settings)),
      satisfy,
    };
  }

  #basic(location: NginxLocation, { basicAuth }: NginxSettings): Pick<Guard, 'basic'> {
    if (basicAuth === undefined) return {};
    const { secret: key, isMap, realm } = basicAuth;
    const [namespace = '', name = ''] = key.split('/');
    const secret = this.#context.snapshot.get(Secret, namespace, name);
    const field = ANNOTATION('auth-secret');
    const data = Object.entries(secret?.data ?? {});
    const text = (value: string): string => Buffer.from(value, 'base64').toString('utf8');
    if (secret === undefined || (!isMap && secret.data?.['auth'] === undefined)) {
      const why = secret === undefined ? 'does not exist' : 'has no key auth';
      this.#tell(location, 'BadSecret', field, `nobody is let in: Secret ${key} ${why}`);
      return { basic: { realm, users: [] } };
    }
    const users = isMap
      ? data.map(([user, hash]) => [user, text(hash).trim()] as const).toSorted(byName)
      : parseHtpasswd(text(secret.data?.['auth'] ?? ''));
    for (const [user, hash] of users) {
      if (isKnownHash(hash)) continue;
      const message = `user ${user} of Secret ${key} is not let in: the hash of the password is of a kind Fairway cannot check`;
      this.#tell(location, 'UnknownHash', field, message, 'make it anew with htpasswd -m');
    }
    return { basic: { realm, users: users.filter(([, hash]) => isKnownHash(hash)) } };
  }

  #requestFilters(
    location: NginxLocation,
    settings: NginxSettings,
    snippet: Snippet,
  ): readonly Filter[] {
    const { origin } = location;
    const filters: Filter[] = [];
    const { config, snapshot, uses } = this.#context;
    if (!isUnder(location.path, config.noAuthLocations)) {
      const auth = resolveAuthUrl(settings, location, snapshot, config);
      if (auth !== undefined && 'filter' in auth) {
        uses.set(auth.use.key, auth.use);
        filters.push(auth.filter);
      } else if (auth !== undefined) {
        this.#tell(
          location,
          auth.problem.reason,
          auth.problem.field,
          auth.problem.message,
          auth.problem.hint,
        );
        filters.push(auth.closed);
      }
    }
    filters.push(...this.#rewrite(location, settings));
    const set: { name: string; value: TextTemplate }[] = [];
    if (settings.xForwardedPrefix !== '' && isRewritten(location)) {
      set.push({ name: 'x-forwarded-prefix', value: [settings.xForwardedPrefix] });
    }
    set.push(...(this.#context.authTls?.headers ?? []));
    if (settings.basicAuth !== undefined) set.push({ name: 'authorization', value: [] });
    if (config.addsOriginalUri) set.push({ name: 'x-original-uri', value: [{ of: 'target' }] });
    set.push(
      ...this.#headersOf(config.proxySetHeaders).map(({ name, value }) => ({
        name,
        value: parseText(value).template,
      })),
    );
    set.push(...snippet.requestSet.filter(({ name }) => name !== 'host'));
    if (set.length > 0) filters.push({ kind: 'templateHeaders', set, origin });
    filters.push(...this.#mirror(location, settings));
    return filters;
  }

  #rewrite(location: NginxLocation, settings: NginxSettings): readonly Filter[] {
    const { origin } = location;
    const vhost = settings.upstreamVhost;
    const { template: hostTemplate } = parseText(vhost);
    const hostname = hostTemplate.every((part) => typeof part === 'string') ? vhost : '';
    if (vhost !== '' && hostname === '') {
      this.#tell(
        location,
        'UnsupportedVariable',
        ANNOTATION('upstream-vhost'),
        `upstream-vhost ${vhost} has variables in it and is not used`,
        'write the name out',
      );
    }
    const path = isRewritten(location) ? this.#rewritePath(location, settings.rewriteTarget) : {};
    if (hostname === '' && !('path' in path)) return [];
    return [{ kind: 'rewrite', ...(hostname === '' ? {} : { hostname }), ...path, origin }];
  }

  #rewritePath(
    location: NginxLocation,
    target: string,
  ): Partial<Extract<Filter, { kind: 'rewrite' }>> {
    const dropsQuery = target.endsWith('?');
    const text = dropsQuery ? target.slice(0, -1) : target;
    const mark = text.indexOf('?');
    const read = (part: string): PathTemplate => {
      const { template, unknown } = parseText(toBytes(part));
      if (unknown.length > 0 || template.some((p) => typeof p !== 'string' && p.of !== 'group')) {
        this.#tell(
          location,
          'UnsupportedVariable',
          ANNOTATION('rewrite-target'),
          `rewrite-target ${target} has variables in it, which are left out`,
          'use captures of the path',
        );
      }
      return template.flatMap((p): (string | number)[] =>
        typeof p === 'string' ? [p] : p.of === 'group' ? [p.number] : [],
      );
    };
    return {
      path: {
        kind: 'search',
        pattern: `(?i)${toBytes(location.path)}`,
        template: read(mark === -1 ? text : text.slice(0, mark)),
        ...(mark === -1 ? {} : { query: read(text.slice(mark + 1)) }),
        ...(dropsQuery ? { dropsQuery: true } : {}),
      },
    };
  }

  #mirror(location: NginxLocation, settings: NginxSettings): readonly Filter[] {
    const { mirrorTarget } = settings;
    if (mirrorTarget === '') return [];
    const { origin } = location;
    const found = serviceOfUrl(
      mirrorTarget,
      location.ingress?.metadata.namespace ?? '',
      this.#context.snapshot,
    );
    if (found === undefined) {
      this.#tell(
        location,
        'UnsupportedMirror',
        ANNOTATION('mirror-target'),
        `requests are not copied: ${mirrorTarget} is no Service of the cluster`,
        'use http://NAME.NAMESPACE.svc:PORT$request_uri',
      );
      return [];
    }
    this.#context.uses.set(found.key, found);
    return [{ kind: 'mirror', backend: found.key, numerator: 1, denominator: 1, origin }];
  }

  #responseFilters(
    location: NginxLocation,
    settings: NginxSettings,
    snippet: Snippet,
  ): readonly Filter[] {
    const { origin } = location;
    const { config } = this.#context;
    const set = [...this.#customHeaders(location, settings), ...snippet.responseSet];
    const add = [...this.#headersOf(config.addHeaders), ...snippet.responseAdd];
    const remove = snippet.responseRemove;
    const fields = fieldChanges(settings);
    return [
      ...(set.length + add.length + remove.length > 0
        ? [{ kind: 'responseHeaders', set, add, remove, origin } as const]
        : []),
      ...(Object.keys(fields).length > 0
        ? [{ kind: 'rewriteFields', ...fields, origin } as const]
        : []),
    ];
  }

  #customHeaders(
    location: NginxLocation,
    { customHeaders }: NginxSettings,
  ): readonly HeaderValue[] {
    if (customHeaders === '') return [];
    const [namespace = '', name = ''] = customHeaders.split('/');
    const field = ANNOTATION('custom-headers');
    if (this.#context.snapshot.get(ConfigMap, namespace, name) === undefined) {
      this.#tell(
        location,
        'ConfigMapNotFound',
        field,
        `ConfigMap ${customHeaders} does not exist: no header is added`,
      );
      return [];
    }
    const allowed = this.#context.config.allowedResponseHeaders.map((h) => h.toLowerCase());
    return this.#headersOf(customHeaders).filter((header) => {
      if (allowed.includes(header.name)) return true;
      this.#tell(
        location,
        'HeaderNotAllowed',
        field,
        `header ${header.name} is left out: it is not among global-allowed-response-headers`,
        'add it there',
      );
      return false;
    });
  }

  /** The headers a ConfigMap lists; those that are none are left out. */
  #headersOf(key: string): readonly HeaderValue[] {
    if (key === '') return [];
    const [namespace = '', name = ''] = key.split('/');
    const map = this.#context.snapshot.get(ConfigMap, namespace, name);
    return Object.entries(map?.data ?? {})
      .filter(([header, value]) => /^[-A-Za-z0-9_]+$/.test(header) && isFieldValue(value))
      .map(([header, value]) => ({ name: header.toLowerCase(), value }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #snippet(location: NginxLocation, { configurationSnippet }: NginxSettings): Snippet {
    const own = parseSnippet(configurationSnippet);
    for (const source of own.unknown) {
      this.#tell(
        location,
        'SnippetNotUnderstood',
        ANNOTATION('configuration-snippet'),
        `requests are answered with 503: the snippet says "${source}", which Fairway does not understand`,
        'say it with annotations, or take it out',
      );
    }
    const shared = this.#serverSnippet;
    if (shared === undefined) return own;
    for (const source of shared.unknown) {
      this.#tell(
        location,
        'SnippetNotUnderstood',
        ANNOTATION('server-snippet'),
        `requests are answered with 503: the snippet says "${source}", which Fairway does not understand`,
        'say it with annotations, or take it out',
      );
    }
    const { answer = shared.answer, ...rest } = own;
    const merged = {
      ...rest,
      // In nginx, headers of a location take the place of those of the server.
      requestSet: own.requestSet.length > 0 ? own.requestSet : shared.requestSet,
      responseAdd: own.responseAdd.length > 0 ? own.responseAdd : shared.responseAdd,
      responseSet: [...shared.responseSet, ...own.responseSet],
      responseRemove: [...shared.responseRemove, ...own.responseRemove],
      allow: own.allow.length + own.deny.length > 0 ? own.allow : shared.allow,
      deny: own.allow.length + own.deny.length > 0 ? own.deny : shared.deny,
      deniesAll: own.deniesAll || shared.deniesAll,
      unknown: [...own.unknown, ...shared.unknown],
    };
    return answer === undefined ? merged : { ...merged, answer };
  }

  #hashOf(location: NginxLocation, { upstreamHashBy }: NginxSettings): Pick<Action, 'hashBy'> {
    if (upstreamHashBy === '') return {};
    const { template, unknown } = parseText(upstreamHashBy);
    if (unknown.length === 0) return { hashBy: template };
    this.#tell(
      location,
      'UnsupportedVariable',
      ANNOTATION('upstream-hash-by'),
      `requests are spread evenly: ${unknown.join(', ')} is not known to Fairway`,
    );
    return {};
  }

  #proxyTls(location: NginxLocation, settings: NginxSettings): BackendTls | undefined {
    const { backendProtocol, proxySsl } = settings;
    if (backendProtocol !== 'HTTPS' && backendProtocol !== 'GRPCS') return undefined;
    const origin = location.origin;
    const [namespace = '', name = ''] = proxySsl.secret.split('/');
    const secret =
      proxySsl.secret === '' ? undefined : this.#context.snapshot.get(Secret, namespace, name);
    if (proxySsl.secret !== '' && secret === undefined) {
      this.#tell(
        location,
        'BadSecret',
        ANNOTATION('proxy-ssl-secret'),
        `Secret ${proxySsl.secret} does not exist: backends are not verified by it`,
      );
    }
    const shown = secret?.data?.['tls.crt'] === undefined ? undefined : loadCertificate(secret);
    if (shown !== undefined && 'trouble' in shown) {
      this.#tell(
        location,
        'BadSecret',
        ANNOTATION('proxy-ssl-secret'),
        `backends are shown no certificate: Secret ${proxySsl.secret} is of no use: ${shown.trouble}`,
      );
    }
    const own = shown !== undefined && 'certificate' in shown ? shown.certificate : undefined;
    if (own !== undefined) this.#context.certificates.set(own.key, own);
    const authority = secret?.data?.['ca.crt'];
    const serverName = proxySsl.name || 'upstream_balancer';
    const verifies = proxySsl.verifies && authority !== undefined;
    return {
      serverName: proxySsl.sendsName ? serverName : '',
      authorities:
        authority === undefined ? 'system' : [Buffer.from(authority, 'base64').toString('latin1')],
      names: [{ kind: 'dns', value: serverName }],
      ...(verifies ? {} : { isUnverified: true }),
      ...(own === undefined ? {} : { certificate: own.key }),
      origin,
    };
  }

  #refusePattern(location: NginxLocation, trouble: string): void {
    const message = `path ${location.writtenPath} is not served: it is an expression here, and ${trouble}`;
    this.#tell(
      location,
      'InvalidPath',
      location.origin.field,
      message,
      'use RE2 syntax: no look-around, no back references',
    );
  }

  #warnBacktracking(location: NginxLocation): void {
    if (!/\([^()]*[+*][^()]*\)[+*{]/.test(location.path)) return;
    const message = `path ${location.writtenPath} repeats what repeats: nginx can be kept busy with it by a single request`;
    this.#tell(
      location,
      'BacktrackingPath',
      location.origin.field,
      message,
      'Fairway takes time in proportion to the path only; write it without nesting all the same',
    );
  }

  #tell(
    location: NginxLocation,
    reason: string,
    field: string,
    message: string,
    hint?: string,
  ): void {
    const { ingress } = location;
    if (ingress === null) return;
    const key = `${nameOf(ingress)}|${reason}|${field}|${message}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const severity = reason === 'BacktrackingPath' ? ('warning' as const) : ('error' as const);
    this.#context.problems.push({
      ingress,
      problem: { ...problem(reason, field, message, hint), severity },
    });
  }
}

const DEFAULT_BACKEND = {
  kind: 'respond',
  statusCode: 404,
  reason: 'default backend - 404',
} as const;

function ANNOTATION(name: string): string {
  return `metadata.annotations[nginx.ingress.kubernetes.io/${name}]`;
}

/** `Ingress shop/web /cart`, as it is written. */
function idOf({ ingress, writtenPath, pathType }: NginxLocation): string {
  if (ingress === null) return 'the default backend';
  return `Ingress ${nameOf(ingress)} ${pathType === 'Exact' ? '= ' : ''}${writtenPath}`;
}

function byName(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : 1;
}

function isUnder(path: string, list: readonly string[]): boolean {
  return list.some((item) => path.startsWith(item));
}

function corsFilter({ cors }: NginxSettings, origin: Origin): readonly CorsHeadersFilter[] {
  if (cors === undefined) return [];
  const { origins, methods, headers, exposeHeaders, credentials, maxAge } = cors;
  const fields = [
    ...(credentials ? [{ name: 'access-control-allow-credentials', value: 'true' }] : []),
    { name: 'access-control-allow-methods', value: methods },
    { name: 'access-control-allow-headers', value: headers },
    ...(exposeHeaders === ''
      ? []
      : [{ name: 'access-control-expose-headers', value: exposeHeaders }]),
    { name: 'access-control-max-age', value: String(maxAge) },
  ];
  const patterns = origins.map((o) =>
    o.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replace('\\*', '[A-Za-z0-9\\-]+'),
  );
  const isAny = origins.length === 1 && origins[0] === '*';
  return [
    {
      kind: 'corsHeaders',
      origins: isAny ? null : `(?i)(${patterns.map((p) => `(${p})`).join('|')})$`,
      fields,
      origin,
    },
  ];
}

function policyOf(
  settings: NginxSettings,
  config: NginxConfig,
): Pick<Action, 'timeouts' | 'retry'> {
  const timeouts: Timeouts = {
    requestMs: 0,
    backendRequestMs: 0,
    connectMs: settings.connectTimeout * 1000,
    idleMs: settings.readTimeout * 1000,
  };
  const words = settings.nextUpstream.split(' ').filter((word) => word !== '');
  if (words.includes('off')) return { timeouts };
  const codes = words.flatMap((word) => {
    const match = /^http_(\d{3})$/.exec(word);
    return match === null ? [] : [Number(match[1])];
  });
  // No tries means as many as there are endpoints; the data path has a limit of its own.
  const tries = settings.nextUpstreamTries === 0 ? 10 : settings.nextUpstreamTries;
  const retry: Retry = {
    codes: codes.toSorted((a, b) => a - b),
    attempts: Math.max(0, tries - 1),
    backoffMs: 0,
    ...(words.includes('non_idempotent') || config.retryNonIdempotent
      ? { repeatsAll: true }
      : { idempotentOnly: true }),
    ...(settings.nextUpstreamTimeout > 0 ? { withinMs: settings.nextUpstreamTimeout * 1000 } : {}),
  };
  return { timeouts, retry };
}

function sessionOf(location: NginxLocation, { affinity }: NginxSettings): { session?: Session } {
  if (affinity === undefined) return {};
  const { name, path, domain, sameSite, isSecure, expiresSeconds, maxAgeSeconds } = affinity;
  return {
    session: {
      carrier: 'cookie',
      name,
      absoluteMs: 0,
      permanent: false,
      path: path === '' ? location.writtenPath : path,
      ...(location.canary?.isSticky === true ? { holds: true } : {}),
      cookie: {
        ...(domain === '' ? {} : { domain }),
        ...(sameSite === '' ? {} : { sameSite }),
        ...(isSecure === undefined ? {} : { isSecure }),
        ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
        ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
      },
    },
  };
}

function mannerOf(settings: NginxSettings, tls: BackendTls | undefined): BackendManner | undefined {
  const isGrpc = settings.backendProtocol.startsWith('GRPC');
  const viaClusterIp = settings.serviceUpstream;
  const hashes = settings.upstreamHashBy !== '';
  if (!isGrpc && tls === undefined && !viaClusterIp && !hashes) return undefined;
  const id = [
    ...(isGrpc ? ['grpc'] : []),
    ...(tls === undefined
      ? []
      : [
          'tls',
          tls.serverName,
          ...(tls.isUnverified === true ? [] : ['verified', tls.origin.namespace, tls.origin.name]),
          ...(tls.certificate === undefined ? [] : ['as', tls.certificate]),
        ]),
    ...(viaClusterIp ? ['service'] : []),
    ...(hashes ? ['hash'] : []),
  ];
  return {
    id: id.join('-'),
    protocol: isGrpc ? 'h2c' : 'http',
    ...(tls === undefined ? {} : { tls }),
    ...(viaClusterIp ? { viaClusterIp: true } : {}),
    ...(hashes ? { balance: 'sourceHash' as const } : {}),
  };
}

function errorHeaders(location: NginxLocation, use: BackendUse, origin: Origin): Filter {
  const ingress = location.ingress;
  return {
    kind: 'templateHeaders',
    set: [
      { name: 'x-code', value: ['503'] },
      { name: 'x-format', value: [{ of: 'header', name: 'accept' }] },
      { name: 'x-namespace', value: [ingress?.metadata.namespace ?? ''] },
      { name: 'x-ingress-name', value: [ingress?.metadata.name ?? ''] },
      { name: 'x-service-name', value: [use.name] },
      { name: 'x-service-port', value: [String(use.port)] },
    ],
    origin,
  };
}

function fieldChanges({
  cookieDomain,
  cookiePath,
  redirectFrom,
  redirectTo,
  relativeRedirects,
}: NginxSettings) {
  const pair = (text: string): FieldChange | undefined => {
    const [from = '', to, ...rest] = text.split(/\s+/);
    if (text === 'off' || to === undefined || rest.length > 0) return undefined;
    const regex = from.startsWith('~');
    const insensitive = from.startsWith('~*');
    const pattern = insensitive ? `(?i)${from.slice(2)}` : from.slice(1);
    return {
      from: regex ? pattern : from,
      ...(regex ? { regex: true } : {}),
      to: parseText(to).template,
    };
  };
  const domain = wholeDomain(pair(cookieDomain));
  const path = pair(cookiePath);
  const location =
    redirectFrom === 'off' || redirectFrom === 'default' || redirectTo === 'off'
      ? undefined
      : pair(`${redirectFrom} ${redirectTo}`);
  return {
    ...(domain === undefined ? {} : { cookieDomain: domain }),
    ...(path === undefined ? {} : { cookiePath: path }),
    ...(location === undefined ? {} : { location }),
    // nginx makes a URL of a place it has changed.
    ...(location === undefined || relativeRedirects
      ? {}
      : { locationBase: [{ of: 'scheme' }, '://', { of: 'host' }] as const }),
  };
}

/** A domain is compared as a whole, in any case, and keeps the dot it may begin with. */
function wholeDomain(change: FieldChange | undefined): FieldChange | undefined {
  if (change === undefined || change.regex === true) return change;
  const name = change.from.replace(/^\./, '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return {
    from: `(?i)^(\\.?)${name}$`,
    regex: true,
    to: [{ of: 'group', number: 1 }, ...change.to],
  };
}
