// Copying between streams of which either end may disappear at any time: that ends the copy and is no
// error. Node's pipeline would destroy the other side then, and with it what is still to be sent.

import type { Readable, Writable } from 'node:stream';

/** Resolves when the sink takes more, has closed, or the signal aborts. */
export function drained(sink: Writable, signal?: AbortSignal): Promise<void> {
  return settled(sink, ['drain', 'close'], signal);
}

/** Ends a sink and resolves when everything was handed on, it has closed, or the signal aborts. */
export async function flushed(sink: Writable | undefined, signal: AbortSignal): Promise<void> {
  if (sink === undefined) return;
  if (!sink.writableEnded) sink.end();
  if (sink.writableFinished || sink.destroyed || signal.aborted) return;
  await settled(sink, ['finish', 'close'], signal);
}

function settled(sink: Writable, events: readonly string[], signal?: AbortSignal): Promise<void> {
  if (signal?.aborted || sink.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) sink.off(event, done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    for (const event of events) sink.on(event, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/**
 * Copies until the source ends, then ends the sink. When the sink has gone, the rest of the source is
 * read and thrown away: whoever writes it must not hang. Never rejects.
 */
export async function pump(
  source: AsyncIterable<Uint8Array | string>,
  sink: Writable | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of source) {
      if (signal.aborted) break;
      if (sink === undefined || sink.destroyed || sink.writableEnded) continue;
      if (!sink.write(chunk)) await drained(sink, signal);
    }
  } catch {
    // The source broke off: what came before it was copied.
  }
  if (sink !== undefined && !sink.destroyed) sink.end();
}

/** Reads a stream to its end for nobody. */
export function discard(source: Readable): void {
  source.on('error', () => {});
  source.resume();
}
