// The rules of hosts → HTTPRoutes: one for each host and namespace, split where there are more rules and
// matches than a route may have. Hosts with the same rules share a route.

import type { HeaderValue } from '../model/filter.ts';
import type { Host, Origin, Rule } from '../model/model.ts';
import { translateAction } from './actions.ts';
import type { TranslatedAction } from './actions.ts';
import { lose } from './context.ts';
import type { Context } from './context.ts';
import { usualPolicy } from './guards.ts';
import { planPaths } from './paths.ts';
import type { PathPlan } from './paths.ts';
import type { GeneratedObject, Json, Remark } from './types.ts';

type JsonObject = { readonly [field: string]: Json };

const RULES_MAX = 16;
const MATCHES_MAX = 64;
const ROUTE_MATCHES_MAX = 128;
const HOSTNAMES_MAX = 16;
const TARGETS_MAX = 16;
/** Matches of headers that one match may have. */
const HEADERS_MAX = 16;

/** A listener that a route attaches to. */
export interface ParentRef {
  readonly kind: 'Gateway' | 'ListenerSet';
  readonly namespace: string;
  readonly name: string;
  readonly sectionName: string;
}

export interface HostToRoute {
  readonly host: Host;
  readonly scheme: 'http' | 'https';
  readonly parent: ParentRef;
  readonly secureResponse: readonly HeaderValue[];
}

/** One match and what becomes of it. */
interface Piece {
  readonly match: JsonObject;
  readonly plan: PathPlan;
  readonly hasConditions: boolean;
  readonly action: TranslatedAction;
  /** What pieces with the same effect share. */
  readonly key: string;
  readonly origin: Origin;
}

interface RouteRule {
  readonly pieces: readonly Piece[];
}

interface Part {
  readonly namespace: string;
  readonly scheme: 'http' | 'https';
  readonly hostnames: string[];
  readonly parents: ParentRef[];
  readonly rules: readonly RouteRule[];
}

/** HTTPRoutes, and the TrafficPolicies for their rules. */
export function routeHosts(
  context: Context,
  hosts: readonly HostToRoute[],
  gateway: { readonly namespace: string; readonly name: string },
): readonly GeneratedObject[] {
  const parts = unite(hosts.flatMap((host) => partsOf(context, host)));
  const shared = sharedPolicy(parts, usualPolicy(context.config));
  const names = new Set<string>();
  const policies = new PolicyCollector(gateway, shared);
  const routes = parts.flatMap((part) => {
    const base = uniqueName(names, part.namespace, nameOf(part));
    return split(part.rules).map((rules, i) =>
      toRoute(part, rules, i === 0 ? base : `${base}-${String(i + 1).padStart(2, '0')}`, policies),
    );
  });
  return [...routes, ...policies.finish()];
}

/** What follows `?.`, as it is written. */
export function writtenHost(pattern: string): string {
  return pattern.startsWith('?.') ? `*.${pattern.slice(2)}` : pattern;
}

function nameOf({ hostnames, scheme, rules }: Part): string {
  const host = (hostnames[0] ?? '').replace('*.', 'any-').replaceAll('.', '-') || 'every-host';
  const redirects = rules.every(({ pieces }) =>
    pieces[0]?.action.filters.some((f) => f['type'] === 'RequestRedirect'),
  );
  if (scheme === 'https') return `${host}-https`.slice(0, 200);
  return (redirects ? `${host}-redirect` : host).slice(0, 200);
}

function uniqueName(names: Set<string>, namespace: string, base: string): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-x${i}`;
    if (names.has(`${namespace}/${name}`)) continue;
    names.add(`${namespace}/${name}`);
    return name;
  }
}

function partsOf(
  context: Context,
  { host, scheme, parent, secureResponse }: HostToRoute,
): readonly Part[] {
  const pieces = simplify(piecesOf(context, host, scheme, secureResponse));
  const byNamespace = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const own = byNamespace.get(piece.origin.namespace) ?? [];
    byNamespace.set(piece.origin.namespace, own);
    own.push(piece);
  }
  const written = writtenHost(host.hostname);
  return Array.from(byNamespace, ([namespace, own]) => ({
    namespace,
    scheme,
    hostnames: written === '' ? [] : [written],
    parents: [parent],
    rules: group(own),
  }));
}

function piecesOf(
  context: Context,
  host: Host,
  scheme: 'http' | 'https',
  secureResponse: readonly HeaderValue[],
): readonly Piece[] {
  const { plans } = planPaths(host.rules);
  /** Paths that answer 404 by having no rule: those after them of the same path never had a request. */
  const silent = new Set<string>();
  return host.rules.flatMap((rule, i): readonly Piece[] => {
    const plan = plans[i];
    if (plan === undefined) return [];
    const { action, origin } = rule;
    if ('dropped' in plan) {
      if (plan.isLost)
        lose(context, action, 'lost', ['use-regex', 'rewrite-target'], plan.dropped, 'all');
      return [];
    }
    const { namespace } = action.origin;
    const translated = translateAction(context, action, {
      scheme,
      namespace,
      plan,
      secureResponse,
    });
    if (translated === null) {
      silent.add(`${plan.type} ${plan.value}`);
      return [];
    }
    if (silent.has(`${plan.type} ${plan.value}`)) return [];
    if (plan.difference !== undefined) {
      lose(context, action, 'approximate', ['rewrite-target', 'use-regex'], plan.difference);
    }
    const { conditions, trouble } = conditionsOf(rule);
    if (trouble !== undefined) {
      lose(
        context,
        action,
        'lost',
        ['canary', 'canary-by-header', 'canary-by-cookie'],
        trouble,
        'all',
      );
      return [];
    }
    const { remarks: _remarks, ...said } = translated;
    return [
      {
        match: { path: { type: plan.type, value: plan.value }, ...conditions },
        plan,
        hasConditions: Object.keys(conditions).length > 0,
        action: translated,
        key: JSON.stringify(said),
        origin: origin.field === '' ? action.origin : origin,
      },
    ];
  });
}

/** Headers, and cookies as expressions on the header that holds them. */
function conditionsOf({ match }: Rule): {
  readonly conditions: JsonObject;
  readonly trouble?: string;
} {
  const headers: JsonObject[] = match.headers.map(({ name, value, regex }) => ({
    name,
    ...(regex === true ? { type: 'RegularExpression' } : {}),
    value,
  }));
  for (const { name, value } of match.cookies ?? []) {
    const quoted = `${quote(name)}=${quote(value)}`;
    headers.push({
      name: 'cookie',
      type: 'RegularExpression',
      value: `(?:.*;)?\\s*${quoted}\\s*(?:;.*)?`,
    });
  }
  const names = headers.map(({ name }) => name);
  if (headers.length > HEADERS_MAX || new Set(names).size < names.length) {
    return { conditions: {}, trouble: 'a match can ask for a header once only' };
  }
  return {
    conditions: {
      ...(match.method === undefined ? {} : { method: match.method }),
      ...(headers.length === 0 ? {} : { headers }),
    },
  };
}

function quote(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Without pieces that a later one says as well. */
function simplify(pieces: readonly Piece[]): readonly Piece[] {
  const prefixes = new Map(
    pieces
      .filter(({ plan }) => plan.type === 'PathPrefix')
      .map((piece) => [`${conditionKey(piece)}${piece.plan.value} ${piece.key}`, piece]),
  );
  const kept = pieces.filter(
    (piece) =>
      piece.plan.type !== 'Exact' ||
      !prefixes.has(`${conditionKey(piece)}${piece.plan.value} ${piece.key}`),
  );
  const last = kept.at(-1);
  const takesAll =
    last?.plan.type === 'PathPrefix' && last.plan.value === '/' && !last.hasConditions;
  if (
    last === undefined ||
    !takesAll ||
    !last.action.filters.some((f) => f['type'] === 'RequestRedirect')
  ) {
    return kept;
  }
  // Redirects that end in the same redirect of everything.
  let end = kept.length - 1;
  while (end > 0 && kept[end - 1]?.key === last.key) end--;
  return [...kept.slice(0, end), last];
}

function conditionKey({ match }: Piece): string {
  const { path: _path, ...rest } = match;
  return JSON.stringify(rest);
}

/** Matches with the same effect and of the same Ingress in one rule, where their order does not matter. */
function group(pieces: readonly Piece[]): readonly RouteRule[] {
  const rules: Piece[][] = [];
  const open = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const key = `${piece.origin.name} ${piece.key}`;
    const orderMatters = piece.hasConditions || piece.plan.type === 'RegularExpression';
    const previous = rules.at(-1);
    const isNext =
      previous?.[0] !== undefined && `${previous[0].origin.name} ${previous[0].key}` === key;
    const home = orderMatters ? (isNext ? previous : undefined) : open.get(key);
    if (home !== undefined && !piece.action.isSingle && home.length < MATCHES_MAX) {
      home.push(piece);
      continue;
    }
    const own = [piece];
    rules.push(own);
    if (!orderMatters) open.set(key, own);
  }
  return rules.map((own) => ({ pieces: own }));
}

/** Parts that differ in nothing but their hosts become one. */
function unite(parts: readonly Part[]): readonly Part[] {
  const byRules = new Map<string, Part[]>();
  const out: Part[] = [];
  for (const part of parts) {
    const rules = part.rules.map(({ pieces }) => pieces.map((p) => [p.match, p.key, p.origin]));
    const key = JSON.stringify([part.namespace, part.scheme, part.hostnames.length === 0, rules]);
    const known = (byRules.get(key) ?? []).find((p) => p.hostnames.length < HOSTNAMES_MAX);
    if (known !== undefined && part.hostnames.length > 0) {
      known.hostnames.push(...part.hostnames);
      for (const parent of part.parents) {
        if (!known.parents.some((p) => JSON.stringify(p) === JSON.stringify(parent)))
          known.parents.push(parent);
      }
      continue;
    }
    byRules.set(key, [...(byRules.get(key) ?? []), part]);
    out.push(part);
  }
  return out;
}

function split(rules: readonly RouteRule[]): readonly (readonly RouteRule[])[] {
  const routes: RouteRule[][] = [];
  let matches = 0;
  for (const rule of rules) {
    const current = routes.at(-1);
    if (
      current === undefined ||
      current.length >= RULES_MAX ||
      matches + rule.pieces.length > ROUTE_MATCHES_MAX
    ) {
      routes.push([rule]);
      matches = rule.pieces.length;
    } else {
      current.push(rule);
      matches += rule.pieces.length;
    }
  }
  return routes;
}

function toRoute(
  part: Part,
  rules: readonly RouteRule[],
  name: string,
  policies: PolicyCollector,
): GeneratedObject {
  const remarks: Remark[] = [];
  const ingresses = new Set<string>();
  const written = rules.map(({ pieces }, i): JsonObject => {
    const action = pieces[0]!.action;
    const { policy } = action;
    const section = policies.isOwn(policy) ? `rule-${i}` : undefined;
    if (section !== undefined && policy !== undefined) {
      policies.add(part.namespace, policy, { name, sectionName: section }, pieces[0]!.origin);
      remarks.push({
        path: ['spec', 'rules', i],
        text: 'fairway.dev: has a TrafficPolicy of its own',
      });
    }
    for (const remark of action.remarks) remarks.push({ path: ['spec', 'rules', i], text: remark });
    pieces.forEach(({ origin }, j) => {
      ingresses.add(`${origin.namespace}/${origin.name}`);
      remarks.push({ path: ['spec', 'rules', i, 'matches', j], text: '', origin });
    });
    return {
      ...(section === undefined ? {} : { name: section }),
      matches: pieces.map(({ match }) => match),
      ...(action.filters.length === 0 ? {} : { filters: action.filters }),
      ...(action.backendRefs.length === 0 ? {} : { backendRefs: action.backendRefs }),
      ...(action.retry === undefined ? {} : { retry: action.retry }),
      ...(action.sessionPersistence === undefined
        ? {}
        : { sessionPersistence: action.sessionPersistence }),
    };
  });
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    namespace: part.namespace,
    name,
    spec: {
      parentRefs: part.parents.map(({ kind, namespace, name: parent, sectionName }) => ({
        ...(kind === 'Gateway' ? {} : { group: 'gateway.networking.k8s.io', kind }),
        ...(namespace === part.namespace ? {} : { namespace }),
        name: parent,
        sectionName,
      })),
      ...(part.hostnames.length === 0 ? {} : { hostnames: part.hostnames }),
      rules: written,
    },
    remarks: [
      {
        path: [],
        text: `from ${[...ingresses]
          .toSorted()
          .map((i) => `Ingress ${i}`)
          .join(', ')}`,
      },
      ...remarks,
    ],
  };
}

/** The policy that says what the controller does by itself, or else the one most rules have: it is the Gateway's. */
function sharedPolicy(parts: readonly Part[], usual: JsonObject): string | undefined {
  const counts = new Map<string, number>();
  for (const { rules } of parts) {
    for (const { pieces } of rules) {
      const { policy, backendRefs } = pieces[0]!.action;
      if (backendRefs.length === 0) continue;
      if (policy === undefined) return undefined;
      const isOpen =
        policy['clients'] === undefined &&
        policy['basicAuth'] === undefined &&
        policy['rateLimits'] === undefined &&
        policy['concurrency'] === undefined;
      if (!isOpen) continue;
      const key = JSON.stringify(policy);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  if (counts.has(JSON.stringify(usual))) return JSON.stringify(usual);
  return [...counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0];
}

class PolicyCollector {
  readonly #gateway: { readonly namespace: string; readonly name: string };
  readonly #shared: string | undefined;
  readonly #targets = new Map<
    string,
    { namespace: string; policy: JsonObject; refs: JsonObject[]; origin: Origin }
  >();

  constructor(
    gateway: { readonly namespace: string; readonly name: string },
    shared: string | undefined,
  ) {
    this.#gateway = gateway;
    this.#shared = shared;
  }

  isOwn(policy: JsonObject | undefined): boolean {
    return policy !== undefined && JSON.stringify(policy) !== this.#shared;
  }

  add(
    namespace: string,
    policy: JsonObject,
    target: { readonly name: string; readonly sectionName: string },
    origin: Origin,
  ): void {
    const key = `${namespace} ${JSON.stringify(policy)}`;
    const known = this.#targets.get(key) ?? { namespace, policy, refs: [], origin };
    this.#targets.set(key, known);
    known.refs.push({ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', ...target });
  }

  finish(): readonly GeneratedObject[] {
    const out: GeneratedObject[] = [];
    if (this.#shared !== undefined) {
      const { namespace, name } = this.#gateway;
      const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }];
      out.push(
        policyObject(
          namespace,
          `${name}-defaults`,
          { targetRefs, ...(JSON.parse(this.#shared) as JsonObject) },
          [
            {
              path: [],
              text: 'fairway.dev: limits that ingress-nginx has by itself, and the standard has no fields for',
            },
          ],
        ),
      );
    }
    const names = new Set<string>();
    for (const { namespace, policy, refs, origin } of this.#targets.values()) {
      for (let i = 0; i < refs.length; i += TARGETS_MAX) {
        const name = uniqueName(names, namespace, `${origin.name}-policy`);
        const spec = { targetRefs: refs.slice(i, i + TARGETS_MAX), ...policy };
        out.push(
          policyObject(namespace, name, spec, [
            { path: [], text: 'fairway.dev: the standard has no fields for this', origin },
          ]),
        );
      }
    }
    return out;
  }
}

function policyObject(
  namespace: string,
  name: string,
  spec: JsonObject,
  remarks: readonly Remark[],
): GeneratedObject {
  return {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficPolicy',
    namespace,
    name,
    spec,
    remarks,
  };
}
