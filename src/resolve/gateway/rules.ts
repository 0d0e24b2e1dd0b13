// The rules of an HTTPRoute → rules of the model, one for each match, each with what decides its place
// among the rules of other routes.

import type { HTTPRoute } from '../../api/gateway/httproute.ts';
import { compareMatches } from '../../model/match.ts';
import type { Match } from '../../model/match.ts';
import type { Action, Origin, Result, Rule, WeightedBackend } from '../../model/model.ts';
import { resolveFilters } from '../filters/filters.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { resolveBackendRef } from './backends.ts';
import type { BackendRef, BackendUse } from './backends.ts';
import type { Surroundings } from './grants.ts';
import { ignoredConditions, resolveMatch } from './matches.ts';
import { resolvePolicy, sessionProblem } from './policy.ts';

/** A rule and what breaks ties between it and rules that match equally well. */
export interface RankedRule {
  readonly rule: Rule;
  /** creationTimestamp of the route. */
  readonly created: string;
  /** `namespace/name` of the route. */
  readonly route: string;
  readonly ruleIndex: number;
  readonly matchIndex: number;
  /** Of a GRPCRoute: what decides before all else. Hosts have rules of one kind only. */
  readonly call?: CallRank;
}

/** Exact names (0) come before expressions (1), and those before every call (2); then the characters of the service count, then of the method. */
export interface CallRank {
  readonly form: 0 | 1 | 2;
  readonly service: number;
  readonly method: number;
}

/** The Gateway API's order of precedence, ties included. */
export function compareRanked(a: RankedRule, b: RankedRule): number {
  return (
    compareCalls(a.call, b.call) ||
    compareMatches(a.rule.match, b.rule.match) ||
    compareText(a.created, b.created) ||
    compareText(a.route, b.route) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

function compareCalls(a: CallRank | undefined, b: CallRank | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return a.form - b.form || b.service - a.service || b.method - a.method;
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
  /** The rules that are concerned by `unsupported`. */
  readonly dropped: readonly DroppedRule[];
  /** What is likely not as meant, and no fault in the sense of the API. */
  readonly warnings: readonly Problem[];
}

/** A rule that does not do what it says. */
export interface DroppedRule {
  readonly ruleIndex: number;
  /** Nothing of it is left; otherwise some of its matches or backends work as they should. */
  readonly isWhole: boolean;
  readonly problems: readonly Problem[];
}

type WrittenRule = HTTPRoute['spec']['rules'][number];

export function resolveRules(
  route: HTTPRoute,
  surroundings: Surroundings,
  kind = 'HTTPRoute',
): ResolvedRules {
  const collected = new Collector(route, surroundings, kind);
  route.spec.rules.forEach((rule, i) => collected.add(rule, i));
  // Not the collector itself: it would keep alive all it has read.
  const { rules, uses, unresolved, unsupported, dropped, warnings } = collected;
  return { rules, uses, unresolved, unsupported, dropped, warnings };
}

class Collector implements ResolvedRules {
  readonly rules: RankedRule[] = [];
  readonly uses: BackendUse[] = [];
  readonly unresolved: Problem[] = [];
  readonly unsupported: Problem[] = [];
  readonly dropped: DroppedRule[] = [];
  readonly warnings: Problem[] = [];
  readonly #route: HTTPRoute;
  readonly #surroundings: Surroundings;
  readonly #kind: string;

  constructor(route: HTTPRoute, surroundings: Surroundings, kind: string) {
    this.#kind = kind;
    this.#route = route;
    this.#surroundings = surroundings;
  }

  add(written: WrittenRule, ruleIndex: number): void {
    const { namespace = '', name = '', creationTimestamp = '' } = this.#route.metadata;
    const origin = this.#origin(`spec.rules[${ruleIndex}]`);
    const matches: { match: Match; matchIndex: number }[] = [];
    const problems: Problem[] = [];
    written.matches.forEach((m, matchIndex) => {
      const field = `${origin.field}.matches[${matchIndex}]`;
      const match = resolveMatch(m, field);
      if ('reason' in match) problems.push(match);
      else matches.push({ match, matchIndex });
      this.warnings.push(...ignoredConditions(m, field));
    });
    const resolved = matches.map(({ match }) => match);
    const { action, works } = this.#action(written, origin, resolved, problems);
    for (const { match, matchIndex } of matches) {
      this.rules.push({
        rule: { match, action, origin: this.#origin(`${origin.field}.matches[${matchIndex}]`) },
        created: creationTimestamp,
        route: `${namespace}/${name}`,
        ruleIndex,
        matchIndex,
      });
    }
    if (problems.length === 0) return;
    this.unsupported.push(...problems);
    this.dropped.push({ ruleIndex, isWhole: !works || matches.length === 0, problems });
  }

  /** What the rule does, and whether any of it is what was asked for. Notes what is not. */
  #action(
    written: WrittenRule,
    origin: Origin,
    matches: readonly Match[],
    problems: Problem[],
  ): { readonly action: Action; readonly works: boolean } {
    const prefix = matches[0]?.path.value ?? '/';
    const { filters, redirect, ...rest } = resolveFilters(written.filters, {
      origin: this.#origin(`${origin.field}.filters`),
      prefix,
      surroundings: this.#surroundings,
    });
    this.uses.push(...rest.uses);
    this.unresolved.push(...rest.unresolved);
    const id = `${origin.kind} ${origin.namespace}/${origin.name} ${ruleName(written, origin.field)}`;
    const badSession = sessionProblem(written, origin.field);
    const troubles = badSession === undefined ? rest.problems : [...rest.problems, badSession];
    const [trouble] = troubles;
    if (trouble !== undefined) {
      problems.push(...troubles);
      const result = { kind: 'respond', statusCode: 500, reason: trouble.message } as const;
      return { action: { id, filters, result, origin }, works: false };
    }
    if (rest.closed !== undefined) {
      const result = { kind: 'respond', statusCode: 500, reason: rest.closed.message } as const;
      return { action: { id, filters, result, origin }, works: true };
    }
    if (redirect !== undefined) {
      return { action: { id, filters, result: redirect, origin }, works: true };
    }
    const backends = (written.backendRefs ?? []).map((ref, i) =>
      this.#backend(ref, this.#origin(`${origin.field}.backendRefs[${i}]`), prefix),
    );
    problems.push(...backends.flatMap((b) => b.problems));
    const result = forward(backends.map((b) => b.weighted));
    if (result.kind === 'respond') {
      this.warnings.push({
        ...problem(
          'NoBackends',
          origin.field,
          `every request is answered with 500: ${result.reason}`,
        ),
        severity: 'warning',
      });
    }
    const works = backends.length === 0 || backends.some((b) => b.problems.length === 0);
    const policy = resolvePolicy(written, id, matches);
    return { action: { id, filters, result, ...policy, origin }, works };
  }

  #backend(
    ref: BackendRef,
    origin: Origin,
    prefix: string,
  ): { readonly weighted: WeightedBackend; readonly problems: readonly Problem[] } {
    const { weight } = ref;
    const { filters, redirect, problems, ...rest } = resolveFilters(ref.filters, {
      origin: this.#origin(`${origin.field}.filters`),
      prefix,
      surroundings: this.#surroundings,
    });
    this.uses.push(...rest.uses);
    this.unresolved.push(...rest.unresolved);
    const resolved = resolveBackendRef(ref, origin, this.#surroundings);
    if ('problem' in resolved) {
      this.unresolved.push(resolved.problem);
      const { broken } = resolved;
      return { weighted: { backend: null, weight, filters: [], broken, origin }, problems };
    }
    const trouble = problems[0] ?? rest.closed;
    if (trouble !== undefined) {
      const broken = { kind: 'respond', statusCode: 500, reason: trouble.message } as const;
      return { weighted: { backend: null, weight, filters: [], broken, origin }, problems };
    }
    if (redirect !== undefined) {
      return { weighted: { backend: null, weight, filters, redirect, origin }, problems };
    }
    this.uses.push(resolved.use);
    return { weighted: { backend: resolved.use.key, weight, filters, origin }, problems };
  }

  #origin(field: string): Origin {
    const { namespace = '', name = '' } = this.#route.metadata;
    return { kind: this.#kind, namespace, name, field };
  }
}

function forward(backends: readonly WeightedBackend[]): Result {
  if (backends.length === 0) {
    return { kind: 'respond', statusCode: 500, reason: 'the rule has no backendRefs' };
  }
  if (backends.every((b) => b.weight === 0)) {
    return { kind: 'respond', statusCode: 500, reason: 'all backends of the rule have weight 0' };
  }
  return { kind: 'forward', backends };
}

/** `rule 0`, or by its name `rule "checkout"`. */
function ruleName(written: WrittenRule, field: string): string {
  return written.name === undefined
    ? field.replace('spec.rules[', 'rule ').replace(']', '')
    : `rule "${written.name}"`;
}
