// Paths as nginx reads them: escapes undone, `.` and `..` resolved, slashes merged. What comes out is a
// Latin-1 string, one character for each byte, and may hold anything but NUL.

export interface DecodedTarget {
  readonly path: string;
  /** As sent, with its question mark; empty without one. */
  readonly query: string;
}

/** Null for what nginx answers with 400: a broken escape, NUL, or climbing above the root. */
export function decodeTarget(target: string): DecodedTarget | null {
  const mark = target.indexOf('?');
  const query = mark === -1 ? '' : target.slice(mark);
  const written = mark === -1 ? target : target.slice(0, mark);
  const fragment = written.indexOf('#');
  const decoded = decode(fragment === -1 ? written : written.slice(0, fragment));
  if (decoded === null) return null;
  const path = /\/[/.]/.test(decoded) ? resolveDots(decoded) : decoded;
  return path === null ? null : { path, query };
}

function decode(path: string): string | null {
  if (!path.includes('%')) return path;
  let out = '';
  for (let i = 0; i < path.length; i++) {
    if (path[i] !== '%') {
      out += path[i];
      continue;
    }
    const hex = path.slice(i + 1, i + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex) || hex === '00') return null;
    out += String.fromCharCode(Number.parseInt(hex, 16));
    i += 2;
  }
  return out;
}

function resolveDots(path: string): string | null {
  const out: string[] = [];
  const segments = path.split('/');
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] ?? '';
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

/** Bytes that a path may not have as they are. */
// oxlint-disable-next-line no-control-regex -- control characters are what must not go on
const UNSAFE = /[\0- "#%<>?\\^`{|}\x7f-\xff]/g;

/** The escaped form in which a rewritten path is sent on (nginx: ngx_escape_uri). */
export function escapePath(path: string): string {
  return path.replace(
    UNSAFE,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
