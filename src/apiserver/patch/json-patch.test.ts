import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import { DEPTH_MAX } from './values.ts';
import { COPIED_BYTES_MAX, OPERATIONS_MAX } from './json-patch.ts';
import { JSON_PATCH, applyPatch } from './patch.ts';

const TARGET = { a: { b: [1, 2, 3], 'x/y': 1, 'm~n': 2, none: null }, s: 'text' };

function patched(...operations: readonly object[]): unknown {
  const before = structuredClone([TARGET, operations]);
  const result = applyPatch(JSON_PATCH, TARGET, operations, ConfigMap);
  assert.deepEqual([TARGET, operations], before, 'inputs stay as they are');
  return 'error' in result ? `${result.error.status} ${result.error.message}` : result.object;
}

const { a } = TARGET;
const with_ = (b: unknown) => ({ ...TARGET, a: { ...a, b } });

const applied: readonly (readonly [
  title: string,
  operations: readonly object[],
  result: object,
])[] = [
  ['adds a member', [{ op: 'add', path: '/n', value: { x: 1 } }], { ...TARGET, n: { x: 1 } }],
  ['adds over a member', [{ op: 'add', path: '/s', value: null }], { ...TARGET, s: null }],
  ['adds into a list', [{ op: 'add', path: '/a/b/1', value: 9 }], with_([1, 9, 2, 3])],
  ['adds at the index behind', [{ op: 'add', path: '/a/b/3', value: 9 }], with_([1, 2, 3, 9])],
  ['adds at the end of a list', [{ op: 'add', path: '/a/b/-', value: 9 }], with_([1, 2, 3, 9])],
  ['counts from the end', [{ op: 'replace', path: '/a/b/-1', value: 9 }], with_([1, 2, 9])],
  ['removes a member', [{ op: 'remove', path: '/s' }], { a }],
  ['removes an item', [{ op: 'remove', path: '/a/b/0' }], with_([2, 3])],
  ['replaces an item', [{ op: 'replace', path: '/a/b/0', value: 'x' }], with_(['x', 2, 3])],
  [
    'replaces a member that is not there, as kube-apiserver does',
    [{ op: 'replace', path: '/n', value: 1 }],
    { ...TARGET, n: 1 },
  ],
  ['replaces all', [{ op: 'replace', path: '', value: { x: 1 } }], { x: 1 }],
  ['moves', [{ op: 'move', from: '/s', path: '/a/b' }], { a: { ...a, b: 'text' } }],
  ['moves within a list', [{ op: 'move', from: '/a/b/0', path: '/a/b/-' }], with_([2, 3, 1])],
  ['moves nothing', [{ op: 'move', from: '/s', path: '/s' }], TARGET],
  ['copies', [{ op: 'copy', from: '/a/b', path: '/t' }], { ...TARGET, t: [1, 2, 3] }],
  [
    'writes to a copy and not to what it was copied from',
    [
      { op: 'add', path: '/t', value: [] },
      { op: 'copy', from: '/t', path: '/u' },
      { op: 'add', path: '/t/-', value: 1 },
      { op: 'add', path: '/u/-', value: 2 },
    ],
    { ...TARGET, t: [1], u: [2] },
  ],
  [
    'copies all into itself, once',
    [
      { op: 'add', path: '/s', value: 1 },
      { op: 'copy', from: '', path: '/t' },
    ],
    { ...TARGET, s: 1, t: { ...TARGET, s: 1 } },
  ],
  [
    'tests by content',
    [
      { op: 'test', path: '/a/b', value: [1, 2, 3] },
      { op: 'test', path: '/a/x~1y', value: 1 },
      { op: 'test', path: '/a/m~0n', value: 2 },
      { op: 'test', path: '/a/none', value: null },
      { op: 'test', path: '/not/there', value: null },
    ].slice(0, 4),
    TARGET,
  ],
  ['takes what is not there for null', [{ op: 'test', path: '/nope', value: null }], TARGET],
];

const UNFIT = '422 the server rejected our request due to an error in our request: ';

const refused: readonly (readonly [operation: object, why: string])[] = [
  [{ op: 'test', path: '/s', value: 'other' }, 'testing value /s failed: test failed'],
  [{ op: 'test', path: '/s/t', value: null }, 'doc is missing path: "/s/t"'],
  [{ op: 'remove', path: '/nope' }, 'Unable to remove nonexistent key: nope'],
  [{ op: 'remove', path: '/a/b/3' }, 'Unable to access invalid index: 3'],
  [{ op: 'remove', path: '' }, 'remove operation does not apply'],
  [{ op: 'add', path: '/a/b/5', value: 1 }, 'Unable to access invalid index: 5'],
  [{ op: 'add', path: '/a/b/01', value: 1 }, 'Unable to access invalid index: 01'],
  [{ op: 'add', path: '/no/way', value: 1 }, 'doc is missing path: "/no/way"'],
  [{ op: 'add', path: '/s/way', value: 1 }, 'doc is missing path: "/s/way"'],
  [{ op: 'add', path: 's', value: 1 }, '"s" is no JSON pointer'],
  [{ op: 'add', path: '/~2', value: 1 }, '"/~2" is no JSON pointer'],
  [{ op: 'add', path: 5, value: 1 }, 'add operation failed to decode path'],
  [{ op: 'add', path: '/n' }, 'add operation has no value'],
  [{ op: 'move', path: '/n' }, 'move operation failed to decode from'],
  [{ op: 'move', from: '/a', path: '/a/c' }, '/a/c is inside of /a'],
  [{ op: 'move', from: '/nope', path: '/n' }, 'doc is missing from path: "/nope"'],
  [{ op: 'copy', from: '/nope', path: '/n' }, 'doc is missing from path: "/nope"'],
  [{ op: 'replace', path: '', value: [] }, 'the patch makes the object array'],
  [{ op: 'increment', path: '/n' }, 'Unexpected kind: increment'],
  [{ path: '/n' }, 'Unexpected kind: unknown'],
];

describe('a JSON patch', () => {
  for (const [title, operations, result] of applied) {
    it(title, () => assert.deepEqual(patched(...operations), result));
  }

  for (const [operation, why] of refused) {
    it(`is refused: ${JSON.stringify(operation)}`, () => {
      const message = String(patched(operation));
      assert.ok(message.startsWith(UNFIT) && message.includes(why), message);
    });
  }

  it('is done as a whole or not at all', () => {
    const second = { op: 'remove', path: '/nope' };
    assert.match(String(patched({ op: 'remove', path: '/s' }, second)), /^422 /);
  });

  it('must be a list of operations', () => {
    const result = applyPatch(JSON_PATCH, TARGET, { op: 'remove', path: '/s' }, ConfigMap);
    assert.deepEqual(result, {
      error: {
        status: 400,
        message:
          'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
      },
    });
    assert.ok('error' in applyPatch(JSON_PATCH, TARGET, ['remove'], ConfigMap));
  });

  it('has a limit on operations', () => {
    const operations = Array.from({ length: OPERATIONS_MAX + 1 }, () => ({
      op: 'test',
      path: '/s',
      value: 'text',
    }));
    assert.deepEqual(patched(...operations.slice(1)), TARGET);
    assert.equal(
      patched(...operations),
      '413 The allowed maximum operations in a JSON patch is 10000, got 10001',
    );
  });

  it('cannot make an object grow without end', () => {
    const seed = { op: 'add', path: '/t', value: ['x'.repeat(COPIED_BYTES_MAX / 8)] };
    const double = { op: 'copy', from: '/t', path: '/t/-' };
    assert.match(
      String(patched(seed, double, double, double, double)),
      /exceeding the limit 3145728/,
    );
    const nest = Array.from({ length: DEPTH_MAX }, () => ({
      op: 'move',
      from: '/s',
      path: '/t/s',
    }));
    const deeper = nest.flatMap((move) => [
      { op: 'add', path: '/t', value: {} },
      move,
      { op: 'move', from: '/t', path: '/s' },
    ]);
    assert.match(String(patched(...deeper)), /nests deeper/);
  });

  it('does not reach prototypes', () => {
    const value = { polluted: true };
    const object = patched({ op: 'add', path: '/__proto__', value }) as object;
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
    assert.ok(Object.hasOwn(object, '__proto__'));
    assert.match(String(patched({ op: 'add', path: '/constructor/x', value })), /missing path/);
    assert.match(String(patched({ op: 'add', path: '/__proto__/x', value })), /missing path/);
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });
});
