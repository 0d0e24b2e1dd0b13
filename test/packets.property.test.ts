// Generated Services, nodes and packets: the reference and every target that programs a kernel say the
// same of each.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { lowerPackets } from '../src/lower/packets.ts';
import type { Endpoint, Frontend, Model, ServicePort } from '../src/model/model.ts';
import type { NodeFacts } from '../src/model/node.ts';
import type { PacketProbe } from '../src/model/packet.ts';
import { tracePacket } from '../src/model/trace-packet.ts';
import { KERNEL_TARGETS } from './support/kernel-targets.ts';

// Few names and numbers, so that they meet.
const NODES = ['node-1', 'node-2'];
const ZONES = ['a', 'b', ''];
const PODS = ['10.244.1.2', '10.244.1.3', '10.244.2.2', 'fd00:244:1::2', 'fd00:244:2::2'];
const NODE_ADDRESSES = ['192.0.2.11', '2001:db8::11'];
const VIPS = ['10.96.0.1', '10.96.0.2', '203.0.113.1', '203.0.113.2', 'fd00:96::1', '192.0.2.11'];
const STRANGERS = ['192.0.2.9', '198.51.100.7', '2001:db8::9'];
const RANGES = ['192.0.2.0/24', '192.0.2.9/32', '10.244.0.0/16', '0.0.0.0/0', '2001:db8::/32'];
const PORTS = [53, 80];
const NODE_PORTS = [30000, 30001];
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const POLICIES = ['Cluster', 'Local'] as const;
const KINDS = ['clusterIP', 'externalIP', 'loadBalancer', 'nodePort'] as const;

const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const condition = pick([
  { ready: true, serving: true, terminating: false },
  { ready: false, serving: true, terminating: true },
  { ready: false, serving: false, terminating: true },
  { ready: false, serving: false, terminating: false },
]);

const hints = fc.option(fc.record({ zones: fc.subarray(['a', 'b']), nodes: fc.subarray(NODES) }), {
  nil: undefined,
});

const endpoint: fc.Arbitrary<Endpoint> = fc
  .record({ address: pick([...PODS, '192.0.2.11']), port: pick([8080, 8081]), condition, hints })
  .map(({ address, port, condition: state, hints: own }) => ({
    address,
    port,
    ...state,
    // A pod is where its address is.
    node: address.includes('244.2') || address.includes('244:2') ? 'node-2' : 'node-1',
    zone: 'a',
    target: '',
    ...(own === undefined ? {} : { hints: own }),
  }));

const frontend: fc.Arbitrary<Frontend> = pick(KINDS).chain((kind): fc.Arbitrary<Frontend> =>
  kind === 'nodePort'
    ? fc.record({ kind: fc.constant(kind), address: fc.constant(''), port: pick(NODE_PORTS) })
    : fc.record({ kind: fc.constant(kind), address: pick(VIPS), port: pick(PORTS) }),
);

function servicePort(index: number): fc.Arbitrary<ServicePort> {
  return fc
    .record({
      protocol: pick(PROTOCOLS),
      frontends: fc.uniqueArray(frontend, {
        minLength: 1,
        maxLength: 4,
        selector: (f) => `${f.kind}${f.address}${f.port}`,
      }),
      affinitySeconds: pick([0, 0, 600]),
      internalPolicy: pick(POLICIES),
      externalPolicy: pick(POLICIES),
      sourceRanges: fc.option(fc.subarray(RANGES, { minLength: 1 }), { nil: undefined }),
      endpoints: fc.uniqueArray(endpoint, {
        maxLength: 5,
        selector: (e) => `${e.address} ${e.port}`,
      }),
    })
    .map(({ sourceRanges, ...rest }) => ({
      id: `default/s${index}:80/${rest.protocol}`,
      service: `default/s${index}`,
      portName: '',
      ...rest,
      ...(sourceRanges === undefined ? {} : { sourceRanges }),
      origin: { kind: 'Service', namespace: 'default', name: `s${index}`, field: 'spec.ports[0]' },
    }));
}

const node: fc.Arbitrary<NodeFacts> = fc.record({
  name: fc.constant('node-1'),
  zone: pick(ZONES),
  addresses: fc.constant(NODE_ADDRESSES),
  nodePortAddresses: pick<readonly string[]>([[], ['192.0.2.0/24'], ['198.51.100.0/24']]),
  podCidrs: pick<readonly string[]>([
    [],
    ['10.244.0.0/16', 'fd00:244::/32'],
    ['10.244.1.0/24', '10.244.2.0/24'],
  ]),
  serviceCidrs: pick<readonly string[]>([[], ['10.96.0.0/16', 'fd00:96::/112']]),
  masqueradeAll: fc.boolean(),
});

const probe: fc.Arbitrary<PacketProbe> = fc
  .record({
    transport: pick(['tcp', 'udp', 'sctp'] as const),
    source: pick([...PODS, ...STRANGERS, ...NODE_ADDRESSES, '203.0.113.1']),
    address: pick([...VIPS, ...NODE_ADDRESSES, '192.0.2.99', '10.96.0.99']),
    port: pick([...PORTS, ...NODE_PORTS]),
  })
  .filter(({ source, address }) => source.includes(':') === address.includes(':'));

const model: fc.Arbitrary<Model> = fc
  .tuple(servicePort(0), servicePort(1), servicePort(2))
  .map((services) => ({
    entryPoints: [],
    backends: new Map(),
    certificates: new Map(),
    services,
  }));

it('every packet has one fate, whoever is asked', () => {
  fc.assert(
    fc.property(model, node, fc.array(probe, { minLength: 4, maxLength: 12 }), (m, n, probes) => {
      const view = lowerPackets(m, n);
      for (const one of probes) {
        const expected = tracePacket(m, n, one).fate;
        for (const target of KERNEL_TARGETS) {
          const question = { view, node: n, probe: one };
          const own = target.instead === undefined ? expected : target.instead(expected, question);
          if (own === null) continue;
          assert.deepEqual(
            target.trace(view, n, one),
            own,
            `${target.name}: ${JSON.stringify(one)}`,
          );
        }
      }
    }),
    { numRuns: 1000 },
  );
});
