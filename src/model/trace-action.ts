// The second half of the reference answer: a rule has taken the request; what do its filters, its
// redirect or its backends make of it?

import { isAlias } from '../lib/disguised-name.ts';
import type { SplitTarget } from '../lib/http-path.ts';
import { replacePrefix } from '../lib/http-path.ts';
import { rewriteByPattern, rewriteBySearch } from '../lib/path-template.ts';
import type {
  HeaderChange,
  Mirrored,
  OwnAnswer,
  RequestFate,
  RequestProbe,
  SeenRequest,
  Share,
  Step,
} from './answer.ts';
import type { Conduct } from './conduct.ts';
import type { Filter, HeaderChanges, RewriteFieldsFilter } from './filter.ts';
import type { Guard } from './guard.ts';
import type {
  Action,
  Backend,
  Model,
  PathChange,
  RedirectResult,
  Rule,
  SearchChange,
  WeightedBackend,
} from './model.ts';
import { describeTemplate, fillTemplate } from './template.ts';
import { traceGuard } from './trace-guard.ts';
import { clientOf, shownBy, templateSource, toldHeaders } from './trace-template.ts';
import { corsChanges, corsHeadersChanges, isPreflight, preflightAnswer } from './trace-cors.ts';

/** A request on its way through the model. */
export interface TracedRequest {
  readonly probe: RequestProbe;
  /** Normalized. */
  readonly host: string;
  readonly target: SplitTarget;
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly listenerPort: number;
  /** Of the port it came in by. */
  readonly conduct?: Conduct;
}

/** What becomes of a request that `rule` has taken. */
export function traceAction(
  model: Model,
  rule: Rule,
  request: TracedRequest,
  steps: Step[],
): RequestFate {
  const { action } = rule;
  const { result } = action;
  const stopped = guardAnswer(action, request, steps, 'before');
  if (stopped !== undefined) return stopped;
  const preflight = traceQuestion(action.filters, request, steps);
  if (preflight !== undefined) return { kind: 'respond', ...preflight };
  const refused = guardAnswer(action, request, steps, 'after');
  if (refused !== undefined) return refused;
  const unasked = result.kind === 'respond' ? undefined : traceAuth(model, action.filters, steps);
  if (unasked !== undefined) return { kind: 'respond', ...unasked };
  switch (result.kind) {
    case 'respond':
      note(steps, 'result', `status ${result.statusCode}`, result.reason, action.origin);
      return { kind: 'respond', statusCode: result.statusCode, reason: result.reason };
    case 'redirect': {
      const location =
        result.location === undefined
          ? redirectLocation(result, request)
          : fillTemplate(result.location, templateSource(request, action.groupsOf));
      note(
        steps,
        'result',
        `${result.statusCode} to ${location}`,
        'the rule redirects',
        result.origin,
      );
      return { kind: 'redirect', statusCode: result.statusCode, location };
    }
    case 'forward': {
      const seen = seenRequest(request);
      const filtered = applyFilters(action.filters, seen, request, steps);
      if (filtered.request.target === REFUSED) return { kind: 'respond', ...REFUSAL };
      const shares = result.backends
        .filter((backend) => backend.weight > 0)
        .map((backend) => shareOf(model, backend, { request, filtered }, steps));
      notePolicy(action, steps);
      return { kind: 'forward', shares };
    }
  }
}

/**
 * What the guard answers, if it does. Before preflight requests are answered only the body counts.
 */
function guardAnswer(
  { guard, origin }: Action,
  request: TracedRequest,
  steps: Step[],
  stage: 'before' | 'after',
): RequestFate | undefined {
  if (guard === undefined) return undefined;
  const { probe } = request;
  const asked: Guard =
    stage === 'after'
      ? guard
      : {
          rates: [],
          satisfy: 'all',
          ...(guard.clientCertificate === undefined
            ? {}
            : { clientCertificate: guard.clientCertificate }),
          ...(guard.bodyBytesMax === undefined ? {} : { bodyBytesMax: guard.bodyBytesMax }),
        };
  const refusal = traceGuard(asked, {
    client: clientOf(request),
    certificate: shownBy(probe),
    header: (name) => templateSource(request).header(name) || undefined,
  });
  if (refusal === undefined) return undefined;
  note(steps, 'filter', `status ${refusal.statusCode}`, refusal.reason, origin);
  const location = refusal.headers?.find(([name]) => name === 'location')?.[1];
  return location === undefined
    ? { kind: 'respond', ...refusal }
    : { kind: 'redirect', statusCode: refusal.statusCode, location };
}

/** The answer to a preflight request, if filters answer such (GEP-1767). */
function traceQuestion(
  filters: readonly Filter[],
  { probe, headers }: TracedRequest,
  steps: Step[],
): Omit<OwnAnswer, 'kind'> | undefined {
  const open = filters.find((filter) => filter.kind === 'corsHeaders');
  if (open !== undefined && probe.method === 'OPTIONS') {
    const changes = corsHeadersChanges(open, headers);
    if (changes.set.length > 0) {
      const fields = changes.set.map(({ name, value }) => [name, value] as const);
      const reason = 'OPTIONS requests are answered for the backends';
      note(steps, 'filter', 'status 204', reason, open.origin);
      return { statusCode: 204, reason, headers: fields };
    }
  }
  const cors = filters.find((filter) => filter.kind === 'cors');
  if (cors === undefined || !isPreflight(probe.method, headers)) return undefined;
  const answer = preflightAnswer(cors, headers);
  const reason = 'the preflight request of a browser is answered for the backends';
  note(steps, 'filter', 'status 204', reason, cors.origin);
  return { statusCode: 204, reason, headers: answer };
}

/** The answer when nobody is there to be asked; else the question is noted, whose answer nobody knows. */
function traceAuth(
  model: Model,
  filters: readonly Filter[],
  steps: Step[],
): Omit<OwnAnswer, 'kind'> | undefined {
  for (const filter of filters) {
    if (filter.kind !== 'auth') continue;
    const backend = model.backends.get(filter.backend);
    if (backend === undefined || placesOf(backend).length === 0) {
      const reason = `${filter.backend} cannot be asked whether the request may go on`;
      note(steps, 'filter', 'status 403', reason, filter.origin);
      return { statusCode: 403, reason };
    }
    const what = `${filter.backend} is asked whether the request may go on`;
    note(steps, 'filter', 'external auth', what, filter.origin);
  }
  return undefined;
}

function notePolicy(action: Action, steps: Step[]): void {
  const { timeouts, retry, session, origin } = action;
  if (timeouts !== undefined) {
    const words = [
      ...(timeouts.requestMs > 0 ? [`${timeouts.requestMs} ms in all`] : []),
      ...(timeouts.backendRequestMs > 0 ? [`${timeouts.backendRequestMs} ms for an attempt`] : []),
    ].join(', ');
    note(steps, 'result', 'timeouts', `${words || 'none'}; then 504`, origin);
  }
  if (retry !== undefined) {
    const on = ['connection errors', ...retry.codes].join(', ');
    note(steps, 'result', `up to ${retry.attempts} retries`, `on ${on}`, origin);
  }
  if (session !== undefined) {
    const because = `a client stays with its endpoint by ${session.carrier} ${session.name}`;
    note(steps, 'result', 'session persistence', because, origin);
  }
}

interface Filtered {
  readonly request: SeenRequest;
  readonly responseHeaders: readonly HeaderChange[];
  readonly mirrors: readonly Mirrored[];
}

function seenRequest(request: TracedRequest): Filtered {
  const { probe, target, conduct } = request;
  const seen = {
    method: probe.method,
    host: probe.host,
    target: conduct === undefined ? target.path + target.query : probe.target,
    headers: conduct === undefined ? request.headers : toldHeaders(request),
  };
  return { request: seen, responseHeaders: [], mirrors: [] };
}

/** `sent` is what the client sent: what is asked and answered across origins is about that. */
function applyFilters(
  filters: readonly Filter[],
  start: Filtered,
  sent: TracedRequest,
  steps: Step[],
): Filtered {
  let state = start;
  // Services are asked before anything is changed.
  const inOrder = filters.toSorted((a, b) => Number(b.kind === 'auth') - Number(a.kind === 'auth'));
  for (const filter of inOrder) state = applyFilter(filter, state, sent, steps);
  const mirrors = filters
    .filter((filter) => filter.kind === 'mirror')
    .map(({ backend, numerator, denominator }) => ({
      to: backend,
      numerator,
      denominator,
      request: state.request,
    }));
  return { ...state, mirrors: [...state.mirrors, ...mirrors] };
}

function applyFilter(
  filter: Filter,
  state: Filtered,
  sent: TracedRequest,
  steps: Step[],
): Filtered {
  switch (filter.kind) {
    case 'requestHeaders': {
      const headers = changedHeaders(state.request.headers, filter);
      note(steps, 'filter', 'request headers', describeChanges(filter), filter.origin);
      return { ...state, request: { ...state.request, headers } };
    }
    case 'responseHeaders':
      note(steps, 'filter', 'response headers', describeChanges(filter), filter.origin);
      return { ...state, responseHeaders: [...state.responseHeaders, ...listChanges(filter)] };
    case 'rewrite': {
      const host = filter.hostname ?? state.request.host;
      const target =
        filter.path === undefined
          ? state.request.target
          : filter.path.kind === 'search'
            ? searchTarget(filter.path, state.request.target, sent)
            : changeTarget(filter.path, state.request.target);
      note(steps, 'filter', 'rewrite', `the backend sees ${host} ${target}`, filter.origin);
      return { ...state, request: { ...state.request, host, target } };
    }
    case 'mirror': {
      const { numerator, denominator } = filter;
      const part = numerator === denominator ? 'all' : `${numerator} of ${denominator}`;
      note(
        steps,
        'filter',
        'mirror',
        `${part} requests are copied to ${filter.backend}`,
        filter.origin,
      );
      return state;
    }
    case 'auth': {
      // What a service says of a request nobody knows; the client cannot say it in its place.
      const { question } = filter;
      const taken = question.protocol === 'http' ? question.takes : 'all';
      if (taken === 'all') return state;
      const headers = state.request.headers.filter(
        ([name]) => !taken.includes(name) && !taken.some((n) => isAlias(name, n)),
      );
      return { ...state, request: { ...state.request, headers } };
    }
    case 'templateHeaders': {
      const source = templateSource(sent);
      const values = filter.set.map(({ name, value }) => ({
        name,
        value: fillTemplate(value, source),
      }));
      const changes = {
        set: values.filter(({ value }) => value !== ''),
        add: [],
        remove: values.filter(({ value }) => value === '').map(({ name }) => name),
      };
      const headers = changedHeaders(state.request.headers, changes);
      note(steps, 'filter', 'request headers', describeChanges(changes), filter.origin);
      return { ...state, request: { ...state.request, headers } };
    }
    case 'rewriteFields':
      note(steps, 'filter', 'response fields', describeFieldChanges(filter), filter.origin);
      return state;
    case 'corsHeaders': {
      const changes = corsHeadersChanges(filter, sent.headers);
      note(steps, 'filter', 'cors', describeChanges(changes), filter.origin);
      return { ...state, responseHeaders: [...state.responseHeaders, ...listChanges(changes)] };
    }
    case 'cors': {
      const changes = corsChanges(filter, sent.headers);
      note(steps, 'filter', 'cors', describeChanges(changes), filter.origin);
      return { ...state, responseHeaders: [...state.responseHeaders, ...listChanges(changes)] };
    }
  }
}

interface Start {
  readonly request: TracedRequest;
  /** As the rule's filters leave it. */
  readonly filtered: Filtered;
}

function shareOf(model: Model, weighted: WeightedBackend, start: Start, steps: Step[]): Share {
  const { weight } = weighted;
  const ourselves = ownShare(model, weighted, start, steps);
  const filtered = applyFilters(weighted.filters, start.filtered, start.request, steps);
  const refused = filtered.request.target === REFUSED ? REFUSAL : undefined;
  const backend = weighted.backend === null ? undefined : model.backends.get(weighted.backend);
  const answer = ourselves ?? refused;
  // Nothing is copied of a request that goes nowhere itself.
  if (answer !== undefined) {
    return { weight, to: answer, endpoints: [], ...filtered, mirrors: [] };
  }
  if (backend === undefined) {
    const { statusCode = 500, reason = 'the backend does not exist' } = weighted.broken ?? {};
    note(steps, 'backend', `status ${statusCode}`, reason, weighted.origin);
    return { weight, to: { statusCode, reason }, endpoints: [], ...filtered, mirrors: [] };
  }
  const endpoints = placesOf(backend);
  const ready = endpoints.length === 0 ? 'no endpoint is ready' : endpoints.join(', ');
  const how = backend.tls === undefined ? '' : `, in TLS as ${backend.tls.serverName}`;
  const because = backend.fault ?? `${ready}${how}`;
  note(steps, 'backend', `${backend.key} (weight ${weight})`, because, weighted.origin);
  noteBackendPolicy(backend, steps);
  const tls = backend.tls === undefined ? {} : { serverName: backend.tls.serverName };
  return { weight, to: backend.key, endpoints, ...tls, ...filtered };
}

function noteBackendPolicy({ retryBudget, session, origin }: Backend, steps: Step[]): void {
  if (retryBudget !== undefined) {
    const { percent, intervalMs, minRetries, minIntervalMs } = retryBudget;
    const because = `${percent} % of the requests of ${intervalMs} ms, or ${minRetries} in ${minIntervalMs} ms; beyond, 503`;
    note(steps, 'backend', 'retry budget', because, origin);
  }
  if (session !== undefined) {
    const because = `where the rule says nothing, a client stays by ${session.carrier} ${session.name}`;
    note(steps, 'backend', 'session persistence', because, origin);
  }
}

/** What a backend's own filters answer in its place. */
function ownShare(
  model: Model,
  { filters, redirect, origin }: WeightedBackend,
  { request }: Start,
  steps: Step[],
): Omit<OwnAnswer, 'kind'> | undefined {
  const preflight = traceQuestion(filters, request, steps);
  if (preflight !== undefined) return preflight;
  const unasked = traceAuth(model, filters, steps);
  if (unasked !== undefined || redirect === undefined) return unasked;
  const location = redirectLocation(redirect, request);
  const { statusCode } = redirect;
  note(steps, 'backend', `${statusCode} to ${location}`, 'the backend redirects', origin);
  return { statusCode, reason: 'the backend redirects', headers: [['location', location]] };
}

/** Where requests can go: ready endpoints; when there are none, those that end but still serve (KEP-1669). */
export function placesOf({ endpoints, host, fault }: Backend): readonly string[] {
  // Which addresses a name has, only whoever looks it up can say.
  if (host !== undefined) return fault === undefined ? [`${host.name}:${host.port}`] : [];
  const ready = endpoints.filter((e) => e.ready);
  const usable = ready.length > 0 ? ready : endpoints.filter((e) => e.serving && e.terminating);
  return usable.map((e) => `${e.address}:${e.port}`);
}

function redirectLocation(redirect: RedirectResult, request: TracedRequest): string {
  const scheme = redirect.scheme ?? request.probe.scheme;
  const host = redirect.hostname ?? request.host;
  const port = redirectPort(redirect, request);
  const standard = scheme === 'https' ? 443 : 80;
  const target = request.target.path + request.target.query;
  const path = redirect.path === undefined ? target : changeTarget(redirect.path, target);
  return `${scheme}://${host}${port === standard ? '' : `:${port}`}${path}`;
}

/** GEP-820: an explicit port; else the port a given scheme is known for; else the listener's. */
function redirectPort(redirect: RedirectResult, request: TracedRequest): number {
  if (redirect.port !== undefined) return redirect.port;
  if (redirect.scheme !== undefined) return redirect.scheme === 'https' ? 443 : 80;
  return request.listenerPort;
}

/** Stands for a target that servers could read in two ways: the request is answered with 400. */
const REFUSED = '';

const REFUSAL = { statusCode: 400, reason: 'servers could read the rewritten path in two ways' };

function searchTarget(
  change: SearchChange,
  target: string,
  { target: sent }: TracedRequest,
): string {
  const found = rewriteBySearch(change, sent.path, sent.query);
  return found === null ? target : found.path + found.query;
}

function describeFieldChanges({ cookieDomain, cookiePath, location }: RewriteFieldsFilter): string {
  return Object.entries({ cookieDomain, cookiePath, location })
    .filter(([, change]) => change !== undefined)
    .map(
      ([name, change]) =>
        `${name} ${change?.from ?? ''} becomes ${describeTemplate(change?.to ?? [])}`,
    )
    .join(', ');
}

function changeTarget(change: PathChange, target: string): string {
  if (target === REFUSED) return REFUSED;
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  switch (change.kind) {
    case 'full':
      return change.value + query;
    case 'prefix':
      return replacePrefix(path, change.prefix, change.value) + query;
    case 'search': {
      const found = rewriteBySearch(change, path, query);
      return found === null ? target : found.path + found.query;
    }
    case 'regex': {
      const rewritten = rewriteByPattern(change.pattern, change.template, path);
      return rewritten === null ? REFUSED : rewritten + query;
    }
  }
}

function changedHeaders(
  headers: readonly (readonly [string, string])[],
  changes: HeaderChanges,
): readonly (readonly [string, string])[] {
  const replaced = new Set(changes.set.map((h) => h.name));
  const removed = new Set(changes.remove);
  const named = [...replaced, ...removed];
  return [
    // A name that backends may take for one of these must not come from the client.
    ...headers.filter(([name]) => !replaced.has(name) && !named.some((n) => isAlias(name, n))),
    ...changes.set.map(({ name, value }) => [name, value] as const),
    ...changes.add.map(({ name, value }) => [name, value] as const),
  ].filter(([name]) => !removed.has(name));
}

function listChanges(changes: HeaderChanges): readonly HeaderChange[] {
  return [
    ...changes.set.map((h) => ({ change: 'set' as const, ...h })),
    ...changes.add.map((h) => ({ change: 'add' as const, ...h })),
    ...changes.remove.map((name) => ({ change: 'remove' as const, name, value: '' })),
  ];
}

function describeChanges(changes: HeaderChanges): string {
  return listChanges(changes)
    .map((c) => (c.change === 'remove' ? `remove ${c.name}` : `${c.change} ${c.name}: ${c.value}`))
    .join(', ');
}

function note(
  steps: Step[],
  stage: Step['stage'],
  what: string,
  because: string,
  origin: Step['origin'],
): void {
  steps.push({
    stage,
    verdict: 'taken',
    what,
    because,
    ...(origin === undefined ? {} : { origin }),
  });
}
