// A file or stream → its bytes, within the limits, and whether they held still while being read.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { codeOf, explainCode, identityOf } from './stat.ts';
import type { Refusal } from './version.ts';

export type ReadFile =
  | {
      readonly type: 'read';
      readonly contents: Contents;
      /** The state of the file that was read; absent when it could not even be opened. */
      readonly identity?: string;
      /** False when the file was written to meanwhile: the bytes may be half of a state. */
      readonly isSettled: boolean;
      /** The file was written to so recently that a further write may leave no trace. */
      readonly isFresh: boolean;
    }
  | { readonly type: 'gone' };

export type Contents = { readonly bytes: Buffer } | { readonly refusal: Refusal };

/** Two writes within a tick of the file system's clock leave the same time stamp. */
const FRESH_MS = 20;

/** Reads a file; one that is too large is refused by its size, without reading it. */
export function readFile(path: string, fileBytesMax: number): ReadFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const before = fstatSync(descriptor);
    const identity = identityOf(before);
    if (before.size > fileBytesMax) {
      const contents = { refusal: tooLarge(`${before.size} bytes`, fileBytesMax) };
      return { type: 'read', contents, identity, isSettled: true, isFresh: false };
    }
    const bytes = readFileSync(descriptor);
    const isSettled = identityOf(fstatSync(descriptor)) === identity;
    const isFresh = Date.now() - before.ctimeMs < FRESH_MS;
    return { type: 'read', contents: { bytes }, identity, isSettled, isFresh };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { type: 'gone' };
    const contents = { refusal: unreadable(code) };
    return { type: 'read', contents, isSettled: true, isFresh: false };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Reads a stream to its end, to the limit, or until the signal aborts: input may never end. */
export async function readStream(
  stream: AsyncIterable<Uint8Array | string>,
  fileBytesMax: number,
  signal: AbortSignal,
): Promise<Contents> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const aborted = Promise.withResolvers<{ readonly done: true }>();
  const abort = (): void => aborted.resolve({ done: true });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const iterator = stream[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([aborted.promise, iterator.next()]);
      if (next.done === true) return { bytes: Buffer.concat(chunks) };
      const bytes = typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
      sizeBytes += bytes.length;
      if (sizeBytes > fileBytesMax) return { refusal: tooLarge('it', fileBytesMax) };
      chunks.push(Buffer.from(bytes));
    }
  } catch (error) {
    return { refusal: unreadable(codeOf(error)) };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function tooLarge(what: string, fileBytesMax: number): Refusal {
  return {
    reason: 'FileTooLarge',
    message: `${what} is more than the ${fileBytesMax} bytes a file may have (limit fileBytesMax)`,
    hint: 'Split it into several files.',
  };
}

/** That a file cannot be read, by an error code of the system. */
export function unreadable(code: string): Refusal {
  return { reason: 'FileUnreadable', message: `the file cannot be read: ${explainCode(code)}` };
}
