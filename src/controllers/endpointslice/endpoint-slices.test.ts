// The slices of a Service, endpoint by endpoint, while its pods come and go.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { Lab } from '../testing/lab.ts';
import { createEndpointSliceController } from './endpoint-slices.ts';

interface PodOptions {
  readonly node?: string;
  readonly ip?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly port?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Controllers for slices alone, and two nodes in two zones. */
function lab(): Lab {
  const own = new Lab([createEndpointSliceController({ nodeName: 'n1' })]);
  for (const [name, zone] of [
    ['n1', 'east'],
    ['n2', 'west'],
  ] as const) {
    own.put(Node, { metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } } });
  }
  return own;
}

let podIpCount = 0;

/** A pod that runs and is ready. */
function putPod(own: Lab, name: string, options: PodOptions = {}): Pod {
  const { node = 'n1', spec, port = 8080, labels = { app: 'web' } } = options;
  const ip = options.ip ?? `127.244.0.${1 + (podIpCount++ % 250)}`;
  own.put(Pod, {
    metadata: { name, labels },
    spec: {
      nodeName: node,
      containers: [{ name: 'main', image: 'x', ports: [{ name: 'http', containerPort: port }] }],
      ...spec,
    },
  });
  own.setStatus(Pod, own.get(Pod, name), {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  });
  return own.get(Pod, name);
}

function putService(own: Lab, spec: Readonly<Record<string, unknown>> = {}, metadata = {}): void {
  own.put(Service, {
    metadata: { name: 'web', ...metadata },
    spec: {
      clusterIP: '127.96.0.10',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [{ name: 'http', port: 80, targetPort: 'http' }],
      ...spec,
    },
  });
}

function slices(own: Lab): readonly EndpointSlice[] {
  own.reconcile();
  return own.list(EndpointSlice);
}

function onlySlice(own: Lab): EndpointSlice {
  const [slice, ...others] = slices(own);
  assert.ok(slice !== undefined && others.length === 0, `${others.length + 1} slices`);
  return slice;
}

/** `name ready serving terminating` of each endpoint. */
function states(own: Lab): readonly string[] {
  return slices(own).flatMap(({ endpoints }) =>
    endpoints.map(({ targetRef, conditions: { ready, serving, terminating } }) =>
      [
        targetRef?.name,
        ready === true ? 'ready' : '-',
        serving === true ? 'serving' : '-',
        terminating === true ? 'terminating' : '-',
      ].join(' '),
    ),
  );
}

describe('the slice of a Service', () => {
  test('names its Service as owner, and who manages it', () => {
    const own = lab();
    putService(own, {}, { labels: { team: 'shop', 'kubernetes.io/service-name': 'lie' } });
    const { metadata, addressType } = onlySlice(own);
    assert.match(metadata.name ?? '', /^web-[a-z0-9]{5}$/);
    assert.equal(metadata.generateName, 'web-');
    assert.deepEqual(metadata.labels, {
      team: 'shop',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    const { uid } = own.get(Service, 'web').metadata;
    assert.deepEqual(metadata.ownerReferences, [
      {
        apiVersion: 'v1',
        kind: 'Service',
        name: 'web',
        uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    assert.equal(addressType, 'IPv4');
  });

  test('is empty and without ports when there are no pods', () => {
    const own = lab();
    putService(own);
    const { endpoints, ports } = onlySlice(own);
    assert.deepEqual([endpoints, ports], [[], []]);
  });

  test('is filled when pods come, and emptied when they go', () => {
    const own = lab();
    putService(own);
    const { metadata } = onlySlice(own);
    putPod(own, 'a');
    assert.equal(onlySlice(own).endpoints.length, 1);
    assert.equal(onlySlice(own).metadata.name, metadata.name);
    own.remove(Pod, 'a');
    const { endpoints, ports } = onlySlice(own);
    assert.deepEqual([endpoints, ports], [[], []]);
  });

  test('tells headless Services', () => {
    const own = lab();
    putService(own, { clusterIP: 'None' });
    assert.equal(onlySlice(own).metadata.labels?.['service.kubernetes.io/headless'], '');
  });

  test('takes over a change of labels', () => {
    const own = lab();
    putService(own);
    slices(own);
    putService(own, {}, { labels: { team: 'shop' } });
    assert.equal(onlySlice(own).metadata.labels?.['team'], 'shop');
  });

  test('carries the time of the change that led to its last write, and no other', () => {
    const own = lab();
    const time = () =>
      onlySlice(own).metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'];
    putService(own);
    assert.equal(time(), '2026-01-01T00:00:00Z');
    own.advance(1.25);
    assert.equal(time(), '2026-01-01T00:00:00Z');
    putPod(own, 'a');
    assert.equal(time(), '2026-01-01T00:00:01.25Z');
  });

  test('is not made for an external name, nor without selector', () => {
    const own = lab();
    putService(own, { selector: {} });
    assert.deepEqual(slices(own), []);
    putService(own);
    assert.equal(slices(own).length, 1);
    own.put(Service, {
      metadata: { name: 'web' },
      spec: { type: 'ExternalName', externalName: 'x.y' },
    });
    assert.deepEqual(slices(own), []);
  });

  test('of a Service that had the same name before goes', () => {
    const own = lab();
    putService(own);
    const before = onlySlice(own);
    own.remove(Service, 'web');
    putService(own);
    const after = onlySlice(own);
    assert.notEqual(after.metadata.name, before.metadata.name);
    assert.equal(after.metadata.ownerReferences?.[0]?.uid, own.get(Service, 'web').metadata.uid);
  });

  test('is not made any more while the Service is being deleted', () => {
    const own = lab();
    putService(own);
    own.store.write([
      { op: 'terminate', kind: Service, namespace: 'default', name: 'web', gracePeriodSeconds: 0 },
    ]);
    assert.deepEqual(slices(own), []);
  });

  test('of another manager is left alone', () => {
    const own = lab();
    putService(own);
    own.put(EndpointSlice, {
      metadata: { name: 'mine', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'] }],
    });
    assert.equal(slices(own).length, 2);
    assert.deepEqual(own.get(EndpointSlice, 'mine').endpoints[0]?.addresses, ['10.0.0.1']);
  });
});

describe('an endpoint', () => {
  test('says where its pod is', () => {
    const own = lab();
    putService(own);
    const { metadata } = putPod(own, 'a', { node: 'n2', ip: '127.244.9.9' });
    assert.deepEqual(onlySlice(own).endpoints, [
      {
        addresses: ['127.244.9.9'],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: 'Pod', namespace: 'default', name: 'a', uid: metadata.uid },
        nodeName: 'n2',
        zone: 'west',
      },
    ]);
  });

  test('follows the readiness of its pod', () => {
    const own = lab();
    putService(own);
    const pod = putPod(own, 'a');
    assert.deepEqual(states(own), ['a ready serving -']);
    own.run(pod, false);
    assert.deepEqual(states(own), ['a - - -']);
    own.run(own.get(Pod, 'a'), true);
    assert.deepEqual(states(own), ['a ready serving -']);
  });

  test('serves while its pod ends, but is not ready', () => {
    const own = lab();
    putService(own);
    putPod(own, 'a');
    own.store.write([
      { op: 'terminate', kind: Pod, namespace: 'default', name: 'a', gracePeriodSeconds: 30 },
    ]);
    assert.deepEqual(states(own), ['a - serving terminating']);
    own.run(own.get(Pod, 'a'), false);
    assert.deepEqual(states(own), ['a - - terminating']);
  });

  test('is ready in any case with publishNotReadyAddresses', () => {
    const own = lab();
    putService(own, { publishNotReadyAddresses: true });
    own.run(putPod(own, 'a'), false);
    assert.deepEqual(states(own), ['a ready - -']);
  });

  test('is none for a pod without address, or that has run to its end', () => {
    const own = lab();
    putService(own);
    own.setStatus(Pod, putPod(own, 'a'), { phase: 'Pending' });
    own.finish(putPod(own, 'b'), 'Succeeded');
    own.finish(putPod(own, 'c'), 'Failed');
    assert.deepEqual(states(own), []);
  });

  test('is none for a pod on a node that is not there, unless all are wanted', () => {
    const own = lab();
    putService(own);
    putPod(own, 'a', { node: 'gone' });
    assert.deepEqual(states(own), []);
    putService(own, { publishNotReadyAddresses: true });
    assert.deepEqual(states(own), ['a ready serving -']);
    putService(own);
    assert.deepEqual(states(own), []);
    own.put(Node, { metadata: { name: 'gone' } });
    assert.deepEqual(states(own), ['a ready serving -']);
  });

  test('has a name where the pod has one below this Service', () => {
    const own = lab();
    putService(own);
    putPod(own, 'a', { spec: { hostname: 'a-0', subdomain: 'web' } });
    putPod(own, 'b', { spec: { hostname: 'b-0', subdomain: 'other' } });
    assert.deepEqual(
      onlySlice(own).endpoints.map(({ hostname }) => hostname),
      ['a-0', undefined],
    );
  });

  test('is of the families of its Service', () => {
    const own = lab();
    putService(own, { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'PreferDualStack' });
    const pod = putPod(own, 'a');
    const podIPs = [{ ip: '127.244.0.9' }, { ip: 'fd00::9' }];
    own.setStatus(Pod, pod, { ...pod.status, podIP: '127.244.0.9', podIPs });
    const found = slices(own).map(
      ({ addressType, endpoints }) => `${addressType} ${endpoints[0]?.addresses.join()}`,
    );
    assert.deepEqual(found.toSorted(), ['IPv4 127.244.0.9', 'IPv6 fd00::9']);
    putService(own, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] });
    assert.equal(onlySlice(own).addressType, 'IPv4');
  });

  test('moves with the zone of its node', () => {
    const own = lab();
    putService(own);
    putPod(own, 'a');
    assert.equal(onlySlice(own).endpoints[0]?.zone, 'east');
    own.put(Node, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'south' } } });
    assert.equal(onlySlice(own).endpoints[0]?.zone, 'south');
  });
});

describe('ports', () => {
  test('with a name are looked up in each pod: other numbers, other slices', () => {
    const own = lab();
    putService(own);
    putPod(own, 'a', { port: 8080 });
    putPod(own, 'b', { port: 9090 });
    putPod(own, 'c', { port: 8080 });
    const found = slices(own).map(({ ports = [], endpoints }) => {
      const names = endpoints.map(({ targetRef }) => targetRef?.name);
      return `${ports[0]?.port}: ${names.join(' ')}`;
    });
    assert.deepEqual(found.toSorted(), ['8080: a c', '9090: b']);
  });

  test('that a pod does not have are left out', () => {
    const own = lab();
    putService(own, {
      ports: [
        { name: 'web', port: 80, targetPort: 'http', appProtocol: 'kubernetes.io/h2c' },
        { name: 'admin', port: 81, targetPort: 'admin' },
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 'http' },
      ],
    });
    putPod(own, 'a');
    assert.deepEqual(onlySlice(own).ports, [
      { name: 'web', protocol: 'TCP', port: 8080, appProtocol: 'kubernetes.io/h2c' },
    ]);
  });

  test('of sidecars are found, those of other init containers are not', () => {
    const own = lab();
    putService(own, {
      ports: [
        { name: 'a', port: 80, targetPort: 'proxy' },
        { name: 'b', port: 81, targetPort: 'setup' },
      ],
    });
    const container = (name: string, containerPort: number) => ({
      name,
      image: 'x',
      ports: [{ name, containerPort }],
    });
    const initContainers = [
      { ...container('proxy', 15_001), restartPolicy: 'Always' },
      container('setup', 15_002),
    ];
    putPod(own, 'a', { spec: { initContainers } });
    assert.deepEqual(
      onlySlice(own).ports?.map(({ port }) => port),
      [15_001],
    );
  });

  test('may be absent from a headless Service', () => {
    const own = lab();
    putService(own, { clusterIP: 'None', ports: undefined });
    putPod(own, 'a');
    const { endpoints, ports } = onlySlice(own);
    assert.equal(endpoints.length, 1);
    assert.deepEqual(ports, []);
  });

  test('that change keep their slice', () => {
    const own = lab();
    putService(own);
    putPod(own, 'a');
    const { metadata } = onlySlice(own);
    putService(own, { ports: [{ port: 80, targetPort: 7000 }] });
    const after = onlySlice(own);
    assert.equal(after.metadata.name, metadata.name);
    assert.equal(after.ports?.[0]?.port, 7000);
  });
});

describe('traffic distribution', () => {
  const hintsOf = (own: Lab) => onlySlice(own).endpoints.map(({ hints }) => hints);

  test('without one there are no hints', () => {
    const own = lab();
    putService(own);
    putPod(own, 'a');
    assert.deepEqual(hintsOf(own), [undefined]);
  });

  for (const trafficDistribution of ['PreferClose', 'PreferSameZone']) {
    test(`${trafficDistribution} hints at the zone of every ready endpoint`, () => {
      const own = lab();
      putService(own, { trafficDistribution });
      putPod(own, 'a');
      own.run(putPod(own, 'b'), false);
      putPod(own, 'c', { node: 'n2' });
      assert.deepEqual(hintsOf(own), [
        { forZones: [{ name: 'east' }] },
        undefined,
        { forZones: [{ name: 'west' }] },
      ]);
    });
  }

  test('PreferSameNode hints at zone and node', () => {
    const own = lab();
    putService(own, { trafficDistribution: 'PreferSameNode' });
    putPod(own, 'a');
    assert.deepEqual(hintsOf(own), [{ forZones: [{ name: 'east' }], forNodes: [{ name: 'n1' }] }]);
    putService(own);
    assert.deepEqual(hintsOf(own), [undefined]);
  });

  test('the older annotation goes before the field', () => {
    const own = lab();
    const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
    putService(own, { trafficDistribution: 'PreferClose' }, { annotations });
    putPod(own, 'a');
    assert.deepEqual(hintsOf(own), [undefined]);
  });
});

describe('many pods', () => {
  test('are in slices of a hundred, and a new one changes one slice', () => {
    const own = lab();
    putService(own);
    for (let i = 0; i < 250; i++)
      putPod(own, `p${String(i).padStart(3, '0')}`, { ip: `127.244.1.${i}` });
    const sizes = slices(own).map(({ endpoints }) => endpoints.length);
    assert.deepEqual(
      sizes.toSorted((a, b) => b - a),
      [100, 100, 50],
    );
    const before = own.list(EndpointSlice);
    putPod(own, 'late', { ip: '127.244.2.1' });
    const changed = slices(own).filter((slice) => !before.includes(slice));
    assert.deepEqual(
      changed.map(({ endpoints }) => endpoints.length),
      [51],
    );
  });
});

describe('an address in place of pods', () => {
  const annotations = { 'fairway.dev/address': 'localhost:3000,127.0.0.2:3000,192.168.1.5:4000' };

  test('takes the place of the pods, on every port', () => {
    const own = lab();
    const ports = [
      { name: 'http', port: 80, targetPort: 'http' },
      { name: 'admin', port: 81, targetPort: 'admin' },
    ];
    putService(own, { ports }, { annotations });
    putPod(own, 'a');
    const found = slices(own)
      .map(({ ports: own_ = [], endpoints }) => ({
        ports: own_.map(({ name, port }) => `${name}:${port}`),
        endpoints: endpoints.map(({ addresses, nodeName, zone }) => [...addresses, nodeName, zone]),
      }))
      .toSorted((a, b) => b.endpoints.length - a.endpoints.length);
    assert.deepEqual(found, [
      {
        ports: ['http:3000', 'admin:3000'],
        endpoints: [
          ['127.0.0.1', 'n1', 'east'],
          ['127.0.0.2', 'n1', 'east'],
        ],
      },
      { ports: ['http:4000', 'admin:4000'], endpoints: [['192.168.1.5', undefined, undefined]] },
    ]);
    putService(own);
    assert.deepEqual(states(own), ['a ready serving -']);
  });

  test('works without a selector', () => {
    const own = lab();
    putService(own, { selector: {} }, { annotations: { 'fairway.dev/address': 'localhost:3000' } });
    assert.deepEqual(onlySlice(own).endpoints[0]?.addresses, ['127.0.0.1']);
  });

  test('that makes no sense leaves the pods in place', () => {
    const own = lab();
    putService(own, {}, { annotations: { 'fairway.dev/address': 'nonsense' } });
    putPod(own, 'a');
    assert.deepEqual(states(own), ['a ready serving -']);
  });
});
