import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Transport } from '../stream.ts';
import { Output } from './output.ts';

/** Remembers the chunks themselves, as a socket does whose peer reads slowly. */
class KeepingTransport implements Transport {
  bufferedBytes = 0;
  readonly kept: Buffer[] = [];
  /** Takes what is written at once, without keeping it. */
  isQuick = true;

  write(chunk: Buffer | string): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    this.kept.push(this.isQuick ? Buffer.from(bytes) : bytes);
    if (!this.isQuick) this.bufferedBytes += bytes.length;
    return this.isQuick;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

describe('Output', () => {
  it('never changes the bytes of a large body that the transport still holds', () => {
    const transports = Array.from({ length: 4 }, () => new KeepingTransport());
    const outputs = transports.map((transport) => new Output(transport));
    const expected = transports.map(() => '');
    for (let round = 0; round < 12; round++) {
      transports.forEach((transport, i) => {
        // Each is slow for a while, at a time of its own; then all it held is gone.
        transport.isQuick = (round + i) % 4 !== 0;
        if (transport.isQuick) {
          for (const [at, bytes] of transport.kept.entries())
            transport.kept[at] = Buffer.from(bytes);
          transport.bufferedBytes = 0;
        }
        const size = [5000, 16384, 65536, 100_000][(round * 7 + i) % 4]!;
        const letter = String.fromCharCode(0x61 + round);
        outputs[i]!.text(`head ${round}.${i}\r\n`);
        outputs[i]!.body(Buffer.alloc(size, letter), round % 2 === 0);
        outputs[i]!.flush();
        const body = letter.repeat(size);
        const framed = round % 2 === 0 ? `${size.toString(16)}\r\n${body}\r\n` : body;
        expected[i] += `head ${round}.${i}\r\n${framed}`;
      });
      transports.forEach((transport, i) => {
        assert.equal(Buffer.concat(transport.kept).toString('latin1') === expected[i], true);
      });
    }
  });

  it('says when the peer is to be waited for', () => {
    const transport = new KeepingTransport();
    const output = new Output(transport);
    assert.equal(output.body(Buffer.alloc(20_000), false), true);
    transport.isQuick = false;
    assert.equal(output.body(Buffer.alloc(20_000), false), false);
  });
});
