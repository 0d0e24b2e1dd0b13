// JSONPath as printer columns use it: `.spec.replicas`, `.metadata.labels['app\.kubernetes\.io/name']`,
// `.status.addresses[0].value`, `.status.addresses[*].value`,
// `.status.conditions[?(@.type=="Ready")].status`. Braces around the whole are allowed.

import { isRecord } from '../schema/normalize.ts';

type Step =
  | { readonly take: 'field'; readonly name: string }
  | { readonly take: 'index'; readonly index: number }
  | { readonly take: 'slice'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly take: 'all' }
  | { readonly take: 'where'; readonly path: JsonPath; readonly test: Test | undefined };

interface Test {
  readonly operator: '==' | '!=' | '<' | '<=' | '>' | '>=';
  readonly value: string | number | boolean | null;
}

export type JsonPath = readonly Step[];

/** Characters of one path; the reader of filters is recursive. */
const PATH_CHARS_MAX = 1024;

/** Values one path may find. */
const FOUND_MAX = 1000;

class PathError extends Error {}

/** Reads a path; an error says what it cannot be read for. */
export function parseJsonPath(text: string): { path: JsonPath } | { error: string } {
  if (text.length > PATH_CHARS_MAX)
    return { error: `may have at most ${PATH_CHARS_MAX} characters` };
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  try {
    return { path: parse(inner) };
  } catch (error) {
    if (error instanceof PathError) return { error: error.message };
    throw error;
  }
}

const FIELD = /^\.((?:[^.[\]\\'"\s()=!<>]|\\.)+)/;
const QUOTED = /^\.?\[\s*(['"])((?:(?!\1)[^\\]|\\.)*)\1\s*\]/;
const INDEX = /^\.?\[\s*(-?\d{1,9})\s*\]/;
const SLICE = /^\.?\[\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*\]/;
const ALL = /^(?:\.?\[\s*\*\s*\]|\.\*)/;
const FILTER_START = /^\.?\[\s*\?\(\s*@/;

function parse(text: string): JsonPath {
  const steps: Step[] = [];
  let rest = text.startsWith('$') ? text.slice(1) : text;
  if (rest === '.') return steps;
  while (rest !== '') {
    const { step, length } = nextStep(rest);
    steps.push(step);
    rest = rest.slice(length);
  }
  return steps;
}

function nextStep(rest: string): { readonly step: Step; readonly length: number } {
  const all = ALL.exec(rest);
  if (all !== null) return { step: { take: 'all' }, length: all[0].length };
  const field = FIELD.exec(rest);
  if (field !== null) {
    return { step: { take: 'field', name: unescape(field[1] ?? '') }, length: field[0].length };
  }
  const quoted = QUOTED.exec(rest);
  if (quoted !== null) {
    return { step: { take: 'field', name: unescape(quoted[2] ?? '') }, length: quoted[0].length };
  }
  const index = INDEX.exec(rest);
  if (index !== null) {
    return { step: { take: 'index', index: Number(index[1]) }, length: index[0].length };
  }
  const slice = SLICE.exec(rest);
  if (slice !== null) {
    const number = (digits: string | undefined) =>
      digits === undefined ? undefined : Number(digits);
    return {
      step: { take: 'slice', from: number(slice[1]), to: number(slice[2]) },
      length: slice[0].length,
    };
  }
  const start = FILTER_START.exec(rest);
  if (start !== null) return filterStep(rest, start[0].length);
  throw new PathError(`cannot be read from ${JSON.stringify(rest)} on`);
}

const COMPARISON = /^\s*(==|!=|<=|>=|<|>)\s*/;
const LITERAL =
  /^(?:(['"])((?:(?!\1)[^\\]|\\.)*)\1|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/;
const FILTER_END = /^\s*\)\s*\]/;

/** `[?(@.type=="Ready")]`, or `[?(@.name)]` for items that have the field. */
function filterStep(text: string, start: number): { readonly step: Step; readonly length: number } {
  let rest = text.slice(start);
  const path: Step[] = [];
  while (/^[.[]/.test(rest)) {
    const { step, length } = nextStep(rest);
    path.push(step);
    rest = rest.slice(length);
  }
  let test: Test | undefined;
  const comparison = COMPARISON.exec(rest);
  if (comparison !== null) {
    rest = rest.slice(comparison[0].length);
    const literal = LITERAL.exec(rest);
    if (literal === null)
      throw new PathError('a filter compares with a text, a number, true or false');
    test = { operator: comparison[1] as Test['operator'], value: literalValue(literal) };
    rest = rest.slice(literal[0].length);
  }
  const end = FILTER_END.exec(rest);
  if (end === null)
    throw new PathError(`a filter ends with ")]", not with ${JSON.stringify(rest)}`);
  const length = text.length - rest.length + end[0].length;
  return { step: { take: 'where', path, test }, length };
}

function literalValue(match: RegExpExecArray): Test['value'] {
  const [, quote, text = '', digits, word] = match;
  if (quote !== undefined) return unescape(text);
  if (digits !== undefined) return Number(digits);
  return word === 'null' ? null : word === 'true';
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/gs, '$1');
}

/** The values a path finds in an object, in order; none when something on the way is missing. */
export function findByPath(path: JsonPath, value: unknown): readonly unknown[] {
  let found: readonly unknown[] = [value];
  for (const step of path) {
    found = found.flatMap((each) => take(step, each)).slice(0, FOUND_MAX);
    if (found.length === 0) break;
  }
  return found;
}

function take(step: Step, value: unknown): readonly unknown[] {
  switch (step.take) {
    case 'field':
      return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'index':
      return Array.isArray(value) ? present(value.at(step.index)) : [];
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case 'all':
      if (Array.isArray(value)) return value as readonly unknown[];
      return isRecord(value) ? Object.values(value) : [];
    case 'where':
      return items(value).filter((item) => passes(step, item));
  }
}

function items(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  return isRecord(value) ? Object.values(value) : [];
}

function present(value: unknown): readonly unknown[] {
  return value === undefined ? [] : [value];
}

function passes({ path, test }: Extract<Step, { take: 'where' }>, item: unknown): boolean {
  const [left] = findByPath(path, item);
  if (test === undefined) return left !== undefined;
  const { operator, value } = test;
  if (operator === '==') return left === value;
  if (operator === '!=') return left !== undefined && left !== value;
  if (typeof left !== typeof value || (typeof left !== 'string' && typeof left !== 'number')) {
    return false;
  }
  const order = left < (value as typeof left) ? -1 : left > (value as typeof left) ? 1 : 0;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}
