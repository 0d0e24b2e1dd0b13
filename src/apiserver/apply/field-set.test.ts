import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';

import { canonicalElement, compareElements, printElement } from './element.ts';
import {
  difference,
  EMPTY,
  FIELD_SET_DEPTH_MAX,
  intersection,
  isEmpty,
  isMember,
  parseFieldSet,
  printPaths,
  sameSet,
  union,
} from './field-set.ts';
import type { FieldSet } from './field-set.ts';

const ELEMENTS = [
  'f:a',
  'f:b',
  'f:Z',
  'f:\u{1F600}',
  'f:\uFFEE',
  'k:{"name":"x"}',
  'k:{"port":9}',
  'k:{"port":80,"protocol":"TCP"}',
  'k:{"port":443,"protocol":"TCP"}',
  'v:"x"',
  'v:2',
  'v:10',
  'v:true',
  'i:2',
  'i:10',
];

const paths = fc.array(fc.array(fc.constantFrom(...ELEMENTS), { minLength: 1, maxLength: 4 }), {
  maxLength: 12,
});

type Path = readonly string[];

/** As fieldsV1, in no particular order. */
function asJson(list: readonly Path[]): Record<string, unknown> {
  const root: Record<string, never> = {};
  for (const path of list) {
    let node: Record<string, unknown> = root;
    for (const step of path) node = (node[step] ??= {}) as Record<string, unknown>;
    node['.'] = {};
  }
  return root;
}

function parse(json: unknown): FieldSet {
  const parsed = parseFieldSet(json);
  if ('problem' in parsed) throw new Error(parsed.problem.message);
  return parsed.set;
}

function setOf(list: readonly Path[]): FieldSet {
  return parse(asJson(list));
}

/** The oracle: a set of paths is a set of texts. */
function pathsOf(set: FieldSet, prefix: Path = []): Set<string> {
  const out = new Set<string>();
  for (const [step, node] of Object.entries(set)) {
    if (step === '.') continue;
    const path = [...prefix, step];
    if (isMember(node)) out.add(JSON.stringify(path));
    for (const below of pathsOf(node, path)) out.add(below);
  }
  return out;
}

function texts(list: readonly Path[]): Set<string> {
  return new Set(list.map((path) => JSON.stringify(path)));
}

function only(set: ReadonlySet<string>, test: (text: string) => boolean): Set<string> {
  return new Set([...set].filter(test));
}

describe('sets of fields', () => {
  it('do what sets of paths do', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const [x, y] = [setOf(a), setOf(b)];
        assert.deepEqual(pathsOf(x), texts(a));
        assert.deepEqual(pathsOf(union(x, y)), new Set([...texts(a), ...texts(b)]));
        assert.deepEqual(
          pathsOf(intersection(x, y)),
          only(texts(a), (t) => texts(b).has(t)),
        );
        assert.deepEqual(
          pathsOf(difference(x, y)),
          only(texts(a), (t) => !texts(b).has(t)),
        );
      }),
    );
  });

  it('stay canonical: what is written reads back as the very same text', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const [x, y] = [setOf(a), setOf(b)];
        for (const set of [x, union(x, y), intersection(x, y), difference(x, y)]) {
          const text = JSON.stringify(set);
          assert.equal(JSON.stringify(parse(JSON.parse(text))), text);
        }
      }),
    );
  });

  it('are the same exactly when their paths are', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        assert.equal(sameSet(setOf(a), setOf(b)), isDeepStrictEqual(texts(a), texts(b)));
        assert.equal(sameSet(setOf(a), setOf(a.toReversed())), true);
      }),
    );
  });

  it('keep their identity when nothing is taken or added', () => {
    const set = setOf([['f:a', 'f:b'], ['f:a'], ['f:b']]);
    assert.equal(difference(set, setOf([['f:Z'], ['f:b', 'f:a']])), set);
    assert.equal(union(set, EMPTY), set);
    assert.equal(intersection(set, set), set);
    assert.ok(isEmpty(difference(set, set)));
  });

  it('lose a container and keep what is in it', () => {
    const set = setOf([['f:a'], ['f:a', 'f:b']]);
    assert.deepEqual(difference(set, setOf([['f:a']])), { 'f:a': { 'f:b': {} } });
    assert.deepEqual(difference(set, setOf([['f:a', 'f:b']])), { 'f:a': {} });
  });
});

describe('fieldsV1', () => {
  const orders: readonly [string, readonly string[]][] = [
    ['fields by code point', ['f:A', 'f:B', 'f:a', 'f:\uFFEE', 'f:\u{1F600}']],
    ['numbers by size', ['k:{"port":9}', 'k:{"port":80}', 'k:{"port":443}']],
    [
      'keys by their first field, then the next',
      [
        'k:{"port":80,"protocol":"TCP"}',
        'k:{"port":80,"protocol":"UDP"}',
        'k:{"port":81,"protocol":"TCP"}',
      ],
    ],
    ['the shorter key first', ['k:{"a":"x"}', 'k:{"a":"x","b":"y"}']],
    ['fields, keys, values, places', ['f:z', 'k:{"a":1}', 'v:1', 'v:"a"', 'v:true', 'i:2', 'i:10']],
  ];
  for (const [name, order] of orders) {
    it(`orders ${name}`, () => {
      assert.deepEqual(order.toReversed().toSorted(compareElements), order);
    });
  }

  it('has one text for one step', () => {
    const same: readonly [string, string][] = [
      ['k:{"protocol":"TCP", "port":80}', 'k:{"port":80,"protocol":"TCP"}'],
      ['v:"a<b"', 'v:"a\\u003cb"'],
      ['v: 1.0', 'v:1'],
      ['i:+07', 'i:7'],
    ];
    for (const [text, element] of same) assert.deepEqual(canonicalElement(text), { element });
  });

  it('reads twins that differ in writing as one', () => {
    const json = { 'f:l': { 'k:{"a":1}': { 'f:x': {} }, 'k:{ "a": 1 }': { 'f:y': {} } } };
    assert.deepEqual(parse(json), { 'f:l': { 'k:{"a":1}': { 'f:x': {}, 'f:y': {} } } });
  });

  it('leaves out steps of a kind it does not know', () => {
    assert.deepEqual(parse({ 'f:a': {}, 'q:b': {} }), { 'f:a': {} });
  });

  it('says what is malformed, and where', () => {
    const table: readonly [unknown, readonly string[], RegExp][] = [
      ['text', [], /must be an object/],
      [{ x: {} }, ['x'], /must begin with/],
      [{ 'f:a': { 'k:[1]': {} } }, ['f:a', 'k:[1]'], /JSON object/],
      [{ 'v:nope': {} }, ['v:nope'], /JSON value/],
      [{ 'i:x': {} }, ['i:x'], /whole number/],
      [{ 'f:a': 1 }, ['f:a'], /must be an object/],
    ];
    for (const [json, at, message] of table) {
      const parsed = parseFieldSet(json);
      assert.ok('problem' in parsed, JSON.stringify(json));
      assert.deepEqual(parsed.problem.at, at);
      assert.match(parsed.problem.message, message);
    }
  });

  it('has a limit to its depth', () => {
    let json: Record<string, unknown> = {};
    for (let i = 0; i < FIELD_SET_DEPTH_MAX + 5; i++) json = { 'f:a': json };
    const parsed = parseFieldSet(json);
    assert.ok('problem' in parsed);
    assert.match(parsed.problem.message, /deep/);
  });

  it('prints paths as kubectl shows them', () => {
    const set = setOf([
      ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'],
      ['f:spec', 'f:ports'],
      ['f:spec', 'f:tags', 'v:"x"'],
      ['f:spec', 'f:replicas'],
      ['i:3'],
    ]);
    assert.deepEqual(printPaths(set), [
      '[3]',
      '.spec.ports',
      '.spec.replicas',
      '.spec.ports[port=80,protocol="TCP"].name',
      '.spec.tags[="x"]',
    ]);
    assert.equal(printElement('v:true'), '[=true]');
  });
});
