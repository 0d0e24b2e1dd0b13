// Filters of a route, as written → filters of the model, in the order they are applied. Exhaustive: a
// filter we cannot apply breaks its rule, visibly, and is never skipped.

import type { HTTPRouteFilter } from '../../api/gateway/httpfilters.ts';
import type { Filter, HeaderChanges, HeaderValue } from '../../model/filter.ts';
import type { Origin, PathChange, RedirectResult } from '../../model/model.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export interface ResolvedFilters {
  readonly filters: readonly Filter[];
  /** A filter that answers instead of the backends. */
  readonly redirect: RedirectResult | undefined;
  readonly problems: readonly Problem[];
}

export interface FilterContext {
  /** Where the list of filters stands. */
  readonly origin: Origin;
  /** The prefix of the rule's one match, for those that replace it. */
  readonly prefix: string;
}

const NO_FILTERS: ResolvedFilters = { filters: [], redirect: undefined, problems: [] };

export function resolveFilters(
  written: readonly HTTPRouteFilter[] | undefined,
  context: FilterContext,
): ResolvedFilters {
  if (written === undefined || written.length === 0) return NO_FILTERS;
  const filters: Filter[] = [];
  const problems: Problem[] = [];
  let redirect: RedirectResult | undefined;
  written.forEach((filter, i) => {
    const origin = { ...context.origin, field: `${context.origin.field}[${i}]` };
    const resolved = resolveFilter(filter, origin, context.prefix);
    if ('reason' in resolved) problems.push(resolved);
    else if (resolved.kind === 'redirect') redirect = resolved;
    else filters.push(resolved);
  });
  return { filters, redirect, problems };
}

function resolveFilter(
  filter: HTTPRouteFilter,
  origin: Origin,
  prefix: string,
): Filter | RedirectResult | Problem {
  switch (filter.type) {
    case 'RequestHeaderModifier':
      return { kind: 'requestHeaders', ...headerChanges(filter.requestHeaderModifier), origin };
    case 'ResponseHeaderModifier':
      return { kind: 'responseHeaders', ...headerChanges(filter.responseHeaderModifier), origin };
    case 'URLRewrite': {
      const { hostname, path } = filter.urlRewrite ?? {};
      return {
        kind: 'rewrite',
        ...(hostname === undefined ? {} : { hostname }),
        ...(path === undefined ? {} : { path: pathChange(path, prefix) }),
        origin,
      };
    }
    case 'RequestRedirect': {
      const { scheme, hostname, port, path, statusCode = 302 } = filter.requestRedirect ?? {};
      return {
        kind: 'redirect',
        statusCode,
        ...(scheme === undefined ? {} : { scheme }),
        ...(hostname === undefined ? {} : { hostname }),
        ...(port === undefined ? {} : { port }),
        ...(path === undefined ? {} : { path: pathChange(path, prefix) }),
        origin,
      };
    }
    case 'RequestMirror':
    case 'CORS':
    case 'ExternalAuth':
    case 'ExtensionRef':
      return problem(
        'UnsupportedValue',
        `${origin.field}.type`,
        `filter ${filter.type} is not applied by this version of Fairway`,
        'requests that match the rule are answered with 500 until the filter is removed',
      );
  }
}

type WrittenChanges = NonNullable<HTTPRouteFilter['requestHeaderModifier']>;

function headerChanges(written: WrittenChanges | undefined): HeaderChanges {
  return {
    set: lowerNames(written?.set),
    add: lowerNames(written?.add),
    remove: (written?.remove ?? []).map((name) => name.toLowerCase()),
  };
}

/** Of names that are equal but for their case, the first counts (HTTPHeaderFilter.set). */
function lowerNames(headers: readonly HeaderValue[] | undefined): readonly HeaderValue[] {
  const byName = new Map<string, HeaderValue>();
  for (const { name, value } of headers ?? []) {
    const lower = name.toLowerCase();
    if (!byName.has(lower)) byName.set(lower, { name: lower, value });
  }
  return [...byName.values()];
}

type WrittenPath = NonNullable<NonNullable<HTTPRouteFilter['urlRewrite']>['path']>;

function pathChange(written: WrittenPath, prefix: string): PathChange {
  if (written.type === 'ReplaceFullPath') {
    return { kind: 'full', value: absolute(written.replaceFullPath ?? '') || '/' };
  }
  return { kind: 'prefix', prefix, value: absolute(written.replacePrefixMatch ?? '') };
}

/** The API does not ask for the leading slash that a path must have. */
function absolute(path: string): string {
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}
