// Pruning and defaulting, with the traps of JSON: null, prototypes, shared defaults.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { normalize } from './normalize.ts';
import { any, def, integer, list, map, object, opt, string } from './schema.ts';
import type { Node } from './schema.ts';

const Port = object({
  name: opt(string()),
  port: def(integer(), 80),
  protocol: def(string(), 'TCP'),
});
const Service = object({
  ports: def(list(Port), [{ name: 'web' }]),
  labels: opt(map(string())),
  extra: opt(any()),
  note: opt(string({ nullable: true })),
  mode: def(string(), 'auto'),
  inner: opt(object({ value: opt(string()) }, { preserveUnknown: true })),
});

const rows: readonly {
  readonly name: string;
  readonly node: Node;
  readonly value: unknown;
  readonly expected: unknown;
  readonly unknown?: readonly string[];
}[] = [
  {
    name: 'a default has defaults of its own',
    node: Service,
    value: {},
    expected: { ports: [{ name: 'web', port: 80, protocol: 'TCP' }], mode: 'auto' },
  },
  {
    name: 'what is given is not defaulted',
    node: Service,
    value: { ports: [], mode: '' },
    expected: { ports: [], mode: '' },
  },
  {
    name: 'items of a list are defaulted one by one',
    node: list(Port),
    value: [{}, { port: 1, protocol: 'UDP' }],
    expected: [
      { port: 80, protocol: 'TCP' },
      { port: 1, protocol: 'UDP' },
    ],
  },
  {
    name: 'unknown fields are dropped and reported by path',
    node: Service,
    value: { ports: [{ port: 1, protocol: 'UDP', nmae: 'web' }], mode: '', modes: 1 },
    expected: { ports: [{ port: 1, protocol: 'UDP' }], mode: '' },
    unknown: ['ports[0].nmae', 'modes'],
  },
  {
    name: 'unknown fields stay where a schema says so',
    node: Service,
    value: { ports: [], mode: '', inner: { value: 'a', more: { b: [null] } } },
    expected: { ports: [], mode: '', inner: { value: 'a', more: { b: [null] } } },
  },
  {
    name: 'null counts as absent',
    node: Service,
    value: { ports: [], mode: null, labels: null, inner: { value: null } },
    expected: { ports: [], mode: 'auto', inner: {} },
  },
  {
    name: 'null stays where a field may be null',
    node: Service,
    value: { ports: [], mode: '', note: null },
    expected: { ports: [], mode: '', note: null },
  },
  {
    name: 'null in a map counts as absent',
    node: map(string()),
    value: { a: null, b: '' },
    expected: { b: '' },
  },
  {
    name: 'null in a list stays, to be complained about',
    node: list(string()),
    value: ['a', null],
    expected: ['a', null],
  },
  {
    name: 'any value is not looked into',
    node: any(),
    value: { a: [null, { b: null }] },
    expected: { a: [null, { b: null }] },
  },
  {
    name: 'values of a wrong type stay, to be complained about',
    node: Service,
    value: { ports: { a: 1 }, mode: 5, labels: ['a'], inner: 'b' },
    expected: { ports: { a: 1 }, mode: 5, labels: ['a'], inner: 'b' },
  },
  {
    name: 'a key that would reach the prototype is unknown in an object',
    node: Service,
    value: JSON.parse('{"ports": [], "mode": "", "__proto__": {"polluted": true}}'),
    expected: { ports: [], mode: '' },
    unknown: ['__proto__'],
  },
  {
    name: 'a key that would reach the prototype is unknown where unknown fields stay',
    node: Service,
    value: JSON.parse('{"ports": [], "mode": "", "inner": {"__proto__": {"polluted": true}}}'),
    expected: { ports: [], mode: '', inner: {} },
    unknown: ['inner.__proto__'],
  },
  {
    name: 'a key that would reach the prototype is unknown in a map',
    node: map(string()),
    value: JSON.parse('{"a": "b", "__proto__": "c"}'),
    expected: { a: 'b' },
    unknown: ['[__proto__]'],
  },
  {
    name: 'a key that every object has is a key like any other',
    node: map(string()),
    value: { constructor: 'a', toString: 'b' },
    expected: { constructor: 'a', toString: 'b' },
  },
];

describe('normalize', () => {
  for (const { name, node, value, expected, unknown = [] } of rows) {
    test(name, () => {
      const before = structuredClone(value);
      assert.deepEqual(normalize(node, value), { value: expected, unknown });
      assert.deepEqual(value, before, 'the input is not changed');
    });
  }

  test('no two results share a default', () => {
    const [a, b] = [normalize(Service, {}).value, normalize(Service, {}).value] as {
      ports: object[];
    }[];
    assert.notEqual(a?.ports, b?.ports);
    assert.notEqual(a?.ports[0], b?.ports[0]);
  });

  test('what is normalized stays as it is, whatever it was', () => {
    fc.assert(
      fc.property(fc.record({ ports: fc.anything(), labels: fc.anything() }), (input) => {
        const once = normalize(Service, input);
        assert.deepEqual(normalize(Service, once.value), { value: once.value, unknown: [] });
      }),
    );
  });
});
