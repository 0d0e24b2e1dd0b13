import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Frontend, Model, ServicePort } from '../model/model.ts';
import type { NodeFacts } from '../model/node.ts';
import { lowerPackets } from './packets.ts';

const facts = (name: string): NodeFacts => ({
  name,
  zone: '',
  addresses: ['192.0.2.11'],
  nodePortAddresses: [],
  podCidrs: [],
  serviceCidrs: [],
  masqueradeAll: false,
});

const model = (services: readonly ServicePort[]): Model => ({
  entryPoints: [],
  backends: new Map(),
  certificates: new Map(),
  services,
});

/** Few addresses for many Services, so that they quarrel. */
const frontend: fc.Arbitrary<Frontend> = fc.record({
  kind: fc.constantFrom('clusterIP', 'loadBalancer', 'externalIP'),
  address: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1'),
  port: fc.constantFrom(80, 81),
});

const servicePort = fc
  .record({
    number: fc.integer({ min: 0, max: 5 }),
    frontends: fc.array(frontend, { maxLength: 4 }),
  })
  .map(({ number, frontends }): ServicePort => ({
    id: `default/s${number}:80/TCP`,
    service: `default/s${number}`,
    portName: '',
    protocol: 'TCP',
    frontends,
    affinitySeconds: 0,
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    endpoints: [],
    origin: { kind: 'Service', namespace: 'default', name: `s${number}`, field: 'spec.ports[0]' },
  }));

const services = fc
  .uniqueArray(servicePort, { selector: ({ id }) => id, maxLength: 6 })
  .map((list) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1)));

it('comes to the same, step by step, as it would at once', () => {
  fc.assert(
    fc.property(fc.array(services, { minLength: 1, maxLength: 6 }), (steps) => {
      const [node, other] = [facts('node-1'), facts('node-2')];
      let last: readonly ServicePort[] = [];
      for (const step of steps) {
        // Some of what was there stays, as the same objects.
        const known = new Map(last.map((port) => [JSON.stringify(port), port]));
        last = step.map((port) => known.get(JSON.stringify(port)) ?? port);
        const fresh = lowerPackets(model(step.map((port) => ({ ...port }))), facts('node-1'));
        lowerPackets(model(last), other);
        assert.deepEqual(lowerPackets(model(last), node), fresh);
      }
    }),
  );
});

it('gives the same view of what did not change, though somebody took an address from it', () => {
  const node = facts('node-1');
  const port = (name: string, frontends: readonly Frontend[]): ServicePort => ({
    id: `default/${name}:80/TCP`,
    service: `default/${name}`,
    portName: '',
    protocol: 'TCP',
    frontends,
    affinitySeconds: 0,
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    endpoints: [],
    origin: { kind: 'Service', namespace: 'default', name, field: 'spec.ports[0]' },
  });
  const shared: Frontend = { kind: 'externalIP', address: '10.0.0.1', port: 80 };
  const own: Frontend = { kind: 'clusterIP', address: '10.0.0.2', port: 80 };
  const [first, second] = [port('a', [shared]), port('b', [own, shared])];
  const before = lowerPackets(model([first, second]), node);
  assert.equal(before.conflicts.length, 1);
  const after = lowerPackets(model([first, second, port('c', [])]), node);
  assert.equal(after.families[0]!.ports[1], before.families[0]!.ports[1]);
});
