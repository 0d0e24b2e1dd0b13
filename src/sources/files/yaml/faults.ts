// The text of a document whose structure is broken → all its syntax errors in plain words. js-yaml,
// which is fast, stops at the first; `yaml`, which is slow, goes on and is asked only here.

import { isCollection, isScalar, parseDocument, visit } from 'yaml';
import type { Document, YAMLError } from 'yaml';
import { spotAt } from './fault.ts';
import type { Fault } from './fault.ts';
import type { Unstructured } from './structure.ts';

/** What follows from an error is not worth telling; more errors than this are mostly that. */
const FAULTS_MAX = 10;

/** Of longer documents only the first fault is told: with many, `yaml` takes seconds for 200 kB. */
const TEXT_CHARS_MAX = 32_000;

const CONFLICT = /^(?:<{7}|>{7}|={7})(?: |$)/m;

/** All faults of a document that parseValue refuses, in the order of their places. */
export function findFaults(text: string, refused: Unstructured): readonly Fault[] {
  const conflict = text.search(CONFLICT);
  if (conflict !== -1) return [conflictFault(text, conflict)];
  const faults =
    'faults' in refused ? withMarkHint(refused.faults) : structureFaults(text, refused.firstFault);
  return text.includes('{{') ? faults.map(withTemplateHint) : faults;
}

function conflictFault(text: string, offset: number): Fault {
  return {
    spot: spotAt(text, offset),
    message: 'a merge conflict that is not resolved',
    hint: 'Keep one of the two versions and remove the lines with <<<<<<<, ======= and >>>>>>>.',
  };
}

/** Keys that every object has, and no object twice. */
const OBJECT_KEY = /^the key "(?:apiVersion|kind|metadata|spec)" is there twice /;

/** Two objects in one document have all their keys twice: one fault, that says why. */
function withMarkHint(faults: readonly Fault[]): readonly Fault[] {
  const isOfObject = ({ spot, message }: Fault): boolean =>
    spot.column === 1 && OBJECT_KEY.test(message);
  const first = faults.find(isOfObject);
  if (first === undefined) return faults;
  const hint = 'If another object begins here, put a line with --- before it.';
  return faults
    .filter((fault) => fault === first || !isOfObject(fault))
    .map((fault) => (fault === first ? { ...fault, hint } : fault));
}

function withTemplateHint(fault: Fault): Fault {
  const hint =
    'If this is a Helm template, render it first: helm template NAME CHART | fairway up -';
  return { ...fault, hint };
}

function structureFaults(text: string, first: Fault): readonly Fault[] {
  const document = text.length > TEXT_CHARS_MAX ? undefined : parse(text);
  if (document === undefined || document.errors.length === 0) return [first];
  const faults = new Map<number, Explained>();
  let unexpected = false;
  for (const error of document.errors) {
    // After one unexpected token there is another at every step.
    if (error.code === 'UNEXPECTED_TOKEN' && unexpected) continue;
    unexpected ||= error.code === 'UNEXPECTED_TOKEN';
    if (isShadow(error, document.errors)) continue;
    const fault = explain(text, document, error);
    if (!faults.has(fault.spot.line)) faults.set(fault.spot.line, fault);
  }
  const sorted = [...faults.values()].toSorted((a, b) => a.spot.line - b.spot.line);
  const open = sorted.findIndex(({ isOpen }) => isOpen === true);
  const told = open === -1 ? sorted : sorted.slice(0, open + 1);
  return told.slice(0, FAULTS_MAX).map(({ isOpen: _open, ...fault }) => fault);
}

/** Of what is not closed, everything below is a part: nothing more can be told of it. */
type Explained = Fault & { readonly isOpen?: true };

/** A line that is indented too far is reported twice; the first report points at the line before. */
function isShadow(error: YAMLError, all: readonly YAMLError[]): boolean {
  return (
    error.code === 'BLOCK_AS_IMPLICIT_KEY' &&
    all.some(({ code, pos }) => code === 'MULTILINE_IMPLICIT_KEY' && pos[0] === error.pos[0])
  );
}

function parse(text: string): Document | undefined {
  try {
    return parseDocument(text, { prettyErrors: false, schema: 'failsafe', logLevel: 'silent' });
  } catch {
    // Its recursion has no bound of its own; the fault of the fast parser says enough.
    return undefined;
  }
}

function explain(text: string, document: Document, error: YAMLError): Explained {
  const [start, end] = error.pos;
  const spot = spotAt(text, start);
  const written = JSON.stringify(text.slice(start, end).trim());
  switch (error.code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
      return {
        spot,
        message: 'a second ":" where one value is expected',
        hint: 'Put text that contains ": " in quotes, or begin the next key on a line of its own.',
      };
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        spot: spotAt(text, end),
        message:
          'this line does not fit the one above: a ":" is missing, or the indentation is wrong',
      };
    case 'MISSING_CHAR':
      return missing(text, document, error);
    case 'BAD_INDENT':
      return error.message.startsWith('Flow')
        ? openedBracket(text, document, start)
        : { spot, message: 'the indentation does not fit the lines above' };
    case 'TAB_AS_INDENT':
      return { spot, message: 'a tab in the indentation', hint: 'Indent with spaces.' };
    case 'BAD_SCALAR_START':
      return {
        spot,
        message: `text that begins with ${written} needs quotes`,
        hint: 'Put it in quotes.',
      };
    case 'BAD_DQ_ESCAPE':
      return {
        spot,
        message: `${text.slice(start, end + 1).trim()} means nothing in double quotes`,
        hint: 'Use single quotes, or write the backslash twice.',
      };
    case 'DUPLICATE_KEY':
      return { spot, message: `the key ${written} is there twice in the same mapping` };
    case 'UNEXPECTED_TOKEN':
      return {
        spot,
        message: `${written} is not expected here`,
        hint: 'Look for a quote, a bracket or a "- " that is missing before it.',
      };
    default:
      return { spot, message: error.message };
  }
}

function missing(text: string, document: Document, error: YAMLError): Explained {
  const [start] = error.pos;
  if (error.message.startsWith('Missing closing')) {
    const opened = openQuote(document, start);
    const message = 'the quote that is opened here is not closed';
    return { spot: spotAt(text, opened), message, isOpen: true };
  }
  if (error.message.startsWith('Implicit map keys')) {
    const message = 'a ":" is missing after this key, or its indentation is wrong';
    return { spot: spotAt(text, start), message };
  }
  return { spot: spotAt(text, start), message: 'a comma, a colon or a closing bracket is missing' };
}

/** The innermost bracket before `position` that has no end. */
function openedBracket(text: string, document: Document, position: number): Explained {
  let opened: number | undefined;
  visit(document, (_key, node) => {
    if (!isCollection(node) || node.flow !== true || !node.range) return;
    const [start, end] = node.range;
    const isClosed = end - start > 1 && (text[end - 1] === ']' || text[end - 1] === '}');
    if (start < position && !isClosed && start >= (opened ?? 0)) opened = start;
  });
  return opened === undefined
    ? {
        spot: spotAt(text, position),
        message: 'a bracket that is opened above is not closed before this line',
        isOpen: true,
      }
    : {
        spot: spotAt(text, opened),
        message: 'the bracket that is opened here is not closed',
        isOpen: true,
      };
}

/** Where the quoted text begins that has no end by `position`. */
function openQuote(document: Document, position: number): number {
  let found = position;
  visit(document, (_key, node) => {
    if (!isScalar(node) || node.range === undefined || node.range === null) return;
    if (node.type?.startsWith('QUOTE') === true && node.range[0] < position) found = node.range[0];
  });
  return found;
}
