import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Deployment } from '../api/apps/deployment.ts';
import { Node } from '../api/core/node.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { admit } from '../api/admit.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { reconcileAll } from '../controllers/reconcile.ts';
import { Store } from '../store/store.ts';
import { createIdleWorkloadFinder, createNodeControllers } from './node-controllers.ts';

const OPTIONS = {
  nodeName: 'node-1',
  serviceCidr: '10.96.0.0/16',
  loadBalancerCidr: '10.97.0.0/16',
};

function put(store: Store, kind: unknown, written: object): void {
  const object = admit(kind as Kind, written).object as KubeObject;
  const source = { source: 'files', file: 'in.yaml', document: 0 };
  store.write([{ op: 'put', kind: kind as Kind, object, source }]);
}

function shop(): Store {
  const store = new Store();
  const metadata = { name: 'cart', namespace: 'shop' };
  put(store, Service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: { app: 'cart' }, ports: [{ port: 80 }] },
  });
  put(store, Deployment, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      selector: { matchLabels: { app: 'cart' } },
      template: {
        metadata: { labels: { app: 'cart' } },
        spec: { containers: [{ name: 'c', image: 'x' }] },
      },
    },
  });
  return store;
}

it('says that nobody starts the pods of a workload', () => {
  const store = shop();
  reconcileAll(createNodeControllers(OPTIONS), store, new Date());
  const [finding, ...others] = createIdleWorkloadFinder()(store.snapshot());
  assert.deepEqual(others, []);
  assert.equal(finding?.reason, 'NoPodsHere');
  assert.match(finding.message, /Deployment shop\/cart/);
  assert.match(store.snapshot().list(Service)[0]?.spec.clusterIP ?? '', /^10\.96\./);
});

it('leaves slices in files as they are', () => {
  const store = shop();
  put(store, EndpointSlice, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'cart-x',
      namespace: 'shop',
      labels: {
        'kubernetes.io/service-name': 'cart',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
    },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.244.1.2'], conditions: { ready: true } }],
  });
  reconcileAll(createNodeControllers(OPTIONS), store, new Date());
  const slices = store.snapshot().list(EndpointSlice);
  assert.deepEqual(
    slices.map(({ metadata, endpoints }) => [metadata.name, endpoints?.length]),
    [['cart-x', 1]],
  );
  assert.deepEqual(createIdleWorkloadFinder()(store.snapshot()), []);
});

it('gives a Service of both families the addresses of both that its pods have', () => {
  const store = new Store();
  const metadata = { name: 'cart', namespace: 'shop' };
  const spec = {
    ipFamilyPolicy: 'RequireDualStack',
    selector: { app: 'cart' },
    ports: [{ port: 80 }],
  };
  put(store, Service, { apiVersion: 'v1', kind: 'Service', metadata, spec });
  put(store, Node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  put(store, Pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, labels: { app: 'cart' } },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'x' }] },
    status: { phase: 'Running', podIPs: [{ ip: '10.244.1.5' }, { ip: 'fd00:244::5' }] },
  });
  const serviceCidr = '10.96.0.0/16,fd00:96::/112';
  reconcileAll(createNodeControllers({ ...OPTIONS, serviceCidr }), store, new Date());
  const slices = store.snapshot().list(EndpointSlice);
  const found = slices.map((s) => [
    s.addressType,
    s.endpoints?.map((e) => e.addresses.join()).join(),
  ]);
  assert.deepEqual(
    found.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    [
      ['IPv4', '10.244.1.5'],
      ['IPv6', 'fd00:244::5'],
    ],
  );
});
