// Namespaces that come and go with what is in them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Namespace } from '../../api/core/namespace.ts';
import { Pod } from '../../api/core/pod.ts';
import type { Kind } from '../../api/kind.ts';
import { Lab } from '../testing/lab.ts';
import { createNamespaceController } from './namespaces.ts';

const KINDS: readonly Kind[] = [Namespace, ConfigMap, Pod];

function lab(): Lab {
  return new Lab([createNamespaceController({ kinds: () => KINDS })]);
}

function put(own: Lab, name: string, namespace: string): void {
  own.put(ConfigMap, { metadata: { name, namespace } }, 'objects.yaml');
}

test('there is a Namespace for every namespace that anything is in', () => {
  const own = lab();
  put(own, 'a', 'shop');
  put(own, 'b', 'shop');
  put(own, 'c', 'blog');
  own.reconcile();
  assert.deepEqual(own.names(Namespace), ['blog', 'shop']);
  const { metadata, status } = own.get(Namespace, 'shop');
  assert.deepEqual(metadata.labels, { 'kubernetes.io/metadata.name': 'shop' });
  assert.equal(status.phase, 'Active');
  assert.equal(own.snapshot.sourceOf(Namespace, '', 'shop'), undefined);
});

test('it goes with the last object', () => {
  const own = lab();
  put(own, 'a', 'shop');
  put(own, 'b', 'shop');
  own.reconcile();
  own.remove(ConfigMap, 'a', 'shop');
  own.reconcile();
  assert.deepEqual(own.names(Namespace), ['shop']);
  own.remove(ConfigMap, 'b', 'shop');
  own.reconcile();
  assert.deepEqual(own.names(Namespace), []);
});

test('one that somebody wrote stays, and keeps its place and its labels', () => {
  const own = lab();
  own.put(Namespace, { metadata: { name: 'shop', labels: { team: 'a' } } }, 'namespace.yaml');
  own.reconcile();
  assert.deepEqual(own.get(Namespace, 'shop').metadata.labels, {
    team: 'a',
    'kubernetes.io/metadata.name': 'shop',
  });
  assert.equal(own.snapshot.sourceOf(Namespace, '', 'shop')?.file, 'namespace.yaml');
});

test('one whose file is taken away stays for what is still in it', () => {
  const own = lab();
  own.put(Namespace, { metadata: { name: 'shop' } }, 'namespace.yaml');
  put(own, 'a', 'shop');
  own.reconcile();
  own.remove(Namespace, 'shop', '');
  own.reconcile();
  assert.deepEqual(own.names(Namespace), ['shop']);
});

test('one that is deleted takes with it what is in it, pods in good order', () => {
  const own = lab();
  own.put(Namespace, { metadata: { name: 'shop' } });
  own.put(ConfigMap, { metadata: { name: 'a', namespace: 'shop' } });
  own.put(Pod, {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { nodeName: 'laptop', containers: [{ name: 'main', image: 'x' }] },
  });
  own.reconcile();
  own.store.write([
    { op: 'terminate', kind: Namespace, namespace: '', name: 'shop', gracePeriodSeconds: 0 },
  ]);
  own.reconcile();
  assert.equal(own.get(Namespace, 'shop').status.phase, 'Terminating');
  assert.deepEqual(own.names(ConfigMap), []);
  const pod = own.get(Pod, 'web', 'shop');
  assert.equal(pod.metadata.deletionGracePeriodSeconds, 30);
  own.stop(pod);
  own.reconcile();
  assert.deepEqual(own.names(Namespace), []);
});
