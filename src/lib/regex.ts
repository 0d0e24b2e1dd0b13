// Regular expressions that people write and strangers' text is held against: RE2 syntax, run by an
// engine whose time grows with the text and never explodes. V8's own engine backtracks and is not used,
// whatever the expression; what it would gain is less than a microsecond.

import { RE2JS } from 're2js';

/** Characters of an expression. */
const PATTERN_CHARS_MAX = 4096;
/** Instructions an expression may come to: the time for one character of text is bounded by it. */
const PROGRAM_SIZE_MAX = 500;
/** Expressions kept compiled, so that a table made anew does not compile what it had before. */
const CACHE_MAX = 4096;

export interface Pattern {
  readonly groupCount: number;
  readonly groupNames: readonly string[];
  /** True when the whole text is taken, from its beginning to its end. */
  matches(text: string): boolean;
  /** What the groups took when the whole text is taken: [0] is the text; null when it is not. */
  groups(text: string): readonly string[] | null;
  /** What the groups took where the expression is found first; null when it is not found. */
  find(text: string): readonly string[] | null;
  /** Whether the expression is found anywhere. */
  isIn(text: string): boolean;
  /** The number of a named group. */
  groupNumber(name: string): number | undefined;
}

export interface BadPattern {
  /** Why the expression cannot be used, as part of a sentence. */
  readonly trouble: string;
}

const cache = new Map<string, Pattern | BadPattern>();

/** Compiles an expression, or says why it cannot be. The same text gives the same pattern. */
export function compilePattern(text: string): Pattern | BadPattern {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const made = make(text);
  cache.set(text, made);
  if (cache.size > CACHE_MAX) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  return made;
}

/** Whether an expression takes the whole text. One that cannot be used takes none. */
export function patternMatches(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern);
  return 'matches' in compiled && compiled.matches(text);
}

/** Whether an expression is found in a text. One that cannot be used is found nowhere. */
export function patternIsIn(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern);
  return 'isIn' in compiled && compiled.isIn(text);
}

function make(text: string): Pattern | BadPattern {
  if (text.length > PATTERN_CHARS_MAX) {
    return { trouble: `it has more than ${PATTERN_CHARS_MAX} characters` };
  }
  const tooLarge = { trouble: 'it is too large; use fewer or smaller counted repetitions' };
  // Compiling what is refused afterwards would itself take long.
  if (countedRepetitions(text) > PROGRAM_SIZE_MAX * 4) return tooLarge;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : String(error) };
  }
  if (compiled.programSize() > PROGRAM_SIZE_MAX) return tooLarge;
  const names = compiled.namedGroups();
  return {
    groupCount: compiled.groupCount(),
    groupNames: Object.keys(names),
    matches: (value) => compiled.matches(value),
    groups: (value) => groupsOf(compiled, value),
    find: (value) => {
      const matcher = compiled.matcher(value);
      return matcher.find()
        ? Array.from({ length: compiled.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '')
        : null;
    },
    isIn: (value) => compiled.matcher(value).find(),
    groupNumber: (name) => (Object.hasOwn(names, name) ? names[name] : undefined),
  };
}

function groupsOf(compiled: RE2JS, text: string): readonly string[] | null {
  const matcher = compiled.matcher(text);
  if (!matcher.matches()) return null;
  return Array.from({ length: compiled.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '');
}

/** The sum of all `{n}`, `{n,}` and `{n,m}`. */
function countedRepetitions(text: string): number {
  let sum = 0;
  for (const [, least = '0', most = ''] of text.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    sum += Math.max(Number(least), Number(most));
  }
  return sum;
}
