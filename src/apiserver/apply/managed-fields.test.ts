import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatFieldError } from '../../api/schema/errors.ts';
import { checkManagedFields, MANAGER_BYTES_MAX, SUBRESOURCE_BYTES_MAX } from './managed-fields.ts';
import { entriesOf, LATER, thing, updated } from './testing.ts';
import type { Json } from './testing.ts';

const good = {
  manager: 'kubectl',
  operation: 'Apply',
  apiVersion: 'example.com/v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:spec': { 'f:replicas': {} } },
};

describe('managedFields written by a client', () => {
  const table: readonly [string, unknown, readonly string[]][] = [
    ['an entry', [good], []],
    ['nothing', undefined, []],
    ['an empty list', [], []],
    ['a list of one empty entry', [{}], []],
    [
      'no list',
      {},
      [
        'metadata.managedFields: Invalid value: "object": metadata.managedFields in body must be of type array: "object"',
      ],
    ],
    [
      'no entry',
      ['x'],
      [
        'metadata.managedFields[0]: Invalid value: "string": metadata.managedFields[0] in body must be of type object: "string"',
      ],
    ],
    [
      'no operation',
      [{ ...good, operation: undefined }],
      ['metadata.managedFields[0].operation: Required value: must not be empty'],
    ],
    [
      'another operation',
      [good, { ...good, operation: 'Patch' }],
      [
        'metadata.managedFields[1].operation: Unsupported value: "Patch": supported values: "Apply", "Update"',
      ],
    ],
    [
      'no version',
      [{ ...good, apiVersion: '' }],
      ['metadata.managedFields[0].apiVersion: Required value: must not be empty'],
    ],
    [
      'another form',
      [{ ...good, fieldsType: 'FieldsV2' }],
      ['metadata.managedFields[0].fieldsType: Invalid value: "FieldsV2": must be `FieldsV1`'],
    ],
    [
      'a name too long',
      [{ ...good, manager: 'x'.repeat(MANAGER_BYTES_MAX + 1) }],
      ['metadata.managedFields[0].manager: Too long: may not be more than 128 bytes'],
    ],
    [
      'a name that cannot be printed',
      [{ ...good, manager: 'a\nb' }],
      [
        'metadata.managedFields[0].manager: Invalid value: "a\\nb": invalid character U+000A (at position 1)',
      ],
    ],
    [
      'a subresource too long',
      [{ ...good, subresource: 'x'.repeat(SUBRESOURCE_BYTES_MAX + 1) }],
      ['metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes'],
    ],
    [
      'a malformed field',
      [{ ...good, fieldsV1: { 'f:spec': { replicas: {} } } }],
      [
        'metadata.managedFields[0].fieldsV1[f:spec][replicas]: Invalid value: "replicas": must begin with f:, k:, v: or i:',
      ],
    ],
    [
      'a number for a text',
      [{ ...good, manager: 1 }],
      [
        'metadata.managedFields[0].manager: Invalid value: "integer": metadata.managedFields[0].manager in body must be of type string: "integer"',
      ],
    ],
  ];
  for (const [name, managedFields, errors] of table) {
    it(`may be or not: ${name}`, () => {
      assert.deepEqual(checkManagedFields(managedFields).map(formatFieldError), errors);
    });
  }

  const stored = updated(undefined, 'alice', thing({ replicas: 1 }));
  const write = (managedFields: unknown, options = {}): readonly unknown[] =>
    entriesOf(
      updated(
        stored,
        'bob',
        { ...stored, metadata: { ...(stored['metadata'] as Json), managedFields } },
        { now: LATER, ...options },
      ),
    );

  it('replace what was stored', () => {
    assert.deepEqual(write([good]), [good]);
  });

  it('forget it all with [] and [{}]', () => {
    assert.deepEqual(write([]), []);
    assert.deepEqual(write([{}]), []);
  });

  it('keep what was stored when absent, or when nobody can read them', () => {
    assert.equal(write(undefined), entriesOf(stored));
    assert.equal(write([{ ...good, operation: 'Patch' }]), entriesOf(stored));
  });

  it('count for nothing in a write to a subresource', () => {
    assert.equal(write([good], { subresource: 'status' }), entriesOf(stored));
  });

  it('come out canonical', () => {
    const fieldsV1 = { 'f:spec': { 'f:replicas': {}, 'f:mode': {}, '.': {} }, 'q:x': {} };
    assert.equal(
      JSON.stringify((write([{ ...good, fieldsV1 }])[0] as Json)['fieldsV1']),
      '{"f:spec":{".":{},"f:mode":{},"f:replicas":{}}}',
    );
  });
});
