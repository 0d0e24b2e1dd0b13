// What tests of connections share: a transport that remembers what was written to it.

import type { Transport } from '../stream.ts';

export class FakeTransport implements Transport {
  readonly bufferedBytes = 0;
  written = '';
  paused = false;
  ended = false;
  destroyed = false;
  /** What `write` answers. */
  flowing = true;

  write(chunk: Buffer | string): boolean {
    this.written += typeof chunk === 'string' ? chunk : chunk.toString('latin1');
    return this.flowing;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Takes what was written since the last call. */
  take(): string {
    const { written } = this;
    this.written = '';
    return written;
  }
}
