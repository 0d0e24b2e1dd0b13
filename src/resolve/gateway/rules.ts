// The rules of an HTTPRoute → rules of the model, one for each match, each with what decides its place
// among the rules of other routes.

import type { HTTPRoute } from '../../api/gateway/httproute.ts';
import { compareMatches } from '../../model/match.ts';
import type { Match } from '../../model/match.ts';
import type { Action, Origin, Result, Rule, WeightedBackend } from '../../model/model.ts';
import { resolveFilters } from '../filters/filters.ts';
import type { Problem } from '../status/conditions.ts';
import { resolveBackendRef } from './backends.ts';
import type { BackendRef, BackendUse } from './backends.ts';
import type { Surroundings } from './grants.ts';
import { resolveMatch } from './matches.ts';

/** A rule and what breaks ties between it and rules that match equally well. */
export interface RankedRule {
  readonly rule: Rule;
  /** creationTimestamp of the route. */
  readonly created: string;
  /** `namespace/name` of the route. */
  readonly route: string;
  readonly ruleIndex: number;
  readonly matchIndex: number;
}

/** The Gateway API's order of precedence, ties included. */
export function compareRanked(a: RankedRule, b: RankedRule): number {
  return (
    compareMatches(a.rule.match, b.rule.match) ||
    compareText(a.created, b.created) ||
    compareText(a.route, b.route) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface ResolvedRules {
  readonly rules: readonly RankedRule[];
  readonly uses: readonly BackendUse[];
  /** References that lead nowhere; their share of the requests is answered with 500. */
  readonly unresolved: readonly Problem[];
  /** What the route asks for and we cannot do; the rules concerned answer 500 or do not match. */
  readonly unsupported: readonly Problem[];
  /** Fields without effect; everything else of the rule works. */
  readonly ignored: readonly Problem[];
}

type WrittenRule = HTTPRoute['spec']['rules'][number];

export function resolveRules(route: HTTPRoute, surroundings: Surroundings): ResolvedRules {
  const collected = new Collector(route, surroundings);
  route.spec.rules.forEach((rule, i) => collected.add(rule, i));
  return collected;
}

class Collector implements ResolvedRules {
  readonly rules: RankedRule[] = [];
  readonly uses: BackendUse[] = [];
  readonly unresolved: Problem[] = [];
  readonly unsupported: Problem[] = [];
  readonly ignored: Problem[] = [];
  readonly #route: HTTPRoute;
  readonly #surroundings: Surroundings;

  constructor(route: HTTPRoute, surroundings: Surroundings) {
    this.#route = route;
    this.#surroundings = surroundings;
  }

  add(written: WrittenRule, ruleIndex: number): void {
    const { namespace = '', name = '', creationTimestamp = '' } = this.#route.metadata;
    const origin = this.#origin(`spec.rules[${ruleIndex}]`);
    const matches: { match: Match; matchIndex: number }[] = [];
    written.matches.forEach((m, matchIndex) => {
      const match = resolveMatch(m, `${origin.field}.matches[${matchIndex}]`);
      if ('reason' in match) this.unsupported.push(match);
      else matches.push({ match, matchIndex });
    });
    this.#noteIgnored(written, origin.field);
    const action = this.#action(written, origin, matches[0]?.match.path.value ?? '/');
    for (const { match, matchIndex } of matches) {
      this.rules.push({
        rule: { match, action, origin: this.#origin(`${origin.field}.matches[${matchIndex}]`) },
        created: creationTimestamp,
        route: `${namespace}/${name}`,
        ruleIndex,
        matchIndex,
      });
    }
  }

  #action(written: WrittenRule, origin: Origin, prefix: string): Action {
    const filtersOrigin = this.#origin(`${origin.field}.filters`);
    const resolved = resolveFilters(written.filters, { origin: filtersOrigin, prefix });
    this.unsupported.push(...resolved.problems);
    const id = `HTTPRoute ${origin.namespace}/${origin.name} ${ruleName(written, origin.field)}`;
    const [firstProblem] = resolved.problems;
    const result: Result =
      firstProblem === undefined
        ? (resolved.redirect ?? this.#forward(written, origin, prefix))
        : { kind: 'respond', statusCode: 500, reason: firstProblem.message };
    return { id, filters: resolved.filters, result, origin };
  }

  #forward(written: WrittenRule, origin: Origin, prefix: string): Result {
    const backends = (written.backendRefs ?? []).map((ref, i) =>
      this.#backend(ref, this.#origin(`${origin.field}.backendRefs[${i}]`), prefix),
    );
    if (backends.length === 0) {
      return { kind: 'respond', statusCode: 500, reason: 'the rule has no backendRefs' };
    }
    if (backends.every((b) => b.weight === 0)) {
      return { kind: 'respond', statusCode: 500, reason: 'all backends of the rule have weight 0' };
    }
    return { kind: 'forward', backends };
  }

  #backend(ref: BackendRef, origin: Origin, prefix: string): WeightedBackend {
    const { weight } = ref;
    const filtersOrigin = this.#origin(`${origin.field}.filters`);
    const { filters, redirect, problems } = resolveFilters(ref.filters, {
      origin: filtersOrigin,
      prefix,
    });
    const resolved = resolveBackendRef(ref, origin, this.#surroundings);
    if ('problem' in resolved) {
      this.unresolved.push(resolved.problem);
      return { backend: null, weight, filters: [], broken: resolved.broken, origin };
    }
    const trouble = problems[0]?.message ?? (redirect && 'a backend cannot redirect');
    if (trouble !== undefined) {
      this.unsupported.push(...problems);
      const broken = { kind: 'respond', statusCode: 500, reason: trouble } as const;
      return { backend: null, weight, filters: [], broken, origin };
    }
    this.uses.push(resolved.use);
    return { backend: resolved.use.key, weight, filters, origin };
  }

  #noteIgnored(written: WrittenRule, field: string): void {
    for (const name of ['timeouts', 'retry', 'sessionPersistence'] as const) {
      if (written[name] === undefined) continue;
      this.ignored.push({
        severity: 'warning',
        reason: 'UnsupportedField',
        field: `${field}.${name}`,
        message: `${name} has no effect in this version of Fairway`,
      });
    }
  }

  #origin(field: string): Origin {
    const { namespace = '', name = '' } = this.#route.metadata;
    return { kind: 'HTTPRoute', namespace, name, field };
  }
}

/** `rule 0`, or by its name `rule "checkout"`. */
function ruleName(written: WrittenRule, field: string): string {
  return written.name === undefined
    ? field.replace('spec.rules[', 'rule ').replace(']', '')
    : `rule "${written.name}"`;
}
