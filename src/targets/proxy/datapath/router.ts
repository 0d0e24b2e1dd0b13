// Which rule takes a request. Looking up costs what the request's own path is long, not how many
// routes there are: hosts and exact paths by hash, prefixes by hash once for each depth in use, then
// the few rules for that path in their order of precedence. Expressions alone are asked one by one.
//
// Budget: 0.5 µs at any number of routes (bench/lookup.ts). Allocates the slices of the path it looks
// up, nothing else.

import { parseQuery } from '../../../lib/http-path.ts';
import { compilePattern } from '../../../lib/regex.ts';
import type { Pattern } from '../../../lib/regex.ts';
import type { ValueMatch } from '../../../model/match.ts';
import type { TableDelta } from '../patch.ts';
import type { ActionProgram, PathGroup, RuleProgram, TableProgram } from '../program.ts';
import { fieldValue } from './fields.ts';
import { cookieOf } from './session.ts';
import type { Fields } from './stream.ts';

/** What a header or query parameter must be. */
interface ValueTest {
  readonly name: string;
  readonly value: string;
  /** Instead of `value`. */
  readonly pattern: Pattern | null;
}

/** A rule as the lookup reads it; `action` is whatever the owner of the table runs. */
export interface TableRule<Action> {
  readonly method: string | null;
  readonly pattern: Pattern | null;
  readonly headers: readonly ValueTest[];
  readonly queryParams: readonly ValueTest[];
  readonly cookies: readonly ValueTest[];
  readonly action: Action;
}

/** What of a request decides. */
export interface RoutedRequest {
  readonly method: string;
  /** Normalized. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly fields: Fields;
}

type Rules<Action> = readonly TableRule<Action>[];
type ActionMaker<Action> = (action: ActionProgram) => Action;

/** The rules of one host, ready to be looked up. */
export class RouteTable<Action> {
  readonly #exact = new Map<string, Rules<Action>>();
  #regex: readonly RegexGroup<Action>[] = [];
  readonly #prefix = new Map<string, Rules<Action>>();
  /** At [d]: how many prefixes have d segments. `/` has none. */
  readonly #depths: number[] = [];

  constructor(program: TableProgram, makeAction: ActionMaker<Action>) {
    for (const { path, rules } of program.exact)
      this.#exact.set(path, makeRules(rules, makeAction));
    this.#regex = makeRegex(program.regex, makeAction);
    for (const { path, rules } of program.prefix) this.#setPrefix(path, rules, makeAction);
  }

  /** Changes some of the rules: between two requests, so that no lookup sees a part of it. */
  change({ exact, prefix, regex }: TableDelta, makeAction: ActionMaker<Action>): void {
    for (const path of exact.removed) this.#exact.delete(path);
    for (const [path, { rules }] of exact.set) this.#exact.set(path, makeRules(rules, makeAction));
    for (const path of prefix.removed) {
      if (this.#prefix.delete(path)) this.#countDepth(path, -1);
    }
    for (const [path, { rules }] of prefix.set) this.#setPrefix(path, rules, makeAction);
    if (regex !== null) this.#regex = makeRegex(regex, makeAction);
  }

  #setPrefix(path: string, rules: readonly RuleProgram[], makeAction: ActionMaker<Action>): void {
    if (!this.#prefix.has(path)) this.#countDepth(path, 1);
    this.#prefix.set(path, makeRules(rules, makeAction));
  }

  #countDepth(path: string, by: 1 | -1): void {
    const depth = depthOf(path);
    while (this.#depths.length <= depth) this.#depths.push(0);
    this.#depths[depth]! += by;
    while (this.#depths.at(-1) === 0) this.#depths.pop();
  }

  /** The first rule, in order of precedence, that takes the request; null when none does. */
  lookup(request: RoutedRequest): TableRule<Action> | null {
    const exact = this.#exact.get(request.path);
    if (exact !== undefined) {
      const rule = firstMatch(exact, request);
      if (rule !== null) return rule;
    }
    for (const { pattern, searches, rules } of this.#regex) {
      if (searches ? !pattern.isIn(request.path) : !pattern.matches(request.path)) continue;
      const rule = firstMatch(rules, request);
      if (rule !== null) return rule;
    }
    return this.#lookupPrefix(request);
  }

  #lookupPrefix(request: RoutedRequest): TableRule<Action> | null {
    const { path } = request;
    const ends = segmentEnds(path, this.#depths.length - 1);
    for (let depth = ends; depth >= 0; depth--) {
      if (this.#depths[depth] === 0) continue;
      const prefix = depth === 0 ? '/' : path.slice(0, ENDS[depth]);
      const rules = this.#prefix.get(prefix);
      if (rules === undefined) continue;
      const rule = firstMatch(rules, request);
      if (rule !== null) return rule;
    }
    return null;
  }
}

/** A prefix of 1,024 characters, the API's limit, has no more segments. */
const DEPTH_MAX = 512;
/** Where each segment of the path being looked up ends: [1] for the first. */
const ENDS = new Int32Array(DEPTH_MAX + 1);

/** Fills ENDS for up to `depthMax` segments and gives how many the path has. */
function segmentEnds(path: string, depthMax: number): number {
  let depth = 0;
  // A path of the request line that is no path (`*`) has no segments and is under no prefix.
  if (path.charCodeAt(0) !== 0x2f) return -1;
  let start = 1;
  while (depth < depthMax && start < path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    ENDS[++depth] = end;
    start = end + 1;
  }
  return depth;
}

function depthOf(prefix: string): number {
  return prefix === '/' ? 0 : prefix.split('/').length - 1;
}

interface RegexGroup<Action> {
  readonly pattern: Pattern;
  readonly searches: boolean;
  readonly rules: readonly TableRule<Action>[];
}

/** Takes nothing: stands for an expression that would not compile, which resolve lets none of through. */
const NOTHING: Pattern = {
  groupCount: 0,
  groupNames: [],
  matches: () => false,
  groups: () => null,
  find: () => null,
  isIn: () => false,
  groupNumber: () => undefined,
};

function usable(text: string): Pattern {
  const pattern = compilePattern(text);
  return 'trouble' in pattern ? NOTHING : pattern;
}

function compileTest({ name, value, regex }: ValueMatch): ValueTest {
  return { name, value, pattern: regex === true ? usable(value) : null };
}

function makeRules<Action>(
  rules: readonly RuleProgram[],
  makeAction: ActionMaker<Action>,
): Rules<Action> {
  return rules.map((rule) => ({
    method: rule.method,
    pattern: rule.pattern === null ? null : usable(rule.pattern),
    headers: rule.headers.map(compileTest),
    queryParams: rule.queryParams.map(compileTest),
    cookies: rule.cookies.map(compileTest),
    action: makeAction(rule.action),
  }));
}

function makeRegex<Action>(
  groups: readonly PathGroup[],
  makeAction: ActionMaker<Action>,
): readonly RegexGroup<Action>[] {
  return groups.map(({ path, searches = false, rules }) => ({
    pattern: usable(path),
    searches,
    rules: makeRules(rules, makeAction),
  }));
}

function firstMatch<Action>(
  rules: readonly TableRule<Action>[],
  request: RoutedRequest,
): TableRule<Action> | null {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    if (rule.method !== null && rule.method !== request.method) continue;
    if (rule.pattern !== null && !rule.pattern.matches(request.path)) continue;
    if (rule.headers.length > 0 && !headersMatch(rule.headers, request.fields)) continue;
    if (rule.cookies.length > 0 && !cookiesMatch(rule.cookies, request.fields)) continue;
    if (rule.queryParams.length > 0 && !queryMatches(rule.queryParams, request.query)) continue;
    return rule;
  }
  return null;
}

function headersMatch(wanted: TableRule<unknown>['headers'], fields: Fields): boolean {
  for (const { name, value, pattern } of wanted) {
    const given = fieldValue(fields, name);
    if (pattern === null ? given !== value : given === undefined || !pattern.matches(given)) {
      return false;
    }
  }
  return true;
}

function cookiesMatch(wanted: readonly ValueTest[], fields: Fields): boolean {
  for (const { name, value, pattern } of wanted) {
    const given = cookieOf(fields, name);
    if (pattern === null ? given !== value : given === undefined || !pattern.matches(given)) {
      return false;
    }
  }
  return true;
}

/** Of a name that is given twice, only the first value counts. */
function queryMatches(wanted: TableRule<unknown>['queryParams'], query: string): boolean {
  const given = parseQuery(query);
  for (const { name, value, pattern } of wanted) {
    const found = given.find(([key]) => key === name)?.[1];
    if (pattern === null ? found !== value : found === undefined || !pattern.matches(found)) {
      return false;
    }
  }
  return true;
}
