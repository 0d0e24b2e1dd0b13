import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigMap } from '../api/core/config-map.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { admit } from '../api/admit.ts';
import { Store } from './store.ts';
import type { Change } from './store.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');

function newStore(): Store {
  let next = 0;
  return new Store({ now: () => NOW, newUid: () => `uid-${next++}` });
}

function configMap(name: string, data: Record<string, string> = {}, namespace = 'n'): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

const put = (object: ConfigMap) => ({ op: 'put' as const, kind: ConfigMap, object });

function gateway(className: string): Gateway {
  return admit(Gateway, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'n', name: 'g' },
    spec: { gatewayClassName: className, listeners: [{ name: 'a', port: 80, protocol: 'HTTP' }] },
  }).object;
}

describe('the store', () => {
  it('gives objects an identity, a time and a revision', () => {
    const store = newStore();
    store.write([put(configMap('a'))]);
    assert.deepEqual(store.snapshot().get(ConfigMap, 'n', 'a')?.metadata, {
      name: 'a',
      namespace: 'n',
      uid: 'uid-0',
      creationTimestamp: '2026-01-02T03:04:05Z',
      resourceVersion: '1',
    });
  });

  it('keeps identity and time when an object is written again, and drops writes that change nothing', () => {
    const store = newStore();
    store.write([put(configMap('a', { x: '1' }))]);
    const first = store.snapshot().get(ConfigMap, 'n', 'a');
    assert.deepEqual(store.write([put(configMap('a', { x: '1' }))]), []);
    assert.equal(store.snapshot().get(ConfigMap, 'n', 'a'), first);
    store.write([put(configMap('a', { x: '2' }))]);
    const second = store.snapshot().get(ConfigMap, 'n', 'a');
    assert.equal(second?.metadata.uid, first?.metadata.uid);
    assert.equal(second?.metadata.resourceVersion, '2');
    assert.deepEqual(second?.data, { x: '2' });
  });

  it('counts generations by the spec alone, and keeps the status over a write', () => {
    const store = newStore();
    store.write([{ op: 'put', kind: Gateway, object: gateway('one') }]);
    const status = { conditions: [] };
    store.write([{ op: 'status', kind: Gateway, namespace: 'n', name: 'g', status }]);
    assert.equal(store.snapshot().get(Gateway, 'n', 'g')?.metadata.generation, 1);
    store.write([{ op: 'put', kind: Gateway, object: gateway('two') }]);
    const after = store.snapshot().get(Gateway, 'n', 'g');
    assert.equal(after?.metadata.generation, 2);
    assert.deepEqual(after.status, status);
  });

  it('sets the time by which an object is to be gone, once', () => {
    const store = newStore();
    store.write([put(configMap('a'))]);
    const terminate = {
      op: 'terminate' as const,
      kind: ConfigMap,
      namespace: 'n',
      name: 'a',
      gracePeriodSeconds: 30,
    };
    assert.equal(store.write([terminate]).length, 1);
    assert.equal(store.write([terminate]).length, 0);
    const { metadata } = store.snapshot().get(ConfigMap, 'n', 'a') ?? {};
    assert.equal(metadata?.deletionTimestamp, '2026-01-02T03:04:35Z');
    store.write([put(configMap('a', { x: '1' }))]);
    assert.notEqual(
      store.snapshot().get(ConfigMap, 'n', 'a')?.metadata.deletionTimestamp,
      undefined,
    );
  });

  it('gives snapshots that never change, and shares what did not', () => {
    const store = newStore();
    store.write([put(configMap('a')), { op: 'put', kind: Gateway, object: gateway('one') }]);
    const before = store.snapshot();
    store.write([put(configMap('b'))]);
    const after = store.snapshot();
    assert.deepEqual(
      before.list(ConfigMap).map((o) => o.metadata.name),
      ['a'],
    );
    assert.deepEqual(
      after.list(ConfigMap).map((o) => o.metadata.name),
      ['a', 'b'],
    );
    assert.equal(before.table(Gateway), after.table(Gateway));
    assert.equal(before.get(ConfigMap, 'n', 'a'), after.get(ConfigMap, 'n', 'a'));
    assert.equal(store.snapshot(), after);
  });

  it('tells listeners of each batch once', () => {
    const store = newStore();
    const seen: (readonly Change[])[] = [];
    const stop = store.subscribe((changes) => seen.push(changes));
    store.write([put(configMap('a')), put(configMap('b'))]);
    store.write([{ op: 'delete', kind: ConfigMap, namespace: 'n', name: 'none' }]);
    stop();
    store.write([put(configMap('c'))]);
    assert.deepEqual(
      seen.map((changes) => changes.length),
      [2],
    );
  });

  it('lists by namespace and name, whatever the order of the writes', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'aa', 'b-c', 'z'), {
      minLength: 1,
    });
    fc.assert(
      fc.property(names, names, (first, second) => {
        const store = newStore();
        store.write([
          ...first.map((name) => put(configMap(name, {}, 'one'))),
          ...second.map((name) => put(configMap(name, {}, 'two'))),
        ]);
        const listed = store
          .snapshot()
          .list(ConfigMap)
          .map((o) => `${o.metadata.namespace}/${o.metadata.name}`);
        const wanted = [...first.map((n) => `one/${n}`), ...second.map((n) => `two/${n}`)];
        assert.deepEqual(listed, wanted.toSorted());
        const one = store.snapshot().table(ConfigMap).inNamespace('one');
        assert.deepEqual(
          one.map((o) => o.metadata.name),
          first.toSorted(),
        );
      }),
    );
  });

  it('lists the same after any changes as if it were made anew', () => {
    const step = fc.record({
      name: fc.nat(60).map((n) => `o${n}`),
      remove: fc.boolean(),
      look: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = newStore();
        const names = new Set(Array.from({ length: 50 }, (_, n) => `o${n}`));
        store.write([...names].map((name) => put(configMap(name))));
        for (const { name, remove, look } of steps) {
          if (remove) store.write([{ op: 'delete', kind: ConfigMap, namespace: 'n', name }]);
          else store.write([put(configMap(name, { x: name }))]);
          if (remove) names.delete(name);
          else names.add(name);
          if (!look) continue;
          const listed = store
            .snapshot()
            .list(ConfigMap)
            .map((o) => o.metadata.name);
          assert.deepEqual(listed, [...names].toSorted());
        }
      }),
    );
  });
});
