// Addresses and node ports as the API server gives them, with its very texts where it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  REFUSED_ANNOTATION,
  refusedRequests,
  withAskedAgain,
} from '../../api/core/service-carry-over.ts';
import { Service } from '../../api/core/service.ts';
import { parseIPv4 } from '../../lib/ipv4.ts';
import { Lab, objectOf } from '../testing/lab.ts';
import { allocateService, settleService } from './allocate.ts';
import { Allocations, createAllocationTracker } from './allocations.ts';
import { addressBand, portBand } from './bands.ts';
import { formatAllocationError } from './refusal.ts';

/** KEP-3070: how many addresses of a range are kept for those who ask for one. */
const addressBands: readonly (readonly [string, number])[] = [
  ['10.96.0.0/12', 256],
  ['127.96.0.0/16', 256],
  ['10.0.0.0/20', 256],
  ['10.0.0.0/22', 64],
  ['10.0.0.0/24', 16],
  ['10.0.0.0/26', 16],
  ['10.0.0.0/28', 0],
];
for (const [cidr, lower] of addressBands) {
  test(`of ${cidr}, ${lower} addresses are kept for those who ask`, () => {
    const { first, dynamicFirst } = addressBand(cidr);
    assert.equal(dynamicFirst - first, lower);
  });
}

test('network and broadcast addresses belong to nobody', () => {
  const { first, last } = addressBand('10.0.0.0/24');
  assert.deepEqual([first & 0xff, last & 0xff], [1, 254]);
});

test('what is no range is refused with a code', () => {
  for (const cidr of ['fd00::/108', '10.0.0.0', '10.0.0.0/31', 'x']) {
    assert.throws(() => addressBand(cidr), { code: 'FW_BAD_RANGE' }, cidr);
  }
});

test('of the node ports, 30000 to 30085 are kept for those who ask', () => {
  assert.deepEqual(portBand(30_000, 32_767), { first: 30_000, dynamicFirst: 30_086, last: 32_767 });
  assert.deepEqual(portBand(100, 110), { first: 100, dynamicFirst: 100, last: 110 });
});

interface Wish {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly name?: string;
}

function service({ spec, name = 'web' }: Wish): Service {
  return objectOf(Service, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
}

function allocations(...taken: readonly Service[]): Allocations {
  const all = new Allocations({ serviceCidr: '10.96.0.0/16' });
  for (const one of taken) all.claim(one);
  return all;
}

function given(wish: Wish, ...taken: readonly Service[]): Service['spec'] {
  const result = allocateService(service(wish), allocations(...taken));
  assert.ok('service' in result, JSON.stringify(result));
  return result.service.spec;
}

test('a Service gets the lowest address of the upper band, and the family', () => {
  const spec = given({ spec: {} });
  assert.deepEqual(spec.clusterIPs, ['10.96.1.1']);
  assert.equal(spec.clusterIP, '10.96.1.1');
  assert.deepEqual([spec.ipFamilies, spec.ipFamilyPolicy], [['IPv4'], 'SingleStack']);
});

test('an address that is asked for is given, in either band', () => {
  for (const clusterIP of ['10.96.0.10', '10.96.200.7', '10.96.2.0']) {
    assert.deepEqual(given({ spec: { clusterIP } }).clusterIPs, [clusterIP]);
  }
});

test('when the upper band is full, the lower one is used', () => {
  const all = new Allocations({ serviceCidr: '10.96.0.0/27' });
  const found = Array.from({ length: 30 }, (_, i) => {
    const result = allocateService(service({ spec: {}, name: `s${i}` }), all);
    assert.ok('service' in result);
    all.claim(result.service);
    return result.service.spec.clusterIP;
  });
  assert.deepEqual(found.slice(0, 2), ['10.96.0.17', '10.96.0.18']);
  assert.deepEqual(found.slice(14, 16), ['10.96.0.1', '10.96.0.2']);
  assert.equal(new Set(found).size, 30);
  const full = allocateService(service({ spec: {} }), all);
  assert.ok('error' in full);
  assert.equal(
    formatAllocationError('web', full.error),
    'Internal error occurred: failed to allocate a serviceIP: range is full',
  );
});

test('headless Services and external names get no address', () => {
  assert.deepEqual(given({ spec: { clusterIP: 'None', selector: { a: 'b' } } }).clusterIPs, [
    'None',
  ]);
  const external = given({ spec: { type: 'ExternalName', externalName: 'x.y', ports: undefined } });
  assert.deepEqual([external.clusterIPs, external.ipFamilies], [undefined, undefined]);
});

test('a headless Service without selector is of both families, as its endpoints may be', () => {
  const spec = given({ spec: { clusterIP: 'None' } });
  assert.deepEqual([spec.ipFamilies, spec.ipFamilyPolicy], [['IPv4', 'IPv6'], 'RequireDualStack']);
});

test('PreferDualStack is content with one family', () => {
  const spec = given({ spec: { ipFamilyPolicy: 'PreferDualStack' } });
  assert.deepEqual([spec.ipFamilies, spec.clusterIPs], [['IPv4'], ['10.96.1.1']]);
});

test('node ports follow from the name: the same everywhere, and above the static band', () => {
  const first = given({ spec: { type: 'NodePort' } });
  assert.deepEqual(given({ spec: { type: 'NodePort' } }), first);
  const [port] = first.ports ?? [];
  assert.ok((port?.nodePort ?? 0) >= 30_086);
  const other = given({ spec: { type: 'NodePort' }, name: 'other' });
  assert.notEqual(other.ports?.[0]?.nodePort, port?.nodePort);
});

test('a node port that is taken is passed over for the next one', () => {
  const spec = { type: 'NodePort' };
  const nodePort = given({ spec }).ports?.[0]?.nodePort ?? 0;
  const holder = service({ spec: { type: 'NodePort', ports: [{ port: 1, nodePort }] }, name: 'b' });
  assert.equal(given({ spec }, holder).ports?.[0]?.nodePort, nodePort + 1);
});

test('the same port of two protocols is reached by the same node port', () => {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const [udp, tcp] = given({ spec: { type: 'NodePort', ports } }).ports ?? [];
  assert.ok(udp?.nodePort !== undefined);
  assert.equal(udp.nodePort, tcp?.nodePort);
});

test('several ports get different node ports', () => {
  const ports = Array.from({ length: 20 }, (_, i) => ({ name: `p${i}`, port: 80 + i }));
  const found = given({ spec: { type: 'NodePort', ports } }).ports?.map(({ nodePort }) => nodePort);
  assert.equal(new Set(found).size, 20);
});

test('allocateLoadBalancerNodePorts: false gives no ports, and keeps those asked for', () => {
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 81, nodePort: 30_081 },
  ];
  const spec = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports };
  const found = given({ spec }).ports?.map(({ nodePort }) => nodePort);
  assert.deepEqual(found, [undefined, 30_081]);
});

test('a load balancer with local traffic only has a port for health checks', () => {
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
  const { healthCheckNodePort = 0, ports } = given({ spec });
  assert.ok(healthCheckNodePort >= 30_086);
  assert.notEqual(healthCheckNodePort, ports?.[0]?.nodePort);
  assert.equal(given({ spec: { type: 'LoadBalancer' } }).healthCheckNodePort, undefined);
});

const HOLDER = service({
  name: 'holder',
  spec: {
    type: 'NodePort',
    clusterIP: '10.96.0.10',
    ports: [{ port: 80, nodePort: 30_080 }],
  },
});

/** The texts of the API server: e2e tests and clients match on them. */
const refusals: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  [
    'an address that is taken',
    { clusterIP: '10.96.0.10' },
    'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
  ],
  [
    'an address out of range',
    { clusterIP: '1.1.1.1' },
    'Service "web" is invalid: spec.clusterIPs: Invalid value: ["1.1.1.1"]: failed to allocate IP 1.1.1.1: the provided IP (1.1.1.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
  ],
  [
    'the broadcast address',
    { clusterIP: '10.96.255.255' },
    'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.96.255.255"]: failed to allocate IP 10.96.255.255: the provided IP (10.96.255.255) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
  ],
  [
    'an address of the other family',
    { clusterIP: 'fd00::1' },
    'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  ],
  [
    'the other family',
    { ipFamilies: ['IPv6'] },
    'Service "web" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ],
  [
    'both families',
    { ipFamilyPolicy: 'RequireDualStack' },
    'Service "web" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  [
    'both families, named',
    { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] },
    'Service "web" is invalid: [spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services, spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster]',
  ],
  [
    'two families without saying so',
    { ipFamilies: ['IPv4', 'IPv6'] },
    'Service "web" is invalid: spec.ipFamilyPolicy: Invalid value: "SingleStack": must be \'RequireDualStack\' or \'PreferDualStack\' when multiple IP families are specified',
  ],
  [
    'a node port that is taken',
    { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] },
    'Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
  ],
  [
    'a node port out of range',
    { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] },
    'Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
  ],
  [
    'a health check port that is taken',
    { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_080 },
    'Internal error occurred: failed to allocate requested HealthCheck NodePort 30080: provided port is already allocated',
  ],
];
for (const [what, spec, expected] of refusals) {
  test(`refused: ${what}`, () => {
    const result = allocateService(service({ spec }), allocations(HOLDER));
    assert.ok('error' in result);
    assert.equal(formatAllocationError('web', result.error), expected);
  });
}

test('an update keeps what the Service has, though it is taken: by itself', () => {
  const stored = { ...HOLDER, metadata: { ...HOLDER.metadata, uid: 'u1' } };
  const result = allocateService(stored, allocations(stored), stored);
  assert.ok('service' in result);
  assert.deepEqual(result.service.spec.clusterIPs, ['10.96.0.10']);
  assert.equal(result.service.spec.ports?.[0]?.nodePort, 30_080);
});

test('giving back the second address has to be said', () => {
  const base = service({ spec: {} });
  const both = { ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['10.96.1.1', 'fd00::1'] } as const;
  const old = {
    ...base,
    spec: { ...base.spec, ...both, ipFamilyPolicy: 'PreferDualStack' as const },
  };
  const wanted = {
    ...old,
    spec: { ...old.spec, ipFamilies: ['IPv4'] as const, clusterIPs: ['10.96.1.1'] },
  };
  const result = allocateService(wanted, allocations(), old);
  assert.ok('error' in result);
  assert.match(
    formatAllocationError('web', result.error),
    /must be 'SingleStack' to release the secondary cluster IP.*must be 'SingleStack' to release the secondary IP family/,
  );
});

test('a tracker knows what the Services of a store have, also after one has changed or gone', () => {
  const own = new Lab([]);
  const track = createAllocationTracker({ serviceCidr: '10.96.0.0/16' });
  const holderOf = (): string | undefined =>
    track(own.snapshot).ranges[0]?.pool.ownerOf(parseIPv4('10.96.0.10') ?? 0);
  const spec = { ports: [{ port: 80 }] };
  assert.equal(holderOf(), undefined);
  own.put(Service, { metadata: { name: 'web' }, spec: { ...spec, clusterIP: '10.96.0.10' } });
  assert.equal(holderOf(), own.get(Service, 'web').metadata.uid);
  const refused = allocateService(
    service({ spec: { clusterIP: '10.96.0.10' }, name: 'other' }),
    track(own.snapshot),
  );
  assert.ok('error' in refused);
  own.remove(Service, 'web');
  assert.equal(holderOf(), undefined);
});

test('who is satisfied after all is told apart from who is refused again', () => {
  const all = allocations(HOLDER);
  const current = service({ spec: { clusterIP: '10.96.0.10' } });
  const refused = settleService(current, current, all).service;
  assert.equal(refused.spec.clusterIP, '');
  assert.equal(refusedRequests(refused).length, 1);
  all.release(HOLDER);
  const satisfied = settleService(withAskedAgain(refused), refused, all).service;
  assert.equal(satisfied.spec.clusterIP, '10.96.0.10');
  // The empty list keeps carryOver from taking the address away again; it goes with the next write.
  assert.equal(satisfied.metadata.annotations?.[REFUSED_ANNOTATION], '[]');
  const done = settleService(satisfied, satisfied, all).service;
  assert.equal(done.metadata.annotations, undefined);
});
