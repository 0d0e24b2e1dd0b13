// View → ProxyProgram: groups rules by path so that the data path finds the few that matter without
// looking at the rest. Order is never made here, only kept. Results are remembered by identity: a
// change costs what changed. (Next on the tour: datapath/worker.ts runs the program.)

import { compareHostnames } from '../../lib/hostname.ts';
import { differences } from '../../lib/differences.ts';
import { VersionedMap } from '../../lib/versioned-map.ts';
import type { FrontendView, ServiceView, View } from '../../lower/view.ts';
import type { Filter } from '../../model/filter.ts';
import type {
  Action,
  Certificate,
  EntryPoint,
  Host,
  RedirectResult,
  Listener,
  Result,
  Rule,
  StreamListener,
} from '../../model/model.ts';
import type {
  ActionProgram,
  CertificateProgram,
  FilterProgram,
  ListenerProgram,
  PathGroup,
  ProxyProgram,
  RedirectProgram,
  RelayProgram,
  ResultProgram,
  RuleProgram,
  SocketProgram,
  StreamProgram,
  TableProgram,
} from './program.ts';
import { tableKey } from './program.ts';

const socketPrograms = new WeakMap<EntryPoint, SocketProgram>();
const listenerPrograms = new WeakMap<Listener, ListenerProgram>();
const tablePrograms = new WeakMap<Host, TableProgram>();
/** By their first rule: most groups have one. */
const groupPrograms = new WeakMap<Rule, { readonly rules: readonly Rule[]; group: PathGroup }>();
const actionPrograms = new WeakMap<Action, ActionProgram>();
const relayPrograms = new WeakMap<ServiceView, readonly RelayProgram[]>();
const certificatePrograms = new WeakMap<Certificate, CertificateProgram>();

/** Compiles a view. Parts of the view that are the same give parts of the program that are the same. */
export function compileProxy(view: View): ProxyProgram {
  return createProxyCompiler()(view);
}

/** Compiles one view after another, each at the cost of what is different from the one before. */
export function createProxyCompiler(): (view: View) => ProxyProgram {
  let hosts: ReadonlyMap<string, readonly Host[]> = new Map();
  let tables = VersionedMap.of<TableProgram>();
  const relaysOf = createMemo((services: View['services']) =>
    services.flatMap((s) => remember(relayPrograms, s, compileRelays)),
  );
  const certificatesOf = createMemo((certificates: View['certificates']) =>
    mapValues(certificates, (c) => remember(certificatePrograms, c, compileCertificate)),
  );
  return (view) => {
    const next = hostsOf(view.entryPoints);
    tables = tables.with(tableChanges(hosts, next));
    hosts = next;
    return {
      sockets: view.entryPoints.map((e) => remember(socketPrograms, e, compileSocket)),
      relays: relaysOf(view.services),
      hosts,
      tables,
      // A view of a backend already is what the data path needs.
      backends: view.backends,
      certificates: certificatesOf(view.certificates),
    };
  };
}

/** Remembers the result of the last call. */
function createMemo<A, B>(make: (value: A) => B): (value: A) => B {
  let last: { readonly from: A; readonly to: B } | undefined;
  return (from) => {
    if (last?.from !== from) last = { from, to: make(from) };
    return last.to;
  };
}

function hostsOf(entryPoints: readonly EntryPoint[]): ReadonlyMap<string, readonly Host[]> {
  return new Map(
    entryPoints.flatMap(({ listeners }) => listeners.map((l) => [l.id, l.hosts] as const)),
  );
}

function tableChanges(
  before: ReadonlyMap<string, readonly Host[]>,
  after: ReadonlyMap<string, readonly Host[]>,
): readonly (readonly [string, TableProgram | undefined])[] {
  const changes: (readonly [string, TableProgram | undefined])[] = [];
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [old, hosts] = [before.get(id) ?? [], after.get(id) ?? []];
    if (old === hosts) continue;
    for (const { item: host, isThere } of differences(old, hosts, compareHosts)) {
      const table = isThere ? remember(tablePrograms, host, compileTable) : undefined;
      changes.push([tableKey(id, host.hostname), table]);
    }
  }
  return changes;
}

function compareHosts(a: Host, b: Host): number {
  return compareHostnames(a.hostname, b.hostname);
}

function remember<K extends object, V>(memo: WeakMap<K, V>, key: K, make: (key: K) => V): V {
  let value = memo.get(key);
  if (value === undefined) {
    value = make(key);
    memo.set(key, value);
  }
  return value;
}

function mapValues<A, B>(values: ReadonlyMap<string, A>, make: (value: A) => B): Map<string, B> {
  const out = new Map<string, B>();
  for (const [key, value] of values) out.set(key, make(value));
  return out;
}

function compileSocket(entryPoint: EntryPoint): SocketProgram {
  return {
    id: entryPoint.id,
    addresses: entryPoint.addresses,
    port: entryPoint.port,
    protocol: entryPoint.protocol,
    clientValidation: entryPoint.clientValidation ?? null,
    settings: entryPoint.settings ?? null,
    backendCertificate: entryPoint.backendCertificate ?? null,
    conduct: entryPoint.conduct ?? null,
    listeners: entryPoint.listeners.map((l) => remember(listenerPrograms, l, compileListener)),
  };
}

function compileListener(listener: Listener): ListenerProgram {
  const { id, hostname, certificates, named, asks, stream } = listener;
  return {
    id,
    hostname,
    certificates,
    named: named ?? [],
    ...(asks === undefined ? {} : { asks }),
    stream: stream === undefined ? null : compileStream(stream),
  };
}

function compileStream({ mode, hosts }: StreamListener): StreamProgram {
  return {
    mode,
    hosts: hosts.map(({ hostname, rule }) => ({
      hostname,
      rule: {
        id: rule.id,
        backends: rule.backends.map(({ backend, weight, reason = '' }) => ({
          backend,
          // Connections have no status; a share without a backend is reset.
          statusCode: 0,
          reason,
          redirect: null,
          weight,
          filters: [],
        })),
      },
    })),
  };
}

/**
 * Rules that ask for the same path, in the order they have. Precedence puts exact paths first, then
 * expressions, then the longest prefix, so for one request all rules of a group stand together: to
 * look at the groups its path meets, exact first, then expressions in their order, then longer
 * prefixes before shorter, is to look at the rules in order.
 */
function compileTable(host: Host): TableProgram {
  return {
    exact: groupByPath(host.rules.filter((r) => r.match.path.kind === 'exact')),
    regex: groupRuns(host.rules.filter(({ match: { path } }) => isExpression(path.kind))),
    prefix: groupByPath(host.rules.filter((r) => r.match.path.kind === 'prefix')),
  };
}

function groupByPath(rules: readonly Rule[]): readonly PathGroup[] {
  const groups = Map.groupBy(rules, (rule) => rule.match.path.value);
  return Array.from(groups.values(), compileGroup);
}

/** Several expressions may take one path: only neighbours may stand together, lest the order change. */
function groupRuns(rules: readonly Rule[]): readonly PathGroup[] {
  const groups: Rule[][] = [];
  for (const rule of rules) {
    const last = groups.at(-1);
    if (isSamePath(last?.[0], rule)) last?.push(rule);
    else groups.push([rule]);
  }
  return groups.map(compileGroup);
}

function isSamePath(a: Rule | undefined, b: Rule): boolean {
  return a?.match.path.value === b.match.path.value && a.match.path.kind === b.match.path.kind;
}

/** Rules for one path; the same group as long as the rules are the same. */
function compileGroup(rules: readonly Rule[]): PathGroup {
  const [first] = rules as readonly [Rule];
  const known = groupPrograms.get(first);
  if (known?.rules.length === rules.length && rules.every((rule, i) => rule === known.rules[i])) {
    return known.group;
  }
  const { kind, value: path } = first.match.path;
  const searches = kind === 'search' ? { searches: true as const } : {};
  const group = { path, ...searches, rules: rules.map(compileRule) };
  groupPrograms.set(first, { rules, group });
  return group;
}

function isExpression(kind: Rule['match']['path']['kind']): boolean {
  return kind === 'regex' || kind === 'search';
}

function compileRule({ match, action }: Rule): RuleProgram {
  return {
    method: match.method ?? null,
    pattern: match.pattern ?? null,
    headers: match.headers,
    queryParams: match.queryParams,
    cookies: match.cookies ?? [],
    action: remember(actionPrograms, action, compileAction),
  };
}

function compileAction(action: Action): ActionProgram {
  return {
    id: action.id,
    filters: action.filters.map(compileFilter),
    result: compileResult(action.result),
    timeouts: action.timeouts ?? null,
    retry: action.retry ?? null,
    session: action.session ?? null,
    groupsOf: action.groupsOf ?? null,
    guard: action.guard ?? null,
    hashBy: action.hashBy ?? null,
    errorPages: action.errorPages ?? null,
  };
}

function compileFilter({ origin: _origin, ...filter }: Filter): FilterProgram {
  return filter as FilterProgram;
}

function compileResult(result: Result): ResultProgram {
  switch (result.kind) {
    case 'respond':
      return result;
    case 'redirect':
      return compileRedirect(result);
    case 'forward':
      return {
        kind: 'forward',
        backends: result.backends.map((weighted) => ({
          backend: weighted.backend,
          statusCode: weighted.broken?.statusCode ?? 500,
          reason: weighted.broken?.reason ?? '',
          redirect: weighted.redirect === undefined ? null : compileRedirect(weighted.redirect),
          weight: weighted.weight,
          filters: weighted.filters.map(compileFilter),
        })),
      };
  }
}

function compileRedirect({ origin: _origin, ...redirect }: RedirectResult): RedirectProgram {
  return redirect;
}

function compileCertificate({ key, chain, privateKey, names }: Certificate): CertificateProgram {
  return { key, chain, privateKey, names };
}

function compileRelays(service: ServiceView): readonly RelayProgram[] {
  const { protocol } = service;
  // User space has no SCTP; resolve says so in a finding.
  if (protocol === 'SCTP') return [];
  return service.frontends
    .filter((frontend) => frontend.fate === 'forward')
    .map((frontend) => ({
      id: relayId(service, frontend),
      service: service.service,
      protocol,
      address: frontend.address,
      port: frontend.port,
      affinitySeconds: service.affinitySeconds,
      endpoints: frontend.endpoints,
      sources: frontend.sources ?? [],
    }));
}

function relayId(service: ServiceView, { kind, address, port }: FrontendView): string {
  return `${service.id}|${kind}|${address}:${port}`;
}
