// Deletions with a policy, as of `kubectl delete --cascade`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import type { Kind } from '../../api/kind.ts';
import { Lab } from '../testing/lab.ts';
import { createDeletionPolicyController } from './deletion-policies.ts';
import { createGarbageController } from './garbage.ts';

const KINDS: readonly Kind[] = [ConfigMap];

function lab(finalizers: readonly string[]): Lab {
  const own = new Lab([
    createGarbageController({ kinds: () => KINDS }),
    createDeletionPolicyController({ kinds: () => KINDS }),
  ]);
  own.put(ConfigMap, { metadata: { name: 'owner', finalizers } });
  const { uid = '' } = own.get(ConfigMap, 'owner').metadata;
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid };
  own.put(ConfigMap, { metadata: { name: 'child', ownerReferences: [reference] } });
  own.reconcile();
  own.store.write([
    {
      op: 'terminate',
      kind: ConfigMap,
      namespace: 'default',
      name: 'owner',
      gracePeriodSeconds: 0,
    },
  ]);
  own.reconcile();
  return own;
}

test('orphans stay, and name their owner no longer', () => {
  const own = lab(['orphan']);
  assert.deepEqual(own.names(ConfigMap), ['child']);
  assert.equal(own.get(ConfigMap, 'child').metadata.ownerReferences, undefined);
});

test('in the foreground the owner goes last', () => {
  assert.deepEqual(lab(['foregroundDeletion']).names(ConfigMap), []);
});

test('finalizers of others are waited for', () => {
  const own = lab(['foregroundDeletion', 'example.test/hold']);
  assert.deepEqual(own.names(ConfigMap), ['owner']);
  assert.deepEqual(own.get(ConfigMap, 'owner').metadata.finalizers, ['example.test/hold']);
});
