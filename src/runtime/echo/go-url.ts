// Request targets and queries as Go's net/url and net/http.ServeMux read them. The echo images route with these rules,
// so that a path with `..` is redirected and a query with `;` is not split, as with the real programs.

export type Target =
  /** `path` still has its percent escapes; `query` has no question mark. */
  | { readonly kind: 'path'; readonly path: string; readonly query: string }
  /** The mux would redirect (307) to the cleaned path. */
  | { readonly kind: 'redirect'; readonly location: string }
  /** Not a request target at all: 400. */
  | { readonly kind: 'invalid' };

/**
 * Splits the target of a request (RFC 9112 §3.2: origin form or absolute form) and applies what Go's mux does to it.
 * `subtrees` are the registered patterns ending in a slash: a request without that slash is redirected to it.
 */
export function resolveTarget(target: string, subtrees: readonly string[] = []): Target {
  const origin = originForm(target);
  if (origin === undefined || BAD_ESCAPE.test(origin.split('?', 1)[0] ?? ''))
    return { kind: 'invalid' };
  const mark = origin.indexOf('?');
  const raw = mark === -1 ? origin : origin.slice(0, mark);
  const query = mark === -1 ? '' : origin.slice(mark + 1);
  const cleaned = cleanPath(raw);
  const path = subtrees.includes(`${cleaned}/`) ? `${cleaned}/` : cleaned;
  if (path === raw) return { kind: 'path', path, query };
  return { kind: 'redirect', location: query === '' ? path : `${path}?${query}` };
}

const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;

/** Replaces each pair of slashes by one, as echo-basic does before its mux sees the path. */
export function mergeSlashes(target: string): string {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  // `http://host` keeps its slashes: only the path part of an absolute target is rewritten.
  const start = path.startsWith('/') ? 0 : path.indexOf('/', path.indexOf('://') + 3);
  if (start === -1 || !path.includes('//', start)) return target;
  return path.slice(0, start) + path.slice(start).replaceAll('//', '/') + target.slice(path.length);
}

/** The host of an absolute-form target, which overrides the Host header (RFC 9112 §3.2.2); undefined otherwise. */
export function hostOfTarget(target: string): string | undefined {
  return target.startsWith('/') ? undefined : /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
}

/** Path and query of a target; the path of an absolute form may be empty. Undefined if it is neither form. */
function originForm(target: string): string | undefined {
  return target.startsWith('/') ? target : /^https?:\/\/[^/?#]+(.*)$/is.exec(target)?.[1];
}

function cleanPath(path: string): string {
  if (path !== '' && !path.includes('//') && !path.includes('/.')) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const clean = `/${kept.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** First value of `key` in a query or form body, or undefined. Pairs with a bare `;` or a bad escape do not count. */
export function queryValue(query: string, key: string): string | undefined {
  if (query === '') return undefined;
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    if (unescapeQuery(equals === -1 ? pair : pair.slice(0, equals)) !== key) continue;
    const value = unescapeQuery(equals === -1 ? '' : pair.slice(equals + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

function unescapeQuery(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text;
  if (BAD_ESCAPE.test(text)) return undefined;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Escapes that are no UTF-8: Go keeps the bytes; their Unicode replacement is the nearest a string can hold.
    return Buffer.from(
      spaced.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => latin1(hex)),
      'latin1',
    ).toString();
  }
}

function latin1(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** An integer as Go's strconv.Atoi reads it, or undefined. */
export function parseInteger(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}
