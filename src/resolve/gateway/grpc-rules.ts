// The rules of a GRPCRoute in the terms of an HTTPRoute: a call is a POST to /service/method. What has
// no such terms, an expression or a method of any service, becomes a pattern of the path beside them.

import type { GRPCRoute } from '../../api/gateway/grpcroute.ts';
import type { HTTPRoute } from '../../api/gateway/httproute.ts';
import type { HTTPRouteMatch } from '../../api/gateway/httpmatches.ts';
import { compilePattern } from '../../lib/regex.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import type { Surroundings } from './grants.ts';
import { resolveRules } from './rules.ts';
import type { RankedRule, ResolvedRules } from './rules.ts';

type WrittenRule = NonNullable<GRPCRoute['spec']['rules']>[number];
type WrittenMatch = NonNullable<WrittenRule['matches']>[number];
type MethodMatch = NonNullable<WrittenMatch['method']>;

/** Every call: what a rule without matches takes. */
const EVERY_CALL: readonly WrittenMatch[] = [{}];

/** The rules of a GRPCRoute, resolved as those of an HTTPRoute are. */
export function resolveGrpcRules(route: GRPCRoute, surroundings: Surroundings): ResolvedRules {
  const written = (route.spec.rules ?? []).map((rule, ruleIndex) => checkRule(rule, ruleIndex));
  const asHttp = {
    ...route,
    spec: {
      ...route.spec,
      rules: written.map(({ rule, matches }) => ({
        ...rule,
        matches: matches.map((match) => toHttpMatch(match)),
      })),
    },
  } as unknown as HTTPRoute;
  const resolved = resolveRules(asHttp, surroundings, 'GRPCRoute');
  const problems = written.flatMap((w) => w.problems);
  return {
    rules: resolved.rules.flatMap((ranked) => {
      const own = written[ranked.ruleIndex];
      const match = own?.matches[ranked.matchIndex];
      if (own === undefined || match === undefined) return [];
      return own.unusable.has(ranked.matchIndex) ? [] : [rankCall(ranked, match)];
    }),
    uses: resolved.uses,
    unresolved: resolved.unresolved,
    unsupported: [...resolved.unsupported, ...problems],
    dropped: [
      ...resolved.dropped,
      ...written.flatMap(({ matches, unusable, problems: own }, ruleIndex) =>
        own.length === 0
          ? []
          : [{ ruleIndex, isWhole: unusable.size === matches.length, problems: own }],
      ),
    ],
    warnings: resolved.warnings,
  };
}

interface CheckedRule {
  readonly rule: WrittenRule;
  readonly matches: readonly WrittenMatch[];
  /** Indexes of the matches that cannot be asked. */
  readonly unusable: ReadonlySet<number>;
  readonly problems: readonly Problem[];
}

function checkRule(rule: WrittenRule, ruleIndex: number): CheckedRule {
  const matches =
    rule.matches === undefined || rule.matches.length === 0 ? EVERY_CALL : rule.matches;
  const unusable = new Set<number>();
  const problems = matches.flatMap(({ method }, matchIndex) => {
    const field = `spec.rules[${ruleIndex}].matches[${matchIndex}].method`;
    const found = method === undefined ? [] : badExpressions(method, field);
    if (found.length > 0) unusable.add(matchIndex);
    return found;
  });
  return { rule, matches, unusable, problems };
}

function badExpressions({ type, service, method }: MethodMatch, field: string): readonly Problem[] {
  if (type !== 'RegularExpression') return [];
  return Object.entries({ service, method }).flatMap(([name, value]) => {
    const compiled = value === undefined ? undefined : compilePattern(value);
    if (compiled === undefined || !('trouble' in compiled)) return [];
    const message = `${JSON.stringify(value)} cannot be used as a regular expression: ${compiled.trouble}`;
    const hint = 'write it in RE2 syntax, which has no lookaround and no backreferences';
    return [problem('UnsupportedValue', `${field}.${name}`, message, hint)];
  });
}

/** Exact names are a path; everything else is asked by `pattern`. */
function toHttpMatch({ method, headers }: WrittenMatch): HTTPRouteMatch {
  const path = (type: 'Exact' | 'PathPrefix', value: string): HTTPRouteMatch => ({
    path: { type, value },
    ...(headers === undefined ? {} : { headers }),
  });
  if (method?.type !== 'Exact' || isAny(method.service)) return path('PathPrefix', '/');
  const service = `/${method.service}`;
  return isAny(method.method)
    ? path('PathPrefix', service)
    : path('Exact', `${service}/${method.method}`);
}

/** An empty name asks for nothing, as if it were left out. */
function isAny(name: string | undefined): boolean {
  return name === undefined || name === '';
}

/** The match with what a path alone cannot say, and its place among the rules of other GRPCRoutes. */
function rankCall(ranked: RankedRule, { method }: WrittenMatch): RankedRule {
  const { service = '', method: name = '', type = 'Exact' } = method ?? {};
  const isAnyCall = service === '' && name === '';
  const form = isAnyCall ? 2 : type === 'Exact' ? 0 : 1;
  const call = { form, service: service.length, method: name.length } as const;
  const pattern = patternOf(method);
  if (pattern === undefined) return { ...ranked, call };
  const { rule } = ranked;
  return { ...ranked, call, rule: { ...rule, match: { ...rule.match, pattern } } };
}

function patternOf(method: MethodMatch | undefined): string | undefined {
  if (method === undefined) return undefined;
  const { type, service, method: name } = method;
  if (type === 'RegularExpression') {
    const one = (expression: string | undefined): string =>
      isAny(expression) ? '[^/]+' : `(?:${expression})`;
    return `/${one(service)}/${one(name)}`;
  }
  // Names are made of letters, digits, dots and underscores.
  if (isAny(service) && !isAny(name)) return `/[^/]+/${name}`;
  return undefined;
}
