import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, named, testRows } from '../core/testing.ts';
import { Lease } from './lease.ts';

function lease(spec: object): object {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: named('leader'), spec };
}

describe('a Lease', () => {
  testRows(Lease, [
    {
      title: 'is held for a while',
      object: lease({
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        renewTime: '2026-01-01T00:00:00.000000Z',
      }),
      errors: [],
    },
    {
      title: 'no time is no lease',
      object: lease({ leaseDurationSeconds: 0, leaseTransitions: -1, preferredHolder: 'a' }),
      errors: [
        'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
        'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
        'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
      ],
    },
  ]);

  it('the column shows who holds it', () => {
    assert.deepEqual(cells(Lease, lease({ holderIdentity: 'a' })), { Holder: 'a' });
    assert.deepEqual(cells(Lease, lease({})), { Holder: '' });
  });
});
