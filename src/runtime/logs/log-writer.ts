// The output of one container → its log file. Lines are collected and written together; when the disk
// does not keep up, the program is made to wait (its pipe is not read), and memory stays bounded.
// When the disk refuses, lines are dropped and the fault is said once: a full disk must not stop pods.

import { mkdir, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { formatRecord, parseRecord } from './cri.ts';
import type { LogStream } from './cri.ts';
import { LineSplitter } from './line-splitter.ts';
import { currentLog, previousLog, rotatedLog } from './paths.ts';
import type { LogName } from './paths.ts';

/** A log file is moved aside when it has this size; one old file is kept. */
const FILE_BYTES_MAX = 10 * 1024 * 1024;

/** More than this waiting to be written stops the reading of the program's output. */
const QUEUE_BYTES_MAX = 256 * 1024;

/** Lines given one by one cannot be made to wait; beyond this they are dropped. */
const QUEUE_BYTES_DROP = 16 * QUEUE_BYTES_MAX;

/** How long lines may wait to be written together. */
const FLUSH_DELAY_MS = 50;

/** How much of the end of the log is kept in memory, for messages about the container's end. */
const TAIL_BYTES_MAX = 2048;

export interface LogWriterOptions {
  readonly name: LogName;
  readonly now: () => Date;
  /** Called once, with the first fault of the disk. */
  readonly onError: (error: unknown) => void;
  readonly fileBytesMax?: number;
}

export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #path: string;
  readonly #fileBytesMax: number;
  readonly #sources = new Set<Readable>();
  #queue: Buffer[] = [];
  #queueBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #failed = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#path = currentLog(options.name);
    this.#fileBytesMax = options.fileBytesMax ?? FILE_BYTES_MAX;
  }

  /** Copies what a program writes to one of its streams, until it ends. */
  attach(source: Readable, stream: LogStream): void {
    const splitter = this.#splitter(stream);
    this.#sources.add(source);
    source.on('data', (chunk: Buffer) => {
      splitter.push(chunk);
      if (this.#queueBytes > QUEUE_BYTES_MAX) for (const each of this.#sources) each.pause();
    });
    const end = (): void => {
      splitter.flush();
      this.#sources.delete(source);
    };
    source.once('close', end);
    // A read error is the end of the stream; its 'close' follows.
    source.on('error', () => {});
  }

  /** Writes one line. It is dropped when the disk is far behind. */
  line(stream: LogStream, text: string): void {
    if (this.#queueBytes > QUEUE_BYTES_DROP) return;
    const splitter = this.#splitter(stream);
    for (const line of text.split('\n')) {
      splitter.push(Buffer.from(`${line}\n`, 'utf8'));
    }
  }

  /** The last lines, as they were written, about 2 KiB. */
  tail(): string {
    const pieces = this.#tail.flatMap((record) => {
      const parsed = parseRecord(record.subarray(0, -1));
      return parsed === undefined ? [] : [parsed.text, Buffer.from(parsed.partial ? '' : '\n')];
    });
    const text = Buffer.concat(pieces).subarray(-TAIL_BYTES_MAX).toString('utf8');
    return text.trimEnd();
  }

  /** Makes room for a restarted container: what it wrote so far becomes its previous log. */
  async startOver(): Promise<void> {
    this.#tail = [];
    this.#tailBytes = 0;
    void this.#then(() => this.#write());
    await this.#then(async () => {
      await this.#closeFile();
      const previous = previousLog(this.#options.name);
      await rm(rotatedLog(previous), { force: true });
      await moveIfThere(rotatedLog(this.#path), rotatedLog(previous));
      await moveIfThere(this.#path, previous);
    });
  }

  /** Writes what is waiting and closes the file; the next line opens it again. */
  async close(): Promise<void> {
    void this.#then(() => this.#write());
    await this.#then(() => this.#closeFile());
  }

  #splitter(stream: LogStream): LineSplitter {
    return new LineSplitter((text, partial) => {
      const record = formatRecord(this.#options.now(), stream, partial, text);
      this.#keepTail(record);
      this.#queue.push(record);
      this.#queueBytes += record.length;
      this.#timer ??= setTimeout(() => void this.#then(() => this.#write()), FLUSH_DELAY_MS);
    });
  }

  #keepTail(record: Buffer): void {
    this.#tail.push(record);
    this.#tailBytes += record.length;
    while (this.#tailBytes > 2 * TAIL_BYTES_MAX && this.#tail.length > 1) {
      this.#tailBytes -= this.#tail.shift()?.length ?? 0;
    }
  }

  /** Does one thing with the file after the other. Never rejects: a fault is reported, once. */
  #then(step: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(step).catch(async (error: unknown) => {
      if (!this.#failed) this.#options.onError(error);
      this.#failed = true;
      await this.#closeFile().catch(() => {});
    });
    return this.#writing;
  }

  /** Writes all that waits; lines that come meanwhile wait for the next time. */
  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = Buffer.concat(this.#queue);
    this.#queue = [];
    this.#queueBytes = 0;
    try {
      if (batch.length > 0) await this.#append(batch);
    } finally {
      for (const source of this.#sources) source.resume();
    }
  }

  async #append(batch: Buffer): Promise<void> {
    if (this.#file !== undefined && this.#fileBytes + batch.length > this.#fileBytesMax) {
      await this.#closeFile();
      await rename(this.#path, rotatedLog(this.#path));
    }
    if (this.#file === undefined) {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      this.#file = await open(this.#path, 'a', 0o600);
      this.#fileBytes = (await this.#file.stat()).size;
    }
    await this.#file.appendFile(batch);
    this.#fileBytes += batch.length;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
