// What a change costs: everything that did not change must be the very same value in the next model.
// What resolving means is in testdata/cases.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from '../api/admit.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { GatewayClass } from '../api/gateway/gatewayclass.ts';
import { HTTPRoute } from '../api/gateway/httproute.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import type { Host, Model } from '../model/model.ts';
import { Store } from '../store/store.ts';
import type { ObjectWrite } from '../store/write.ts';
import { createResolver } from './resolve.ts';

function put<T extends KubeObject>(kind: Kind<T>, name: string, parts: object): ObjectWrite {
  const group = kind.group === '' ? '' : `${kind.group}/`;
  const written = {
    apiVersion: `${group}${kind.version}`,
    kind: kind.kind,
    metadata: { name, ...(kind.namespaced ? { namespace: 'n' } : {}) },
    ...parts,
  };
  const { object, errors } = admit(kind, written);
  assert.deepEqual(errors, []);
  return { op: 'put', kind, object };
}

const route = (name: string, host: string, port = 80): ObjectWrite =>
  put(HTTPRoute, name, {
    spec: {
      parentRefs: [{ name: 'g' }],
      hostnames: [host],
      rules: [{ backendRefs: [{ name: 's', port }] }],
    },
  });

const slice = (address: string): ObjectWrite =>
  put(EndpointSlice, 's-1', {
    metadata: { name: 's-1', namespace: 'n', labels: { 'kubernetes.io/service-name': 's' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address] }],
    ports: [{ port: 8080 }],
  });

function setUp() {
  const store = new Store({ newUid: (kind, ns, name) => `${kind.kind}/${ns}/${name}` });
  const resolve = createResolver({ gatewayCidr: '127.80.0.0/17', adoptedClasses: [] });
  store.write([
    put(GatewayClass, 'c', { spec: { controllerName: 'fairway.dev/gateway' } }),
    put(Gateway, 'g', {
      spec: { gatewayClassName: 'c', listeners: [{ name: 'l', port: 80, protocol: 'HTTP' }] },
    }),
    put(Service, 's', {
      spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 80 }] },
    }),
    slice('10.1.0.1'),
    route('one', 'one.example'),
    route('two', 'two.example'),
  ]);
  return { store, run: (): Model => resolve(store.snapshot()).model };
}

function hostOf(model: Model, hostname: string): Host | undefined {
  return model.entryPoints[0]?.listeners[0]?.hosts.find((h) => h.hostname === hostname);
}

describe('resolving again', () => {
  it('gives the same values when nothing changed', () => {
    const { run } = setUp();
    const [a, b] = [run(), run()];
    assert.equal(a.entryPoints[0], b.entryPoints[0]);
    assert.equal(a.services[0], b.services[0]);
    assert.equal(a.backends, b.backends);
  });

  it('makes only the host anew whose route changed', () => {
    const { store, run } = setUp();
    const before = run();
    store.write([route('two', 'two.example', 81)]);
    const after = run();
    assert.equal(hostOf(after, 'one.example'), hostOf(before, 'one.example'));
    assert.notEqual(hostOf(after, 'two.example'), hostOf(before, 'two.example'));
  });

  it('makes no host anew when only endpoints changed', () => {
    const { store, run } = setUp();
    const before = run();
    store.write([slice('10.1.0.2')]);
    const after = run();
    assert.equal(after.entryPoints[0], before.entryPoints[0]);
    const endpoints = after.backends.get('Service n/s:80')?.endpoints;
    assert.deepEqual(
      endpoints?.map((e) => e.address),
      ['10.1.0.2'],
    );
  });

  it('makes no host anew when only a status was written', () => {
    const { store, run } = setUp();
    const before = run();
    const status = { parents: [] };
    store.write([{ op: 'status', kind: HTTPRoute, namespace: 'n', name: 'one', status }]);
    assert.equal(run().entryPoints[0], before.entryPoints[0]);
  });

  it('notices a Service that comes and goes', () => {
    const { store, run } = setUp();
    run();
    store.write([{ op: 'delete', kind: Service, namespace: 'n', name: 's' }]);
    const [rule] = hostOf(run(), 'one.example')?.rules ?? [];
    assert.equal(rule?.action.result.kind, 'forward');
    assert.equal(rule.action.result.backends[0]?.backend, null);
    store.write([put(Service, 's', { spec: { ports: [{ port: 80 }] } })]);
    const [again] = hostOf(run(), 'one.example')?.rules ?? [];
    assert.equal(again?.action.result.kind, 'forward');
    assert.equal(again.action.result.backends[0]?.backend, 'Service n/s:80');
  });

  it('forgets what is gone', () => {
    const { store, run } = setUp();
    run();
    store.write([{ op: 'delete', kind: HTTPRoute, namespace: 'n', name: 'two' }]);
    assert.equal(hostOf(run(), 'two.example'), undefined);
    store.write([route('two', 'two.example')]);
    assert.notEqual(hostOf(run(), 'two.example'), undefined);
  });
});
