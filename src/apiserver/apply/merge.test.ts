import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { list, object, opt, string } from '../../api/schema/schema.ts';
import { merge } from './merge.ts';
import { Thing, thing } from './testing.ts';

const Tags = list(string(), { listType: 'set' });
const Named = list(object({ name: string(), a: opt(string()), b: opt(string()) }), {
  listType: 'map',
  keys: ['name'],
});

describe('the order of merged items', () => {
  const table: readonly (readonly [live: string, applied: string, merged: string])[] = [
    ['', 'ab', 'ab'],
    ['ab', '', 'ab'],
    ['ab', 'ab', 'ab'],
    ['ab', 'ba', 'ba'],
    ['abc', 'c', 'abc'],
    ['abc', 'ca', 'bca'],
    ['abcd', 'dbN', 'acdbN'],
    ['abx', 'baN', 'bxaN'],
    ['x', 'N', 'xN'],
    ['ab', 'Nb', 'aNb'],
    ['xay', 'aNM', 'xayNM'],
    ['axbyc', 'cba', 'xycba'],
  ];
  for (const [live, applied, merged] of table) {
    it(`[${live}] under [${applied}] is [${merged}]`, () => {
      const tags = (text: string): string[] => text.split('');
      assert.deepEqual(merge(Tags, tags(live), tags(applied)), tags(merged));
      const named = (text: string): unknown[] => tags(text).map((name) => ({ name }));
      assert.deepEqual(merge(Named, named(live), named(applied)), named(merged));
    });
  }
});

describe('merging', () => {
  it('joins items of one key, a default counting as the key', () => {
    const live = thing({ ports: [{ port: 80, protocol: 'TCP', name: 'http' }] });
    const merged = merge(Thing, live, thing({ ports: [{ port: 80, target: 8080 }] }));
    assert.deepEqual(
      merged,
      thing({ ports: [{ port: 80, protocol: 'TCP', name: 'http', target: 8080 }] }),
    );
  });

  it('replaces what is atomic as a whole', () => {
    const live = thing({ selector: { a: '1', b: '2' }, rules: [{ path: '/a' }, { path: '/b' }] });
    const merged = merge(Thing, live, thing({ selector: { c: '3' }, rules: [{ path: '/c' }] }));
    assert.deepEqual(merged, thing({ selector: { c: '3' }, rules: [{ path: '/c' }] }));
  });

  it('takes values of unknown structure apart by their form: objects as maps, lists whole', () => {
    const live = thing({ free: { a: { x: 1 }, l: [1, 2] } });
    const merged = merge(Thing, live, thing({ free: { a: { y: 2 }, l: [3] } }));
    assert.deepEqual(merged, thing({ free: { a: { x: 1, y: 2 }, l: [3] } }));
  });

  it('takes nothing away by null or an empty container', () => {
    const live = thing({ nested: { a: '1' }, tags: ['x'] });
    assert.equal(merge(Thing, live, thing({ nested: null, tags: [] })), live);
    assert.equal(merge(Thing, live, thing({ nested: {} })), live);
  });

  it('gives back the live object when nothing differs', () => {
    const live = thing({ ports: [{ port: 80, protocol: 'TCP' }], replicas: 2 });
    assert.equal(merge(Thing, live, thing({ ports: [{ port: 80 }] })), live);
  });

  it('leaves live items that share a key as they are, and puts the applied one for them', () => {
    const live = [{ name: 'x', a: '1' }, { name: 'x', a: '2' }, { name: 'y' }];
    assert.deepEqual(merge(Named, live, [{ name: 'z' }]), [...live, { name: 'z' }]);
    assert.deepEqual(merge(Named, live, [{ name: 'x', b: '3' }]), [
      { name: 'x', b: '3' },
      { name: 'y' },
    ]);
  });

  it('puts new items behind the twins of one that is applied', () => {
    assert.deepEqual(merge(Tags, ['a', 'a', 'x'], ['a', 'c']), ['a', 'c', 'x']);
  });

  it('survives names that every object has', () => {
    const live = thing({}, { labels: { app: 'a' } });
    const merged = merge(Thing, live, thing({}, { labels: { constructor: 'x', toString: 'y' } }));
    assert.deepEqual(merged, thing({}, { labels: { app: 'a', constructor: 'x', toString: 'y' } }));
  });
});
