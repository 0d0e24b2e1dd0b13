// Schemas as OpenAPI and as TypeScript types.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toOpenApi } from './openapi.ts';
import { any, boolean, def, described, integer, intOrString, list, map } from './schema.ts';
import { number, object, oneOf, opt, requiredDef, string } from './schema.ts';
import type { Infer, Node } from './schema.ts';

const rows: readonly (readonly [name: string, node: Node, expected: object])[] = [
  [
    'a string with all it may have',
    string({ doc: 'A.', minLength: 0, maxLength: 2, pattern: '^a', format: 'uri', nullable: true }),
    {
      type: 'string',
      description: 'A.',
      minLength: 0,
      maxLength: 2,
      pattern: '^a',
      format: 'uri',
      nullable: true,
    },
  ],
  [
    'a matcher stays among us: the pattern says it',
    string({ pattern: '^a', matcher: /^a/ }),
    { type: 'string', pattern: '^a' },
  ],
  ['one of a list', oneOf(['a', 'b']), { type: 'string', enum: ['a', 'b'] }],
  [
    'an integer',
    integer({ format: 'int32', minimum: 0, maximum: 1, enum: [0, 1] }),
    { type: 'integer', format: 'int32', minimum: 0, maximum: 1, enum: [0, 1] },
  ],
  ['a number', number({ minimum: 0.5 }), { type: 'number', minimum: 0.5 }],
  ['a boolean', boolean(), { type: 'boolean' }],
  [
    'a number or a name',
    intOrString(),
    { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
  ],
  ['any value', any(), { 'x-kubernetes-preserve-unknown-fields': true }],
  [
    'an object: what must be there, what may be, and what is filled in',
    object({ a: string(), b: opt(string()), c: def(string(), ''), d: requiredDef(string(), 'x') }),
    {
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: 'string' },
        c: { type: 'string', default: '' },
        d: { type: 'string', default: 'x' },
      },
      required: ['a', 'd'],
    },
  ],
  ['an object without fields', object({}), { type: 'object' }],
  [
    'an object that is replaced as a whole, and keeps what it does not know',
    object({}, { atomic: true, preserveUnknown: true }),
    {
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      'x-kubernetes-preserve-unknown-fields': true,
    },
  ],
  [
    'alternatives, as they are written upstream',
    object({}, { combined: { openApi: { oneOf: [{ required: ['a'] }] }, check: () => [] } }),
    { type: 'object', oneOf: [{ required: ['a'] }] },
  ],
  [
    'a map',
    map(string(), { maxProperties: 3 }),
    { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 3 },
  ],
  [
    'a list whose items have names',
    list(object({ a: string() }), { listType: 'map', keys: ['a'], minItems: 1, maxItems: 2 }),
    {
      type: 'array',
      items: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
      minItems: 1,
      maxItems: 2,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a'],
    },
  ],
  [
    'the same in other words',
    described(string({ doc: 'A.', maxLength: 1 }), 'B.'),
    { type: 'string', description: 'B.', maxLength: 1 },
  ],
];

describe('OpenAPI', () => {
  for (const [name, node, expected] of rows) {
    test(name, () => assert.deepEqual(toOpenApi(node), expected));
  }
});

test('the TypeScript type of a schema says what may be absent after defaulting', () => {
  const schema = object({
    name: string(),
    kind: oneOf(['A', 'B']),
    port: opt(integer()),
    weight: def(integer(), 1),
    tags: opt(map(list(string()))),
  });
  const least: Infer<typeof schema> = { name: 'x', kind: 'A', weight: 1 };
  const most: Required<Infer<typeof schema>> = { ...least, port: 1, tags: { a: ['b'] } };
  // @ts-expect-error -- C is not one of the list
  const wrong: Infer<typeof schema> = { ...least, kind: 'C' };
  assert.deepEqual([least.port, most.tags['a']?.[0], wrong.kind], [undefined, 'b', 'C']);
});
