// Endpoints objects and the slices that say the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Endpoints } from '../../api/core/endpoints.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { Lab } from '../testing/lab.ts';
import { createEndpointSliceMirroringController, mirroringFindings } from './mirroring.ts';

function lab(): Lab {
  return new Lab([createEndpointSliceMirroringController()]);
}

function putService(own: Lab, spec: Readonly<Record<string, unknown>> = {}, metadata = {}): void {
  own.put(Service, {
    metadata: { name: 'db', ...metadata },
    spec: { ports: [{ port: 5432 }], ...spec },
  });
}

function putEndpoints(own: Lab, subsets: readonly unknown[], metadata = {}): void {
  own.put(Endpoints, { metadata: { name: 'db', ...metadata }, subsets });
}

const ADDRESSES = [{ ip: '10.0.0.2' }, { ip: '10.0.0.1' }];

/** `ports → addresses` of every slice. */
function slices(own: Lab): readonly string[] {
  own.reconcile();
  return own
    .list(EndpointSlice)
    .map(({ addressType, ports = [], endpoints }) => {
      const numbers = ports.map(({ port }) => port).join();
      const addresses = endpoints.map(
        ({ addresses: own_, conditions }) =>
          `${own_.join()}${conditions.ready === true ? '' : '!'}`,
      );
      return `${addressType} ${numbers} → ${addresses.join(' ')}`;
    })
    .toSorted();
}

test('Endpoints of a Service without selector are mirrored', () => {
  const own = lab();
  putService(own);
  putEndpoints(own, [{ addresses: ADDRESSES, ports: [{ name: 'pg', port: 5432 }] }], {
    labels: { team: 'db' },
    annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  });
  assert.deepEqual(slices(own), ['IPv4 5432 → 10.0.0.1 10.0.0.2']);
  const [slice] = own.list(EndpointSlice);
  assert.deepEqual(slice?.metadata.labels, {
    team: 'db',
    'kubernetes.io/service-name': 'db',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  });
  assert.deepEqual(slice?.metadata.annotations, { note: 'x' });
  assert.equal(slice?.metadata.ownerReferences?.[0]?.kind, 'Endpoints');
});

test('addresses that are not ready stay so', () => {
  const own = lab();
  putService(own);
  putEndpoints(own, [
    {
      addresses: [{ ip: '10.0.0.1' }],
      notReadyAddresses: [{ ip: '10.0.0.2' }],
      ports: [{ port: 1 }],
    },
  ]);
  assert.deepEqual(slices(own), ['IPv4 1 → 10.0.0.1 10.0.0.2!']);
});

test('subsets with the same addresses are one slice, those with others are several', () => {
  const own = lab();
  putService(own);
  putEndpoints(own, [
    { addresses: [{ ip: '10.0.0.1' }], ports: [{ name: 'a', port: 1 }] },
    { addresses: [{ ip: '10.0.0.1' }], ports: [{ name: 'b', port: 2 }] },
    { addresses: ADDRESSES, ports: [{ name: 'c', port: 3 }] },
  ]);
  assert.deepEqual(slices(own), ['IPv4 1,2 → 10.0.0.1', 'IPv4 3 → 10.0.0.1 10.0.0.2']);
});

test('an address that is ready in one place is ready', () => {
  const own = lab();
  putService(own);
  const ports = [{ port: 1 }];
  putEndpoints(own, [
    { notReadyAddresses: [{ ip: '10.0.0.1' }], ports },
    { addresses: [{ ip: '10.0.0.1' }], ports },
  ]);
  assert.deepEqual(slices(own), ['IPv4 1 → 10.0.0.1']);
});

test('what does not change is not written', () => {
  const own = lab();
  putService(own);
  const other = { addresses: ADDRESSES, ports: [{ name: 'b', port: 2 }] };
  putEndpoints(own, [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ name: 'a', port: 1 }] }, other]);
  slices(own);
  const before = own.list(EndpointSlice);
  putEndpoints(own, [
    other,
    { addresses: [{ ip: '10.0.0.9' }], ports: [{ name: 'c', port: 0x7f }] },
  ]);
  slices(own);
  const kept = own.list(EndpointSlice).filter((slice) => before.includes(slice));
  assert.deepEqual(
    kept.map(({ ports }) => ports?.[0]?.name),
    ['b'],
  );
});

test('families are apart', () => {
  const own = lab();
  putService(own);
  putEndpoints(own, [{ addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ports: [{ port: 1 }] }]);
  assert.deepEqual(slices(own), ['IPv4 1 → 10.0.0.1', 'IPv6 1 → fd00::1']);
});

test('changes are mirrored in the same slice', () => {
  const own = lab();
  putService(own);
  putEndpoints(own, [{ addresses: ADDRESSES, ports: [{ port: 1 }] }]);
  slices(own);
  const [before] = own.names(EndpointSlice);
  putEndpoints(own, [{ addresses: [{ ip: '10.0.0.9' }], ports: [{ port: 2 }] }]);
  assert.deepEqual(slices(own), ['IPv4 2 → 10.0.0.9']);
  assert.deepEqual(own.names(EndpointSlice), [before]);
});

const unmirrored: readonly (readonly [string, (own: Lab) => void])[] = [
  ['there is no Service', (own) => own.remove(Service, 'db')],
  ['the Service has a selector', (own) => putService(own, { selector: { app: 'db' } })],
  ['the Endpoints are gone', (own) => own.remove(Endpoints, 'db')],
  [
    'a process stands in for the Service',
    (own) => putService(own, {}, { annotations: { 'fairway.dev/address': 'localhost:1' } }),
  ],
  [
    'the Endpoints say so',
    (own) =>
      putEndpoints(own, [{ addresses: ADDRESSES }], {
        labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
      }),
  ],
  [
    'the Endpoints are about who leads',
    (own) =>
      putEndpoints(own, [{ addresses: ADDRESSES }], {
        annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' },
      }),
  ],
];
for (const [what, change] of unmirrored) {
  test(`nothing is mirrored any more when ${what}`, () => {
    const own = lab();
    putService(own);
    putEndpoints(own, [{ addresses: ADDRESSES, ports: [{ port: 1 }] }]);
    assert.equal(slices(own).length, 1);
    change(own);
    assert.deepEqual(slices(own), []);
  });
}

test('of more than a thousand addresses the first thousand are mirrored, and that is told', () => {
  const own = lab();
  putService(own);
  const addresses = Array.from({ length: 1003 }, (_, i) => ({ ip: `10.0.${i >> 8}.${i & 255}` }));
  putEndpoints(own, [{ addresses, ports: [{ port: 1 }] }]);
  own.reconcile();
  assert.equal(own.list(EndpointSlice)[0]?.endpoints.length, 1000);
  const [finding] = mirroringFindings(own.snapshot);
  assert.match(finding?.message ?? '', /3 addresses were skipped/);
});
