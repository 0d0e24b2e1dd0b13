// Chunks of a program's output → lines, none longer than a limit: a program that never ends a line
// must not fill our memory.

const NEWLINE = 0x0a;

/** The longest text of one record, as container runtimes have it; a longer line is written in parts. */
export const RECORD_BYTES_MAX = 16 * 1024;

export type LineSink = (text: Buffer, partial: boolean) => void;

export class LineSplitter {
  readonly #emit: LineSink;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(emit: LineSink) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(NEWLINE, start);
      const stop = end === -1 ? chunk.length : end;
      this.#add(chunk.subarray(start, stop));
      if (end !== -1) this.#end();
      start = stop + 1;
    }
  }

  /** The output is over: what has no line break is a line all the same. */
  flush(): void {
    if (this.#restBytes > 0) this.#end();
  }

  #add(piece: Buffer): void {
    let rest = piece;
    while (this.#restBytes + rest.length > RECORD_BYTES_MAX) {
      const fits = RECORD_BYTES_MAX - this.#restBytes;
      this.#keep(rest.subarray(0, fits));
      this.#emit(this.#take(), true);
      rest = rest.subarray(fits);
    }
    if (rest.length > 0) this.#keep(rest);
  }

  #end(): void {
    this.#emit(this.#take(), false);
  }

  #keep(piece: Buffer): void {
    this.#rest.push(piece);
    this.#restBytes += piece.length;
  }

  #take(): Buffer {
    const [first] = this.#rest;
    const line = first !== undefined && this.#rest.length === 1 ? first : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }
}
