import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { duplicateFields } from './duplicates.ts';

const paths = (text: string): readonly string[] => duplicateFields(text).map(({ path }) => path);

describe('duplicate keys', () => {
  it('are named by their path', () => {
    assert.deepEqual(paths('{"a":1,"a":2}'), ['a']);
    assert.deepEqual(paths('{"spec":{"x":[{"k":1},{"k":1,"j":"k","k":2}],"x":1}}'), [
      'spec.x[1].k',
      'spec.x',
    ]);
    assert.deepEqual(paths('[{"op":"add","path":"/a","path":"/a"}]'), ['[0].path']);
  });

  it('are the same key however it is written', () => {
    assert.deepEqual(paths('{"a":1,"\\u0061":2}'), ['a']);
    assert.deepEqual(paths('{"a\\"":1,"b\\\\":"\\\\","a\\"":2}'), ['a"']);
  });

  it('are none in values, in other objects and in lists', () => {
    assert.deepEqual(paths('{"a":"a","b":{"a":1},"c":[{"a":1},{"a":1},"a","a"]}'), []);
    assert.deepEqual(paths('{"a":"{\\"b\\":1,\\"b\\":2}"}'), []);
    assert.deepEqual(paths('"a"'), []);
  });

  it('say in which line they are', () => {
    assert.deepEqual(duplicateFields('{\n "a": 1,\n "b": 2,\n "a": 3\n}'), [
      { path: 'a', key: 'a', line: 4 },
    ]);
  });

  it('are at most a hundred', () => {
    const text = `{${Array.from({ length: 300 }, () => '"a":1').join(',')}}`;
    assert.equal(duplicateFields(text).length, 100);
  });

  it('are never found in what JSON.stringify writes', () => {
    fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(paths(text), [])));
  });

  it('are found wherever one is put in', () => {
    const key = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(key, fc.jsonValue(), fc.jsonValue(), (name, one, two) => {
        const written = JSON.stringify(name);
        const text = `{${written}:${JSON.stringify(one)},${written}:${JSON.stringify(two)}}`;
        assert.deepEqual(paths(text), [name]);
      }),
    );
  });
});
