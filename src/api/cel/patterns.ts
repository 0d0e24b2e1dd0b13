// Regular expressions in RE2 syntax, compiled once: those of schemas and those of CEL. RE2 never
// backtracks, so that no pattern of a user can hold the server up.

import { RE2JS } from 're2js';
import { PATTERN_CHARS_MAX } from './meter.ts';

/** Compiled patterns kept; patterns may come from data. */
const PATTERNS_MAX = 1000;

const patterns = new Map<string, RE2JS>();

/** Compiles a pattern; throws an error with a text to show when it is not RE2's. */
export function compilePattern(source: string): RE2JS {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  if (source.length > PATTERN_CHARS_MAX) {
    throw new Error(`a pattern may have at most ${PATTERN_CHARS_MAX} characters`);
  }
  const compiled = RE2JS.compile(source);
  if (patterns.size >= PATTERNS_MAX) patterns.clear();
  patterns.set(source, compiled);
  return compiled;
}

/** What is wrong with a pattern; undefined when RE2 takes it. */
export function patternError(source: string): string | undefined {
  try {
    compilePattern(source);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
