// What makes a document unreadable, as a value with its place. Every parser of this folder returns it.

/** A place in the text of a document, counted from 1. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

/** One syntax error of a document. */
export interface Fault {
  readonly spot: Spot;
  /** What is wrong, as a clause: `the key "name" is there twice in the same mapping`. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** The place of a character of a text. */
export function spotAt(text: string, offset: number): Spot {
  let line = 1;
  let lineStart = 0;
  for (
    let end = text.indexOf('\n');
    end !== -1 && end < offset;
    end = text.indexOf('\n', lineStart)
  ) {
    line++;
    lineStart = end + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
