// What a rule asks of a request, and the order of precedence among rules.

/** All conditions must hold. Lists may be empty. */
export interface Match {
  readonly path: PathMatch;
  /** The whole path must match this expression in RE2 syntax as well. */
  readonly pattern?: string;
  /** Upper case as in the request; absent takes every method. */
  readonly method?: string;
  /** Names in lower case. */
  readonly headers: readonly ValueMatch[];
  /** Names as in the query, case counts. */
  readonly queryParams: readonly ValueMatch[];
  /** Names as in the cookies, case counts. Absent for none. */
  readonly cookies?: readonly ValueMatch[];
}

export type PathMatch =
  /** The whole path, byte for byte. */
  | { readonly kind: 'exact'; readonly value: string }
  /** Whole segments: /a takes /a and /a/b, not /ab. No trailing slash, except for `/` itself. */
  | { readonly kind: 'prefix'; readonly value: string }
  /** The whole path, by an expression in RE2 syntax that is known to compile. */
  | { readonly kind: 'regex'; readonly value: string }
  /** Any part of the path, by such an expression. */
  | { readonly kind: 'search'; readonly value: string };

export interface ValueMatch {
  readonly name: string;
  readonly value: string;
  /** `value` is an expression in RE2 syntax, known to compile, that must take the whole value. */
  readonly regex?: true;
}

/**
 * Orders two matches by the Gateway API's precedence: exact path, then the longest prefix, then method,
 * then the number of headers, then of query parameters. Where the API leaves it open: regular
 * expressions come after exact paths and before prefixes, the longest first. Negative when `a` comes first; 0 is a tie,
 * which the age and name of their routes and their place in them decide (resolve/gateway).
 */
export function compareMatches(a: Match, b: Match): number {
  return (
    pathRank(a.path) - pathRank(b.path) ||
    b.path.value.length - a.path.value.length ||
    Number(b.method !== undefined) - Number(a.method !== undefined) ||
    b.headers.length - a.headers.length ||
    b.queryParams.length - a.queryParams.length
  );
}

/** Why `first` comes before `second` in the order of precedence, in words. */
export function explainOrder(first: Match, second: Match): string {
  if (pathRank(first.path) < pathRank(second.path)) {
    return `${PATH_WORDS[first.path.kind]} comes before ${PATH_WORDS[second.path.kind]}`;
  }
  if (first.path.value.length > second.path.value.length) return 'the longer path comes first';
  if (first.method !== undefined && second.method === undefined) {
    return 'a match on the method comes first';
  }
  if (first.headers.length > second.headers.length) return 'more headers come first';
  if (first.queryParams.length > second.queryParams.length)
    return 'more query parameters come first';
  return 'both match equally well: the older route comes first, then the name, then the order in it';
}

const PATH_WORDS = {
  exact: 'an exact path',
  regex: 'a regular expression',
  search: 'a regular expression',
  prefix: 'a prefix',
} as const;

function pathRank(path: PathMatch): number {
  switch (path.kind) {
    case 'exact':
      return 0;
    case 'regex':
    case 'search':
      return 1;
    case 'prefix':
      return 2;
  }
}
