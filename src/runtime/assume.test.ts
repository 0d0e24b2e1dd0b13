import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pod } from '../api/core/pod.ts';
import type { PodStatus } from '../api/core/pod-status.ts';
import { Store } from '../store/store.ts';
import { assumePodsReady } from './assume.ts';
import { isReady, pod, putAll, the } from './testing.ts';

const CIDR = '127.244.0.0/16';
const NOW = new Date('2026-05-04T10:00:00Z');

function storeOf(...pods: readonly Pod[]): Store {
  const store = new Store({ now: () => NOW });
  putAll(store, pods);
  return store;
}

test('pods get the addresses they would get, and are ready; a second time nothing changes', () => {
  const store = storeOf(
    pod({ name: 'b', container: { readinessProbe: { tcpSocket: { port: 80 } } } }),
    pod({ name: 'a' }),
    pod({ name: 'host', spec: { hostNetwork: true } }),
  );
  store.write(assumePodsReady(store.snapshot(), CIDR));
  const found = store.snapshot().list(Pod);
  assert.deepEqual(
    found.map(({ metadata, status }) => [metadata.name, status.podIP, status.phase]),
    [
      ['a', '127.244.0.1', 'Running'],
      ['b', '127.244.0.2', 'Running'],
      ['host', '127.0.0.1', 'Running'],
    ],
  );
  assert.ok(found.every(isReady));
  assert.deepEqual(assumePodsReady(store.snapshot(), CIDR), []);
});

test('init containers have done their work, sidecars run, gates are open', () => {
  const store = storeOf(
    pod({
      spec: {
        initContainers: [
          { name: 'init', image: 'x' },
          { name: 'side', image: 'x', restartPolicy: 'Always' },
        ],
        readinessGates: [{ conditionType: 'example.com/gate' }],
      },
    }),
  );
  store.write(assumePodsReady(store.snapshot(), CIDR));
  const found = the(store.snapshot().list(Pod)[0]);
  assert.ok(isReady(found));
  assert.deepEqual(
    found.status.initContainerStatuses?.map(({ state }) => Object.keys(state)),
    [['terminated'], ['running']],
  );
  assert.deepEqual(assumePodsReady(store.snapshot(), CIDR), []);
});

test('pods that have ended, are being deleted or wait for a gate stay as they are', () => {
  const store = storeOf(
    pod({ name: 'done', status: { phase: 'Succeeded' } }),
    pod({ name: 'going' }),
    pod({ name: 'gated', spec: { schedulingGates: [{ name: 'example.com/wait' }] } }),
  );
  const name = { kind: Pod, namespace: 'default', name: 'going' } as const;
  store.write([{ op: 'terminate', ...name, gracePeriodSeconds: 30 }]);
  assert.deepEqual(assumePodsReady(store.snapshot(), CIDR), []);
});

test('there is no clock in it: times are those of the creation', () => {
  const store = storeOf(pod());
  const [write] = assumePodsReady(store.snapshot(), CIDR);
  assert.ok(write?.op === 'status');
  const status = write.status as PodStatus;
  assert.equal(status.startTime, '2026-05-04T10:00:00Z');
  assert.equal(status.conditions?.[0]?.lastTransitionTime, '2026-05-04T10:00:00Z');
});
