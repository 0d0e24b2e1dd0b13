// CustomResourceDefinitions: what is filled in, and what is refused with which words.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admit } from '../admit.ts';
import { definitionErrors, widgets } from '../custom/testing.ts';
import { CustomResourceDefinition } from './crd.ts';
import type { JsonSchema } from './json-schema.ts';
import { SCHEMA_DEPTH_MAX } from './json-schema.ts';

const base = widgets({ type: 'object', properties: { size: { type: 'integer' } } });
const SCHEMA = 'spec.versions[0].schema.openAPIV3Schema';
const SPEC = `${SCHEMA}.properties[spec]`;

/** The definition with some values changed, by path; undefined takes a field away. */
function changed(change: Readonly<Record<string, unknown>>): unknown {
  const object = structuredClone(base);
  for (const [at, value] of Object.entries(change)) {
    const keys = at.split(/[.[\]]+/).filter((key) => key !== '');
    const last = keys.pop() ?? '';
    let holder = object as unknown as Record<string, unknown>;
    for (const key of keys) holder = holder[key] as Record<string, unknown>;
    holder[last] = value;
  }
  return object;
}

describe('a definition', () => {
  test('is filled in', () => {
    const { object, errors, unknown } = admit(CustomResourceDefinition, base);
    assert.deepEqual({ errors, unknown }, { errors: [], unknown: [] });
    assert.equal(object.spec.names.singular, 'widget');
    assert.equal(object.spec.names.listKind, 'WidgetList');
    assert.deepEqual(object.spec.conversion, { strategy: 'None' });
  });

  test('loses what is no keyword, and says so', () => {
    const spec = {
      type: 'object',
      properties: { a: { type: 'string', requird: true, title: null } },
    };
    const { object, unknown, errors } = admit(
      CustomResourceDefinition,
      widgets(spec as unknown as JsonSchema),
    );
    assert.deepEqual(errors, []);
    assert.deepEqual(
      unknown.map(({ path }) => path),
      [`${SPEC}.properties[a].requird`],
    );
    const properties = object.spec.versions[0]?.schema?.openAPIV3Schema?.properties;
    assert.deepEqual(properties?.['spec']?.properties?.['a'], { type: 'string' });
  });
});

describe('definitions that are refused', () => {
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object' } },
  };
  const cases: readonly (readonly [
    string,
    Readonly<Record<string, unknown>>,
    readonly string[],
  ])[] = [
    [
      'a name that is not plural.group',
      { 'metadata.name': 'widgets.example.org' },
      [
        'metadata.name: Invalid value: "widgets.example.org": must be spec.names.plural+"."+spec.group',
      ],
    ],
    [
      'a group without a dot',
      { 'spec.group': 'example', 'metadata.name': 'widgets.example' },
      ['spec.group: Invalid value: "example": should be a domain with at least one dot'],
    ],
    [
      'an unknown scope',
      { 'spec.scope': 'World' },
      ['spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"'],
    ],
    [
      'no storage version',
      { 'spec.versions[0].storage': false },
      [
        'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
      ],
    ],
    [
      'two storage versions of one name',
      { 'spec.versions': [version, version] },
      [
        'spec.versions: Invalid value: ["v1","v1"]: must contain unique version names',
        'spec.versions: Invalid value: ["v1","v1"]: must have exactly one version marked as storage version',
      ],
    ],
    ['no schema', { 'spec.versions[0].schema': undefined }, [`${SCHEMA}: Required value`]],
    [
      'kind and listKind that are the same',
      { 'spec.names.listKind': 'Widget' },
      ['spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same'],
    ],
    [
      'a webhook for conversion',
      { 'spec.conversion': { strategy: 'Webhook' } },
      [
        'spec.conversion.strategy: Forbidden: conversion by webhook is not supported by this server; use None',
      ],
    ],
    [
      'fields kept by the old switch',
      { 'spec.preserveUnknownFields': true },
      [
        'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ],
    ],
    [
      'a warning of a version that is not deprecated',
      { 'spec.versions[0].deprecationWarning': 'old' },
      [
        'spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions',
      ],
    ],
    [
      'paths of scale outside of spec and status',
      {
        'spec.versions[0].subresources.scale': {
          specReplicasPath: '.status.replicas',
          statusReplicasPath: 'status.replicas',
          labelSelectorPath: '.metadata.labels',
        },
      },
      [
        'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".status.replicas": should be a json path under .spec',
        'spec.versions[0].subresources.scale.statusReplicasPath: Invalid value: "status.replicas": must be a simple json path starting with .',
        'spec.versions[0].subresources.scale.labelSelectorPath: Invalid value: ".metadata.labels": should be a json path under either .spec or .status',
      ],
    ],
    [
      'columns of no type and no path',
      {
        'spec.versions[0].additionalPrinterColumns': [
          { name: 'A', type: 'text', jsonPath: 'spec.a' },
          { name: 'B', type: 'string', format: 'long', jsonPath: '.spec[?(' },
        ],
      },
      [
        'spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
        'spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: "spec.a": must be a simple json path starting with .',
        'spec.versions[0].additionalPrinterColumns[1].format: Invalid value: "long": must be one of byte,date,date-time,double,float,int32,int64,password',
        'spec.versions[0].additionalPrinterColumns[1].jsonPath: Invalid value: ".spec[?(": cannot be read from "[?(" on',
      ],
    ],
    [
      'selectable fields that are none',
      {
        'spec.versions[0].selectableFields': [
          { jsonPath: '.spec.none' },
          { jsonPath: '.spec' },
          { jsonPath: '.spec.size' },
          { jsonPath: '.spec.size' },
        ],
      },
      [
        'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.none": is an invalid path: does not refer to a valid field',
        'spec.versions[0].selectableFields[1].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        'spec.versions[0].selectableFields[3].jsonPath: Duplicate value: ".spec.size"',
      ],
    ],
    [
      'a group of Kubernetes without approval',
      { 'metadata.name': 'widgets.x.k8s.io', 'spec.group': 'x.k8s.io' },
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
    [
      'stored versions that are gone',
      { status: { storedVersions: ['v1alpha1'] } },
      [
        'status.storedVersions: Invalid value: ["v1alpha1"]: must have the storage version v1',
        'status.storedVersions[0]: Invalid value: "v1alpha1": missing from spec.versions; v1alpha1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1alpha1 and removes v1alpha1 from status.storedVersions',
      ],
    ],
    [
      'keywords of the wrong type',
      {
        'spec.versions[0].schema.openAPIV3Schema.properties.spec': {
          type: ['object'],
          maxItems: 'x',
        },
      },
      [
        `${SPEC}.type: Invalid value: "array": ${SPEC}.type in body must be of type string: "array"`,
        `${SPEC}.maxItems: Invalid value: "string": ${SPEC}.maxItems in body must be of type integer: "string"`,
      ],
    ],
  ];
  for (const [name, change, errors] of cases) {
    test(name, () => assert.deepEqual(definitionErrors(changed(change)), errors));
  }

  test('names that change', () => {
    const stored = admit(
      CustomResourceDefinition,
      changed({
        status: {
          conditions: [{ type: 'Established', status: 'True' }],
          storedVersions: ['v1'],
        },
      }),
    ).object;
    const next = changed({ 'spec.scope': 'Cluster', 'spec.names.kind': 'Gadget' });
    assert.deepEqual(definitionErrors(next, stored), [
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Gadget": field is immutable',
    ]);
  });

  test('schemas within schemas without end', () => {
    let schema: JsonSchema = { type: 'string' };
    for (let i = 0; i < 5000; i++) schema = { type: 'array', items: schema };
    const errors = definitionErrors(widgets(schema));
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', new RegExp(`schema of at most ${SCHEMA_DEPTH_MAX} levels`));
  });
});

describe('schemas that are refused', () => {
  const cases: readonly (readonly [string, JsonSchema, readonly string[]])[] = [
    [
      'no type',
      {},
      [`${SPEC}.type: Required value: must not be empty for specified object fields`],
    ],
    [
      'items without type',
      { type: 'array', items: {} },
      [`${SPEC}.items.type: Required value: must not be empty for specified array items`],
    ],
    [
      'a list without items',
      { type: 'array' },
      [`${SPEC}.items: Required value: must be specified`],
    ],
    [
      'a type that is none',
      { type: 'float' },
      [
        `${SPEC}.type: Unsupported value: "float": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      ],
    ],
    [
      'fields and any fields',
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        additionalProperties: { type: 'string' },
      },
      [
        `${SPEC}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
      ],
    ],
    [
      'a reference, unique items',
      { type: 'array', uniqueItems: true, items: { type: 'string', $ref: '#/x' } },
      [
        `${SPEC}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
        `${SPEC}.items.$ref: Forbidden: $ref is not supported`,
      ],
    ],
    [
      'types within alternatives',
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        anyOf: [{ type: 'object', description: 'x', properties: { b: { minLength: 1 } } }],
      },
      [
        `${SPEC}.anyOf[0].description: Forbidden: must be empty to be structural`,
        `${SPEC}.anyOf[0].type: Forbidden: must be empty to be structural`,
        `${SPEC}.properties[b]: Required value: because it is defined in ${SPEC}.anyOf[0].properties[b]`,
      ],
    ],
    [
      'extensions that exclude each other',
      { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true },
      [
        `${SPEC}.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true`,
      ],
    ],
    [
      'an embedded object that is none',
      { type: 'string', 'x-kubernetes-embedded-resource': true },
      [
        `${SPEC}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
        `${SPEC}.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true`,
      ],
    ],
    [
      'a list by keys that are not always there',
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name', 'none'],
        items: { type: 'object', properties: { name: { type: 'string' } } },
      },
      [
        `${SPEC}.items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
        `${SPEC}.x-kubernetes-list-map-keys: Invalid value: ["name","none"]: entries must all be names of item properties`,
      ],
    ],
    [
      'a set of objects merged by field',
      {
        type: 'array',
        'x-kubernetes-list-type': 'set',
        items: { type: 'object', properties: { name: { type: 'string' } } },
      },
      [
        `${SPEC}.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
      ],
    ],
    [
      'a pattern RE2 does not have',
      { type: 'string', pattern: '(?=a)' },
      [
        `${SPEC}.pattern: Invalid value: "(?=a)": must be a valid regular expression, but isn't: error parsing regexp: invalid or unsupported Perl syntax: \`(?=\``,
      ],
    ],
    [
      'defaults that are not valid',
      {
        type: 'object',
        properties: {
          a: { type: 'string', default: 5 },
          b: { type: 'string', default: '', minLength: 1 },
          c: { type: 'object', properties: {}, default: { x: 1 } },
        },
      },
      [
        `${SPEC}.properties[a].default: Invalid value: "integer": ${SPEC}.properties[a].default in body must be of type string: "integer"`,
        `${SPEC}.properties[b].default: Invalid value: "": ${SPEC}.properties[b].default in body should be at least 1 chars long`,
        `${SPEC}.properties[c].default: Invalid value: {"x":1}: must not have unknown fields`,
      ],
    ],
  ];
  for (const [name, schema, errors] of cases) {
    test(name, () => assert.deepEqual(definitionErrors(widgets(schema)), errors));
  }

  test('metadata that says more than names', () => {
    const metadata = { type: 'object', properties: { labels: { type: 'object' } } };
    const definition = widgets({ type: 'object' }, { properties: { metadata } });
    assert.deepEqual(definitionErrors(definition), [
      `${SCHEMA}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    ]);
  });

  test('alternatives at the root beside a status', () => {
    const [error] = definitionErrors(
      widgets({ type: 'object' }, { anyOf: [{ required: ['spec'] }] }),
    );
    assert.match(
      error ?? '',
      /fields are allowed at the root of the schema if the status subresource/,
    );
  });
});

describe('rules that are refused', () => {
  const withRule = (rule: object, more: JsonSchema = {}): JsonSchema => ({
    type: 'object',
    properties: {
      size: { type: 'integer' },
      items: {
        type: 'array',
        items: { type: 'string', ...more },
      },
    },
    'x-kubernetes-validations': [rule as { rule: string }],
  });
  const AT = `${SPEC}.x-kubernetes-validations[0]`;
  const cases: readonly (readonly [string, JsonSchema, RegExp])[] = [
    ['an empty rule', withRule({ rule: ' ' }), /\.rule: Required value: rule is not specified$/],
    [
      'a rule without text',
      withRule({ message: 'x' }),
      /\.rule: .* must be of type string: "null"$/,
    ],
    [
      'a field that is not there',
      withRule({ rule: 'self.none > 1' }),
      /\.rule: Invalid value: \{"rule":"self\.none > 1"\}: compilation failed: ERROR: <input>:1:5: undefined field 'none'/,
    ],
    [
      'a message of several lines',
      withRule({ rule: 'true', message: 'a\nb' }),
      /\.message: Invalid value: "a\\nb": must not contain line breaks$/,
    ],
    [
      'a rule of several lines without message',
      withRule({ rule: 'true\n|| false' }),
      /\.message: Required value: message must be specified if rule contains line breaks$/,
    ],
    [
      'an unknown reason',
      withRule({ rule: 'true', reason: 'Bad' }),
      /\.reason: Unsupported value: "Bad": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"$/,
    ],
    [
      'a path to nowhere',
      withRule({ rule: 'true', fieldPath: '.none' }),
      /\.fieldPath: Invalid value: "\.none": must be a valid path$/,
    ],
    [
      'a message that is no text',
      withRule({ rule: 'true', messageExpression: 'size(self.items)' }),
      /\.messageExpression: Invalid value: .*: messageExpression must evaluate to a string$/,
    ],
    [
      'the former self of an item that has none',
      withRule({ rule: 'true' }, { 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] }),
      /properties\[items\]\.items\.x-kubernetes-validations\[0\]\.rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec\.versions\[0\]\.schema\.openAPIV3Schema\.properties\[spec\]\.properties\[items\]$/,
    ],
    [
      'a former self nobody asks for',
      withRule({ rule: 'self.size > 0', optionalOldSelf: true }),
      /\.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule$/,
    ],
  ];
  for (const [name, schema, error] of cases) {
    test(name, () => {
      const errors = definitionErrors(widgets(schema));
      assert.equal(errors.length, 1, errors.join('\n'));
      assert.match(errors[0] ?? '', error);
      assert.ok(errors[0]?.startsWith(name.includes('item') ? SPEC : AT));
    });
  }
});
