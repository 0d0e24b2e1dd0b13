// The bytes of a file → where its documents are. A line that begins with `---` is a boundary wherever
// it stands, even inside quotes: so does kubectl. Bytes and not text, so that what did not change
// since the last reading is neither decoded nor looked at again.

import { isUtf8 } from 'node:buffer';
import type { Fault } from './fault.ts';

/** The bytes between two boundaries. */
export interface Range {
  readonly start: number;
  readonly end: number;
  /** Set when the boundary before is one that kubectl refuses. */
  readonly fault?: Fault;
}

const NEWLINE = 0x0a;
const MARK = Buffer.from('---');
const MARK_ON_NEW_LINE = Buffer.from('\n---');

/** Finds the documents of a file; those that are blank are left out. */
export function splitDocuments(bytes: Buffer): readonly Range[] {
  const ranges: Range[] = [];
  let start = 0;
  let fault: Fault | undefined;
  const close = (end: number): void => {
    if (fault !== undefined) ranges.push({ start, end, fault });
    else if (!isBlank(bytes, start, end)) ranges.push({ start, end });
  };
  for (const mark of markedLines(bytes)) {
    close(mark);
    const afterMark = endOfLine(bytes, mark);
    fault = markFault(bytes, mark, afterMark);
    start = fault === undefined ? afterMark : mark;
  }
  close(bytes.length);
  return ranges;
}

/** How many lines end between two places. */
export function countLines(bytes: Buffer, start: number, end: number): number {
  let lines = 0;
  for (let i = start; i < end; i++) if (bytes[i] === NEWLINE) lines++;
  return lines;
}

/** Takes a byte order mark away, and with it other encodings: PowerShell writes UTF-16. */
export function toUtf8(file: Buffer): Buffer {
  if (file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf) return file.subarray(3);
  if (file[0] === 0xff && file[1] === 0xfe) {
    return Buffer.from(file.subarray(2).toString('utf16le'));
  }
  if (file[0] === 0xfe && file[1] === 0xff && file.length % 2 === 0) {
    return Buffer.from(Buffer.from(file.subarray(2)).swap16().toString('utf16le'));
  }
  return file;
}

/** The first line that is not UTF-8; undefined when there is none. */
export function encodingFault(bytes: Buffer): Fault | undefined {
  if (isUtf8(bytes)) return undefined;
  let line = 1;
  let start = 0;
  // No character of UTF-8 reaches over the end of a line.
  while (isUtf8(bytes.subarray(start, endOfLine(bytes, start)))) {
    start = endOfLine(bytes, start);
    line++;
  }
  return {
    spot: { line, column: 1 },
    message: 'this line is not text in UTF-8',
    hint: 'Save the file as UTF-8, or keep binary files out of the folder.',
  };
}

/** Where lines begin that begin with `---`. */
function* markedLines(bytes: Buffer): Generator<number> {
  if (bytes.subarray(0, MARK.length).equals(MARK)) yield 0;
  for (
    let at = bytes.indexOf(MARK_ON_NEW_LINE);
    at !== -1;
    at = bytes.indexOf(MARK_ON_NEW_LINE, at + 1)
  ) {
    yield at + 1;
  }
}

/** Text after the dashes belongs to the document in YAML, but kubectl refuses it. */
function markFault(bytes: Buffer, mark: number, end: number): Fault | undefined {
  const afterDashes = mark + MARK.length;
  if (isBlank(bytes, afterDashes, end)) return undefined;
  if (bytes.toString('utf8', afterDashes, end).trimStart().startsWith('#')) return undefined;
  return {
    spot: { line: 1, column: MARK.length + 1 },
    message: 'text on the same line as the document mark "---", which kubectl refuses',
    hint: 'Begin the document on the line after "---".',
  };
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== NEWLINE) return false;
  }
  return true;
}

function endOfLine(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline === -1 ? bytes.length : newline + 1;
}
