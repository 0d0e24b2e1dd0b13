// What goes when its owner goes, and what was saved from a cluster with owners of another time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from '../../api/apps/deployment.ts';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Pod } from '../../api/core/pod.ts';
import type { Kind } from '../../api/kind.ts';
import { Lab } from '../testing/lab.ts';
import { createGarbageController, createOwnerFinder } from './garbage.ts';

const KINDS: readonly Kind[] = [ConfigMap, Pod, ReplicaSet];

function lab(): Lab {
  return new Lab([createGarbageController({ kinds: () => KINDS })]);
}

/** References to ConfigMaps by UID. */
function owners(...uids: readonly (string | undefined)[]) {
  return uids.map((uid, i) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: `owner-${i}`,
    uid: uid ?? '',
  }));
}

function putOwner(own: Lab, name: string): string {
  own.put(ConfigMap, { metadata: { name } });
  return own.get(ConfigMap, name).metadata.uid ?? '';
}

test('what belongs to an owner goes with it, and what belongs to that as well', () => {
  const own = lab();
  const uid = putOwner(own, 'owner-0');
  own.put(ConfigMap, { metadata: { name: 'child', ownerReferences: owners(uid) } });
  const childUid = own.get(ConfigMap, 'child').metadata.uid;
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'child', uid: childUid };
  own.put(ConfigMap, { metadata: { name: 'grandchild', ownerReferences: [reference] } });
  assert.equal(own.reconcile().changeCount, 0);
  own.remove(ConfigMap, 'owner-0');
  own.reconcile();
  assert.deepEqual(own.names(ConfigMap), []);
});

test('a long line of owners goes in few rounds', () => {
  const own = lab();
  let uid = putOwner(own, 'owner-0');
  for (let i = 1; i <= 300; i++) {
    own.put(ConfigMap, { metadata: { name: `child-${i}`, ownerReferences: owners(uid) } });
    uid = own.get(ConfigMap, `child-${i}`).metadata.uid ?? '';
  }
  own.reconcile();
  own.remove(ConfigMap, 'owner-0');
  assert.ok(own.reconcile().rounds < 5);
  assert.deepEqual(own.names(ConfigMap), []);
});

test('a new object of the same name is not the owner', () => {
  const own = lab();
  const uid = putOwner(own, 'owner-0');
  own.put(ConfigMap, { metadata: { name: 'child', ownerReferences: owners(uid) } });
  own.reconcile();
  own.remove(ConfigMap, 'owner-0');
  putOwner(own, 'owner-0');
  own.reconcile();
  assert.deepEqual(own.names(ConfigMap), ['owner-0']);
});

test('of several owners the last one counts; references to those gone are taken off', () => {
  const own = lab();
  const uids = [putOwner(own, 'owner-0'), putOwner(own, 'owner-1')];
  own.put(ConfigMap, { metadata: { name: 'child', ownerReferences: owners(...uids) } });
  own.reconcile();
  own.remove(ConfigMap, 'owner-0');
  own.reconcile();
  const left = own.get(ConfigMap, 'child').metadata.ownerReferences;
  assert.deepEqual(
    left?.map(({ name }) => name),
    ['owner-1'],
  );
  own.remove(ConfigMap, 'owner-1');
  own.reconcile();
  assert.deepEqual(own.names(ConfigMap), []);
});

test('an object that comes without its owner goes at once', () => {
  const own = lab();
  own.put(ConfigMap, { metadata: { name: 'child', ownerReferences: owners('nobody') } });
  own.reconcile();
  assert.deepEqual(own.names(ConfigMap), []);
});

test('an owner of a kind that is not known here may well be there', () => {
  const own = lab();
  const reference = { apiVersion: 'argoproj.io/v1', kind: 'Rollout', name: 'x', uid: 'u' };
  own.put(ConfigMap, { metadata: { name: 'child', ownerReferences: [reference] } });
  assert.equal(own.reconcile().changeCount, 0);
});

test('running pods get their time to end', () => {
  const own = lab();
  const uid = putOwner(own, 'owner-0');
  own.put(Pod, {
    metadata: { name: 'web', ownerReferences: owners(uid) },
    spec: {
      nodeName: 'laptop',
      terminationGracePeriodSeconds: 7,
      containers: [{ name: 'main', image: 'x' }],
    },
  });
  own.reconcile();
  own.remove(ConfigMap, 'owner-0');
  own.reconcile();
  const { metadata } = own.get(Pod, 'web');
  assert.equal(metadata.deletionGracePeriodSeconds, 7);
  assert.equal(metadata.deletionTimestamp, '2026-01-01T00:00:07Z');
});

test('what somebody has put a finalizer on waits for them', () => {
  const own = lab();
  const finalizers = ['example.com/wait'];
  own.put(ConfigMap, {
    metadata: { name: 'child', finalizers, ownerReferences: owners('nobody') },
  });
  own.reconcile();
  assert.ok(own.get(ConfigMap, 'child').metadata.deletionTimestamp !== undefined);
});

test('an object in a file belongs to the owner of that name, whatever UID was saved with it', () => {
  const own = lab();
  own.put(ConfigMap, { metadata: { name: 'child', ownerReferences: owners('old') } }, 'all.yaml');
  own.reconcile();
  assert.deepEqual(
    createOwnerFinder(KINDS)(own.snapshot).map(({ reason, severity }) => [reason, severity]),
    [['OwnerNotFound', 'info']],
  );
  const uid = putOwner(own, 'owner-0');
  own.reconcile();
  assert.equal(own.get(ConfigMap, 'child').metadata.ownerReferences?.[0]?.uid, uid);
  assert.equal(own.snapshot.sourceOf(ConfigMap, 'default', 'child')?.file, 'all.yaml');
  assert.deepEqual(createOwnerFinder(KINDS)(own.snapshot), []);
});

test('a Deployment takes the ReplicaSet that was saved with it, and makes no other', () => {
  const own = new Lab();
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'x' }] },
  };
  const labels = { app: 'web', 'pod-template-hash': 'abc' };
  own.put(
    ReplicaSet,
    {
      metadata: {
        name: 'web-abc',
        labels,
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'old', controller: true },
        ],
      },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { ...template, metadata: { labels } },
      },
    },
    'all.yaml',
  );
  own.put(
    Deployment,
    {
      metadata: { name: 'web' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template },
    },
    'all.yaml',
  );
  own.reconcile();
  assert.deepEqual(own.names(ReplicaSet), ['web-abc']);
  assert.equal(own.list(Pod).length, 2);
});
