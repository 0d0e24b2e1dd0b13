// What one side of an HTTP/1.1 connection sends in one turn, gathered into one write: a head as text, a
// small body joined to it, a large one copied behind it. One write of head and body instead of two was
// the largest single gain measured (29 % more requests). It goes out by itself when the event that
// caused it has been handled: Node.js runs microtasks after each read event.
//
// Allocates one string; a large body only where the transport does not take it at once.
//
// Budget: one write to the socket for each turn of the event loop. Guarded by bench/proxy.ts.

import { Buffer } from 'node:buffer';
import type { Fields, Transport } from '../stream.ts';
import { writeFields } from './write.ts';

/** Bodies up to this size are joined to the head as text. */
const JOINED_BYTES_MAX = 4096;

/** All of a read, and what frames it. */
const REUSED_BYTES = 72 * 1024;
/** Large bodies are joined to their heads in here. A transport that still holds it is given it for good. */
let reused = Buffer.allocUnsafeSlow(REUSED_BYTES);

/** Outputs with something to send. One microtask flushes all of them. */
let dirty: Output[] = [];

function flushDirty(): void {
  const outputs = dirty;
  dirty = [];
  for (const output of outputs) output.flush();
}

export class Output {
  readonly #transport: Transport;
  #text = '';
  /** The peer reads slower than we write. */
  blocked = false;
  /** The transport did not let go of the last large write at once; TLS never does. */
  #transportKeeps = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Adds text to what goes out next. */
  text(text: string): void {
    if (this.#text === '') this.#schedule();
    this.#text += text;
  }

  /** Adds body bytes, framed as one chunk when asked. False when the peer is to be waited for. */
  body(bytes: Buffer, chunked: boolean): boolean {
    if (this.#text === '') this.#schedule();
    if (chunked) this.#text += `${bytes.length.toString(16)}\r\n`;
    if (bytes.length <= JOINED_BYTES_MAX) {
      this.#text += bytes.toString('latin1');
      if (chunked) this.#text += '\r\n';
      if (this.#text.length > JOINED_BYTES_MAX * 2) this.flush();
    } else {
      this.#writeLarge(bytes, chunked ? '\r\n' : '');
    }
    return !this.blocked;
  }

  /** The last chunk and the trailers of a chunked body. */
  lastChunk(trailers: Fields | null): void {
    if (this.#text === '') this.#schedule();
    this.#text += trailers === null ? '0\r\n\r\n' : `0\r\n${writeFields(trailers)}\r\n`;
  }

  flush(): void {
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    if (!this.#transport.write(text)) this.blocked = true;
  }

  #schedule(): void {
    if (dirty.push(this) === 1) queueMicrotask(flushDirty);
  }

  /** The bytes are copied: they lie in a read buffer that the next read overwrites. */
  #writeLarge(bytes: Buffer, after: string): void {
    const before = this.#text;
    this.#text = '';
    const length = before.length + bytes.length + after.length;
    const mayReuse = !this.#transportKeeps && length <= REUSED_BYTES;
    const joined = mayReuse ? reused.subarray(0, length) : Buffer.allocUnsafeSlow(length);
    joined.write(before, 0, 'latin1');
    bytes.copy(joined, before.length);
    joined.write(after, before.length + bytes.length, 'latin1');
    if (!this.#transport.write(joined)) this.blocked = true;
    this.#transportKeeps = this.#transport.bufferedBytes !== 0;
    if (mayReuse && this.#transportKeeps) reused = Buffer.allocUnsafeSlow(REUSED_BYTES);
  }
}
