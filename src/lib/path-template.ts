// Paths made of parts of other paths: `/items/$1${rest}`, with the groups of an expression filled in.

import { escapePath } from './decoded-path.ts';
import { splitTarget } from './http-path.ts';
import { compilePattern } from './regex.ts';
import type { Pattern } from './regex.ts';

/** Text, and the numbers of groups, in order. */
export type PathTemplate = readonly (string | number)[];

/** What the text of a path may consist of (RFC 3986 3.3). */
const TEXT = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/;
const PART = /\$(?:(\$)|(\d+)|\{(\w+)\})|\$/g;

/** Reads a template for the groups of `pattern`, or says what is wrong with it. */
export function parsePathTemplate(
  text: string,
  pattern: Pattern,
): PathTemplate | { readonly trouble: string } {
  const parts: (string | number)[] = [];
  let from = 0;
  const addText = (value: string): boolean => {
    if (value !== '') parts.push(value);
    return TEXT.test(value);
  };
  const badText = { trouble: 'it has characters that a path cannot have' };
  for (const match of text.matchAll(PART)) {
    const [whole, dollar, digits, name] = match;
    if (!addText(text.slice(from, match.index))) return badText;
    from = match.index + whole.length;
    if (dollar !== undefined) {
      parts.push('$');
      continue;
    }
    const group = digits === undefined ? groupOf(name, pattern) : Number(digits);
    if (group === undefined || group > pattern.groupCount) {
      return { trouble: `${whole} stands for no group of the expression` };
    }
    parts.push(group);
  }
  return addText(text.slice(from)) ? parts : badText;
}

function groupOf(name: string | undefined, pattern: Pattern): number | undefined {
  if (name === undefined) return undefined;
  return /^\d+$/.test(name) ? Number(name) : pattern.groupNumber(name);
}

/**
 * The new path in its normal form; the old one when the expression does not take it; null when servers
 * could read the new one in two ways.
 */
export function rewriteByPattern(
  expression: string,
  template: PathTemplate,
  path: string,
): string | null {
  const pattern = compilePattern(expression);
  const groups = 'groups' in pattern ? pattern.groups(path) : null;
  if (groups === null) return path;
  const made = template.map((part) => (typeof part === 'string' ? part : groups[part])).join('');
  const absolute = made.startsWith('/') ? made : `/${made}`;
  // What the request's own path was allowed to have, its parts may have as well.
  return splitTarget(absolute, { escapedSlashes: 'keep' })?.path ?? null;
}

/** A path and query of their own in place of those of a request. */
export interface SearchRewrite {
  readonly pattern: string;
  readonly template: PathTemplate;
  readonly query?: PathTemplate;
  readonly dropsQuery?: boolean;
}

/**
 * Path and query once the expression was found in the path, which has no escapes left: the new one is
 * escaped as a whole. Null when it is not found.
 */
export function rewriteBySearch(
  { pattern: expression, template, query: ownQuery, dropsQuery = false }: SearchRewrite,
  path: string,
  query: string,
): { readonly path: string; readonly query: string } | null {
  const pattern = compilePattern(expression);
  const groups = 'find' in pattern ? pattern.find(path) : null;
  if (groups === null) return null;
  const fill = (parts: PathTemplate): string =>
    parts.map((part) => (typeof part === 'string' ? part : (groups[part] ?? ''))).join('');
  const made = fill(template);
  const kept = dropsQuery ? '' : query.slice(1);
  const own = ownQuery === undefined ? '' : escapePath(fill(ownQuery)).replaceAll('%25', '%');
  const joined = own === '' ? kept : kept === '' ? own : `${own}&${kept}`;
  return {
    path: escapePath(made.startsWith('/') ? made : `/${made}`),
    query: joined === '' ? '' : `?${joined}`,
  };
}
