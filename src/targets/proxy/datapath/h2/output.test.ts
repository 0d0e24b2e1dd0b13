import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool, OUTPUT_BUFFER_BYTES } from './buffer-pool.ts';
import { FlushQueue } from './flush-queue.ts';
import { Flag, FrameType } from './frames.ts';
import { Output } from './output.ts';
import type { Transport } from '../stream.ts';
import { readWire } from './testing/wire.ts';

/** Keeps the very buffers it was given, as a socket does that could not write at once. */
class Keeper implements Transport {
  readonly chunks: Buffer[] = [];
  readonly bufferedBytes: number;
  more = true;

  constructor(bufferedBytes: number) {
    this.bufferedBytes = bufferedBytes;
  }

  write(chunk: Buffer | string): boolean {
    assert.ok(typeof chunk !== 'string');
    this.chunks.push(chunk);
    return this.more;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

class Setup {
  readonly transport: Keeper;
  readonly output: Output;
  private turns: (() => void)[] = [];

  constructor(bufferedBytes: number) {
    this.transport = new Keeper(bufferedBytes);
    this.output = new Output({
      transport: this.transport,
      buffers: new BufferPool(),
      flushQueue: new FlushQueue((run) => this.turns.push(run)),
    });
  }

  endTurn(): void {
    const runs = this.turns;
    this.turns = [];
    for (const run of runs) run();
  }
}

for (const [what, bufferedBytes, size] of [
  ['that keeps small writes', 1, 100],
  ['that keeps large writes', 1, 16_000],
] as const) {
  test(`bytes given to a transport ${what} are never written over`, () => {
    const { transport, output, endTurn } = bound(new Setup(bufferedBytes));
    for (let turn = 0; turn < 20; turn++) {
      for (let each = 0; each < 5; each++) {
        output.data(1, Buffer.alloc(size, turn * 5 + each), 0, size);
      }
      endTurn();
    }
    const frames = readWire(Buffer.concat(transport.chunks));
    assert.equal(frames.length, 100);
    frames.forEach(({ payload }, index) => {
      assert.ok(payload.equals(Buffer.alloc(size, index)), `frame ${index}`);
    });
  });
}

test('a transport that lets go gets one buffer again and again', () => {
  const { transport, output, endTurn } = bound(new Setup(0));
  for (let turn = 0; turn < 5; turn++) {
    output.data(1, Buffer.from('abc'), 0, 3);
    endTurn();
  }
  assert.equal(new Set(transport.chunks.map((chunk) => chunk.buffer)).size, 1);
});

test('a full buffer goes out before the turn ends, and the rest with it', () => {
  const { transport, output, endTurn } = bound(new Setup(0));
  for (let each = 0; each < 5; each++) output.data(1, Buffer.alloc(16_384), 0, 16_384);
  assert.equal(transport.chunks.length, 1);
  assert.ok(transport.chunks[0]!.length <= OUTPUT_BUFFER_BYTES);
  endTurn();
  assert.equal(transport.chunks.length, 2);
});

test('END_STREAM is set on a frame only while it is still here', () => {
  const { transport, output, endTurn } = bound(new Setup(1));
  const at = output.data(1, Buffer.from('abc'), 0, 3);
  const { epoch } = output;
  assert.equal(output.endFrame(-1, epoch), false);
  assert.equal(output.endFrame(at, epoch), true);
  endTurn();
  output.data(3, Buffer.from('abc'), 0, 3);
  assert.equal(output.endFrame(at, epoch), false);
  endTurn();
  const frames = readWire(Buffer.concat(transport.chunks));
  assert.deepEqual(
    frames.map((each) => each.flags),
    [Flag.END_STREAM, 0],
  );
});

test('what is written while the transport is full is counted, until it drains', () => {
  const { transport, output, endTurn } = bound(new Setup(0));
  transport.more = false;
  output.frame(0, FrameType.SETTINGS, 0, 0);
  endTurn();
  assert.equal(output.blocked, true);
  assert.equal(output.blockedBytes, 0);
  output.frame(0, FrameType.SETTINGS, 0, 0);
  endTurn();
  assert.equal(output.blockedBytes, 9);
  output.unblock();
  assert.equal(output.blocked, false);
  assert.equal(output.blockedBytes, 0);
});

test('nothing is written after close', () => {
  const { transport, output, endTurn } = bound(new Setup(0));
  output.frame(0, FrameType.SETTINGS, 0, 0);
  output.close();
  output.frame(0, FrameType.SETTINGS, 0, 0);
  endTurn();
  assert.equal(transport.chunks.length, 0);
});

test('all outputs of a turn are flushed once, in the order they began', () => {
  const turns: (() => void)[] = [];
  const queue = new FlushQueue((run) => turns.push(run));
  const flushed: string[] = [];
  const again = { flushNow: (): void => void flushed.push('again') };
  queue.add({
    flushNow: () => {
      flushed.push('first');
      queue.add(again);
    },
  });
  queue.add({ flushNow: () => void flushed.push('second') });
  assert.equal(turns.length, 1);
  turns[0]!();
  assert.deepEqual(flushed, ['first', 'second']);
  assert.equal(turns.length, 2);
  turns[1]!();
  assert.deepEqual(flushed, ['first', 'second', 'again']);
});

/** The parts of a setup, with its method bound for use by name. */
function bound(setup: Setup): { transport: Keeper; output: Output; endTurn: () => void } {
  return {
    transport: setup.transport,
    output: setup.output,
    endTurn: () => setup.endTurn(),
  };
}
