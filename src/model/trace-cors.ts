// The reference answer about cross-origin requests (Gateway API HTTPCORSFilter; Fetch §3.3): what a
// preflight request is told, and what is added to other responses.

import { patternIsIn } from '../lib/regex.ts';
import type { CorsFilter, CorsHeadersFilter, HeaderChanges } from './filter.ts';

type Headers = readonly (readonly [string, string])[];

/** A browser asks beforehand whether a script may send a request. */
export function isPreflight(method: string, headers: Headers): boolean {
  return (
    method === 'OPTIONS' &&
    find(headers, 'origin') !== undefined &&
    find(headers, 'access-control-request-method') !== undefined
  );
}

/** The fields of the answer to a preflight request; those of a refusal are none that allow anything. */
export function preflightAnswer(filter: CorsFilter, headers: Headers): Headers {
  const { set, add } = corsChanges(filter, headers);
  const answer = [...set, ...add].map(({ name, value }) => [name, value] as const);
  if (allowedOrigin(filter, headers) === undefined) return answer;
  const methods = listOrAsked(
    filter,
    filter.allowMethods,
    'access-control-request-method',
    headers,
  );
  const names = listOrAsked(filter, filter.allowHeaders, 'access-control-request-headers', headers);
  return [
    ...answer,
    ...(methods === undefined ? [] : [['access-control-allow-methods', methods] as const]),
    ...(names === undefined ? [] : [['access-control-allow-headers', names] as const]),
    ['access-control-max-age', String(filter.maxAgeSeconds)],
  ];
}

/** What the filter does to a response. A backend's own opinion is not passed on. */
export function corsChanges(filter: CorsFilter, headers: Headers): HeaderChanges {
  const allowed = allowedOrigin(filter, headers);
  const exposed = filter.exposeHeaders.filter((name) => name !== '*' || !filter.allowCredentials);
  const set = [
    { name: 'access-control-allow-origin', value: allowed },
    { name: 'access-control-allow-credentials', value: filter.allowCredentials ? 'true' : '' },
    { name: 'access-control-expose-headers', value: exposed.join(', ') },
  ].flatMap(({ name, value = '' }) =>
    allowed === undefined || value === '' ? [] : [{ name, value }],
  );
  const ours = [
    'access-control-allow-origin',
    'access-control-allow-credentials',
    'access-control-expose-headers',
  ];
  const same = filter.allowOrigins.includes('*') && !filter.allowCredentials;
  return {
    set,
    // Caches must not give one origin what was meant for another.
    add: same ? [] : [{ name: 'vary', value: 'origin' }],
    remove: ours.filter((name) => !set.some((h) => h.name === name)),
  };
}

/** What `access-control-allow-origin` says; undefined when the origin is not allowed. */
function allowedOrigin(filter: CorsFilter, headers: Headers): string | undefined {
  const origin = find(headers, 'origin');
  if (origin === undefined) return undefined;
  if (filter.allowOrigins.includes('*')) return filter.allowCredentials ? origin : '*';
  return filter.allowOrigins.some((pattern) => originMatches(pattern, origin)) ? origin : undefined;
}

function originMatches(pattern: string, origin: string): boolean {
  const [wanted, given] = [split(pattern), split(origin)];
  if (wanted === undefined || given === undefined) return false;
  if (wanted.scheme !== given.scheme || wanted.port !== given.port) return false;
  // The star takes any number of labels, but at least something.
  return wanted.host.startsWith('*')
    ? given.host.endsWith(wanted.host.slice(1)) && given.host.length >= wanted.host.length
    : given.host === wanted.host;
}

function split(origin: string): { scheme: string; host: string; port: string } | undefined {
  const match = /^(https?):\/\/([^/:]+|\[[^\]]*\])(?::(\d+))?$/.exec(origin.toLowerCase());
  if (match === null) return undefined;
  const [, scheme = '', host = '', port = scheme === 'https' ? '443' : '80'] = match;
  return { scheme, host, port };
}

/** A list, or for `*` what was asked for where scripts may send credentials. */
function listOrAsked(
  filter: CorsFilter,
  list: readonly string[],
  asked: string,
  headers: Headers,
): string | undefined {
  if (list.length === 0) return undefined;
  return list.includes('*') && filter.allowCredentials ? find(headers, asked) : list.join(', ');
}

function find(headers: Headers, name: string): string | undefined {
  const values = headers.filter(([key]) => key === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(',');
}

/** What the open form of the filter does to a response, whatever the request. */
export function corsHeadersChanges(
  { origins, fields }: CorsHeadersFilter,
  headers: readonly (readonly [string, string])[],
): HeaderChanges {
  const origin = headers.find(([name]) => name === 'origin')?.[1] ?? '';
  const none = { set: [], add: [], remove: [] };
  if (origins !== null && !patternIsIn(origins, origin)) return none;
  const allowed = { name: 'access-control-allow-origin', value: origins === null ? '*' : origin };
  return { ...none, set: [allowed, ...fields] };
}
