// The bytes of a file → its documents, parsed. What is the same as in the last reading, from the
// beginning and from the end of the file, is taken from there; so saving one document among ten
// thousand costs one. A long file lets other work through between its documents.

import { setImmediate } from 'node:timers/promises';
import { parseDocument } from './document.ts';
import type { DocumentContext, ParsedDocument } from './document.ts';
import type { Fault } from './yaml/fault.ts';
import { looksLikeJson, splitJson } from './yaml/json.ts';
import { countLines, encodingFault, splitDocuments, toUtf8 } from './yaml/split.ts';
import type { Range } from './yaml/split.ts';

/** A document and the line of the file it begins on. */
export interface ReadDocument {
  readonly document: ParsedDocument;
  readonly line: number;
}

/** What is between two document marks: one document, or several in a stream of JSON. */
interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly documents: readonly ReadDocument[];
  readonly faults: readonly Fault[];
}

export interface Reading {
  readonly bytes: Buffer;
  readonly chunks: readonly Chunk[];
  readonly documents: readonly ReadDocument[];
  /** All faults, with lines counted in the file. */
  readonly faults: readonly Fault[];
}

/** Longest stretch of parsing without a pause: what else this thread does should not stutter. */
const BUSY_MS_MAX = 15;

export class Parser {
  readonly #context: DocumentContext;
  #busySinceMs = 0;

  constructor(context: DocumentContext) {
    this.#context = context;
  }

  /** Parses a file, given its last reading. */
  async parse(file: Buffer, last: Reading | undefined): Promise<Reading> {
    const bytes = toUtf8(file);
    const fault = encodingFault(bytes);
    if (fault !== undefined) return { bytes, chunks: [], documents: [], faults: [fault] };
    const ranges = splitDocuments(bytes);
    const { head, tail } = last === undefined ? NO_OVERLAP : overlap(last, bytes, ranges);
    const chunks: Chunk[] = last?.chunks.slice(0, head) ?? [];
    const old = last?.chunks.slice(head, last.chunks.length - tail) ?? [];
    const known = new Map<string, ParsedDocument>();
    for (const { documents } of old) {
      for (const { document } of documents) known.set(document.text, document);
    }
    const middle = ranges.slice(head, ranges.length - tail);
    for (const [i, range] of middle.entries()) {
      const line = lineOf(bytes, range.start, chunks);
      // Documents edited in place leave those between them where they were, but for the offset.
      const chunk = last && sameChunk(last, old[i], bytes, range);
      chunks.push(
        chunk === undefined
          ? await this.#parseChunk(bytes, range, line, known)
          : moveChunk(chunk, range.start, line),
      );
    }
    if (last !== undefined && tail > 0) chunks.push(...moveTail(last, tail, bytes, chunks));
    return {
      bytes,
      chunks,
      documents: chunks.flatMap(({ documents }) => documents),
      faults: chunks.flatMap(({ faults }) => faults),
    };
  }

  async #parseChunk(
    bytes: Buffer,
    { start, end, fault }: Range,
    line: number,
    known: ReadonlyMap<string, ParsedDocument>,
  ): Promise<Chunk> {
    if (fault !== undefined) {
      return { start, end, line, documents: [], faults: [moveFault(fault, line - 1)] };
    }
    // A string of its own: a slice of a longer one would keep that in memory as long as any object
    // of the document lives.
    const text = bytes.toString('utf8', start, end);
    const documents: ReadDocument[] = [];
    const faults: Fault[] = [];
    let next = line;
    for (const part of (looksLikeJson(text) ? splitJson(text) : undefined) ?? [text]) {
      const document = known.get(part) ?? (await this.#parseDocument(part));
      const at = next;
      documents.push({ document, line: at });
      faults.push(...document.faults.map((found) => moveFault(found, at - 1)));
      next += part.split('\n').length - 1;
    }
    return { start, end, line, documents, faults };
  }

  async #parseDocument(text: string): Promise<ParsedDocument> {
    const nowMs = performance.now();
    if (nowMs - this.#busySinceMs > BUSY_MS_MAX) {
      await setImmediate();
      this.#busySinceMs = performance.now();
    }
    return parseDocument(text, this.#context);
  }
}

interface Overlap {
  /** Chunks at the beginning of a file that are as they were, and at its end. */
  readonly head: number;
  readonly tail: number;
}

const NO_OVERLAP: Overlap = { head: 0, tail: 0 };

/** Compares what is between chunks as well: it decides on the lines they begin on. */
function overlap(last: Reading, bytes: Buffer, ranges: readonly Range[]): Overlap {
  const common = Math.min(ranges.length, last.chunks.length);
  let head = 0;
  for (let from = 0; head < common; head++) {
    const end = ranges[head]?.end ?? 0;
    if (end !== last.chunks[head]?.end) break;
    if (bytes.compare(last.bytes, from, end, from, end) !== 0) break;
    from = end;
  }
  const moved = bytes.length - last.bytes.length;
  let tail = 0;
  for (let to = bytes.length; tail < common - head; tail++) {
    const start = ranges[ranges.length - 1 - tail]?.start ?? 0;
    if (start - moved !== last.chunks[last.chunks.length - 1 - tail]?.start) break;
    if (bytes.compare(last.bytes, start - moved, to - moved, start, to) !== 0) break;
    to = start;
  }
  return { head, tail };
}

/** The last chunks of a reading, where they are now. */
function moveTail(
  last: Reading,
  tail: number,
  bytes: Buffer,
  before: readonly Chunk[],
): readonly Chunk[] {
  const chunks = last.chunks.slice(last.chunks.length - tail);
  const moved = bytes.length - last.bytes.length;
  const [first] = chunks;
  if (first === undefined) return [];
  const lines = lineOf(bytes, first.start + moved, before) - first.line;
  return chunks.map((chunk) => moveChunk(chunk, chunk.start + moved, chunk.line + lines));
}

/** The chunk when a range of the file has the same contents. */
function sameChunk(
  last: Reading,
  chunk: Chunk | undefined,
  bytes: Buffer,
  { start, end, fault }: Range,
): Chunk | undefined {
  if (chunk === undefined || fault !== undefined || chunk.end - chunk.start !== end - start) {
    return undefined;
  }
  return bytes.compare(last.bytes, chunk.start, chunk.end, start, end) === 0 ? chunk : undefined;
}

function moveChunk(chunk: Chunk, start: number, line: number): Chunk {
  const lines = line - chunk.line;
  if (start === chunk.start && lines === 0) return chunk;
  return {
    start,
    end: start + chunk.end - chunk.start,
    line,
    documents: chunk.documents.map((one) => ({ document: one.document, line: one.line + lines })),
    faults: chunk.faults.map((fault) => moveFault(fault, lines)),
  };
}

/** The line a place in a file is on, counted from the last chunk before it. */
function lineOf(bytes: Buffer, start: number, before: readonly Chunk[]): number {
  const last = before.at(-1);
  return (last?.line ?? 1) + countLines(bytes, last?.start ?? 0, start);
}

function moveFault(fault: Fault, lines: number): Fault {
  const { line, column } = fault.spot;
  return { ...fault, spot: { line: line + lines, column } };
}
