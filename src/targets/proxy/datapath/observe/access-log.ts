// Lines of the access log, gathered and written together: one write a second, or one for 64 KiB. The
// file is opened anew for each write, so that it can be moved away by whoever rotates logs.
//
// Budget: a line is one push. What cannot be written as fast as it comes is dropped and counted, never
// waited for. Allocates the text of a write.

import { appendFile } from 'node:fs';
import type { Clock, Timed } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { Limits } from '../limits.ts';

const WRITE_CHARS = 64 * 1024;

export interface AccessLogOptions {
  /** A file, or `-` for standard output. */
  readonly path: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: Counters;
}

export class AccessLog implements Timed {
  deadlineMs = 1;
  readonly #options: AccessLogOptions;
  #lines: string[] = [];
  #chars = 0;
  /** Settles when the write under way has ended; null when there is none. */
  #writing: Promise<void> | null = null;

  constructor(options: AccessLogOptions) {
    this.#options = options;
    options.clock.add(this);
  }

  add(line: string): void {
    const { limits, counters } = this.#options;
    if (this.#chars + line.length > limits.logBytesMax) {
      counters.logLinesDropped++;
      return;
    }
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars >= WRITE_CHARS) this.#write();
  }

  onDeadline(): void {
    this.deadlineMs = this.#options.clock.nowMs;
    this.#write();
  }

  /** Writes what there is. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#write();
    await this.#writing;
  }

  #write(): void {
    if (this.#writing !== null || this.#lines.length === 0) return;
    const lines = this.#lines;
    const text = lines.join('');
    this.#lines = [];
    this.#chars = 0;
    this.#writing = this.#append(text).then((isWritten) => {
      this.#writing = null;
      if (!isWritten) this.#options.counters.logLinesDropped += lines.length;
      if (this.#chars >= WRITE_CHARS) this.#write();
    });
  }

  /** A full disk, or a pipe nobody reads, costs lines and nothing else. */
  #append(text: string): Promise<boolean> {
    const { path } = this.#options;
    return new Promise((resolve) => {
      if (path === '-')
        process.stdout.write(text, (error) => resolve(error === null || error === undefined));
      else appendFile(path, text, (error) => resolve(error === null));
    });
  }
}
