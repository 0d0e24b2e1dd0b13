import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import { MERGE_PATCH, applyPatch } from './patch.ts';

type Json = Readonly<Record<string, unknown>>;

function patched(target: Json, patch: unknown): unknown {
  const before = structuredClone([target, patch]);
  const result = applyPatch(MERGE_PATCH, target, patch, HTTPRoute);
  assert.deepEqual([target, patch], before, 'inputs stay as they are');
  return 'error' in result ? result.error : result.object;
}

// The cases of RFC 7386, appendix A, that begin and end with an object.
const rows: readonly (readonly [target: Json, patch: Json, result: Json])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

describe('a JSON merge patch', () => {
  for (const [target, patch, result] of rows) {
    it(`${JSON.stringify(target)} + ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(patched(target, patch), result);
    });
  }

  for (const patch of [['c'], 'bar', 5, null, true]) {
    it(`is refused when it is ${JSON.stringify(patch)}`, () => {
      const { status, message } = patched({ a: 'b' }, patch) as { status: number; message: string };
      assert.equal(status, 400);
      assert.match(message, /^error decoding patch: json: cannot unmarshal \w+ into Go value/);
    });
  }

  it('does not reach prototypes', () => {
    const patch: unknown = JSON.parse(
      '{"__proto__":{"polluted":true},"a":{"constructor":{"b":1}}}',
    );
    const object = patched({ a: {} }, patch) as object;
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
    assert.equal('polluted' in {}, false);
    assert.deepEqual(object, patch);
  });
});
