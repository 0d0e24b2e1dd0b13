// What is wrong with a value, in the API server's words. Objects of real kinds are tested beside the
// kinds; here are the words themselves, one keyword of a schema at a time.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatFieldError } from './errors.ts';
import { boolean, def, integer, intOrString, list, map, number } from './schema.ts';
import { object, oneOf, opt, string } from './schema.ts';
import type { Node, Rule } from './schema.ts';
import { validate } from './validate.ts';

const NOT_CHECKED =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

function messages(node: Node, value: unknown, old?: unknown): readonly string[] {
  return validate(node, value, old).map(formatFieldError);
}

interface Row {
  readonly name: string;
  readonly node: Node;
  readonly value: unknown;
  readonly errors: readonly string[];
}

/** A row on a value at `spec.a`, since errors name their field. */
function row(name: string, node: Node, value: unknown, ...errors: readonly string[]): Row {
  return {
    name,
    node: object({ spec: object({ a: opt(node) }) }),
    value: { spec: { a: value } },
    errors,
  };
}

const typeError = (found: string, expected: string, at = 'spec.a') =>
  `${at}: Invalid value: "${found}": ${at} in body must be of type ${expected}: "${found}"`;

const keyed = list(object({ name: string(), port: opt(integer()) }), {
  listType: 'map',
  keys: ['name'],
});

const rows: readonly Row[] = [
  row('a string in place of an object', object({}), 'x', typeError('string', 'object')),
  row('a list in place of an object', object({}), [], typeError('array', 'object')),
  row('a list in place of a map', map(string()), [], typeError('array', 'object')),
  row('an object in place of a list', list(string()), {}, typeError('object', 'array')),
  row('a number in place of a string', string(), 1, typeError('integer', 'string')),
  row('a string in place of an integer', integer(), '1', typeError('string', 'integer')),
  row('a fraction in place of an integer', integer(), 1.5, typeError('number', 'integer')),
  row('a string in place of a number', number(), '1', typeError('string', 'number')),
  row('a string in place of a boolean', boolean(), 'true', typeError('string', 'boolean')),
  row(
    'a boolean for a port name or number',
    intOrString(),
    true,
    typeError('boolean', 'integer,string'),
  ),
  row('null in a list', list(string()), [null], typeError('null', 'string', 'spec.a[0]')),
  row('null where it may be', string({ nullable: true }), null),
  row('a number for a port name or number', intOrString({ maxLength: 1 }), 8080),
  row(
    'a missing field',
    object({ b: string(), c: opt(string()), d: def(string(), '') }),
    {},
    'spec.a.b: Required value',
  ),
  row(
    'a string too long by one character, in bytes as the API server says',
    string({ maxLength: 2 }),
    'é😀x',
    'spec.a: Too long: may not be more than 2 bytes',
  ),
  row('a string of the longest length in characters', string({ maxLength: 2 }), 'é😀'),
  row(
    'a string too long for one character',
    string({ maxLength: 1 }),
    'xy',
    'spec.a: Too long: may not be more than 1 byte',
  ),
  row(
    'a string too short',
    string({ minLength: 1, pattern: '^a$' }),
    '',
    'spec.a: Invalid value: "": spec.a in body should be at least 1 chars long',
  ),
  row(
    'a string too long is not matched with the pattern',
    string({ maxLength: 1, pattern: '^a$' }),
    'bb',
    'spec.a: Too long: may not be more than 1 byte',
  ),
  row(
    'a string of the wrong form',
    string({ pattern: '^a"$' }),
    'b"',
    'spec.a: Invalid value: "b\\"": spec.a in body should match \'^a"$\'',
  ),
  row('a pattern without anchors matches anywhere', string({ pattern: 'b' }), 'abc'),
  row('a pattern matches characters, not halves of them', string({ pattern: '^.$' }), '😀'),
  row(
    'a string that is no time',
    string({ format: 'date-time' }),
    'noon',
    'spec.a: Invalid value: "noon": spec.a in body must be of type date-time: "noon"',
  ),
  row(
    'a string that is no address',
    string({ format: 'ipv6' }),
    '10.0.0.1',
    'spec.a: Invalid value: "10.0.0.1": spec.a in body must be of type ipv6: "10.0.0.1"',
  ),
  row(
    'a string that is not one of the list',
    oneOf(['A', 'B']),
    'C',
    'spec.a: Unsupported value: "C": supported values: "A", "B"',
  ),
  row(
    'a number that is not one of the list, whose values are quoted all the same',
    integer({ enum: [301, 302] }),
    200,
    'spec.a: Unsupported value: 200: supported values: "301", "302"',
  ),
  row(
    'a number where one of a list of strings belongs',
    oneOf(['A']),
    5,
    typeError('integer', 'string'),
    'spec.a: Unsupported value: 5: supported values: "A"',
  ),
  row(
    'a number too small',
    integer({ minimum: 1 }),
    0,
    'spec.a: Invalid value: 0: spec.a in body should be greater than or equal to 1',
  ),
  row(
    'a number too large',
    number({ maximum: 0.5 }),
    1,
    'spec.a: Invalid value: 1: spec.a in body should be less than or equal to 0.5',
  ),
  row(
    'a list too short',
    list(string(), { minItems: 1 }),
    [],
    'spec.a: Invalid value: 0: spec.a in body should have at least 1 items',
  ),
  row(
    'a list too long',
    list(string(), { maxItems: 2 }),
    ['a', 'b', 'c'],
    'spec.a: Too many: 3: must have at most 2 items',
  ),
  row(
    'a list too long for one item',
    list(string(), { maxItems: 1 }),
    ['a', 'b'],
    'spec.a: Too many: 2: must have at most 1 item',
  ),
  row(
    'a map with too many entries',
    map(string(), { maxProperties: 1 }),
    { a: '', b: '' },
    'spec.a: Too many: 2: must have at most 1 item',
  ),
  row(
    'a map with too few entries',
    map(string(), { minProperties: 1 }),
    {},
    'spec.a: Invalid value: 0: spec.a in body should have at least 1 properties',
  ),
  row(
    'a value in a map, named with a dot',
    map(string({ maxLength: 1 })),
    { 'x/y': 'ab' },
    'spec.a.x/y: Too long: may not be more than 1 byte',
  ),
  row(
    'items of one key, of which the second is named and the third is not',
    keyed,
    [{ name: 'a' }, { name: 'a', port: 1 }, { name: 'b' }, { name: 'a' }],
    'spec.a[1]: Duplicate value: {"name":"a"}',
  ),
  row(
    'items without key are of one key',
    list(object({ name: opt(string()) }), { listType: 'map', keys: ['name'] }),
    [{}, {}],
    'spec.a[1]: Duplicate value: {}',
  ),
  row(
    'items of two keys, of which one differs',
    list(object({ a: string(), b: string() }), { listType: 'map', keys: ['a', 'b'] }),
    [
      { a: '1', b: '1' },
      { a: '1', b: '2' },
      { a: '1', b: '1' },
    ],
    'spec.a[2]: Duplicate value: {"a":"1","b":"1"}',
  ),
  row(
    'one value twice in a set',
    list(string(), { listType: 'set' }),
    ['a', 'b', 'a'],
    'spec.a[2]: Duplicate value: "a"',
  ),
  row('a number and the same number as text in a set', list(intOrString(), { listType: 'set' }), [
    1,
    '1',
  ]),
  row('one value twice in a list', list(string(), { listType: 'atomic' }), ['a', 'a']),
  row(
    'something else among items with keys',
    keyed,
    [{ name: 'a' }, 5, { name: 'a' }],
    typeError('integer', 'object', 'spec.a[1]'),
    'spec.a[1]: Invalid value: 5: must be an object for an array of list-type map',
  ),
];

describe('structure', () => {
  for (const { name, node, value, errors } of rows) {
    test(name, () => assert.deepEqual(messages(node, value), errors));
  }

  test('no more than a hundred errors are looked for', () => {
    const value = Array.from({ length: 1000 }, () => 1);
    assert.equal(messages(list(string()), value).length, 100);
  });
});

describe('rules', () => {
  const odd: Rule = { message: 'must be odd', check: (self: number) => self % 2 === 1 };
  const same: Rule = {
    message: 'Value is immutable',
    transition: true,
    check: (self, old) => self === old,
  };
  const ordered: Rule = {
    message: 'must be in order',
    check: (self: readonly { readonly n: number }[]) => self.every(({ n }, i) => n === i + 1),
  };
  const numbers = object({
    items: list(object({ n: integer({ rules: [odd] }) }), { rules: [ordered] }),
    mode: opt(oneOf(['A'])),
    name: opt(string({ pattern: '^[a-z]*$' })),
  });

  test('a broken rule names the type of its value; outer rules come first', () => {
    assert.deepEqual(messages(numbers, { items: [{ n: 3 }, { n: 2 }] }), [
      'items: Invalid value: "array": must be in order',
      'items[1].n: Invalid value: "integer": must be odd',
    ]);
  });

  test('rules are evaluated beside a broken pattern', () => {
    assert.deepEqual(messages(numbers, { items: [{ n: 3 }], name: 'X' }), [
      'name: Invalid value: "X": name in body should match \'^[a-z]*$\'',
      'items: Invalid value: "array": must be in order',
    ]);
  });

  test('rules are evaluated beside a duplicate', () => {
    const set = list(string(), {
      listType: 'set',
      rules: [{ message: 'must be short', check: (self: readonly string[]) => self.length < 2 }],
    });
    assert.deepEqual(messages(set, ['a', 'a']), [
      '[1]: Duplicate value: "a"',
      'Invalid value: "array": must be short',
    ]);
  });

  for (const [name, value] of [
    ['a value of a wrong type', { items: [{ n: '2' }] }],
    ['a missing field', { items: [{}] }],
    ['a value that is not supported', { items: [{ n: 2 }], mode: 'B' }],
  ] as const) {
    test(`no rule is evaluated beside ${name}, and the answer says so`, () => {
      const found = messages(numbers, value);
      assert.equal(found.at(-1), NOT_CHECKED);
      assert.ok(!found.some((message) => /must be (odd|in order)$/.test(message)));
    });
  }

  test('an object without rules does not speak of them', () => {
    assert.deepEqual(messages(object({ a: string() }), {}), ['a: Required value']);
  });

  const versions = object({
    spec: opt(object({ id: opt(string({ rules: [same] })) })),
    byName: opt(
      list(object({ name: string(), id: string({ rules: [same] }) }), {
        listType: 'map',
        keys: ['name'],
      }),
    ),
    inOrder: opt(list(object({ id: string({ rules: [same] }) }))),
    byKey: opt(map(string({ rules: [same] }))),
  });
  const immutable = (at: string) => `${at}: Invalid value: "string": Value is immutable`;

  const transitions: readonly {
    readonly name: string;
    readonly old: unknown;
    readonly value: unknown;
    readonly errors: readonly string[];
  }[] = [
    { name: 'a new object', old: undefined, value: { spec: { id: 'a' } }, errors: [] },
    {
      name: 'an unchanged field',
      old: { spec: { id: 'a' } },
      value: { spec: { id: 'a' } },
      errors: [],
    },
    {
      name: 'a changed field',
      old: { spec: { id: 'a' } },
      value: { spec: { id: 'b' } },
      errors: [immutable('spec.id')],
    },
    {
      name: 'a field set for the first time',
      old: { spec: {} },
      value: { spec: { id: 'b' } },
      errors: [],
    },
    { name: 'a field taken away', old: { spec: { id: 'a' } }, value: { spec: {} }, errors: [] },
    {
      name: 'an item that has moved is compared with itself',
      old: {
        byName: [
          { name: 'x', id: '1' },
          { name: 'y', id: '2' },
        ],
      },
      value: {
        byName: [
          { name: 'y', id: '2' },
          { name: 'x', id: '3' },
        ],
      },
      errors: [immutable('byName[1].id')],
    },
    {
      name: 'items of a list without keys have no former self',
      old: { inOrder: [{ id: '1' }] },
      value: { inOrder: [{ id: '2' }] },
      errors: [],
    },
    {
      name: 'a value of a map is compared by its key, which rules put in brackets',
      old: { byKey: { x: '1' } },
      value: { byKey: { x: '2', constructor: '3' } },
      errors: [immutable('byKey[x]')],
    },
  ];
  for (const { name, old, value, errors } of transitions) {
    test(`a rule on changes: ${name}`, () =>
      assert.deepEqual(messages(versions, value, old), errors));
  }
});

describe('checks in code', () => {
  const node = object({
    a: object(
      { n: integer({ minimum: 1 }) },
      {
        check: (self: { readonly n: number }, path) => [
          { reason: 'FieldValueForbidden', path: `${path}.n`, message: `Forbidden: ${self.n}` },
        ],
      },
    ),
    b: opt(integer()),
  });

  test('a check speaks for itself, whatever is wrong elsewhere', () => {
    assert.deepEqual(messages(node, { a: { n: 1 }, b: 'x' }), [
      'a.n: Forbidden: 1',
      typeError('string', 'integer', 'b'),
    ]);
  });

  test('a check does not run on a value that is wrong within', () => {
    assert.deepEqual(messages(node, { a: { n: 0 } }), [
      'a.n: Invalid value: 0: a.n in body should be greater than or equal to 1',
    ]);
  });
});
