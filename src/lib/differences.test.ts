import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { differences } from './differences.ts';

interface Item {
  readonly name: number;
}

const byName = (a: Item, b: Item): number => a.name - b.name;

describe('differences', () => {
  it('turn the first list into the second, and name nothing that is the same', () => {
    const names = fc.uniqueArray(fc.nat(12));
    fc.assert(
      fc.property(names, names, names, (before, after, renewed) => {
        const items = new Map(before.map((name) => [name, { name }]));
        const isNew = (name: number): boolean => !items.has(name) || renewed.includes(name);
        const list = (all: readonly Item[]): readonly Item[] => all.toSorted(byName);
        const first = list([...items.values()]);
        const second = list(after.map((name) => (isNew(name) ? { name } : items.get(name)!)));
        const found = differences(first, second, byName);
        assert.deepEqual(
          found.filter((d) => d.isThere).map((d) => d.item.name),
          list(after.filter(isNew).map((name) => ({ name }))).map((i) => i.name),
        );
        assert.deepEqual(
          found.filter((d) => !d.isThere).map((d) => d.item),
          first.filter(({ name }) => !after.includes(name)),
        );
      }),
    );
  });
});
