// What a rule of an HTTPRoute asks of a request → Match, or why we cannot ask it.

import type { HTTPRouteMatch } from '../../api/gateway/httpmatches.ts';
import { splitTarget } from '../../lib/http-path.ts';
import { compilePattern } from '../../lib/regex.ts';
import type { Match, PathMatch, ValueMatch } from '../../model/match.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export function resolveMatch(written: HTTPRouteMatch, field: string): Match | Problem {
  const { path, method, headers = [], queryParams = [] } = written;
  const unusable =
    badExpression(path, `${field}.path`) ??
    firstBadExpression(headers, `${field}.headers`) ??
    firstBadExpression(queryParams, `${field}.queryParams`);
  if (unusable !== undefined) return unusable;
  const resolved = resolvePath(path.type, path.value);
  if (resolved === null) return unmatchable(path.value, `${field}.path.value`);
  return {
    path: resolved,
    ...(method === undefined ? {} : { method }),
    headers: firstOfEachName(headers),
    queryParams: queryParams.map(({ name, type, value }) => valueMatch(name, type, value)),
  };
}

function resolvePath(type: WrittenPath['type'], written: string): PathMatch | null {
  if (type === 'RegularExpression') return { kind: 'regex', value: written };
  // Requests are compared in their normal form, so that a value in another form would take none.
  const value = splitTarget(written)?.path;
  if (value === undefined) return null;
  if (type === 'Exact') return { kind: 'exact', value };
  // A trailing slash means nothing in a prefix: /a/ takes /a as well.
  const trimmed = value.endsWith('/') ? value.slice(0, -1) : value;
  return { kind: 'prefix', value: trimmed === '' ? '/' : trimmed };
}

type WrittenPath = HTTPRouteMatch['path'];
type WrittenHeaders = NonNullable<HTTPRouteMatch['headers']>;

/** Of names that are equal but for their case, the first counts (HTTPHeaderMatch.name). */
function firstOfEachName(headers: WrittenHeaders): readonly ValueMatch[] {
  const byName = new Map<string, ValueMatch>();
  for (const { name, type, value } of headers) {
    const lower = name.toLowerCase();
    if (!byName.has(lower)) byName.set(lower, valueMatch(lower, type, value));
  }
  return [...byName.values()];
}

function valueMatch(name: string, type: string, value: string): ValueMatch {
  return type === 'RegularExpression' ? { name, value, regex: true } : { name, value };
}

interface Expression {
  readonly type: string;
  readonly value: string;
}

function firstBadExpression(written: readonly Expression[], field: string): Problem | undefined {
  for (const [i, item] of written.entries()) {
    const bad = badExpression(item, `${field}[${i}]`);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

/** What is wrong with a value that is a regular expression. */
function badExpression({ type, value }: Expression, field: string): Problem | undefined {
  if (type !== 'RegularExpression') return undefined;
  const compiled = compilePattern(value);
  if (!('trouble' in compiled)) return undefined;
  return problem(
    'UnsupportedValue',
    `${field}.value`,
    `${JSON.stringify(value)} cannot be used as a regular expression: ${compiled.trouble}`,
    'write it in RE2 syntax, which has no lookaround and no backreferences; it must take the whole value',
  );
}

/** Conditions of a match that have no effect. */
export function ignoredConditions(written: HTTPRouteMatch, field: string): readonly Problem[] {
  const seen = new Set<string>();
  return (written.headers ?? []).flatMap(({ name }, i): readonly Problem[] => {
    const lower = name.toLowerCase();
    if (!seen.has(lower)) {
      seen.add(lower);
      return [];
    }
    const message = `header ${name} is asked for a second time, and only the first time counts`;
    return [
      {
        ...problem('IgnoredHeader', `${field}.headers[${i}].name`, message),
        severity: 'warning',
      },
    ];
  });
}

function unmatchable(value: string, field: string): Problem {
  return problem(
    'UnsupportedValue',
    field,
    `requests for ${value} are refused, as servers could read the path in two ways`,
    'take the escaped backslash or NUL out of it',
  );
}
