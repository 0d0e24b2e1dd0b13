// Deletions with a policy, as of `kubectl delete --cascade`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import type { Kind } from '../../api/kind.ts';
import type { ObjectWrite } from '../../store/write.ts';
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

test('in the foreground, what somebody else owns as well stays', () => {
  const own = pair(['child', ['owner', 'other']]);
  own.store.write([terminate('owner')]);
  own.reconcile();
  assert.deepEqual(own.names(ConfigMap), ['child', 'other']);
  const { ownerReferences } = own.get(ConfigMap, 'child').metadata;
  assert.deepEqual(
    ownerReferences?.map(({ name }) => name),
    ['other'],
  );
});

test('in the foreground, owners that go at the same time count for nothing', () => {
  const own = pair(['child', ['owner', 'other']]);
  own.store.write([terminate('owner'), terminate('other')]);
  own.reconcile();
  assert.deepEqual(own.names(ConfigMap), []);
});

test('who owns itself is not waited for', () => {
  const own = pair(['owner', ['owner']]);
  own.store.write([terminate('owner')]);
  own.reconcile();
  assert.deepEqual(own.names(ConfigMap), ['other']);
});

/** Two owners whose deletion is asked for in the foreground, and an object with the owners it names. */
function pair([name, owners]: readonly [string, readonly string[]]): Lab {
  const own = new Lab([
    createGarbageController({ kinds: () => KINDS }),
    createDeletionPolicyController({ kinds: () => KINDS }),
  ]);
  const finalizers = ['foregroundDeletion'];
  for (const each of ['owner', 'other']) {
    own.put(ConfigMap, { metadata: { name: each, finalizers } });
  }
  const ownerReferences = owners.map((each) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: each,
    uid: own.get(ConfigMap, each).metadata.uid ?? '',
  }));
  const kept = name === 'child' ? {} : { finalizers };
  own.put(ConfigMap, { metadata: { name, ownerReferences, ...kept } });
  own.reconcile();
  return own;
}

function terminate(name: string): ObjectWrite {
  return { op: 'terminate', kind: ConfigMap, namespace: 'default', name, gracePeriodSeconds: 0 };
}
