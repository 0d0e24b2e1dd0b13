// Paths of a host as its rules ask for them → paths as HTTPRoutes do. What a host of expressions takes is
// said by expressions, or by prefixes where that lets a rewrite be said in the standard: `/app(/|$)(.*)`
// with `/$2` is the prefix /app, replaced.

import { escapePath } from '../lib/decoded-path.ts';
import { splitTarget } from '../lib/http-path.ts';
import { compilePattern } from '../lib/regex.ts';
import type { RewriteFilter } from '../model/filter.ts';
import type { PathTemplate } from '../lib/path-template.ts';
import type { Action, Rule, SearchChange } from '../model/model.ts';

export interface PathPlan {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value: string;
  /** What takes the place of the prefix. */
  readonly replacement?: string;
  /** The difference, where it is only nearly what the rule takes. */
  readonly difference?: string;
}

/** Why a rule has no path: another one takes all of its requests, or it cannot be said. */
export interface NoPath {
  readonly dropped: string;
  readonly isLost: boolean;
}

export interface HostPaths {
  /** In the order of the rules. */
  readonly plans: readonly (PathPlan | NoPath)[];
  /** Expressions have become prefixes. */
  readonly isPrefixed: boolean;
}

/** The longest value of a path match. */
const PATH_CHARS_MAX = 1024;

export function planPaths(rules: readonly Rule[]): HostPaths {
  const isRegex = rules.some((rule) => rule.match.path.kind === 'search');
  if (!isRegex) return { plans: rules.map(plainPath), isPrefixed: false };
  const prefixes = prefixPlans(rules);
  return prefixes === undefined
    ? { plans: expressionPlans(rules), isPrefixed: false }
    : { plans: prefixes, isPrefixed: true };
}

function plainPath({ match: { path } }: Rule): PathPlan | NoPath {
  const value = escapePath(path.value);
  const same = splitTarget(value)?.path === value;
  if (!same || value.length > PATH_CHARS_MAX || /[^-A-Za-z0-9/._~!$&'()*+,;=:@%]/.test(value)) {
    return { dropped: `path ${value} cannot be written in an HTTPRoute`, isLost: true };
  }
  return { type: path.kind === 'exact' ? 'Exact' : 'PathPrefix', value };
}

/** The path that was found, in place of `(?i)^PATH`. */
export function writtenExpression(value: string): string {
  return value.replace(/^\(\?i\)\^/, '');
}

function expressionPlans(rules: readonly Rule[]): readonly (PathPlan | NoPath)[] {
  const plans = rules.map((rule) =>
    rule.match.path.kind === 'search' ? expression(rule) : plainPath(rule),
  );
  // Longer expressions come first: none may be shorter than one that comes after it.
  let least = 0;
  let namespace: string | undefined;
  for (let i = plans.length - 1; i >= 0; i--) {
    const plan = plans[i];
    if (plan === undefined || !('type' in plan) || plan.type !== 'RegularExpression') continue;
    let { value } = plan;
    const own = rules[i]?.action.origin.namespace;
    // Of two routes the order of rules says nothing: the first must be longer.
    if (namespace !== undefined && own !== namespace) least++;
    while (value.length < least) value += '(?:)';
    least = value.length;
    namespace = own;
    plans[i] =
      value.length > PATH_CHARS_MAX
        ? { dropped: `the expression has more than ${PATH_CHARS_MAX} characters`, isLost: true }
        : { ...plan, value };
  }
  return plans;
}

function expression(rule: Rule): PathPlan | NoPath {
  const path = writtenExpression(rule.match.path.value);
  if (path === '/') return { type: 'PathPrefix', value: '/' };
  const escaped = path.replaceAll(/[\x80-\xff "<>`{}|^]/g, (c) =>
    /[{}|^]/.test(c) ? c : `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  const end = /\.\*\)?$/.test(escaped) && !/\\\.\*\)?$/.test(escaped) ? '' : '.*';
  const value = hasAlternatives(escaped) ? `(?i).*(?:^${escaped}).*` : `(?i)${escaped}${end}`;
  const compiled = compilePattern(value);
  if ('trouble' in compiled)
    return { dropped: `the expression ${value}: ${compiled.trouble}`, isLost: true };
  return { type: 'RegularExpression', value };
}

/** Whether `|` stands outside of all brackets. */
function hasAlternatives(text: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (inClass) inClass = c !== ']';
    else if (c === '[') inClass = true;
    else if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === '|' && depth === 0) return true;
  }
  return false;
}

interface PrefixForm {
  readonly prefix: string;
  readonly replacement?: string;
  /** Takes everything that begins with the prefix, segment or not. */
  readonly isOpen: boolean;
  /** Does not take the prefix itself. */
  readonly isBelow: boolean;
  /** Takes the path alone. */
  readonly isExact?: true;
}

const LITERAL = /^\/(?:[-A-Za-z0-9/_~]|\\\.)*$/;

/** All rules as prefixes; undefined where that is not possible, or says nothing more than expressions do. */
function prefixPlans(rules: readonly Rule[]): readonly (PathPlan | NoPath)[] | undefined {
  const hasCaptures = rules.some(({ action }) => capturesOf(action));
  if (!hasCaptures) return undefined;
  const forms = rules.map(prefixForm);
  if (forms.includes(undefined)) return undefined;
  const known = forms as readonly PrefixForm[];
  return known.map((form, i) => {
    const before = known.slice(0, i);
    const winner = before.find(
      (other, j) =>
        other.isExact !== true &&
        isUnder(form.prefix, other.prefix) &&
        sameConditions(rules[j], rules[i]),
    );
    if (form.isExact === true) return { type: 'Exact', value: form.prefix };
    if (winner !== undefined && !(form.isOpen && winner.prefix === form.prefix && winner.isBelow)) {
      return {
        dropped: `requests under ${form.prefix} are taken by the rule for ${winner.prefix}`,
        isLost: false,
      };
    }
    const differences = [
      'upper and lower case differ in prefixes, as they did not before',
      ...(form.isOpen && form.prefix !== '/'
        ? [`${form.prefix} takes whole segments, and no longer what only begins with it`]
        : []),
      ...(form.isBelow && form.prefix !== '/' ? [`${form.prefix} itself is taken as well`] : []),
    ];
    return {
      type: 'PathPrefix',
      value: form.prefix,
      ...(form.replacement === undefined ? {} : { replacement: form.replacement }),
      ...(form.prefix === '/' ? {} : { difference: differences.join('; ') }),
    };
  });
}

function isUnder(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

function sameConditions(a: Rule | undefined, b: Rule | undefined): boolean {
  return (a?.match.headers.length ?? 0) + (a?.match.cookies?.length ?? 0) === 0 && b !== undefined;
}

export function rewriteOf({ filters }: Action): RewriteFilter | undefined {
  return filters.find((filter) => filter.kind === 'rewrite');
}

function capturesOf(action: Action): boolean {
  if (action.result.kind !== 'forward') return false;
  const path = rewriteOf(action)?.path;
  return path?.kind === 'search' && templateOf(path).some((part) => typeof part === 'number');
}

/** What a rewrite puts together; groups that its expression does not have are empty. */
export function templateOf({ pattern, template }: SearchChange): PathTemplate {
  const compiled = compilePattern(pattern);
  const count = 'trouble' in compiled ? 0 : compiled.groupCount;
  return template.filter((part) => typeof part === 'string' || part <= count);
}

function prefixForm(rule: Rule): PrefixForm | undefined {
  const { path } = rule.match;
  if (path.kind === 'exact')
    return { prefix: path.value, isOpen: false, isBelow: false, isExact: true };
  if (path.kind === 'prefix') return { prefix: path.value, isOpen: false, isBelow: false };
  if (path.kind !== 'search') return undefined;
  const text = writtenExpression(path.value);
  // What answers by itself rewrites nothing.
  const change = rule.action.result.kind === 'forward' ? rewriteOf(rule.action)?.path : undefined;
  if (
    change !== undefined &&
    (change.kind !== 'search' || change.query !== undefined || change.dropsQuery === true)
  ) {
    return undefined;
  }
  const template = change === undefined ? [] : templateOf(change);
  const captures = template.some((part) => typeof part === 'number');
  if (!captures) {
    const open = /^(.*?)(?:\(\.\*\)|\.\*)?$/.exec(text)?.[1] ?? text;
    if (!LITERAL.test(open)) return undefined;
    return { prefix: clean(open), isOpen: !open.endsWith('/'), isBelow: open.endsWith('/') };
  }
  return captureForm(text, template);
}

/** What stands before the rest of the path, and how the rest is taken. */
const FORMS: readonly {
  readonly end: RegExp;
  readonly group: number;
  readonly isBelow: boolean;
  readonly isOpen: boolean;
  readonly slash: boolean;
}[] = [
  {
    end: /\((?:\/\|\$|\$\|\/)\)\(\.\*\)\$?$/,
    group: 2,
    isBelow: false,
    isOpen: false,
    slash: true,
  },
  { end: /\(\)\(\.\*\)\$?$/, group: 2, isBelow: false, isOpen: true, slash: false },
  { end: /\(\?:\/\|\$\)\(\.\*\)\$?$/, group: 1, isBelow: false, isOpen: false, slash: true },
  { end: /\/\(\.\*\)\$?$/, group: 1, isBelow: true, isOpen: false, slash: true },
  { end: /\/\?\(\.\*\)\$?$/, group: 1, isBelow: false, isOpen: true, slash: true },
  { end: /\(\/\.\*\)\?\$?$/, group: 1, isBelow: false, isOpen: true, slash: false },
];

function captureForm(text: string, template: readonly (string | number)[]): PrefixForm | undefined {
  for (const { end, group, isBelow, isOpen, slash } of FORMS) {
    const found = end.exec(text);
    if (found === null) continue;
    const literal = text.slice(0, found.index);
    if (literal !== '' && !LITERAL.test(literal)) return undefined;
    const [start, taken, ...rest] = template.length === 1 ? ['', template[0]] : template;
    if (typeof start !== 'string' || taken !== group || rest.length > 0) return undefined;
    const base = start === '' ? '' : start.startsWith('/') ? start : `/${start}`;
    // The rest comes after a slash that the new beginning must have itself.
    if (slash ? !base.endsWith('/') && base !== '' : base.endsWith('/') && !literal.endsWith('/'))
      return undefined;
    const prefix = clean(literal === '' ? '/' : literal);
    const keepsAll = prefix === '/' && (base === '/' || base === '');
    return {
      prefix,
      ...(keepsAll ? {} : { replacement: base === '' ? '/' : base }),
      isOpen: isOpen && prefix !== '/',
      isBelow: isBelow && prefix !== '/',
    };
  }
  return undefined;
}

function clean(literal: string): string {
  const plain = literal.replaceAll('\\.', '.');
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain;
}
