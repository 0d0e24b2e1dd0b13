// Pods find a node, and the node of this process is there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { Lab, OPTIONS } from '../testing/lab.ts';
import { placementFindings } from './findings.ts';
import { createNodeController } from './nodes.ts';
import { createSchedulerController } from './scheduler.ts';

function lab(): Lab {
  return new Lab([createSchedulerController()]);
}

function putNode(own: Lab, name: string, spec = {}, labels = {}): void {
  own.put(Node, { metadata: { name, labels }, spec });
}

function putPod(own: Lab, name: string, spec: Readonly<Record<string, unknown>> = {}): void {
  own.put(
    Pod,
    { metadata: { name }, spec: { containers: [{ name: 'main', image: 'x' }], ...spec } },
    'pods.yaml',
  );
}

function nodeOf(own: Lab, name: string): string | undefined {
  return own.get(Pod, name).spec.nodeName;
}

test('a pod is put on the node, and keeps its place in its file', () => {
  const own = lab();
  putNode(own, 'laptop');
  putPod(own, 'a');
  own.reconcile();
  assert.equal(nodeOf(own, 'a'), 'laptop');
  assert.equal(own.snapshot.sourceOf(Pod, 'default', 'a')?.file, 'pods.yaml');
});

test('a pod stays where it is when its file is saved', () => {
  const own = lab();
  putNode(own, 'laptop');
  putPod(own, 'a');
  own.reconcile();
  putPod(own, 'a', { priority: 1 });
  assert.equal(nodeOf(own, 'a'), 'laptop');
});

test('without a node pods wait for one', () => {
  const own = lab();
  putPod(own, 'a');
  own.reconcile();
  assert.equal(nodeOf(own, 'a'), undefined);
  putNode(own, 'laptop');
  own.reconcile();
  assert.equal(nodeOf(own, 'a'), 'laptop');
});

test('pods are spread over the nodes there are', () => {
  const own = lab();
  for (const name of ['n1', 'n2', 'n3']) putNode(own, name);
  putPod(own, 'there', { nodeName: 'n1' });
  for (const name of ['a', 'b', 'c', 'd', 'e']) putPod(own, name);
  own.reconcile();
  const counts = new Map<string, number>();
  for (const { spec } of own.list(Pod)) {
    counts.set(spec.nodeName ?? '', (counts.get(spec.nodeName ?? '') ?? 0) + 1);
  }
  assert.deepEqual(
    [...counts].toSorted(([a], [b]) => a.localeCompare(b)),
    [
      ['n1', 2],
      ['n2', 2],
      ['n3', 2],
    ],
  );
});

test('pods that have gone do not count', () => {
  const own = lab();
  for (const name of ['n1', 'n2']) putNode(own, name);
  for (const name of ['a', 'b']) putPod(own, name, { nodeName: 'n1' });
  own.reconcile();
  for (const name of ['a', 'b']) own.remove(Pod, name);
  putPod(own, 'c');
  own.reconcile();
  assert.equal(nodeOf(own, 'c'), 'n1');
});

test('cordoned nodes get no pods', () => {
  const own = lab();
  putNode(own, 'n1', { unschedulable: true });
  putNode(own, 'n2');
  putPod(own, 'a');
  own.reconcile();
  assert.equal(nodeOf(own, 'a'), 'n2');
});

test('nodeSelector chooses among nodes', () => {
  const own = lab();
  putNode(own, 'n1');
  putNode(own, 'n2', {}, { disk: 'ssd' });
  putPod(own, 'a', { nodeSelector: { disk: 'ssd' } });
  own.reconcile();
  assert.equal(nodeOf(own, 'a'), 'n2');
  assert.deepEqual(placementFindings(own.snapshot), []);
});

test('a nodeSelector that no node fulfils is passed over, and that is told', () => {
  const own = lab();
  putNode(own, 'laptop');
  putPod(own, 'a', { nodeSelector: { disk: 'ssd' } });
  own.reconcile();
  assert.equal(nodeOf(own, 'a'), 'laptop');
  assert.deepEqual(
    placementFindings(own.snapshot).map(({ reason, origin }) => [reason, origin.field]),
    [['NodeSelectorIgnored', 'spec.nodeSelector']],
  );
});

test('a pod on a node that is not there is told of', () => {
  const own = lab();
  putNode(own, 'laptop');
  putPod(own, 'a', { nodeName: 'gke-1' });
  assert.deepEqual(
    placementFindings(own.snapshot).map(({ reason, severity }) => [reason, severity]),
    [['NodeNotFound', 'warning']],
  );
});

test('a gated pod waits', () => {
  const own = lab();
  putNode(own, 'laptop');
  putPod(own, 'a', { schedulingGates: [{ name: 'example.com/wait' }] });
  own.reconcile();
  assert.equal(nodeOf(own, 'a'), undefined);
});

test('the node of this process is there, ready and labelled', () => {
  const own = new Lab([
    createNodeController({ ...OPTIONS, architecture: 'amd64', version: 'v0.1.0' }),
  ]);
  own.reconcile();
  const { metadata, status } = own.get(Node, 'laptop');
  assert.deepEqual(metadata.labels, {
    'kubernetes.io/hostname': 'laptop',
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'topology.kubernetes.io/zone': 'home',
  });
  assert.deepEqual(status.addresses, [
    { type: 'InternalIP', address: '127.0.0.1' },
    { type: 'Hostname', address: 'laptop' },
  ]);
  assert.equal(status.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  assert.equal(status.nodeInfo.kubeletVersion, 'v0.1.0');
  own.advance(60);
  assert.equal(own.reconcile().changeCount, 0);
});

test('what others say of the node is kept', () => {
  const own = new Lab([createNodeController(OPTIONS)]);
  putNode(own, 'laptop', { unschedulable: true }, { team: 'a' });
  own.reconcile();
  const { metadata, spec } = own.get(Node, 'laptop');
  assert.equal(metadata.labels?.['team'], 'a');
  assert.equal(spec.unschedulable, true);
});
