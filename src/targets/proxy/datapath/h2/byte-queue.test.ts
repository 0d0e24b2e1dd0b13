import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from './byte-queue.ts';

test('what goes in comes out in order, whatever the pieces', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ push: fc.uint8Array({ maxLength: 3000 }) }),
      fc.record({ take: fc.nat({ max: 5000 }) }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (turns) => {
      const queue = new ByteQueue();
      let expected = Buffer.alloc(0);
      for (const turn of turns) {
        if ('push' in turn) {
          const padded = Buffer.concat([Buffer.from('xx'), turn.push, Buffer.from('y')]);
          queue.push(padded, 2, padded.length - 1);
          expected = Buffer.concat([expected, turn.push]);
        } else {
          const front = queue.front();
          const taken = Math.min(turn.take, front.length);
          assert.deepEqual(front.subarray(0, taken), expected.subarray(0, taken));
          if (taken > 0) queue.take(taken);
          expected = expected.subarray(taken);
        }
        assert.equal(queue.length, expected.length);
        assert.equal(queue.front().length > 0, expected.length > 0);
      }
    }),
  );
});

test('many single bytes lie together', () => {
  const queue = new ByteQueue();
  const byte = Buffer.from('a');
  for (let count = 0; count < 1000; count++) queue.push(byte, 0, 1);
  assert.equal(queue.front().length, 1000);
});
