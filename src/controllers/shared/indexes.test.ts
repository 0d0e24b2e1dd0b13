// The indexes find what a search through everything would find, for any objects and changes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigMap } from '../../api/core/config-map.ts';
import type { LabelSelector } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';
import { compareObjects } from '../../store/table.ts';
import { objectOf } from '../testing/lab.ts';
import { changesBetween } from './changes.ts';
import { LabelIndex } from './label-index.ts';
import { SelectorIndex } from './selector-index.ts';

const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'x'), fc.constantFrom('1', '2', '3'));

const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: labels,
  matchExpressions: fc.array(
    fc.record({
      key: fc.constantFrom('app', 'tier'),
      operator: fc.constantFrom('Exists', 'DoesNotExist', 'In', 'NotIn'),
      values: fc.constantFrom(['1'], ['1', '2']),
    }),
    { maxLength: 1 },
  ),
});

const object = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    namespace: fc.constantFrom('n1', 'n2'),
    labels,
  })
  .map((metadata) => objectOf(ConfigMap, { metadata }));

/** At most one object of each name, sorted as a table is. */
const objects = fc
  .uniqueArray(object, {
    selector: ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
    maxLength: 8,
  })
  .map((list) => list.toSorted(compareObjects));

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

test('an index of labels finds what a search through all objects finds', () => {
  fc.assert(
    fc.property(objects, objects, selector, (before, after, wanted) => {
      const index = new LabelIndex<ConfigMap>();
      for (const change of changesBetween([], before)) index.update(change);
      for (const change of changesBetween(before, after)) index.update(change);
      const expected = after.filter(
        ({ metadata }) =>
          metadata.namespace === 'n1' &&
          !isEmpty(wanted) &&
          matchesSelector(wanted, metadata.labels),
      );
      assert.deepEqual(index.select('n1', wanted), expected);
    }),
  );
});

test('an index of selectors finds what a search through all selectors finds', () => {
  const filed = fc.array(fc.tuple(fc.constantFrom('n1', 'n2'), selector), { maxLength: 8 });
  fc.assert(
    fc.property(filed, filed, labels, (before, after, own) => {
      const index = new SelectorIndex();
      for (const [i, [namespace, one]] of before.entries()) index.set(`${i}`, namespace, one);
      for (const i of before.keys()) if (i >= after.length) index.delete(`${i}`);
      for (const [i, [namespace, one]] of after.entries()) index.set(`${i}`, namespace, one);
      const found: string[] = [];
      index.forEachMatch('n1', own, (id) => found.push(id));
      const expected = [...after.entries()]
        .filter(([, [ns, one]]) => ns === 'n1' && !isEmpty(one) && matchesSelector(one, own))
        .map(([i]) => `${i}`);
      assert.deepEqual(found.toSorted(), expected.toSorted());
    }),
  );
});

test('the changes between two tables turn the one into the other', () => {
  fc.assert(
    fc.property(objects, objects, (before, after) => {
      const result = new Map(
        before.map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one]),
      );
      for (const change of changesBetween(before, after)) {
        const { metadata } = change.before ?? change.after ?? assert.fail('an empty change');
        const key = `${metadata.namespace}/${metadata.name}`;
        assert.equal(change.before, result.get(key));
        if (change.after === undefined) result.delete(key);
        else result.set(key, change.after);
      }
      assert.deepEqual([...result.values()].toSorted(compareObjects), after);
    }),
  );
});

test('objects that are the same in both tables are no changes', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => objectOf(ConfigMap, { metadata: { name } }));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const next = { ...b };
  assert.deepEqual(changesBetween([a, b, c], [a, next, c]), [{ before: b, after: next }]);
  assert.deepEqual(changesBetween([a, b, c], [a, b, c]), []);
});
