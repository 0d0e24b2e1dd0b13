// The text of one YAML document → its structure: a flat list of events with offsets, found by js-yaml
// at a tenth of the cost of a tree with positions from `yaml`. js-yaml keeps to YAML 1.2 where kubectl
// is laxer about indentation and knows more line breaks; both differences are made up for here.

import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import type { Event, ScalarEvent } from 'js-yaml';
import { spotAt } from './fault.ts';
import type { Fault, Spot } from './fault.ts';

export interface Structure {
  /** What the offsets of the events count in: the document with some lines moved to the right. */
  readonly text: string;
  readonly events: readonly Event[];
  /** How far a line was moved, by its number. */
  readonly moved: ReadonlyMap<number, number>;
}

/** Why there is no structure: what the parser stumbled on first, or all there is to say. */
export type Unstructured = { readonly firstFault: Fault } | { readonly faults: readonly Fault[] };

/** YAML 1.1 line breaks that are ordinary characters in YAML 1.2. */
const OLD_LINE_BREAK = /[\u0085\u2028\u2029]/;

const NONE_MOVED: ReadonlyMap<number, number> = new Map();

const INDENTATION = 'the indentation does not fit the lines above';
const UNCLOSED = 'this line is inside quotes or brackets that are opened above and not closed';

/** Further right than anything in a document that a person indents. */
const SHIFT = 256;
/** Characters parsed in all attempts on one document: moving lines one by one must come to an end. */
const REPAIR_CHARS_MAX = 8_000_000;

/** Finds the structure of one document. */
export function parseStructure(text: string, nestingMax: number): Structure | Unstructured {
  const oldBreak = text.search(OLD_LINE_BREAK);
  if (oldBreak !== -1) return { faults: [oldBreakFault(text, oldBreak)] };
  const first = attempt(text, nestingMax);
  if (!('error' in first)) return { ...first, moved: NONE_MOVED };
  const repaired = isIndentation(first.error) ? repair(text, first.error, nestingMax) : undefined;
  return repaired ?? explain(text, first.error, nestingMax);
}

/** The place in the document of an offset in the structure's text. */
export function spotOf(structure: Structure, offset: number): Spot {
  const { line, column } = spotAt(structure.text, Math.max(0, offset));
  return { line, column: Math.max(1, column - (structure.moved.get(line) ?? 0)) };
}

/** Where a node begins, its quotes included; -1 for an empty one. */
export function offsetOf(event: Event): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return isQuoted(event) ? event.valueStart - 1 : event.valueStart;
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    case EVENT_ID.DOCUMENT:
    case EVENT_ID.POP:
      return -1;
  }
}

/** The name of a node's anchor, or of an alias's target; undefined when there is none. */
export function anchorOf(structure: Structure, event: Event): string | undefined {
  if (!('anchorStart' in event) || event.anchorStart === -1) return undefined;
  return structure.text.slice(event.anchorStart, event.anchorEnd);
}

export const STANDARD_TAGS = 'tag:yaml.org,2002:';

/** The long form of a scalar's tag; undefined without one. A lone `!` says text, as quotes do. */
export function tagOf(structure: Structure, event: ScalarEvent): string | undefined {
  if (event.tagStart === -1) return undefined;
  const tag = structure.text.slice(event.tagStart, event.tagEnd);
  if (tag === '!') return `${STANDARD_TAGS}str`;
  if (tag.startsWith('!<')) return tag.slice(2, -1);
  return tag.startsWith('!!') ? STANDARD_TAGS + tag.slice(2) : tag;
}

/** The text of a scalar, unfolded and unescaped. */
export function scalarText(structure: Structure, event: ScalarEvent): string {
  return getScalarValue(structure.text, event);
}

/** True for a scalar without quotes that is no block of text: what may be a number or a word. */
export function isPlain(event: ScalarEvent): boolean {
  return event.style === SCALAR_STYLE.PLAIN;
}

function isQuoted(event: ScalarEvent): boolean {
  return event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
}

type Attempt =
  | { readonly text: string; readonly events: readonly Event[] }
  | { readonly error: YAMLException };

function attempt(text: string, nestingMax: number): Attempt {
  try {
    // js-yaml counts what is in the innermost collection as one more level.
    return { text, events: parseEvents(text, { maxDepth: nestingMax + 1 }) };
  } catch (error) {
    if (error instanceof YAMLException) return { error };
    throw error;
  }
}

/**
 * Moves lines that are too far left inside brackets or quotes, and makes tabs there spaces: kubectl
 * takes both, and white space there means nothing. Undefined when that does not make the document
 * readable.
 *
 *     labels: {
 *       app: shop
 *     }            ← js-yaml wants it further right than `labels`
 */
function repair(
  document: string,
  firstError: YAMLException,
  nestingMax: number,
): Structure | undefined {
  const moved = new Map<number, number>();
  let text = document;
  let error = firstError;
  for (let chars = 0; chars <= REPAIR_CHARS_MAX; chars += text.length) {
    const position = error.mark?.position ?? 0;
    const before = text.slice(0, position).trimEnd().length;
    const space = text.slice(before, position);
    if (space.includes('\t')) {
      text = text.slice(0, before) + space.replaceAll('\t', ' ') + text.slice(position);
    } else {
      const { line, column } = spotAt(text, position);
      const lineStart = position - column + 1;
      text = text.slice(0, lineStart) + ' '.repeat(SHIFT) + text.slice(lineStart);
      moved.set(line, (moved.get(line) ?? 0) + SHIFT);
    }
    const next = attempt(text, nestingMax);
    if (!('error' in next)) return { ...next, moved };
    if (!isIndentation(next.error)) return undefined;
    error = next.error;
  }
  return undefined;
}

function isIndentation(error: YAMLException): boolean {
  return error.reason === 'deficient indentation';
}

/** js-yaml's reasons in plain words; the others are plain enough. */
const REASONS: ReadonlyMap<string, Omit<Fault, 'spot'>> = new Map([
  ['bad indentation of a mapping entry', { message: INDENTATION }],
  ['bad indentation of a sequence entry', { message: INDENTATION }],
  ['end of the stream or a document separator is expected', { message: INDENTATION }],
  ['deficient indentation', { message: UNCLOSED }],
  ...['stream', 'document'].flatMap((end) =>
    ['single quoted scalar', 'double quoted scalar', 'flow collection'].map(
      (inside) =>
        [`unexpected end of the ${end} within a ${inside}`, { message: UNCLOSED }] as const,
    ),
  ),
  [
    'tab characters must not be used in indentation',
    { message: 'a tab in the indentation', hint: 'Indent with spaces.' },
  ],
  [
    'directives end mark is expected',
    {
      message: 'a directive, which kubectl refuses',
      hint: 'Remove the line that begins with "%".',
    },
  ],
  ['null byte is not allowed in input', { message: 'a zero byte; this is no text file' }],
  [
    'the stream contains non-printable characters',
    { message: 'a control character, which YAML does not allow' },
  ],
]);

function explain(text: string, error: YAMLException, nestingMax: number): Unstructured {
  const spot = spotAt(text, error.mark?.position ?? 0);
  if (error.reason.startsWith('nesting exceeded')) {
    const message = `nested deeper than ${nestingMax} levels (limit nestingMax)`;
    return { faults: [{ spot, message }] };
  }
  if (error.reason === 'directives end mark is expected') {
    const fault = { message: 'a directive, which kubectl refuses', hint: 'Remove this line.' };
    return { faults: [{ spot: spotAt(text, text.search(/^%/m)), ...fault }] };
  }
  return { firstFault: { spot, ...(REASONS.get(error.reason) ?? { message: error.reason }) } };
}

function oldBreakFault(text: string, offset: number): Fault {
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
  return {
    spot: spotAt(text, offset),
    message: `an invisible character (U+${code}) that kubectl takes as the end of the line`,
    hint: 'Remove it, or write it as an escape in double quotes.',
  };
}
