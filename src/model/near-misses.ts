// Which rules came closest to a request that nothing took, and what it would need to be theirs.

import { hostMatches, normalizeHost } from '../lib/hostname.ts';
import { isUnderPrefix, parseQuery, splitTarget } from '../lib/http-path.ts';
import { patternIsIn, patternMatches } from '../lib/regex.ts';
import type { RequestProbe } from './answer.ts';
import type { PathMatch, ValueMatch } from './match.ts';
import type { Model, Rule } from './model.ts';

interface NearMiss {
  readonly needs: readonly string[];
  readonly rule: string;
  /** Fewer is closer. A path counts more than a header: it is what people route by. */
  readonly distance: number;
}

const SHOWN_MAX = 3;

/** Up to three sentences, the closest rule first. */
export function nearMisses(model: Model, probe: RequestProbe): readonly string[] {
  const misses = model.entryPoints.flatMap((entryPoint) =>
    entryPoint.listeners.flatMap((listener) =>
      listener.hosts.flatMap((host) =>
        host.rules.map((rule) => {
          const needs = [
            ...(entryPoint.port === probe.port && entryPoint.protocol === probe.scheme
              ? []
              : [`come to ${entryPoint.protocol} port ${entryPoint.port}`]),
            ...hostNeeds(listener.hostname, host.hostname, probe),
          ];
          return nearMiss(rule, probe, needs);
        }),
      ),
    ),
  );
  const byRule = new Map<string, NearMiss>();
  for (const miss of misses.toSorted((a, b) => a.distance - b.distance)) {
    if (miss.needs.length > 0 && !byRule.has(miss.rule)) byRule.set(miss.rule, miss);
  }
  return [...byRule.values()]
    .slice(0, SHOWN_MAX)
    .map(({ rule, needs }) => `${rule} would take it, should the request ${needs.join(' and ')}`);
}

function hostNeeds(listener: string, host: string, probe: RequestProbe): readonly string[] {
  const asked = normalizeHost(probe.host);
  const pattern = host === '' ? listener : host;
  return hostMatches(pattern, asked) ? [] : [`have the host ${pattern}`];
}

function nearMiss(rule: Rule, probe: RequestProbe, before: readonly string[]): NearMiss {
  const { path, method, headers, queryParams } = rule.match;
  const target = splitTarget(probe.target) ?? { path: probe.target, query: '' };
  const given = new Map(probe.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const query = new Map(parseQuery(target.query));
  const small = [
    ...(method === undefined || method === probe.method ? [] : [`use method ${method}`]),
    ...headers
      .filter((wanted) => !valueFits(wanted, given.get(wanted.name)))
      .map((wanted) => `have the header ${describeNeed(wanted, ': ')}`),
    ...queryParams
      .filter((wanted) => !valueFits(wanted, query.get(wanted.name)))
      .map((wanted) => `have ${describeNeed(wanted, '=')} in its query`),
  ];
  const { pattern } = rule.match;
  const patternFits = pattern === undefined || patternMatches(pattern, target.path);
  const large = pathFits(path, target.path)
    ? patternFits
      ? []
      : [`have a path matching ${pattern}`]
    : [`have a path ${PATH_WORDS[path.kind]} ${path.value}`];
  return {
    needs: [...before, ...large, ...small],
    rule: rule.action.id,
    distance: before.length * 3 + large.length * 2 + small.length,
  };
}

const PATH_WORDS = {
  exact: 'of',
  prefix: 'under',
  regex: 'matching',
  search: 'with this in it:',
} as const;

function pathFits(path: PathMatch, requested: string): boolean {
  switch (path.kind) {
    case 'exact':
      return requested === path.value;
    case 'prefix':
      return isUnderPrefix(requested, path.value);
    case 'regex':
      return patternMatches(path.value, requested);
    case 'search':
      return patternIsIn(path.value, requested);
  }
}

function valueFits({ value, regex }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return false;
  return regex === true ? patternMatches(value, given) : given === value;
}

function describeNeed({ name, value, regex }: ValueMatch, sign: string): string {
  return regex === true ? `${name} matching ${value}` : `${name}${sign}${value}`;
}
