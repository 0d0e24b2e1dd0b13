import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { servedPorts } from './privileged-ports.ts';

const port = fc.integer({ min: 1, max: 65_535 });

test('ports below the first open one are 8000 higher, and further where that is taken', () => {
  assert.deepEqual(
    [...servedPorts([80, 443, 3000], 1024)],
    [
      [80, 8080],
      [443, 8443],
      [3000, 3000],
    ],
  );
  assert.deepEqual(
    [...servedPorts([8080, 80], 1024)],
    [
      [80, 16_080],
      [8080, 8080],
    ],
  );
  assert.deepEqual([...servedPorts([80], 0)], [[80, 80]]);
});

test('no two ports of an address are served at the same number', () => {
  fc.assert(
    fc.property(fc.array(port), fc.constantFrom(0, 1024, 9000), (asked, firstOpen) => {
      const served = servedPorts(asked, firstOpen);
      assert.equal(new Set(served.values()).size, new Set(asked).size);
      for (const [from, to] of served) assert.ok(from < firstOpen || from === to);
    }),
  );
});
