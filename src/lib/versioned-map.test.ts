import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { changedKeys, VersionedMap } from './versioned-map.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const change = fc.tuple(key, fc.option(fc.nat(3), { nil: undefined }));
/** Changes, and to which of the versions so far they are made. */
const step = fc.record({
  changes: fc.array(change, { maxLength: 4 }),
  to: fc.option(fc.nat(), { nil: undefined }),
});

function changed(map: ReadonlyMap<string, number>, changes: (readonly [string, number?])[]) {
  const next = new Map(map);
  for (const [k, value] of changes) {
    if (value === undefined) next.delete(k);
    else next.set(k, value);
  }
  return next;
}

describe('a versioned map', () => {
  it('keeps every version as it was made, in whatever order they are made', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const versions = [{ map: VersionedMap.of<number>(), model: new Map<string, number>() }];
        for (const { changes, to } of steps) {
          const base = versions[to === undefined ? versions.length - 1 : to % versions.length]!;
          versions.push({ map: base.map.with(changes), model: changed(base.model, changes) });
          for (const { map, model } of versions) {
            assert.deepEqual(new Map(map), model);
            assert.equal(map.size, model.size);
            for (const k of 'abcde') assert.equal(map.get(k), model.get(k));
          }
        }
      }),
    );
  });

  it('names every key that differs between two versions', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const versions = [VersionedMap.of<number>()];
        for (const { changes, to } of steps) {
          const base = versions[to === undefined ? versions.length - 1 : to % versions.length]!;
          versions.push(base.with(changes));
        }
        for (const a of versions) {
          for (const b of versions) {
            const keys = changedKeys(a, b);
            for (const k of 'abcde') if (a.get(k) !== b.get(k)) assert.ok(keys.has(k));
          }
        }
      }),
    );
  });

  it('is the same version when nothing is different', () => {
    const map = VersionedMap.of([['a', 1]]);
    assert.equal(map.with([['a', 1]]), map);
    assert.equal(map.with([['b', undefined]]), map);
  });

  it('looks at what changed and at nothing else', () => {
    const before = VersionedMap.of(Array.from({ length: 1000 }, (_, i) => [String(i), i] as const));
    const after = before.with([['7', 70]]).with([['8', undefined]]);
    assert.deepEqual([...changedKeys(before, after)], ['7', '8']);
  });
});
