import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Namespace } from './namespace.ts';
import { cells, testRows, valid } from './testing.ts';

function namespace(metadata: object, spec: object = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata, spec };
}

describe('a Namespace', () => {
  it('is active, and labelled with its name', () => {
    const { metadata, status } = valid(Namespace, namespace({ name: 'shop', labels: { a: 'b' } }));
    assert.deepEqual(metadata.labels, { a: 'b', 'kubernetes.io/metadata.name': 'shop' });
    assert.deepEqual(status, { phase: 'Active' });
    assert.deepEqual(cells(Namespace, namespace({ name: 'shop' })), { Status: 'Active' });
  });

  testRows(Namespace, [
    {
      title: 'its name is a label',
      object: namespace({ name: 'shop.prod' }),
      errors: ['metadata.name: Invalid value: "shop.prod": must not contain dots'],
    },
    {
      title: 'who holds it up is known or named completely',
      object: namespace({ name: 'shop' }, { finalizers: ['kubernetes', 'me'] }),
      errors: [
        'spec.finalizers: Invalid value: "me": name is neither a standard finalizer name nor is it fully qualified',
      ],
    },
  ]);
});
