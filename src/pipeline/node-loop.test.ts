import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Kind } from '../api/kind.ts';
import { createResolver } from '../resolve/resolve.ts';
import { Store } from '../store/store.ts';
import { NodeLoop } from './node-loop.ts';
import type { NodeTarget } from './node-loop.ts';

interface Lab {
  readonly store: Store;
  readonly loop: NodeLoop;
  readonly applied: string[];
  readonly errors: unknown[];
}

function lab(minSyncMs: number, apply: () => void = () => undefined): Lab {
  const store = new Store({ newUid: () => 'u' });
  const applied: string[] = [];
  const errors: unknown[] = [];
  let sync: 'full' | 'partial' = 'full';
  const target: NodeTarget = {
    mode: 'nftables',
    apply: () => {
      apply();
      applied.push(sync);
      const answer = { rejected: [], sync };
      sync = 'partial';
      return Promise.resolve(answer);
    },
    resync: () => void (sync = 'full'),
    isInPlace: () => Promise.resolve(true),
  };
  const loop = new NodeLoop({
    store,
    sources: [],
    controllers: [],
    resolve: createResolver({ gatewayCidr: '127.80.0.0/17', adoptedClasses: [] }),
    facts: {
      name: 'node-1',
      zone: '',
      addresses: [],
      nodePortAddresses: [],
      podCidrs: [],
      serviceCidrs: [],
      masqueradeAll: false,
    },
    target,
    minSyncMs,
    syncMs: 50,
    onError: (error) => errors.push(error),
  });
  return { store, loop, applied, errors };
}

function write(
  store: Store,
  labels: Readonly<Record<string, string>>,
  taints: object[] = [],
): void {
  const object = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1', labels },
    spec: { taints },
    status: {},
  };
  store.write([{ op: 'put', kind: Node as unknown as Kind, object }]);
}

function writeService(store: Store, i: number): void {
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s${i}`, namespace: 'default' },
    spec: { clusterIP: `10.96.1.${i}`, ports: [{ port: 80, protocol: 'TCP' }] },
  };
  store.write([{ op: 'put', kind: Service as unknown as Kind, object }]);
}

function writeSlice(store: Store, i: number): void {
  const annotations = {
    'endpoints.kubernetes.io/last-change-trigger-time': new Date(Date.now() + 10).toISOString(),
  };
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `s${i}`, namespace: 'default', annotations },
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
  };
  store.write([{ op: 'put', kind: EndpointSlice as unknown as Kind, object }]);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('makes one round of many changes', async () => {
  const { store, loop, applied } = lab(100);
  await loop.start();
  for (let i = 0; i < 100; i++) {
    writeService(store, i);
    writeSlice(store, i);
    await pause(1);
  }
  await pause(250);
  await loop.stop();
  assert.ok(applied.length >= 2 && applied.length < 90, `${applied.length} rounds`);
  const text = await loop.metrics.text();
  assert.match(text, /^kubeproxy_sync_proxy_rules_service_changes_total 100$/m);
  assert.match(text, /^kubeproxy_sync_proxy_rules_service_changes_pending 0$/m);
  assert.match(text, /^kubeproxy_sync_proxy_rules_endpoint_changes_total 100$/m);
  assert.match(text, /^kubeproxy_sync_proxy_rules_endpoint_changes_pending 0$/m);
  const programmed =
    /^kubeproxy_network_programming_duration_seconds_count\{ip_family="IPv4"\} 100$/m;
  assert.match(text, programmed);
});

it('tries again, and whole, what has failed', async () => {
  let isBroken = false;
  const { store, loop, applied, errors } = lab(0, () => {
    if (isBroken) throw new Error('no');
  });
  await loop.start();
  isBroken = true;
  write(store, { a: 'b' });
  await pause(120);
  assert.ok(errors.length > 0);
  assert.match(await loop.metrics.text(), /nftables_sync_failures_total\{ip_family="IPv4"\} [1-9]/);
  isBroken = false;
  await pause(150);
  await loop.stop();
  assert.equal(applied.at(-1), 'full');
});

it('is not alive while what changed fails again and again', async () => {
  let isBroken = false;
  const { store, loop } = lab(0, () => {
    if (isBroken) throw new Error('no');
  });
  await loop.start();
  isBroken = true;
  write(store, { a: 'b' });
  // Periods are of 50 ms here, and two of them are allowed.
  await pause(250);
  const seen: boolean[] = [];
  for (let i = 0; i < 10; i++) {
    seen.push(loop.isLive(), loop.isHealthy());
    await pause(10);
  }
  assert.ok(!seen.includes(true), seen.join());
  isBroken = false;
  await pause(200);
  assert.ok(loop.isLive());
  await loop.stop();
});

it('is alive but not healthy on a node that is about to go', async () => {
  const { store, loop } = lab(0);
  await loop.start();
  assert.ok(loop.isHealthy());
  write(store, {}, [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }]);
  assert.ok(loop.isLive());
  assert.ok(!loop.isHealthy());
  await loop.stop();
});
