import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Node } from '../api/core/node.ts';
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
    forget: () => Promise.resolve(),
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

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('makes one round of many changes', async () => {
  const { store, loop, applied } = lab(100);
  await loop.start();
  for (let i = 0; i < 100; i++) {
    write(store, { change: String(i) });
    await pause(1);
  }
  await pause(250);
  await loop.stop();
  assert.ok(applied.length >= 2 && applied.length < 90, `${applied.length} rounds`);
  assert.match(loop.metrics.text(), /service_changes_total 100\n/);
  assert.match(loop.metrics.text(), /service_changes_pending 0\n/);
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
  assert.match(loop.metrics.text(), /nftables_sync_failures_total [1-9]/);
  isBroken = false;
  await pause(150);
  await loop.stop();
  assert.equal(applied.at(-1), 'full');
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
