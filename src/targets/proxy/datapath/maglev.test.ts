import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maglevTable, TABLE_SIZE } from './maglev.ts';

const namesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}|8080`);

function places(names: readonly string[]): string[] {
  return Array.from(maglevTable(names), (i) => names[i]!);
}

test('every name has its share of the places, to 1 %', () => {
  for (const count of [1, 2, 3, 10, 100]) {
    const counts = new Map<string, number>();
    for (const name of places(namesOf(count))) counts.set(name, (counts.get(name) ?? 0) + 1);
    assert.equal(counts.size, count);
    for (const places of counts.values()) {
      assert.ok(Math.abs(places - TABLE_SIZE / count) <= Math.max(1, TABLE_SIZE / count / 100));
    }
  }
});

test('the table does not depend on the order of the names', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(namesOf(12), { minLength: 1 }), (names) => {
      assert.deepEqual(places(names), places(names.toSorted()));
    }),
    { numRuns: 20 },
  );
});

test('when one of ten names goes, little more than its own places move', () => {
  const names = namesOf(10);
  const before = places(names);
  const after = places(names.slice(0, 9));
  const moved = before.filter((name, i) => name !== names[9] && name !== after[i]).length;
  assert.ok(moved < TABLE_SIZE * 0.05, `${moved} places moved`);
});
