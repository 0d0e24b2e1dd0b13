// What the resize stream carries, `{"Width":80,"Height":24}` again and again → sizes.

import type { Readable } from 'node:stream';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The longest text of one size; what is longer is none. */
const SIZE_CHARS_MAX = 1024;
const CELLS_MAX = 0xffff;

/** Reads sizes until the stream ends. Texts that are no sizes are passed over. */
export function readSizes(source: Readable, listener: (size: TerminalSize) => void): void {
  let text = '';
  source.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    // The object has no objects in it. Some clients put a line break after it, some nothing.
    for (let end = text.indexOf('}'); end !== -1; end = text.indexOf('}')) {
      const size = parseSize(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size !== undefined) listener(size);
    }
    if (text.length > SIZE_CHARS_MAX) text = '';
  });
}

function parseSize(text: string): TerminalSize | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { Width: columns, Height: rows } = value as Record<string, unknown>;
  return isCells(columns) && isCells(rows) ? { columns, rows } : undefined;
}

function isCells(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= CELLS_MAX;
}
