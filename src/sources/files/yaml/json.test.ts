import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { looksLikeJson, parseJson, splitJson } from './json.ts';

describe('JSON', () => {
  it('is what begins with a brace', () => {
    assert.ok(looksLikeJson(' \n{"a": 1}'));
    assert.ok(!looksLikeJson('a: {}'));
    assert.ok(!looksLikeJson('[1]'));
  });

  it('has its value', () => {
    const value = { a: [1, 'x:{}[]"\\', { b: null }], 'c:d': {} };
    assert.deepEqual(parseJson(JSON.stringify(value, undefined, 2), 10), { value });
  });

  it('is left to the YAML parser with a key twice, and when it is none', () => {
    assert.equal(parseJson('{"a": 1, "a": 1}', 10), undefined);
    assert.equal(parseJson('{"b": {"a": 1, "\\u0061": 1}}', 10), undefined);
    assert.equal(parseJson('{a: 1}', 10), undefined);
    assert.equal(parseJson('{"a": 1', 10), undefined);
  });

  it('keeps a key that would reach the prototype', () => {
    const parsed = parseJson('{"__proto__": {"a": 1}}', 10);
    assert.ok(parsed !== undefined && 'value' in parsed);
    assert.deepEqual(Object.keys(parsed.value as object), ['__proto__']);
  });

  it('is refused when nested too deep, at any depth', () => {
    for (const depth of [11, 100_000]) {
      const parsed = parseJson(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`, 10);
      assert.ok(parsed !== undefined && 'faults' in parsed);
      assert.match(parsed.faults[0]?.message ?? '', /limit nestingMax/);
    }
  });

  it('is never refused or changed when it is valid and without a key twice', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(parseJson(text, 20), { value: JSON.parse(text) as unknown });
        assert.equal(splitJson(text), undefined);
      }),
    );
  });

  it('may be several values one after the other, however they are separated', () => {
    assert.deepEqual(splitJson('{"a": "}{"}\n{"b": {}} {"c": 1}\n'), [
      '{"a": "}{"}',
      '\n{"b": {}}',
      ' {"c": 1}\n',
    ]);
  });

  it('is not split when a part is none', () => {
    assert.equal(splitJson("{a: '} {'}"), undefined);
    assert.equal(splitJson('{"a": 1} x'), undefined);
    assert.equal(splitJson('{"a": 1} {b}'), undefined);
  });
});
