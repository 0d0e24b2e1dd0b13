// Filters of a route, as written → filters of the model, in the order they are applied. Exhaustive: a
// filter we cannot apply breaks its rule, visibly, and is never skipped.

import type { HTTPRouteFilter } from '../../api/gateway/httpfilters.ts';
import type { Filter, HeaderChanges, HeaderValue } from '../../model/filter.ts';
import type { Origin, PathChange, RedirectResult } from '../../model/model.ts';
import type { BackendUse } from '../gateway/backends.ts';
import type { Surroundings } from '../gateway/grants.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { resolveAuth } from './auth.ts';
import type { ResolvedAuth } from './auth.ts';
import { corsFilter } from './cors.ts';
import { resolveExtension } from './extensions.ts';
import { resolveMirror } from './mirror.ts';
import type { ResolvedMirror } from './mirror.ts';

export interface ResolvedFilters {
  readonly filters: readonly Filter[];
  /** A filter that answers instead of the backends. */
  readonly redirect: RedirectResult | undefined;
  /** What breaks the rule. */
  readonly problems: readonly Problem[];
  /** Backends that requests are copied to. */
  readonly uses: readonly BackendUse[];
  /** References that lead nowhere: their filters are left out, and the rule works without. */
  readonly unresolved: readonly Problem[];
  /** A filter that nothing may go without, and that leads nowhere: it is among `unresolved`. */
  readonly closed: Problem | undefined;
}

export interface FilterContext {
  /** Where the list of filters stands. */
  readonly origin: Origin;
  /** The prefix of the rule's one match, for those that replace it. */
  readonly prefix: string;
  /** Where other objects are found. */
  readonly surroundings: Surroundings;
}

const NO_FILTERS: ResolvedFilters = {
  filters: [],
  redirect: undefined,
  problems: [],
  uses: [],
  unresolved: [],
  closed: undefined,
};

export function resolveFilters(
  written: readonly HTTPRouteFilter[] | undefined,
  context: FilterContext,
): ResolvedFilters {
  if (written === undefined || written.length === 0) return NO_FILTERS;
  const filters: Filter[] = [];
  const problems: Problem[] = [];
  const uses: BackendUse[] = [];
  const unresolved: Problem[] = [];
  let redirect: RedirectResult | undefined;
  let closed: Problem | undefined;
  written.forEach((filter, i) => {
    const origin = { ...context.origin, field: `${context.origin.field}[${i}]` };
    const resolved = resolveFilter(filter, origin, context);
    if ('problem' in resolved) {
      unresolved.push(resolved.problem);
    } else if ('closed' in resolved) {
      unresolved.push(resolved.closed);
      closed ??= resolved.closed;
    } else if ('use' in resolved) {
      uses.push(resolved.use);
      filters.push(resolved.filter);
    } else if ('reason' in resolved) problems.push(resolved);
    else if (resolved.kind === 'redirect') redirect = resolved;
    else filters.push(resolved);
  });
  return { filters, redirect, problems, uses, unresolved, closed };
}

function resolveFilter(
  filter: HTTPRouteFilter,
  origin: Origin,
  { prefix, surroundings }: FilterContext,
): Filter | RedirectResult | Problem | ResolvedMirror | ResolvedAuth {
  const { field } = origin;
  switch (filter.type) {
    case 'RequestHeaderModifier': {
      const changes = headerChanges(filter.requestHeaderModifier);
      const refused = framingProblem(changes, `${field}.requestHeaderModifier`);
      return refused ?? { kind: 'requestHeaders', ...changes, origin };
    }
    case 'ResponseHeaderModifier': {
      const changes = headerChanges(filter.responseHeaderModifier);
      const refused = framingProblem(changes, `${field}.responseHeaderModifier`);
      return refused ?? { kind: 'responseHeaders', ...changes, origin };
    }
    case 'URLRewrite': {
      const { path } = filter.urlRewrite ?? {};
      return pathProblem(path, `${field}.urlRewrite`) ?? rewriteFilter(filter, origin, prefix);
    }
    case 'RequestRedirect': {
      const { path } = filter.requestRedirect ?? {};
      return (
        pathProblem(path, `${field}.requestRedirect`) ?? redirectResult(filter, origin, prefix)
      );
    }
    case 'RequestMirror':
      return resolveMirror(filter.requestMirror, origin, surroundings);
    case 'CORS':
      return corsFilter(filter.cors, origin);
    case 'ExtensionRef':
      return resolveExtension(filter.extensionRef, origin, surroundings);
    case 'ExternalAuth':
      return resolveAuth(filter.externalAuth, origin, surroundings);
  }
}

function rewriteFilter({ urlRewrite }: HTTPRouteFilter, origin: Origin, prefix: string): Filter {
  const { hostname, path } = urlRewrite ?? {};
  return {
    kind: 'rewrite',
    ...(hostname === undefined ? {} : { hostname }),
    ...(path === undefined ? {} : { path: pathChange(path, prefix) }),
    origin,
  };
}

function redirectResult(
  { requestRedirect }: HTTPRouteFilter,
  origin: Origin,
  prefix: string,
): RedirectResult {
  const { scheme, hostname, port, path, statusCode = 302 } = requestRedirect ?? {};
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

/**
 * Where a message ends, whom it is for and what becomes of its connection. Were a filter to write
 * these, a backend could read another request than the one that was sent.
 */
export const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function framingProblem({ set, add, remove }: HeaderChanges, field: string): Problem | undefined {
  const name = [...[...set, ...add].map((h) => h.name), ...remove].find((n) => FRAMING.has(n));
  if (name === undefined) return undefined;
  const hint =
    name === 'host'
      ? 'to send another Host to the backend, use a URLRewrite filter with hostname'
      : 'requests that match the rule are answered with 500 until it is taken out';
  return problem('UnsupportedValue', field, `header ${name} cannot be changed by a filter`, hint);
}

type WrittenPath = NonNullable<NonNullable<HTTPRouteFilter['urlRewrite']>['path']>;

/** What a path may consist of (RFC 3986 3.3). */
const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/;

/** The API lets any text be a new path; a line break in it would begin a header of its own. */
function pathProblem(written: WrittenPath | undefined, field: string): Problem | undefined {
  if (written === undefined) return undefined;
  const name = written.type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch';
  const value = written[name] ?? '';
  if (PATH.test(value)) return undefined;
  return problem(
    'UnsupportedValue',
    `${field}.path.${name}`,
    `${JSON.stringify(value)} has characters that a path cannot have`,
    'escape them, as %20 for a space; a query cannot be changed',
  );
}

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
