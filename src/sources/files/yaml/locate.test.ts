import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { locateFields } from './locate.ts';

const DOCUMENT = `# a comment
apiVersion: v1
shared: &shared
  weight: 1
  deep: {port: 2}
metadata:
  annotations:
    fairway.dev/x: text
    "quoted.dev": |
      a
    a.b.c: 1
spec:
  <<: [*shared]
  rules:
  - backendRefs:
    - name: a
      port: 80
    - name: b
      port: {
  number: 2
}
  - *shared
  -
last:
`;

describe('the place of a field', () => {
  for (const [path, line, column] of [
    ['', 2, 1],
    ['spec', 12, 1],
    ['spec.rules[0].backendRefs[1].port', 19, 7],
    ['spec.rules[0].backendRefs[1].port.number', 20, 3],
    ['metadata.annotations[fairway.dev/x]', 8, 5],
    ['metadata.annotations[quoted.dev]', 9, 5],
    ['metadata.annotations.a.b.c', 11, 5],
    ['last', 24, 1],
    ['spec.rules[0]', 15, 5],
  ] as const) {
    it(`is its key, and of a list item its beginning: ${path}`, () => {
      assert.deepEqual(locateFields(DOCUMENT, [path], 100), [{ line, column }]);
    });
  }

  for (const [path, line] of [
    ['spec.rules[0].backendRefs[0].weight', 16],
    ['spec.rules[7].name', 14],
    ['metadata.annotations[none]', 7],
    ['metadata.name', 6],
    ['none', 2],
  ] as const) {
    it(`is what is nearest above it when it is not written down: ${path}`, () => {
      assert.equal(locateFields(DOCUMENT, [path], 100)[0]?.line, line);
    });
  }

  it('is found through aliases and merge keys', () => {
    const paths = ['spec.weight', 'spec.deep.port', 'spec.rules[1].deep.port'];
    assert.deepEqual(
      locateFields(DOCUMENT, paths, 100).map(({ line }) => line),
      [4, 5, 5],
    );
  });

  it('is the first thing in a text that cannot be read or is empty', () => {
    assert.deepEqual(locateFields('# x\n\n  a: [', ['a.b'], 100), [{ line: 3, column: 3 }]);
    assert.deepEqual(locateFields('', ['a'], 100), [{ line: 1, column: 1 }]);
  });

  it('is where its key stands, in any document', () => {
    const key = fc
      .stringMatching(/^[a-z][a-z0-9./-]{0,8}[a-z]$/)
      .filter((text) => !/^(on|no)$/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 8 }), fc.nat(), (keys, pick) => {
        const text = keys.map((name) => `${name}:\n  x-${name}: 1\n`).join('');
        const index = pick % keys.length;
        const [spot] = locateFields(text, [`[${keys[index]}][x-${keys[index]}]`], 100);
        assert.deepEqual(spot, { line: 2 * index + 2, column: 3 });
      }),
    );
  });
});
