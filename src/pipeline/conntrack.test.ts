import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lowerPackets } from '../lower/packets.ts';
import type { PacketView } from '../lower/packets.ts';
import type { Frontend, ServicePort } from '../model/model.ts';
import type { NodeFacts } from '../model/node.ts';
import { staleFlows } from './conntrack.ts';

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

function view(protocol: ServicePort['protocol'], ...endpoints: readonly string[]): PacketView {
  const port: ServicePort = {
    id: `kube-system/dns:53/${protocol}`,
    service: 'kube-system/dns',
    portName: '',
    protocol,
    frontends,
    affinitySeconds: 0,
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    endpoints: endpoints.map((address) => ({
      address,
      port: 53,
      ready: true,
      serving: true,
      terminating: false,
      node: '',
      zone: '',
      target: '',
    })),
    origin: { kind: 'Service', namespace: 'kube-system', name: 'dns', field: 'spec.ports[0]' },
  };
  const model = { entryPoints: [], backends: new Map(), certificates: new Map(), services: [port] };
  return lowerPackets(model, node);
}

const flows = (before: PacketView, after: PacketView): readonly string[] =>
  staleFlows(before, after, node.addresses).map((flow) => flow.join(' '));

it('forgets flows to endpoints that are gone, by every address of the Service', () => {
  assert.deepEqual(flows(view('UDP', '10.1.1.1', '10.1.1.2'), view('UDP', '10.1.1.2')), [
    '-D -f ipv4 -p udp --orig-dst 10.96.0.10 --orig-port-dst 53 --reply-src 10.1.1.1',
    '-D -f ipv4 -p udp --orig-dst 192.0.2.11 --orig-port-dst 30053 --reply-src 10.1.1.1',
  ]);
});

it('forgets flows that led nowhere when the first endpoint comes', () => {
  assert.deepEqual(flows(view('UDP'), view('UDP', '10.1.1.1')), [
    '-D -f ipv4 -p udp --orig-dst 10.96.0.10 --orig-port-dst 53',
    '-D -f ipv4 -p udp --orig-dst 192.0.2.11 --orig-port-dst 30053',
  ]);
});

it('leaves TCP alone, and what did not change', () => {
  assert.deepEqual(flows(view('TCP', '10.1.1.1'), view('TCP')), []);
  const same = view('UDP', '10.1.1.1');
  assert.deepEqual(flows(same, same), []);
});
