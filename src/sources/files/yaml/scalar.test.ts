import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { resolveKey, resolvePlain, resolveTagged } from './scalar.ts';

// What kubectl makes of scalars is in testdata/files/go-yaml.json, which value.test.ts goes through.

describe('a plain scalar', () => {
  for (const [text, value] of [
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['~', null],
    ['', null],
    ['0644', 420],
    ['08', 8],
    ['1_000', 1000],
    ['0x1F', 31],
    ['-0', 0],
    ['12:30', '12:30'],
    ['2020-01-01', '2020-01-01'],
    ['1e1000', '1e1000'],
    ['.5', 0.5],
    ['1.2.3', '1.2.3'],
    ['100m', '100m'],
    ['tRUE', 'tRUE'],
  ] as const) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(value)}`, () => {
      assert.equal(resolvePlain(text), value);
    });
  }

  it('is text as long as it has letters that no number has', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9_.-]{0,9}[g-wz][a-zA-Z0-9_.-]{6,}$/), (text) => {
        assert.equal(resolvePlain(text), text);
      }),
    );
  });

  it('is the number that JSON has for it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
        (n) => {
          assert.equal(resolvePlain(JSON.stringify(n)), n === 0 ? 0 : n);
        },
      ),
    );
  });
});

describe('a key', () => {
  for (const [text, value] of [
    ['on', 'true'],
    ['0644', '420'],
    ['1.10', '1.1'],
    ['1e6', '1e+06'],
    ['123456.7', '123456.7'],
    ['0.00001', '1e-05'],
    ['9223372036854775807', '9223372036854775807'],
    ['.inf', '.inf'],
    ['-0.0', '-0'],
    ['app', 'app'],
  ] as const) {
    it(`${text} is ${JSON.stringify(value)}`, () => assert.deepEqual(resolveKey(text), { value }));
  }

  it('cannot be null or beyond 64 bits', () => {
    assert.ok('error' in resolveKey(''));
    assert.ok('error' in resolveKey('9223372036854775808'));
  });
});

describe('a tag', () => {
  const STANDARD = 'tag:yaml.org,2002:';
  it('makes what it says of a scalar that allows it', () => {
    assert.deepEqual(resolveTagged(`${STANDARD}int`, '0x10'), { value: 16 });
    assert.deepEqual(resolveTagged(`${STANDARD}float`, '3'), { value: 3 });
    assert.deepEqual(resolveTagged(`${STANDARD}str`, '3'), { value: '3' });
    assert.deepEqual(resolveTagged(`${STANDARD}binary`, 'aGVs\nbG8='), { value: 'hello' });
    assert.deepEqual(resolveTagged('!Ref', 'x'), { value: 'x' });
  });

  it('is refused on others', () => {
    assert.ok('error' in resolveTagged(`${STANDARD}int`, '1.5'));
    assert.ok('error' in resolveTagged(`${STANDARD}bool`, '1'));
    assert.ok('error' in resolveTagged(`${STANDARD}binary`, 'no base64'));
  });
});
