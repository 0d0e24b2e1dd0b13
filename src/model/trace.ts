// The reference answer: what becomes of a request, read straight from the model with no thought of
// speed. Targets are tested against it, and `fairway explain` prints it. Kept simple enough to check
// against the specification by eye; nothing here is shared with the data path it judges.

import { isDisguised } from '../lib/disguised-name.ts';
import { decodeTarget } from '../lib/decoded-path.ts';
import { hostMatches, normalizeHost } from '../lib/hostname.ts';
import { isUnderPrefix, parseQuery, splitTarget } from '../lib/http-path.ts';
import type { SplitTarget } from '../lib/http-path.ts';
import { patternIsIn, patternMatches } from '../lib/regex.ts';
import type { RequestAnswer, RequestFate, RequestProbe, Step } from './answer.ts';
import { explainOrder } from './match.ts';
import type { ValueMatch } from './match.ts';
import type { EntryPoint, Listener, Model, Rule } from './model.ts';
import { describeHost, describePath, describeValue } from './print.ts';
import { traceAction } from './trace-action.ts';
import { cookieOf } from './trace-template.ts';
import type { TracedRequest } from './trace-action.ts';

/** Answers a request from the model. */
export function traceRequest(model: Model, probe: RequestProbe): RequestAnswer {
  const steps: Step[] = [];
  const fate = decide(model, probe, steps);
  return { fate, steps };
}

/** The port of a Gateway that a request comes to. */
export function entryPointOf(model: Model, probe: RequestProbe): EntryPoint | undefined {
  return chooseEntryPoint(model.entryPoints, probe, askedHost(probe), []);
}

/** Of what the client asks first: the server name, where there is one. */
function askedHost({ scheme, host, serverName = host }: RequestProbe): string {
  return normalizeHost(scheme === 'https' ? serverName : host);
}

function decide(model: Model, probe: RequestProbe, steps: Step[]): RequestFate {
  const host = normalizeHost(probe.host);
  const asked = askedHost(probe);
  const entryPoint = chooseEntryPoint(model.entryPoints, probe, asked, steps);
  if (entryPoint === undefined) {
    return { kind: 'refused', reason: `nothing listens for ${probe.scheme} on port ${probe.port}` };
  }
  const listener = chooseListener(entryPoint, asked, steps);
  if (listener?.stream !== undefined) {
    return { kind: 'refused', reason: `listener ${listener.id} takes connections, not requests` };
  }
  if (listener === undefined && entryPoint.protocol !== 'http') {
    return { kind: 'refused', reason: `no listener has a certificate for ${describeHost(host)}` };
  }
  if (entryPoint.clientValidation?.isRequired === true && probe.clientCertificate !== 'valid') {
    return { kind: 'refused', reason: 'the client shows no certificate that is valid here' };
  }
  if (asked !== host && listener !== undefined) {
    // A connection made for one listener must not carry requests for another (421, RFC 9110 15.5.20).
    const meant = entryPoint.listeners.find((l) => hostMatches(l.hostname, host));
    if (meant !== undefined && meant !== listener) {
      const reason = `the connection is for ${describeHost(asked)}, which is another listener's`;
      return { kind: 'respond', statusCode: 421, reason };
    }
    if (meant === undefined) {
      return { kind: 'respond', statusCode: 404, reason: 'no listener takes the host' };
    }
  }
  const { conduct } = entryPoint;
  const target =
    conduct?.paths === 'decoded' ? decodeTarget(probe.target) : splitTarget(probe.target);
  if (target === null) {
    return { kind: 'respond', statusCode: 400, reason: 'servers could read the path in two ways' };
  }
  const request: TracedRequest = {
    probe,
    host,
    target,
    headers: probe.headers
      .filter(([name]) => !isDisguised(name))
      .filter(([name]) => conduct?.dropsUnderscores !== true || !name.includes('_'))
      .map(([name, value]) => [name.toLowerCase(), value]),
    listenerPort: entryPoint.port,
    ...(conduct === undefined ? {} : { conduct }),
  };
  const rule = listener === undefined ? undefined : chooseRule(listener, request, steps);
  if (rule === undefined) {
    return { kind: 'respond', statusCode: 404, reason: 'no rule of any route takes the request' };
  }
  return traceAction(model, rule, request, steps);
}

function chooseEntryPoint(
  entryPoints: readonly EntryPoint[],
  probe: RequestProbe,
  host: string,
  steps: Step[],
): EntryPoint | undefined {
  const candidates = entryPoints.filter((entryPoint) => {
    const because = entryPointMismatch(entryPoint, probe);
    if (because !== undefined) lose(steps, 'entry point', nameEntry(entryPoint), because);
    return because === undefined;
  });
  // Without an address, several Gateways may serve the port: ask the one that knows the host best.
  const byHost = candidates.toSorted((a, b) => hostRank(b, host) - hostRank(a, host));
  const taken = byHost[0];
  for (const other of byHost.slice(1)) {
    const because = 'another Gateway on this port has the more specific listener for the host';
    lose(steps, 'entry point', nameEntry(other), because);
  }
  if (taken !== undefined) {
    const because = `it serves ${taken.protocol} on ${taken.addresses.join(', ')} port ${taken.port}`;
    take(steps, 'entry point', nameEntry(taken), because);
  }
  return taken;
}

/** `Gateway shop/web:80`, `Ingress controller k8s.io/ingress-nginx:80` */
function nameEntry({ id, listeners }: EntryPoint): string {
  const isIngress = listeners.some(({ origin }) => origin.kind === 'Ingress');
  return `${isIngress ? 'Ingress controller' : 'Gateway'} ${id}`;
}

function entryPointMismatch(entryPoint: EntryPoint, probe: RequestProbe): string | undefined {
  if (entryPoint.port !== probe.port) return `it is on port ${entryPoint.port}`;
  // On a port for TLS, listeners for HTTPS are beside those for connections.
  const spoken = entryPoint.protocol === 'tls' ? 'https' : entryPoint.protocol;
  if (spoken !== probe.scheme) return `it speaks ${entryPoint.protocol}`;
  if (probe.address !== undefined && !entryPoint.addresses.includes(probe.address)) {
    return `its address is ${entryPoint.addresses.join(', ') || 'not assigned'}`;
  }
  return undefined;
}

/** How specific the best listener for the host is: longer patterns are more specific. */
function hostRank(entryPoint: EntryPoint, host: string): number {
  const taking = entryPoint.listeners.filter((l) => hostMatches(l.hostname, host));
  const patterns = taking.flatMap((l) => [
    l.hostname,
    ...l.hosts.map((h) => h.hostname).filter((pattern) => hostMatches(pattern, host)),
  ]);
  const ranks = patterns.map(
    (p) => (p === '' ? 0 : p.startsWith('*') || p.startsWith('?') ? 1 : 2) * 1000 + p.length,
  );
  return Math.max(-1, ...ranks);
}

function chooseListener(entryPoint: EntryPoint, host: string, steps: Step[]): Listener | undefined {
  let taken: Listener | undefined;
  for (const listener of entryPoint.listeners) {
    const what = `listener ${listener.id}`;
    if (!hostMatches(listener.hostname, host)) {
      const because = `its hostname ${listener.hostname} does not take ${describeHost(host)}`;
      lose(steps, 'listener', what, because, listener.origin);
    } else if (taken !== undefined) {
      const because = `${describePattern(taken.hostname)} is more specific than ${describePattern(listener.hostname)}`;
      lose(steps, 'listener', what, because, listener.origin);
    } else {
      taken = listener;
      const because = `${describePattern(listener.hostname)} takes ${describeHost(host)}`;
      take(steps, 'listener', what, because, listener.origin);
    }
  }
  return taken;
}

function chooseRule(listener: Listener, request: TracedRequest, steps: Step[]): Rule | undefined {
  let taken: Taken | undefined;
  for (const host of listener.hosts) {
    if (!hostMatches(host.hostname, request.host)) {
      const because = `no rule for ${describeHost(request.host)} is in it`;
      lose(steps, 'host', `host ${describePattern(host.hostname)}`, because);
      continue;
    }
    for (const rule of host.rules) {
      const because =
        taken === undefined
          ? mismatch(rule, request)
          : precedes(taken, rule, host.hostname, request);
      if (because === undefined) {
        taken = { rule, host: host.hostname };
        const why = `${describeMatch(rule)} takes the request on ${describePattern(host.hostname)}`;
        take(steps, 'rule', rule.action.id, why, rule.origin);
      } else {
        lose(steps, 'rule', rule.action.id, because, rule.origin);
      }
    }
  }
  return taken?.rule;
}

/** The rule that takes the request, and the pattern of the host it stands under. */
interface Taken {
  readonly rule: Rule;
  readonly host: string;
}

/** Why a rule comes after the one that took the request, or does not match anyway. */
function precedes(taken: Taken, rule: Rule, host: string, request: TracedRequest): string {
  const own = mismatch(rule, request);
  if (own !== undefined) return own;
  const why =
    taken.host === host
      ? explainOrder(taken.rule.match, rule.match)
      : `${describePattern(taken.host)} is more specific than ${describePattern(host)}`;
  return `it matches too, but comes after ${taken.rule.action.id}: ${why}`;
}

/** The first condition of the rule's match that the request does not meet. */
function mismatch(rule: Rule, request: TracedRequest): string | undefined {
  const { path, method, headers, queryParams } = rule.match;
  const requested = request.target.path;
  if (path.kind === 'exact' && requested !== path.value) {
    return `path ${requested} is not ${path.value}`;
  }
  if (path.kind === 'prefix' && !isUnderPrefix(requested, path.value)) {
    return `path ${requested} is not under ${path.value}`;
  }
  if (method !== undefined && request.probe.method !== method) {
    return `method ${request.probe.method} is not ${method}`;
  }
  if (rule.match.pattern !== undefined && !patternMatches(rule.match.pattern, requested)) {
    return `path ${requested} does not match ${rule.match.pattern}`;
  }
  if (path.kind === 'regex' && !patternMatches(path.value, requested)) {
    return `path ${requested} does not match ${path.value}`;
  }
  if (path.kind === 'search' && !patternIsIn(path.value, requested)) {
    return `path ${requested} does not have ${path.value} in it`;
  }
  for (const wanted of rule.match.cookies ?? []) {
    const found = cookieOf(headerValue(request.headers, 'cookie') ?? '', wanted.name);
    const because = valueMismatch(`cookie ${wanted.name}`, wanted, found);
    if (because !== undefined) return because;
  }
  for (const wanted of headers) {
    const found = headerValue(request.headers, wanted.name);
    const because = valueMismatch(`header ${wanted.name}`, wanted, found);
    if (because !== undefined) return because;
  }
  return queryMismatch(queryParams, request.target);
}

function queryMismatch(
  wanted: Rule['match']['queryParams'],
  target: SplitTarget,
): string | undefined {
  const given = parseQuery(target.query);
  for (const param of wanted) {
    // Of a name that is given twice only the first value counts, as upstream recommends.
    const found = given.find(([key]) => key === param.name)?.[1];
    const because = valueMismatch(`query parameter ${param.name}`, param, found);
    if (because !== undefined) return because;
  }
  return undefined;
}

function valueMismatch(
  what: string,
  { value, regex }: ValueMatch,
  found: string | undefined,
): string | undefined {
  if (regex === true) {
    if (found === undefined) return `${what} is absent, and must match ${value}`;
    return patternMatches(value, found) ? undefined : `${what} is ${found}, not matching ${value}`;
  }
  if (found === undefined) return `${what} is absent, and must be ${value}`;
  return found === value ? undefined : `${what} is ${found}, not ${value}`;
}

/** Values of several fields of one name count as one list, joined by commas (RFC 9110 5.3). */
function headerValue(
  headers: readonly (readonly [string, string])[],
  name: string,
): string | undefined {
  const values = headers.filter(([key]) => key === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(',');
}

function describePattern(pattern: string): string {
  return pattern === '' ? 'every host' : pattern;
}

function describeMatch(rule: Rule): string {
  const { path, method, headers, queryParams } = rule.match;
  return [
    rule.match.pattern === undefined ? describePath(path) : `path matching ${rule.match.pattern}`,
    ...(method === undefined ? [] : [`method ${method}`]),
    ...(rule.match.cookies ?? []).map((c) => `cookie ${describeValue(c)}`),
    ...headers.map((h) => `header ${describeValue(h)}`),
    ...queryParams.map((q) => `query ${describeValue(q)}`),
  ].join(', ');
}

function take(
  steps: Step[],
  stage: Step['stage'],
  what: string,
  because: string,
  origin?: Step['origin'],
): void {
  steps.push({
    stage,
    verdict: 'taken',
    what,
    because,
    ...(origin === undefined ? {} : { origin }),
  });
}

function lose(
  steps: Step[],
  stage: Step['stage'],
  what: string,
  because: string,
  origin?: Step['origin'],
): void {
  steps.push({
    stage,
    verdict: 'lost',
    what,
    because,
    ...(origin === undefined ? {} : { origin }),
  });
}
