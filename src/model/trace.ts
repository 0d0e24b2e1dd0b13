// The reference answer: what becomes of a request, read straight from the model with no thought of
// speed. Targets are tested against it, and `fairway explain` prints it. Kept simple enough to check
// against the specification by eye; nothing here is shared with the data path it judges.

import { isDisguised } from '../lib/disguised-name.ts';
import { hostMatches, normalizeHost } from '../lib/hostname.ts';
import { isUnderPrefix, parseQuery, splitTarget } from '../lib/http-path.ts';
import type { SplitTarget } from '../lib/http-path.ts';
import type { RequestAnswer, RequestFate, RequestProbe, Step } from './answer.ts';
import { explainOrder } from './match.ts';
import type { EntryPoint, Listener, Model, Rule } from './model.ts';
import { describeHost, describePath } from './print.ts';
import { traceAction } from './trace-action.ts';
import type { TracedRequest } from './trace-action.ts';

/** Answers a request from the model. */
export function traceRequest(model: Model, probe: RequestProbe): RequestAnswer {
  const steps: Step[] = [];
  const fate = decide(model, probe, steps);
  return { fate, steps };
}

function decide(model: Model, probe: RequestProbe, steps: Step[]): RequestFate {
  const host = normalizeHost(probe.host);
  const entryPoint = chooseEntryPoint(model.entryPoints, probe, host, steps);
  if (entryPoint === undefined) {
    return { kind: 'refused', reason: `nothing listens for ${probe.scheme} on port ${probe.port}` };
  }
  const listener = chooseListener(entryPoint, host, steps);
  if (listener === undefined && entryPoint.protocol === 'https') {
    return { kind: 'refused', reason: `no listener has a certificate for ${describeHost(host)}` };
  }
  const target = splitTarget(probe.target);
  if (target === null) {
    return { kind: 'respond', statusCode: 400, reason: 'servers could read the path in two ways' };
  }
  const request: TracedRequest = {
    probe,
    host,
    target,
    headers: probe.headers
      .filter(([name]) => !isDisguised(name))
      .map(([name, value]) => [name.toLowerCase(), value]),
    listenerPort: entryPoint.port,
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
    if (because !== undefined) lose(steps, 'entry point', `Gateway ${entryPoint.id}`, because);
    return because === undefined;
  });
  // Without an address, several Gateways may serve the port: ask the one that knows the host best.
  const byHost = candidates.toSorted((a, b) => hostRank(b, host) - hostRank(a, host));
  const taken = byHost[0];
  for (const other of byHost.slice(1)) {
    const because = 'another Gateway on this port has the more specific listener for the host';
    lose(steps, 'entry point', `Gateway ${other.id}`, because);
  }
  if (taken !== undefined) {
    const because = `it serves ${taken.protocol} on ${taken.addresses.join(', ')} port ${taken.port}`;
    take(steps, 'entry point', `Gateway ${taken.id}`, because);
  }
  return taken;
}

function entryPointMismatch(entryPoint: EntryPoint, probe: RequestProbe): string | undefined {
  if (entryPoint.port !== probe.port) return `it is on port ${entryPoint.port}`;
  if (entryPoint.protocol !== probe.scheme) return `it speaks ${entryPoint.protocol}`;
  if (probe.address !== undefined && !entryPoint.addresses.includes(probe.address)) {
    return `its address is ${entryPoint.addresses.join(', ') || 'not assigned'}`;
  }
  return undefined;
}

/** How specific the best listener for the host is: longer patterns are more specific. */
function hostRank(entryPoint: EntryPoint, host: string): number {
  const taking = entryPoint.listeners.filter((l) => hostMatches(l.hostname, host));
  const ranks = taking.map((l) => (l.hostname.startsWith('*') ? 1 : 2) * 1000 + l.hostname.length);
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
  for (const { name, value } of headers) {
    const found = headerValue(request.headers, name);
    if (found === undefined) return `header ${name} is absent, and must be ${value}`;
    if (found !== value) return `header ${name} is ${found}, not ${value}`;
  }
  return queryMismatch(queryParams, request.target);
}

function queryMismatch(
  wanted: Rule['match']['queryParams'],
  target: SplitTarget,
): string | undefined {
  const given = parseQuery(target.query);
  for (const { name, value } of wanted) {
    // Of a name that is given twice only the first value counts, as upstream recommends.
    const found = given.find(([key]) => key === name);
    if (found === undefined) return `query parameter ${name} is absent, and must be ${value}`;
    if (found[1] !== value) return `query parameter ${name} is ${found[1]}, not ${value}`;
  }
  return undefined;
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
    describePath(path),
    ...(method === undefined ? [] : [`method ${method}`]),
    ...headers.map((h) => `header ${h.name}=${h.value}`),
    ...queryParams.map((q) => `query ${q.name}=${q.value}`),
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
