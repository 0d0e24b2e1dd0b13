// Objects of users' kinds: pruned, defaulted and checked by the schema of their definition.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { admit } from '../admit.ts';
import type { JsonSchema } from '../apiextensions/json-schema.ts';
import { formatFieldError } from '../schema/errors.ts';
import { toOpenApi } from '../schema/openapi.ts';
import { normalize } from '../schema/normalize.ts';
import { convertTo } from './kind.ts';
import { kindsOf, widget, widgets } from './testing.ts';

interface Admitted {
  readonly spec: unknown;
  readonly errors: readonly string[];
  readonly unknown: readonly string[];
}

function admitted(schema: JsonSchema, spec: unknown, old?: unknown): Admitted {
  const kind = kindsOf(widgets(schema)).storage;
  const stored = old === undefined ? undefined : admit(kind, widget(old)).object;
  const { object, errors, unknown } = admit(kind, widget(spec), stored);
  return {
    spec: (object as unknown as { readonly spec: unknown }).spec,
    errors: errors.map(formatFieldError),
    unknown: unknown.map(({ path }) => path),
  };
}

const errorsOf = (schema: JsonSchema, spec: unknown, old?: unknown) =>
  admitted(schema, spec, old).errors;

const fields = (properties: Readonly<Record<string, JsonSchema>>, more: JsonSchema = {}) => ({
  type: 'object',
  properties,
  ...more,
});

const text: JsonSchema = { type: 'string' };
const whole: JsonSchema = { type: 'integer' };

describe('what is kept', () => {
  test('fields that the schema names', () => {
    const { spec, unknown } = admitted(
      fields({ a: text, list: { type: 'array', items: fields({ b: text }) } }),
      {
        a: 'x',
        z: 1,
        list: [{ b: 'y', c: 2 }],
      },
    );
    assert.deepEqual(spec, { a: 'x', list: [{ b: 'y' }] });
    assert.deepEqual(unknown.toSorted(), ['spec.list[0].c', 'spec.z']);
  });

  test('all fields where the schema says so, but known ones are looked into', () => {
    const schema = fields(
      { a: fields({ b: text }) },
      { 'x-kubernetes-preserve-unknown-fields': true },
    );
    const { spec, unknown } = admitted(schema, { a: { b: 'x', c: 1 }, z: { y: [null] } });
    assert.deepEqual(spec, { a: { b: 'x' }, z: { y: [null] } });
    assert.deepEqual(unknown, ['spec.a.c']);
  });

  test('a value of any type, with fields that are known if it is an object', () => {
    const schema = fields({
      any: {
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { n: { ...whole, default: 1 } },
      },
    });
    assert.deepEqual(admitted(schema, { any: [1] }), {
      spec: { any: [1] },
      errors: [],
      unknown: [],
    });
    assert.deepEqual(admitted(schema, { any: { m: 2 } }).spec, { any: { m: 2, n: 1 } });
    assert.deepEqual(errorsOf(schema, { any: { n: 'x' } }), [
      'spec.any.n: Invalid value: "string": spec.any.n in body must be of type integer: "string"',
    ]);
  });

  test('an embedded object: its type, its metadata, and what the schema names', () => {
    const schema = fields({
      object: fields({ spec: fields({ n: whole }) }, { 'x-kubernetes-embedded-resource': true }),
    });
    const object = {
      apiVersion: 'v1',
      kind: 'X',
      metadata: { name: 'a', odd: 1 },
      spec: { n: 1, m: 2 },
    };
    const { spec, errors, unknown } = admitted(schema, { object });
    assert.deepEqual(spec, {
      object: { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, spec: { n: 1 } },
    });
    assert.deepEqual(errors, []);
    assert.deepEqual(unknown.toSorted(), ['spec.object.metadata.odd', 'spec.object.spec.m']);
    assert.deepEqual(errorsOf(schema, { object: {} }), [
      'spec.object.apiVersion: Required value',
      'spec.object.kind: Required value',
    ]);
  });

  test('null where it may be, and nowhere else', () => {
    const schema = fields({
      kept: { ...text, nullable: true, default: 'a' },
      filled: { ...text, default: 'b' },
      gone: text,
      list: { type: 'array', items: text },
      map: { type: 'object', additionalProperties: text },
    });
    const { spec, errors } = admitted(schema, {
      kept: null,
      filled: null,
      gone: null,
      list: ['x', null],
      map: { a: null, b: 'c' },
    });
    assert.deepEqual(spec, { kept: null, filled: 'b', list: ['x', null], map: { b: 'c' } });
    assert.deepEqual(errors, [
      'spec.list[1]: Invalid value: "null": spec.list[1] in body must be of type string: "null"',
    ]);
  });

  test('defaults within defaults', () => {
    const schema = fields({ a: { ...fields({ b: { ...text, default: 'x' } }), default: {} } });
    assert.deepEqual(admitted(schema, {}).spec, { a: { b: 'x' } });
  });
});

describe('what is refused', () => {
  const cases: readonly (readonly [string, JsonSchema, unknown, readonly string[]])[] = [
    ['a missing field', fields({ a: text }, { required: ['a'] }), {}, ['spec.a: Required value']],
    [
      'a wrong type',
      fields({ a: whole }),
      { a: 'x' },
      ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
    ],
    [
      'a number of a whole kind',
      fields({ a: whole }),
      { a: 1.5 },
      ['spec.a: Invalid value: "number": spec.a in body must be of type integer: "number"'],
    ],
    [
      'a number too large for its format',
      fields({ a: { ...whole, format: 'int32' } }),
      { a: 2 ** 31 },
      [
        'spec.a: Invalid value: 2147483648: spec.a in body must be of type integer with format int32',
      ],
    ],
    [
      'exclusive bounds and multiples',
      fields({
        a: { ...whole, minimum: 1, exclusiveMinimum: true },
        b: { type: 'number', maximum: 1, exclusiveMaximum: true, multipleOf: 0.25 },
        c: { ...whole, maximum: 5 },
      }),
      { a: 1, b: 1.1, c: 6 },
      [
        'spec.a: Invalid value: 1: spec.a in body should be greater than 1',
        'spec.b: Invalid value: 1.1: spec.b in body should be less than 1',
        'spec.b: Invalid value: 1.1: spec.b in body should be a multiple of 0.25',
        'spec.c: Invalid value: 6: spec.c in body should be less than or equal to 5',
      ],
    ],
    [
      'a text that does not match, by RE2',
      fields({ a: { ...text, pattern: '(?i)^[a-z]+$' } }),
      { a: 'A1' },
      [`spec.a: Invalid value: "A1": spec.a in body should match '(?i)^[a-z]+$'`],
    ],
    [
      'an unsupported value',
      fields({ a: { ...text, enum: ['x', 'y'] }, b: { type: 'boolean', enum: [true] } }),
      { a: 'z', b: false },
      [
        'spec.a: Unsupported value: "z": supported values: "x", "y"',
        'spec.b: Unsupported value: false: supported values: "true"',
      ],
    ],
    [
      'formats',
      fields({
        a: { ...text, format: 'date-time' },
        b: { ...text, format: 'cidr' },
        c: { ...text, format: 'uuid' },
        d: { ...text, format: 'of-my-own' },
      }),
      { a: 'now', b: '10.0.0.0', c: 'x', d: 'anything' },
      [
        'spec.a: Invalid value: "now": spec.a in body must be of type date-time: "now"',
        'spec.b: Invalid value: "10.0.0.0": spec.b in body must be of type cidr: "10.0.0.0"',
        'spec.c: Invalid value: "x": spec.c in body must be of type uuid: "x"',
      ],
    ],
    [
      'two items of one key, two of one set',
      fields({
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: fields(
            { port: whole, protocol: { ...text, default: 'TCP' } },
            { required: ['port'] },
          ),
        },
        names: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
      }),
      { ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }], names: ['a', 'a'] },
      [
        'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
        'spec.names[1]: Duplicate value: "a"',
      ],
    ],
    [
      'a number or a text that is neither, and one too long',
      fields({
        a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
        b: { 'x-kubernetes-int-or-string': true, pattern: '^[0-9]+%$', maxLength: 3 },
      }),
      { a: true, b: '100%' },
      [
        'spec.a: Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"',
        'spec.b: Too long: may not be more than 3 bytes',
      ],
    ],
    [
      'alternatives',
      fields(
        { a: text, b: text },
        { oneOf: [{ required: ['a'] }, { required: ['b'] }], not: { required: ['b'] } },
      ),
      { a: 'x', b: 'y' },
      [
        'Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        'Invalid value: "": "spec" must not validate the schema (not)',
      ],
    ],
    [
      'alternatives within a list',
      fields({
        list: {
          type: 'array',
          items: {
            ...text,
            anyOf: [{ format: 'ipv4' }, { minLength: 20 }],
            allOf: [{ maxLength: 3 }],
          },
        },
      }),
      { list: ['abcd'] },
      [
        'Invalid value: "": "spec.list[0]" must validate at least one schema (anyOf)',
        'spec.list[0]: Invalid value: "abcd": spec.list[0] in body must be of type ipv4: "abcd"',
        'Invalid value: "": "spec.list[0]" must validate all the schemas (allOf)',
        'spec.list[0]: Too long: may not be more than 3 bytes',
      ],
    ],
  ];
  for (const [name, schema, spec, errors] of cases) {
    test(name, () => assert.deepEqual(errorsOf(schema, spec), errors));
  }
});

describe('rules', () => {
  const ruled = (rule: object, properties: Readonly<Record<string, JsonSchema>>) =>
    fields(properties, { 'x-kubernetes-validations': [rule as { rule: string }] });

  test('are broken with their message, or with their text', () => {
    const size = { size: whole };
    assert.deepEqual(errorsOf(ruled({ rule: 'self.size > 0' }, size), { size: 0 }), [
      'spec: Invalid value: "object": failed rule: self.size > 0',
    ]);
    assert.deepEqual(
      errorsOf(ruled({ rule: 'self.size > 0', message: 'too small' }, size), { size: 0 }),
      ['spec: Invalid value: "object": too small'],
    );
  });

  test('compute a message, and fall back where that fails', () => {
    const schema = (messageExpression: string) =>
      ruled({ rule: 'self.size > 0', message: 'fallback', messageExpression }, { size: whole });
    assert.deepEqual(errorsOf(schema("'size is ' + string(self.size)"), { size: -1 }), [
      'spec: Invalid value: "object": size is -1',
    ]);
    assert.deepEqual(errorsOf(schema("'a\\nb'"), { size: -1 }), [
      'spec: Invalid value: "object": fallback',
    ]);
    assert.deepEqual(errorsOf(schema('string(1 / (self.size + 1))'), { size: -1 }), [
      'spec: Invalid value: "object": fallback',
    ]);
  });

  test('have a reason and a path', () => {
    const schema = (reason: string) =>
      ruled(
        { rule: 'false', message: 'no', reason, fieldPath: ".map['a.b']" },
        {
          map: { type: 'object', additionalProperties: text },
        },
      );
    assert.deepEqual(errorsOf(schema('FieldValueForbidden'), {}), ['spec.map[a.b]: Forbidden: no']);
    assert.deepEqual(errorsOf(schema('FieldValueRequired'), {}), [
      'spec.map[a.b]: Required value: no',
    ]);
    assert.deepEqual(errorsOf(schema('FieldValueDuplicate'), {}), [
      'spec.map[a.b]: Duplicate value: "object"',
    ]);
  });

  test('compare a value with its former self, items by key', () => {
    const schema = fields({
      ports: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: fields(
          {
            name: text,
            port: {
              ...whole,
              'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'grows' }],
            },
          },
          { required: ['name'] },
        ),
      },
    });
    const old = {
      ports: [
        { name: 'a', port: 5 },
        { name: 'b', port: 1 },
      ],
    };
    const next = {
      ports: [
        { name: 'c', port: 0 },
        { name: 'b', port: 2 },
        { name: 'a', port: 4 },
      ],
    };
    assert.deepEqual(errorsOf(schema, next), []);
    assert.deepEqual(errorsOf(schema, next, old), [
      'spec.ports[2].port: Invalid value: "integer": grows',
    ]);
  });

  test('may ask whether there was a former self', () => {
    const schema = fields({
      color: {
        ...text,
        'x-kubernetes-validations': [
          {
            rule: 'oldSelf.hasValue() ? self == oldSelf.value() : self == "red"',
            message: 'red, for ever',
            optionalOldSelf: true,
          },
        ],
      },
    });
    const error = ['spec.color: Invalid value: "string": red, for ever'];
    assert.deepEqual(errorsOf(schema, { color: 'red' }), []);
    assert.deepEqual(errorsOf(schema, { color: 'blue' }), error);
    assert.deepEqual(errorsOf(schema, { color: 'red' }, { color: 'red' }), []);
    assert.deepEqual(errorsOf(schema, { color: 'red' }, {}), []);
  });

  test('of the whole object see its name and no more of its metadata', () => {
    const rules = (rule: string) => ({ 'x-kubernetes-validations': [{ rule, message: 'broken' }] });
    const kind = (rule: string) => kindsOf(widgets({ type: 'object' }, rules(rule))).storage;
    const named = kind('self.metadata.name == "one" && self.kind == "Widget"');
    assert.deepEqual(admit(named, widget({})).errors, []);
    assert.throws(() => kind('self.metadata.labels.a == "b"'), /undefined field 'labels'/);
  });

  test('are left alone while the object is broken, which is said', () => {
    const schema = ruled({ rule: 'self.size > 0' }, { size: whole });
    assert.deepEqual(errorsOf(schema, { size: 'x' }), [
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
      'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ]);
  });

  test('that take too long are an error, and the last one', () => {
    const rule = 'self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))';
    const schema = fields(
      { list: { type: 'array', items: whole } },
      { 'x-kubernetes-validations': [{ rule }, { rule: 'false' }] },
    );
    const list = Array.from({ length: 500 }, (_, i) => i);
    assert.deepEqual(errorsOf(schema, { list }), [
      `spec: Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`,
    ]);
    const each = fields({
      list: {
        type: 'array',
        items: { ...whole, 'x-kubernetes-validations': [{ rule: 'self >= 0' }] },
      },
    });
    const longer = Array.from({ length: 200_000 }, (_, i) => i);
    const [error, ...others] = errorsOf(each, { list: longer });
    assert.match(
      error ?? '',
      /^spec\.list\[\d+\]: .*: validation failed due to running out of cost budget/,
    );
    assert.deepEqual(others, []);
    // The next object starts anew.
    assert.deepEqual(errorsOf(ruled({ rule: 'self.size > 0' }, { size: whole }), { size: 1 }), []);
  });
});

describe('a kind', () => {
  const base = widgets(fields({ replicas: whole, color: text }));
  const [v1] = base.spec.versions;
  const definition = {
    ...base,
    spec: {
      ...base.spec,
      names: { ...base.spec.names, shortNames: ['wd'], categories: ['all'] },
      versions: [
        {
          ...v1,
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
          },
          additionalPrinterColumns: [
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
            {
              name: 'Ready',
              type: 'string',
              jsonPath: '.status.conditions[?(@.type=="Ready")].status',
            },
            { name: 'Color', type: 'string', priority: 1, jsonPath: '.spec.color' },
            { name: 'Wrong', type: 'integer', jsonPath: '.spec.color' },
          ],
          selectableFields: [{ jsonPath: '.spec.color' }],
        },
        {
          name: 'v1alpha1',
          served: true,
          storage: false,
          deprecated: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: fields({ color: { ...text, maxLength: 1 } }) },
            },
          },
        },
        {
          name: 'v0',
          served: false,
          storage: false,
          schema: { openAPIV3Schema: { type: 'object' } },
        },
      ],
    },
  };
  const { storage, served } = kindsOf(definition);

  test('has the names and parts of its definition', () => {
    const { group, version, versions, kind, listKind, plural, singular, shortNames, categories } =
      storage;
    assert.deepEqual(
      { group, version, versions, kind, listKind, plural, singular, shortNames, categories },
      {
        group: 'example.com',
        version: 'v1',
        versions: ['v1', 'v1alpha1'],
        kind: 'Widget',
        listKind: 'WidgetList',
        plural: 'widgets',
        singular: 'widget',
        shortNames: ['wd'],
        categories: ['all'],
      },
    );
    assert.deepEqual([storage.hasStatus, served[1]?.hasStatus], [true, false]);
    assert.equal(storage.scale?.specReplicasPath, '.spec.replicas');
    assert.deepEqual(storage.selectableFields, ['.spec.color']);
    assert.equal(served[1]?.deprecationWarning, 'example.com/v1alpha1 Widget is deprecated');
    assert.deepEqual([storage.showsAge, served[1].showsAge], [false, true]);
  });

  test('has columns', () => {
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    const object = widget({ replicas: 2, color: 'red' }, { status });
    assert.deepEqual(
      storage.columns.map(({ name, type, priority, value }) => [
        name,
        type,
        priority,
        value(object),
      ]),
      [
        ['Replicas', 'integer', undefined, 2],
        ['Ready', 'string', undefined, 'True'],
        ['Color', 'string', 1, 'red'],
        ['Wrong', 'integer', undefined, undefined],
      ],
    );
  });

  test('checks an object by the schema of the version it is written in', () => {
    const object = widget({ color: 'red', replicas: 1 });
    assert.deepEqual(admit(storage, object).errors, []);
    const alpha = served[1];
    assert.ok(alpha);
    const { errors, unknown } = admit(alpha, { ...object, apiVersion: 'example.com/v1alpha1' });
    assert.deepEqual(errors.map(formatFieldError), [
      'spec.color: Too long: may not be more than 1 byte',
    ]);
    assert.deepEqual(unknown, [{ path: 'spec.replicas' }]);
    assert.equal(
      convertTo(admit(storage, object).object, alpha).apiVersion,
      'example.com/v1alpha1',
    );
  });

  test('publishes the schema of its definition', () => {
    const published = toOpenApi(storage.schema) as unknown as JsonSchema;
    assert.deepEqual(published.properties?.['spec'], fields({ replicas: whole, color: text }));
    assert.deepEqual(Object.keys(published.properties ?? {}).toSorted(), [
      'apiVersion',
      'kind',
      'metadata',
      'spec',
      'status',
    ]);
  });
});

/** Structural schemas of some depth, with defaults that fit. */
const { node } = fc.letrec<{ node: JsonSchema }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<JsonSchema>(
      text,
      whole,
      { type: 'string', default: 'd' },
      { type: 'integer', default: 1, nullable: true },
      { type: 'boolean', nullable: true },
      { 'x-kubernetes-int-or-string': true },
      { 'x-kubernetes-preserve-unknown-fields': true },
    ),
    fc.record({ type: fc.constant('array'), items: tie('node') }),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('node') }),
    fc
      .tuple(
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3 }),
        fc.boolean(),
        fc.boolean(),
      )
      .map(([properties, keeps, filled]) => ({
        type: 'object',
        properties,
        ...(keeps ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
        ...(filled ? { default: {} } : {}),
      })),
  ),
}));

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, 1, 1.5, 'x', true, ''),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', '__proto__'), tie('json'), { maxKeys: 3 }),
  ),
}));

describe('any schema and any object', () => {
  const schemas = fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), node, { maxKeys: 3 })
    .map((p) => fields(p));

  test('pruning and defaulting twice is doing so once', () => {
    fc.assert(
      fc.property(schemas, json, (schema, spec) => {
        const { schema: tree } = kindsOf(widgets(schema)).storage;
        const once = normalize(tree, widget(spec));
        const twice = normalize(tree, once.value);
        assert.deepEqual(twice.value, once.value);
        assert.deepEqual(twice.unknown, []);
      }),
    );
  });

  test('what was admitted is admitted again, unchanged, and as an update of itself', () => {
    fc.assert(
      fc.property(schemas, json, (schema, spec) => {
        const kind = kindsOf(widgets(schema)).storage;
        const first = admit(kind, widget(spec));
        const again = admit(
          kind,
          first.object,
          first.errors.length === 0 ? first.object : undefined,
        );
        assert.deepEqual(again.object, first.object);
        assert.deepEqual(again.errors, first.errors);
      }),
    );
  });

  test('no definition is read with an exception', () => {
    fc.assert(
      fc.property(json, json, (spec, schema) => {
        admitQuietly({ ...base(schema), spec });
        admitQuietly(base(schema));
      }),
    );
  });

  function base(schema: unknown): object {
    return widgets(schema as JsonSchema);
  }

  function admitQuietly(definition: object): void {
    try {
      kindsOf(definition);
    } catch (error) {
      // kindsOf throws what is wrong with the definition, one finding for each line.
      assert.match(String(error), /(?:Invalid|Required|Unsupported|Forbidden|Duplicate)/);
    }
  }
});
