// ReplicaSets: how many pods, which ones go first, and whose they are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { Pod } from '../../../api/core/pod.ts';
import { Lab, objectOf } from '../../testing/lab.ts';
import { deletionOrder } from './deletion-order.ts';
import { createReplicaSetController } from './replica-sets.ts';

function lab(): Lab {
  return new Lab([createReplicaSetController()]);
}

const TEMPLATE = {
  metadata: { labels: { app: 'web' }, annotations: { note: 'x' } },
  spec: { containers: [{ name: 'main', image: 'x', resources: { limits: { cpu: '1' } } }] },
};

function put(own: Lab, replicas: number, spec: Readonly<Record<string, unknown>> = {}): void {
  own.put(ReplicaSet, {
    metadata: { name: 'web' },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: TEMPLATE, ...spec },
  });
}

function statusOf(own: Lab): ReplicaSet['status'] {
  return own.get(ReplicaSet, 'web').status;
}

/** Pods that are neither finished nor about to end. */
function activeNames(own: Lab): readonly string[] {
  return own
    .list(Pod)
    .filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined && status.phase !== 'Failed',
    )
    .map(({ metadata }) => metadata.name ?? '');
}

test('pods are made from the template, pending and with an owner', () => {
  const own = lab();
  put(own, 2);
  own.reconcile();
  const [pod] = own.list(Pod);
  assert.ok(pod !== undefined);
  assert.match(pod.metadata.name ?? '', /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.equal(pod.metadata.generateName, 'web-');
  assert.deepEqual(pod.metadata.labels, { app: 'web' });
  assert.deepEqual(pod.metadata.annotations, { note: 'x' });
  assert.deepEqual(pod.metadata.ownerReferences, [
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'web',
      uid: own.get(ReplicaSet, 'web').metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ]);
  assert.deepEqual(pod.status, { phase: 'Pending' });
  // What the API server fills into a pod is there: requests follow limits.
  assert.deepEqual(pod.spec.containers[0]?.resources.requests, { cpu: '1' });
  assert.equal(own.list(Pod).length, 2);
});

test('the same ReplicaSet makes pods of the same names, wherever it runs', () => {
  const names = [1, 2].map(() => {
    const own = lab();
    put(own, 3);
    own.reconcile();
    return own.names(Pod);
  });
  assert.deepEqual(names[0], names[1]);
});

test('status counts pods, ready ones and available ones', () => {
  const own = lab();
  put(own, 3, { minReadySeconds: 10 });
  own.reconcile();
  assert.deepEqual(statusOf(own), { replicas: 3, fullyLabeledReplicas: 3, observedGeneration: 1 });
  const [a, b] = own.list(Pod);
  assert.ok(a !== undefined && b !== undefined);
  own.run(a);
  own.advance(4);
  own.run(b);
  const { wakeAtMs } = own.reconcile();
  assert.equal(statusOf(own).readyReplicas, 2);
  assert.equal(statusOf(own).availableReplicas, undefined);
  // The first of the two is ready for ten seconds in six.
  assert.equal(wakeAtMs, own.now.getTime() + 6000);
  own.advance(6);
  assert.equal(own.reconcile().wakeAtMs, own.now.getTime() + 4000);
  assert.equal(statusOf(own).availableReplicas, 1);
  own.advance(4);
  assert.equal(own.reconcile().wakeAtMs, undefined);
  assert.equal(statusOf(own).availableReplicas, 2);
});

test('fewer pods: those that are not ready go first, and end in good order', () => {
  const own = lab();
  put(own, 3);
  own.reconcile();
  const [a, b, c] = own.list(Pod);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  for (const pod of [a, c]) own.run(pod);
  own.store.write(
    [a, b, c].map((pod) => {
      const stored = own.get(Pod, pod.metadata.name ?? '');
      const object = { ...stored, spec: { ...stored.spec, nodeName: 'laptop' } };
      return { op: 'put' as const, kind: Pod, object };
    }),
  );
  put(own, 2);
  own.reconcile();
  assert.deepEqual(activeNames(own), [a.metadata.name, c.metadata.name]);
  const ending = own.get(Pod, b.metadata.name ?? '');
  assert.equal(ending.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(statusOf(own).terminatingReplicas, 1);
  assert.equal(statusOf(own).replicas, 2);
});

test('a pod that ends is replaced at once, not when it is gone', () => {
  const own = lab();
  put(own, 1);
  own.reconcile();
  const [pod] = own.list(Pod);
  assert.ok(pod !== undefined);
  const { name = '' } = pod.metadata;
  own.store.write([
    { op: 'terminate', kind: Pod, namespace: 'default', name, gracePeriodSeconds: 30 },
  ]);
  own.reconcile();
  assert.equal(own.list(Pod).length, 2);
  assert.equal(activeNames(own).length, 1);
});

for (const phase of ['Failed', 'Succeeded'] as const) {
  test(`a pod that has ${phase.toLowerCase()} is replaced, and stays to be looked at`, () => {
    const own = lab();
    put(own, 1);
    own.reconcile();
    const [pod] = own.list(Pod);
    assert.ok(pod !== undefined);
    own.finish(pod, phase);
    own.reconcile();
    assert.equal(own.list(Pod).length, 2);
    assert.equal(statusOf(own).replicas, 1);
  });
}

function putPod(own: Lab, name: string, labels: Readonly<Record<string, string>>): void {
  own.put(Pod, {
    metadata: { name, labels },
    spec: { containers: [{ name: 'main', image: 'x' }] },
  });
}

test('pods without an owner that the selector selects are adopted', () => {
  const own = lab();
  putPod(own, 'stray', { app: 'web' });
  putPod(own, 'other', { app: 'db' });
  put(own, 2);
  own.reconcile();
  assert.equal(own.get(Pod, 'stray').metadata.ownerReferences?.[0]?.name, 'web');
  assert.equal(own.get(Pod, 'other').metadata.ownerReferences, undefined);
  assert.equal(own.list(Pod).length, 3);
});

test('a ReplicaSet that is being deleted neither adopts nor makes pods', () => {
  const own = lab();
  put(own, 1);
  own.store.write([
    { op: 'terminate', kind: ReplicaSet, namespace: 'default', name: 'web', gracePeriodSeconds: 0 },
  ]);
  putPod(own, 'stray', { app: 'web' });
  own.reconcile();
  assert.deepEqual(own.names(Pod), ['stray']);
  assert.equal(own.get(Pod, 'stray').metadata.ownerReferences, undefined);
});

test('a pod that is relabelled is let go, and replaced', () => {
  const own = lab();
  put(own, 1);
  own.reconcile();
  const [pod] = own.list(Pod);
  assert.ok(pod !== undefined);
  const metadata = { ...pod.metadata, labels: { app: 'debug' } };
  own.store.write([{ op: 'put', kind: Pod, object: { ...pod, metadata } }]);
  own.reconcile();
  assert.equal(own.get(Pod, pod.metadata.name ?? '').metadata.ownerReferences, undefined);
  assert.equal(own.list(Pod).length, 2);
});

test('the pods of another controller are not touched', () => {
  const own = lab();
  own.put(ReplicaSet, {
    metadata: { name: 'first' },
    spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template: TEMPLATE },
  });
  own.reconcile();
  put(own, 1);
  own.reconcile();
  const owners = own.list(Pod).map(({ metadata }) => metadata.ownerReferences?.[0]?.name ?? '');
  assert.deepEqual(owners.toSorted(), ['first', 'web']);
});

interface Candidate {
  readonly node?: string;
  readonly phase?: string;
  readonly readySince?: string;
  readonly cost?: string;
  readonly restarts?: number;
  readonly created?: string;
}

function candidate(name: string, options: Candidate): Pod {
  const { node = 'n1', phase = 'Running', readySince, cost, restarts = 0, created } = options;
  const pod = objectOf(Pod, {
    metadata: {
      name,
      creationTimestamp: created ?? '2026-01-01T00:00:00Z',
      ...(cost === undefined
        ? {}
        : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'x' }] },
  });
  const ready = {
    type: 'Ready',
    status: readySince === undefined ? 'False' : 'True',
    ...(readySince === undefined ? {} : { lastTransitionTime: readySince }),
  };
  const container = { name: 'main', restartCount: restarts, image: 'x', imageID: '', ready: true };
  const containerStatuses = [{ ...container, state: {}, lastState: {} }];
  return { ...pod, status: { phase, conditions: [ready], containerStatuses } };
}

const READY = { readySince: '2026-01-01T01:00:00Z' };

/** The rules of Kubernetes, one by one: the first pod of a row goes first. */
const rules: readonly (readonly [string, Candidate, Candidate])[] = [
  ['a pod on no node before one on a node', { node: '', ...READY }, READY],
  ['a pending one before a running one', { phase: 'Pending', ...READY }, READY],
  ['one of unknown state before a running one', { phase: 'Unknown', ...READY }, READY],
  ['one that is not ready before one that is', {}, READY],
  ['a cheap one before a dear one', { ...READY, cost: '-5' }, { ...READY, cost: '10' }],
  ['one that is ready for less time', { readySince: '2026-01-01T02:00:00Z' }, READY],
  ['one that was restarted more often', { ...READY, restarts: 3 }, { ...READY, restarts: 1 }],
  ['a younger one', { ...READY, created: '2026-01-01T00:30:00Z' }, READY],
];
for (const [what, first, second] of rules) {
  test(`of two pods goes ${what}`, () => {
    for (const [a, b] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const pods = [candidate(a, first), candidate(b, second)];
      assert.equal(deletionOrder(pods)[0]?.metadata.name, a);
      assert.equal(deletionOrder(pods.toReversed())[0]?.metadata.name, a);
    }
  });
}

test('of three ready pods goes one of the two on the same node', () => {
  const pods = [
    candidate('a', { node: 'n1', ...READY }),
    candidate('b', { node: 'n2', ...READY }),
    candidate('c', { node: 'n2', ...READY }),
  ];
  assert.equal(deletionOrder(pods)[0]?.metadata.name, 'b');
});
