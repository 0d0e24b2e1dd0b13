// What filters make of a request and of its response, and where a redirect points. Exhaustive over
// filters: a new one must be decided here, for both directions.
//
// Budget: 0.2 µs for each filter. Allocates one field list for each filter that changes fields.

import { replacePrefix } from '../../../lib/http-path.ts';
import { rewriteByPattern, rewriteBySearch } from '../../../lib/path-template.ts';
import type { PathChange, SearchChange } from '../../../model/model.ts';
import { fillTemplate } from '../../../model/template.ts';
import type { TemplateSource } from '../../../model/template.ts';
import type { FilterProgram, RedirectProgram } from '../program.ts';
import { changeFields, withoutAliases } from './fields.ts';
import { rewriteFields } from './rewrite-fields.ts';
import type { Fields } from './stream.ts';

/** The parts of a request that filters may change. */
export interface Outgoing {
  authority: string;
  path: string;
  query: string;
  fields: Fields;
  /** The path that rules were asked about: without escapes, where the port decodes them. */
  readonly matched: string;
  /** What templates are filled from. */
  readonly source: TemplateSource;
}

/** Where nothing of a request is asked for. */
export const NO_SOURCE: TemplateSource = {
  part: () => '',
  header: () => '',
  cookie: () => '',
  query: () => '',
  group: () => '',
};

/** Applies a rule's or a backend's filters to a request, in place. */
export function filterRequest(filters: readonly FilterProgram[], request: Outgoing): void {
  for (const filter of filters) {
    switch (filter.kind) {
      case 'requestHeaders':
        request.fields = changeFields(withoutAliases(request.fields, filter), filter);
        break;
      case 'responseHeaders':
      case 'mirror':
      case 'cors':
      case 'auth':
      case 'corsHeaders':
      case 'rewriteFields':
        // Do nothing to the request itself.
        break;
      case 'templateHeaders':
        for (const { name, value } of filter.set) {
          const text = fillTemplate(value, request.source);
          const set = text === '' ? [] : [{ name, value: text }];
          request.fields = changeFields(request.fields, {
            set,
            add: [],
            remove: text === '' ? [name] : [],
          });
        }
        break;
      case 'rewrite':
        if (filter.hostname !== undefined) request.authority = filter.hostname;
        if (filter.path?.kind === 'search') searchPath(filter.path, request);
        else if (filter.path !== undefined) request.path = changePath(filter.path, request.path);
        break;
    }
  }
}

/** Applies filters to the fields of a response. */
export function filterResponse(
  filters: readonly FilterProgram[],
  fields: Fields,
  source: TemplateSource = NO_SOURCE,
): Fields {
  let changed = fields;
  for (const filter of filters) {
    switch (filter.kind) {
      case 'responseHeaders':
        changed = changeFields(changed, filter);
        break;
      case 'rewriteFields':
        changed = rewriteFields(changed, filter, source);
        break;
      case 'requestHeaders':
      case 'rewrite':
      case 'mirror':
      case 'cors':
      case 'auth':
      case 'corsHeaders':
      case 'templateHeaders':
        // Do nothing to responses; `cors` is there as the changes for one origin.
        break;
    }
  }
  return changed;
}

/** The filters for one request: in place of `cors` stands what it does for the request's origin. */
export function withOrigin(
  filters: readonly FilterProgram[],
  changes: FilterProgram,
): readonly FilterProgram[] {
  return filters.map((filter) =>
    filter.kind === 'cors' || filter.kind === 'corsHeaders' ? changes : filter,
  );
}

/** Stands for a path that servers could read in two ways: the request is answered with 400. */
export const REFUSED = '';

/** Where the expression is not found, all stays as it is. */
function searchPath(change: SearchChange, request: Outgoing): void {
  const found = rewriteBySearch(change, request.matched, request.query);
  if (found === null) return;
  request.path = found.path;
  request.query = found.query;
}

function changePath(change: PathChange, path: string): string {
  if (path === REFUSED) return REFUSED;
  switch (change.kind) {
    case 'full':
      return change.value;
    case 'prefix':
      return replacePrefix(path, change.prefix, change.value);
    case 'search':
      return rewriteBySearch(change, path, '')?.path ?? path;
    case 'regex':
      return rewriteByPattern(change.pattern, change.template, path) ?? REFUSED;
  }
}

export interface RedirectedRequest {
  readonly scheme: 'http' | 'https';
  /** Normalized. */
  readonly host: string;
  readonly listenerPort: number;
  /** See Entry.ports. */
  readonly ports: ReadonlyMap<number, number>;
  readonly path: string;
  readonly query: string;
}

/** The Location of a redirect: always absolute, with a host that is configured or was routed on. */
export function redirectLocation(redirect: RedirectProgram, request: RedirectedRequest): string {
  const scheme = redirect.scheme ?? request.scheme;
  const standardPort = scheme === 'https' ? 443 : 80;
  const asked =
    redirect.port ?? (redirect.scheme === undefined ? request.listenerPort : standardPort);
  // Back to ourselves, where the port may go by another number; elsewhere it is what it says.
  const port = redirect.hostname === undefined ? (request.ports.get(asked) ?? asked) : asked;
  const host = redirect.hostname ?? request.host;
  const path = redirect.path === undefined ? request.path : changePath(redirect.path, request.path);
  const shownPort = port === standardPort ? '' : `:${port}`;
  return `${scheme}://${host}${shownPort}${path}${request.query}`;
}
