// Log files → the lines a reader asked for. Works from the files alone, so it serves another process,
// and one that comes after Fairway has ended. Memory is bounded by one block, whatever is asked for:
// the last lines are found by counting backwards.

import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LineJoiner, parseRecord } from './cri.ts';
import type { LogStream } from './cri.ts';
import { currentLog, previousLog, rotatedLog } from './paths.ts';
import type { LogName } from './paths.ts';

export interface ReadLogOptions extends LogName {
  /** Only so many of the last lines. */
  readonly tail?: number;
  /** Goes on with what is written later, over restarts of the container, until the signal aborts. */
  readonly follow?: boolean;
  /** Only lines of the last so many seconds. */
  readonly sinceSeconds?: number;
  /** Only lines from this time on; RFC 3339. */
  readonly sinceTime?: string;
  /** The container as it was before its last restart. */
  readonly previous?: boolean;
  /** Only what was written to this output. */
  readonly stream?: LogStream;
  /** Puts the time before every line. */
  readonly timestamps?: boolean;
  readonly now?: () => Date;
}

const BLOCK_BYTES = 64 * 1024;

/** How often a followed file is looked at. Watching instead would miss network file systems. */
const POLL_INTERVAL_MS = 100;

const NEWLINE = 0x0a;
const PARTIAL_TAG = 0x50;

/**
 * The lines of a container's log, without line breaks. Yields nothing for a container that never
 * wrote. When `signal` aborts, a followed log ends after what is there by then. Throws a RangeError
 * for names that no object can have.
 */
export async function* readLog(
  options: ReadLogOptions,
  signal?: AbortSignal,
): AsyncGenerator<string, void> {
  const path = options.previous === true ? previousLog(options) : currentLog(options);
  const reader = new LogReader(options, sinceOf(options));
  const files = await openFiles(path);
  try {
    const starts =
      options.tail === undefined ? files.map(() => 0) : await tailStarts(files, options.tail);
    for (const [i, file] of files.entries()) yield* reader.read(file, starts[i] ?? 0);
    if (options.follow !== true || options.previous === true) return;
    yield* follow(path, files, reader, signal);
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

/**
 * Goes on at the end of the last file. When another file has taken its place (a rotation, a restart),
 * the old one is read to its end first. `files` is kept to what has to be closed.
 */
async function* follow(
  path: string,
  files: FileHandle[],
  reader: LogReader,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void> {
  let current = files.at(-1);
  while (true) {
    const last = signal?.aborted === true;
    const next = await openIfOther(path, current);
    if (current !== undefined) yield* reader.read(current, undefined);
    if (next !== undefined) {
      files.push(next);
      if (current !== undefined) await files.splice(files.indexOf(current), 1)[0]?.close();
      current = next;
      yield* reader.read(current, 0);
    }
    if (last) return;
    await delay(POLL_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
}

/** Reads files one after the other as one text and yields the lines that are wanted. */
class LogReader {
  readonly #options: ReadLogOptions;
  readonly #since: string | undefined;
  readonly #joiner = new LineJoiner();
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(options: ReadLogOptions, since: string | undefined) {
    this.#options = options;
    this.#since = since;
  }

  /** Reads from `start` (from where it last stopped when undefined) to the end of what is there. */
  async *read(file: FileHandle, start: number | undefined): AsyncGenerator<string, void> {
    if (start !== undefined) {
      this.#position = start;
      this.#rest = Buffer.alloc(0);
    }
    while (true) {
      const { bytesRead } = await file.read(this.#block, 0, BLOCK_BYTES, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      yield* this.#lines(Buffer.concat([this.#rest, this.#block.subarray(0, bytesRead)]));
    }
  }

  *#lines(text: Buffer): Generator<string, void> {
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end !== -1; end = text.indexOf(NEWLINE, start)) {
      const record = parseRecord(text.subarray(start, end));
      start = end + 1;
      if (record === undefined || !this.#isWanted(record.stream)) continue;
      const line = this.#joiner.push(record);
      if (line === undefined || (this.#since !== undefined && line.time < this.#since)) continue;
      yield this.#options.timestamps === true ? `${line.time} ${line.text}` : line.text;
    }
    this.#rest = Buffer.from(text.subarray(start));
  }

  #isWanted(stream: LogStream): boolean {
    return this.#options.stream === undefined || stream === this.#options.stream;
  }
}

/** The rotated file, when there is one, and the current one. */
async function openFiles(path: string): Promise<FileHandle[]> {
  // The current one first: a rotation in between then shows as the same file twice, not as a gap.
  const current = await openIfThere(path);
  const rotated = await openIfThere(rotatedLog(path));
  const files: FileHandle[] = [];
  if (rotated !== undefined) {
    if (current !== undefined && (await sameFile(rotated, current))) await rotated.close();
    else files.push(rotated);
  }
  if (current !== undefined) files.push(current);
  return files;
}

/** Where to begin in each file so that the last `count` lines remain. */
async function tailStarts(files: readonly FileHandle[], count: number): Promise<readonly number[]> {
  const starts: number[] = [];
  let missing = count;
  for (const file of files.toReversed()) {
    const { start, found } = await tailStart(file, missing);
    starts.unshift(start);
    missing -= found;
  }
  return starts;
}

/** Counts lines backwards from the end of a file; the parts of a long line count as one. */
async function tailStart(
  file: FileHandle,
  count: number,
): Promise<{ readonly start: number; readonly found: number }> {
  const { size } = await file.stat();
  if (count === 0) return { start: size, found: 0 };
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let found = 0;
  let lineStart = size;
  // The bytes from here on were searched; `carry` are those before the first line break in them.
  let from = size;
  let carry: Buffer = Buffer.alloc(0);
  while (from > 0) {
    const length = Math.min(BLOCK_BYTES, from);
    from -= length;
    await file.read(block, 0, length, from);
    const text = Buffer.concat([block.subarray(0, length), carry]);
    let end = text.length;
    for (let at = lastNewline(text, end); at !== -1 || from === 0; at = lastNewline(text, end)) {
      const record = text.subarray(at + 1, end);
      if (endsLine(record)) {
        if (found === count) return { start: lineStart, found };
        found++;
      }
      if (record.length > 0) lineStart = from + at + 1;
      end = at;
      if (at === -1) return { start: lineStart, found };
    }
    carry = Buffer.from(text.subarray(0, end));
  }
  return { start: 0, found };
}

function lastNewline(text: Buffer, end: number): number {
  return end <= 0 ? -1 : text.lastIndexOf(NEWLINE, end - 1);
}

/** True for a record that ends a line: tagged F, after the time and the stream. */
function endsLine(record: Buffer): boolean {
  const tag = record.indexOf(0x20, record.indexOf(0x20) + 1) + 1;
  return tag > 0 && record[tag] !== PARTIAL_TAG && record.length > tag;
}

/** The earliest time wanted, in the form records carry; the later one when both are given. */
function sinceOf(options: ReadLogOptions): string | undefined {
  const times: number[] = [];
  if (options.sinceSeconds !== undefined) {
    const now = (options.now?.() ?? new Date()).getTime();
    times.push(now - options.sinceSeconds * 1000);
  }
  if (options.sinceTime !== undefined) times.push(Date.parse(options.sinceTime));
  const since = Math.max(...times);
  return Number.isFinite(since)
    ? `${new Date(since).toISOString().slice(0, -1)}000000Z`
    : undefined;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Opens the file at a path when it is another one than `current`. */
async function openIfOther(
  path: string,
  current: FileHandle | undefined,
): Promise<FileHandle | undefined> {
  if (current !== undefined) {
    const [there, here] = await Promise.all([stat(path).catch(() => undefined), current.stat()]);
    if (there === undefined || (there.ino === here.ino && there.dev === here.dev)) return undefined;
  }
  return openIfThere(path);
}

async function sameFile(a: FileHandle, b: FileHandle): Promise<boolean> {
  const [first, second] = await Promise.all([a.stat(), b.stat()]);
  return first.ino === second.ino && first.dev === second.dev;
}
