// The path of a request, made safe to match: what is matched is also what is forwarded, so that no
// backend reads it differently (RFC 3986 6.2.2; the path confusions of CVE-2021-29492 and its kin).

export interface SplitTarget {
  /** Normalized: dots resolved, slashes merged, escapes of plain characters undone. */
  readonly path: string;
  /** With its question mark; empty without a query. Never changed. */
  readonly query: string;
}

export interface PathPolicy {
  /** What becomes of %2F, %5C and a backslash: refused, or passed on untouched as plain characters. */
  readonly escapedSlashes: 'reject' | 'keep';
}

export const DEFAULT_PATH_POLICY: PathPolicy = { escapedSlashes: 'reject' };

/** Anything that needs a second look: an escape, a double slash, a segment that begins with a dot. */
const SUSPICIOUS = /%|\/\/|\/\.|\\/;
/** A segment that some servers read as a dot segment once they cut path parameters off. */
const DOTS_WITH_PARAMETER = /^\.{1,2};/;

/**
 * Splits an origin-form target and normalizes its path. Returns null when servers could read the path
 * in two ways: escaped slashes or NUL, a broken escape, `..;x`, or climbing above the root.
 */
export function splitTarget(
  target: string,
  policy: PathPolicy = DEFAULT_PATH_POLICY,
): SplitTarget | null {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  if (!SUSPICIOUS.test(path)) return { path, query };
  const normalized = normalize(path, policy);
  return normalized === null ? null : { path: normalized, query };
}

function normalize(path: string, policy: PathPolicy): string | null {
  if (policy.escapedSlashes === 'reject' && path.includes('\\')) return null;
  const unescaped = path.includes('%') ? unescapePlain(path, policy) : path;
  return unescaped === null ? null : removeDots(unescaped);
}

/** Undoes escapes of unreserved characters only; the others mean something else when escaped. */
function unescapePlain(path: string, policy: PathPolicy): string | null {
  let out = '';
  let from = 0;
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', at + 1)) {
    const code = escapeAt(path, at);
    if (code === -1 || code === 0) return null;
    if (policy.escapedSlashes === 'reject' && (code === 0x2f || code === 0x5c)) return null;
    if (isUnreserved(code)) {
      out += path.slice(from, at) + String.fromCharCode(code);
      from = at + 3;
      at += 2;
    }
  }
  return from === 0 ? path : out + path.slice(from);
}

/** The byte a percent escape stands for; -1 when it is no escape. */
function escapeAt(path: string, at: number): number {
  const hex = path.slice(at + 1, at + 3);
  return /^[0-9A-Fa-f]{2}$/.test(hex) ? Number.parseInt(hex, 16) : -1;
}

function isUnreserved(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x7e
  );
}

/** Resolves `.` and `..` and merges slashes. A trailing slash, or one a dot segment leaves, stays. */
function removeDots(path: string): string | null {
  const out: string[] = [];
  const segments = path.split('/');
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] ?? '';
    if (DOTS_WITH_PARAMETER.test(segment)) return null;
    if (segment === '..') {
      if (out.length === 0) return null;
      out.pop();
    } else if (segment !== '' && segment !== '.') {
      out.push(segment);
      continue;
    }
    if (i === last) out.push('');
  }
  return `/${out.join('/')}`;
}

/** The decoded name=value pairs of a query, in order. Undecodable escapes stay as they are. */
export function parseQuery(query: string): readonly (readonly [string, string])[] {
  if (query.length <= 1) return [];
  return query
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals === -1
        ? ([decode(pair), ''] as const)
        : ([decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))] as const);
    });
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** True when `path` lies under `prefix` by whole segments; `prefix` has no trailing slash but for `/`. */
export function isUnderPrefix(path: string, prefix: string): boolean {
  if (prefix === '/') return true;
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

/**
 * Replaces the matched prefix of a path; the parts meet with exactly one slash. `replacement` is empty
 * or begins with a slash.
 */
export function replacePrefix(path: string, prefix: string, replacement: string): string {
  // The root has no segment of its own: all of the path follows it.
  const rest = prefix !== '/' ? path.slice(prefix.length) : path === '/' ? '' : path;
  if (rest === '') return replacement === '' ? '/' : replacement;
  return (replacement.endsWith('/') ? replacement.slice(0, -1) : replacement) + rest;
}
