// What a rule of an HTTPRoute asks of a request → Match, or why we cannot ask it.

import type { HTTPRouteMatch } from '../../api/gateway/httpmatches.ts';
import type { Match, PathMatch } from '../../model/match.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export function resolveMatch(written: HTTPRouteMatch, field: string): Match | Problem {
  const { path, method, headers = [], queryParams = [] } = written;
  if (path.type === 'RegularExpression') return unsupported(`${field}.path.type`);
  const regexHeader = headers.findIndex((h) => h.type === 'RegularExpression');
  if (regexHeader !== -1) return unsupported(`${field}.headers[${regexHeader}].type`);
  const regexQuery = queryParams.findIndex((q) => q.type === 'RegularExpression');
  if (regexQuery !== -1) return unsupported(`${field}.queryParams[${regexQuery}].type`);
  return {
    path: resolvePath(path.type, path.value),
    ...(method === undefined ? {} : { method }),
    headers: headers.map(({ name, value }) => ({ name: name.toLowerCase(), value })),
    queryParams: queryParams.map(({ name, value }) => ({ name, value })),
  };
}

function resolvePath(type: 'Exact' | 'PathPrefix', value: string): PathMatch {
  if (type === 'Exact') return { kind: 'exact', value };
  // A trailing slash means nothing in a prefix: /a/ takes /a as well.
  const trimmed = value.endsWith('/') ? value.slice(0, -1) : value;
  return { kind: 'prefix', value: trimmed === '' ? '/' : trimmed };
}

function unsupported(field: string): Problem {
  return problem(
    'UnsupportedValue',
    field,
    'regular expressions are not matched by this version of Fairway',
    'use Exact or PathPrefix',
  );
}
