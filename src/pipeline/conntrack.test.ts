import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lowerPackets } from '../lower/packets.ts';
import type { FamilyView } from '../lower/packets.ts';
import type { Endpoint, Frontend, ServicePort } from '../model/model.ts';
import type { NodeFacts } from '../model/node.ts';
import { concernsUdp, staleFlows } from './conntrack.ts';

const node: NodeFacts = {
  name: 'node-1',
  zone: '',
  addresses: ['192.0.2.11', '2001:db8::11'],
  nodePortAddresses: [],
  podCidrs: [],
  serviceCidrs: [],
  masqueradeAll: false,
};

const frontends: readonly Frontend[] = [
  { kind: 'clusterIP', address: '10.96.0.10', port: 53 },
  { kind: 'nodePort', address: '', port: 30053 },
];

const end = (address: string, state: Partial<Endpoint> = {}): Endpoint => ({
  address,
  port: 5353,
  ready: true,
  serving: true,
  terminating: false,
  node: '',
  zone: '',
  target: '',
  ...state,
});

function view(protocol: ServicePort['protocol'], ...endpoints: readonly Endpoint[]): FamilyView {
  const port: ServicePort = {
    id: `kube-system/dns:53/${protocol}`,
    service: 'kube-system/dns',
    portName: '',
    protocol,
    frontends,
    affinitySeconds: 0,
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    endpoints,
    origin: { kind: 'Service', namespace: 'kube-system', name: 'dns', field: 'spec.ports[0]' },
  };
  const model = { entryPoints: [], backends: new Map(), certificates: new Map(), services: [port] };
  return lowerPackets(model, node).families[0]!;
}

const flow = (dst: string, dport: number, src: string, sport = 5353): string =>
  `udp      17 29 src=10.0.0.9 dst=${dst} sport=4000 dport=${dport} [UNREPLIED] src=${src} dst=10.0.0.9 sport=${sport} dport=4000 mark=0 use=1`;

const stale = (family: FamilyView, ...flows: readonly string[]): readonly string[] =>
  staleFlows(family, flows.join('\n'), node.addresses).map((list) => list.join(' '));

it('forgets flows to endpoints that are gone, by every address of the Service', () => {
  const listed = [
    flow('10.96.0.10', 53, '10.1.1.1'),
    flow('10.96.0.10', 53, '10.1.1.2'),
    flow('192.0.2.11', 30053, '10.1.1.1'),
    flow('192.0.2.99', 30053, '10.1.1.1'),
    flow('10.96.0.11', 53, '10.1.1.1'),
    'tcp 6 100 ESTABLISHED src=1.1.1.1 dst=10.96.0.10 sport=1 dport=53 src=9.9.9.9 dst=1.1.1.1 sport=53 dport=1',
    'conntrack v1.4.7 (conntrack-tools): 6 flow entries have been shown.',
    '',
  ];
  assert.deepEqual(stale(view('UDP', end('10.1.1.2')), ...listed), [
    '-D -f ipv4 -p udp --orig-dst 10.96.0.10 --orig-port-dst 53 --reply-src 10.1.1.1 --reply-port-src 5353',
    '-D -f ipv4 -p udp --orig-dst 192.0.2.11 --orig-port-dst 30053 --reply-src 10.1.1.1 --reply-port-src 5353',
  ]);
});

it('forgets flows from before there was anybody, and of endpoints that changed their port', () => {
  const listed = [
    flow('10.96.0.10', 53, '10.96.0.10', 53),
    flow('10.96.0.10', 53, '10.1.1.2', 5300),
  ];
  assert.equal(stale(view('UDP', end('10.1.1.2')), ...listed).length, 2);
});

it('keeps flows to endpoints that end but still serve, and when there is nowhere else to go', () => {
  const ending = end('10.1.1.1', { ready: false, terminating: true });
  const listed = flow('10.96.0.10', 53, '10.1.1.1');
  assert.deepEqual(stale(view('UDP', ending, end('10.1.1.2')), listed), []);
  assert.deepEqual(stale(view('UDP'), listed), []);
  assert.deepEqual(stale(view('TCP', end('10.1.1.2')), listed), []);
});

it('looks when something of UDP has changed, and only then', () => {
  const [one, other] = [view('UDP', end('10.1.1.1')), view('UDP', end('10.1.1.2'))];
  assert.ok(concernsUdp(undefined, one));
  assert.ok(concernsUdp(one, other));
  assert.ok(!concernsUdp(one, one));
  assert.ok(!concernsUdp(undefined, view('TCP', end('10.1.1.1'))));
});
