// Reading a named pipe, which is as good as its writers: while nobody has it open for writing, opening it
// for reading would wait forever, and nothing could end that.

import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from './stat.ts';

/** For so long somebody may take to begin writing. */
export const WRITER_MS_MAX = 5_000;
const LOOK_MS = 50;
const FIRST_BYTES = 64 * 1024;

/** What comes through a pipe, or undefined when nobody writes to it in time. Throws the system's errors. */
export async function openPipe(
  path: string,
  signal: AbortSignal,
  waitMs: number = WRITER_MS_MAX,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const deadlineMs = performance.now() + waitMs;
  const first = Buffer.alloc(FIRST_BYTES);
  for (;;) {
    const length = readNow(descriptor, first);
    // A pipe of this process (`<(command)`) had its writer, and gets no other.
    if (length === 0 && isInherited(path)) {
      closeSync(descriptor);
      return none();
    }
    if (length !== 0) {
      const socket = new Socket({ fd: descriptor, readable: true, writable: false });
      return length === undefined ? socket : prefixed(first.subarray(0, length), socket);
    }
    if (performance.now() >= deadlineMs || signal.aborted) {
      closeSync(descriptor);
      return undefined;
    }
    await delay(LOOK_MS);
  }
}

/** Devices, and whatever else is read as it comes. */
export function openDevice(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path) as AsyncIterable<Uint8Array>;
}

/** Bytes read; 0 when there is no writer; undefined when there is one that has not written yet. */
function readNow(descriptor: number, buffer: Buffer): number | undefined {
  try {
    return readSync(descriptor, buffer);
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return undefined;
    closeSync(descriptor);
    throw error;
  }
}

function isInherited(path: string): boolean {
  return path.startsWith('/dev/fd/') || path.startsWith('/proc/');
}

async function* none(): AsyncGenerator<Uint8Array> {
  // Nothing was written.
}

async function* prefixed(first: Buffer, rest: Socket): AsyncGenerator<Uint8Array> {
  yield first;
  for await (const chunk of rest) yield chunk as Uint8Array;
}
