// Names and hashes that are the same on every machine, and shares of a number of pods.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveAmount } from './amount.ts';
import { freeNames, valueHash } from './hash.ts';

test('a hash follows from the content, whatever the order of keys', () => {
  const hash = valueHash({ a: 1, b: { c: [1, 2], d: 'x' } });
  assert.equal(valueHash({ b: { d: 'x', c: [1, 2] }, a: 1 }), hash);
  assert.notEqual(valueHash({ a: 1, b: { c: [2, 1], d: 'x' } }), hash);
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
});

test('a count of collisions gives another hash of the same content', () => {
  assert.notEqual(valueHash('x', 1), valueHash('x'));
});

test('names are the same for the same seed, and skip those that are taken', () => {
  const first = freeNames('web-', 'uid', () => false);
  const [a, b] = [first(), first()];
  assert.match(a, /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.notEqual(a, b);
  assert.equal(freeNames('web-', 'uid', (name) => name === a)(), b);
});

test('a long base is cut so that the name stays a DNS label', () => {
  const name = freeNames(`${'x'.repeat(70)}-`, 'uid', () => false)();
  assert.equal(name.length, 63);
});

test('ten thousand names from one seed do not collide', () => {
  const next = freeNames('', 'uid', () => false);
  assert.equal(new Set(Array.from({ length: 10_000 }, next)).size, 10_000);
});

const amounts: readonly (readonly [number | string, number, 'up' | 'down', number])[] = [
  [3, 10, 'up', 3],
  ['25%', 10, 'up', 3],
  ['25%', 10, 'down', 2],
  ['1%', 1, 'up', 1],
  ['1%', 1, 'down', 0],
  ['100%', 7, 'down', 7],
  ['0%', 7, 'up', 0],
];
for (const [amount, total, round, expected] of amounts) {
  test(`${amount} of ${total} rounded ${round} is ${expected}`, () => {
    assert.equal(resolveAmount(amount, total, round), expected);
  });
}
