// What a rule of an HTTPRoute asks of a request → Match, or why we cannot ask it.

import type { HTTPRouteMatch } from '../../api/gateway/httpmatches.ts';
import { splitTarget } from '../../lib/http-path.ts';
import type { Match, PathMatch, ValueMatch } from '../../model/match.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export function resolveMatch(written: HTTPRouteMatch, field: string): Match | Problem {
  const { path, method, headers = [], queryParams = [] } = written;
  if (path.type === 'RegularExpression') return unsupported(`${field}.path.type`);
  const regexHeader = headers.findIndex((h) => h.type === 'RegularExpression');
  if (regexHeader !== -1) return unsupported(`${field}.headers[${regexHeader}].type`);
  const regexQuery = queryParams.findIndex((q) => q.type === 'RegularExpression');
  if (regexQuery !== -1) return unsupported(`${field}.queryParams[${regexQuery}].type`);
  // Requests are compared in their normal form, so that a value in another form would take none.
  const normal = splitTarget(path.value);
  if (normal === null) return unmatchable(path.value, `${field}.path.value`);
  return {
    path: resolvePath(path.type, normal.path),
    ...(method === undefined ? {} : { method }),
    headers: firstOfEachName(headers),
    queryParams: queryParams.map(({ name, value }) => ({ name, value })),
  };
}

function resolvePath(type: 'Exact' | 'PathPrefix', value: string): PathMatch {
  if (type === 'Exact') return { kind: 'exact', value };
  // A trailing slash means nothing in a prefix: /a/ takes /a as well.
  const trimmed = value.endsWith('/') ? value.slice(0, -1) : value;
  return { kind: 'prefix', value: trimmed === '' ? '/' : trimmed };
}

type WrittenHeaders = NonNullable<HTTPRouteMatch['headers']>;

/** Of names that are equal but for their case, the first counts (HTTPHeaderMatch.name). */
function firstOfEachName(headers: WrittenHeaders): readonly ValueMatch[] {
  const byName = new Map<string, ValueMatch>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    if (!byName.has(lower)) byName.set(lower, { name: lower, value });
  }
  return [...byName.values()];
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

function unsupported(field: string): Problem {
  return problem(
    'UnsupportedValue',
    field,
    'regular expressions are not matched by this version of Fairway',
    'use Exact or PathPrefix',
  );
}
