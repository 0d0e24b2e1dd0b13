// Addresses and node ports of Services from files: given as far as can be, and the rest told.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withGivenInstead } from '../../api/core/service-carry-over.ts';
import { Service } from '../../api/core/service.ts';
import type { Kind } from '../../api/kind.ts';
import { Lab, OPTIONS } from '../testing/lab.ts';
import { createAllocationController } from './allocation.ts';
import { allocationFindings } from './findings.ts';

/** Remembers what was refused when the same is asked for again. */
const Written: Kind<Service> = {
  ...Service,
  carryOver: (old, wanted) => {
    const known = withGivenInstead(old, wanted);
    return Service.carryOver?.(old, known) ?? known;
  },
};

function lab(): Lab {
  return new Lab([createAllocationController(OPTIONS)]);
}

function put(own: Lab, name: string, spec: Readonly<Record<string, unknown>>, labels = {}): void {
  own.put(
    Written,
    { metadata: { name, labels }, spec: { ports: [{ port: 80 }], ...spec } },
    'services.yaml',
  );
}

function addressOf(own: Lab, name: string): string | undefined {
  return own.get(Service, name).spec.clusterIPs?.[0];
}

function messages(own: Lab): readonly string[] {
  return allocationFindings(own.snapshot).map(
    ({ severity, message, origin, hint = '' }) =>
      `${severity} ${origin.object?.name} ${origin.field}: ${message} | ${hint}`,
  );
}

test('addresses are given in the order of names, and stay when others come', () => {
  const own = lab();
  for (const name of ['c', 'a', 'b']) put(own, name, {});
  own.reconcile();
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => addressOf(own, name)),
    ['127.96.1.1', '127.96.1.2', '127.96.1.3'],
  );
  put(own, 'aa', {});
  own.reconcile();
  assert.equal(addressOf(own, 'aa'), '127.96.1.4');
  assert.equal(addressOf(own, 'b'), '127.96.1.2');
});

test('an address that was given back is the next one given', () => {
  const own = lab();
  for (const name of ['a', 'b', 'c']) put(own, name, {});
  own.reconcile();
  own.remove(Service, 'b');
  put(own, 'd', {});
  own.reconcile();
  assert.equal(addressOf(own, 'd'), '127.96.1.2');
});

test('addresses that are asked for go before those that are not, whatever the names', () => {
  const own = lab();
  put(own, 'a', {});
  put(own, 'z', { clusterIP: '127.96.1.1' });
  own.reconcile();
  assert.deepEqual([addressOf(own, 'a'), addressOf(own, 'z')], ['127.96.1.2', '127.96.1.1']);
});

describe('two Services that ask for the same', () => {
  const spec = {
    clusterIP: '127.96.0.10',
    type: 'NodePort',
    ports: [{ port: 80, nodePort: 30_080 }],
  };

  test('the first keeps it, the other gets nothing and is told who has it', () => {
    const own = lab();
    put(own, 'b', spec);
    put(own, 'a', spec);
    own.reconcile();
    assert.deepEqual([addressOf(own, 'a'), addressOf(own, 'b')], ['127.96.0.10', undefined]);
    assert.equal(own.get(Service, 'b').spec.ports?.[0]?.nodePort, 0);
    assert.deepEqual(messages(own), [
      'error b spec.clusterIP: spec.clusterIPs: Invalid value: ["127.96.0.10"]: failed to allocate IP 127.96.0.10: provided IP is already allocated | default/a has it. Ask for another one, or for none to be given any.',
      'error b spec.ports[0].nodePort: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated | default/a has it. Ask for another one, or for none to be given any.',
    ]);
  });

  test('who came first keeps it, also when the other has the lesser name', () => {
    const own = lab();
    put(own, 'b', spec);
    own.reconcile();
    put(own, 'a', spec);
    own.reconcile();
    assert.deepEqual([addressOf(own, 'a'), addressOf(own, 'b')], [undefined, '127.96.0.10']);
    // Controllers started anew find the same by the age of the Services.
    own.restart([createAllocationController(OPTIONS)]);
    assert.equal(own.reconcile().changeCount, 0);
  });

  test('who had it keeps it, also when both change at once', () => {
    const own = lab();
    put(own, 'b', spec);
    own.reconcile();
    put(own, 'b', spec, { changed: 'yes' });
    put(own, 'a', spec);
    own.reconcile();
    assert.deepEqual([addressOf(own, 'a'), addressOf(own, 'b')], [undefined, '127.96.0.10']);
  });

  test('the other gets it when the first goes', () => {
    const own = lab();
    put(own, 'a', spec);
    put(own, 'b', spec);
    own.reconcile();
    own.remove(Service, 'a');
    own.reconcile();
    assert.equal(addressOf(own, 'b'), '127.96.0.10');
    assert.equal(own.get(Service, 'b').spec.ports?.[0]?.nodePort, 30_080);
    assert.deepEqual(own.get(Service, 'b').metadata.annotations, undefined);
    assert.deepEqual(messages(own), []);
  });

  test('saving the file again changes nothing', () => {
    const own = lab();
    put(own, 'a', spec);
    put(own, 'b', spec);
    own.reconcile();
    const before = own.get(Service, 'b');
    put(own, 'b', spec);
    assert.equal(own.get(Service, 'b'), before);
    put(own, 'b', spec, { changed: 'yes' });
    own.reconcile();
    assert.equal(addressOf(own, 'b'), undefined);
    assert.equal(messages(own).length, 2);
  });

  test('asking for another one is enough', () => {
    const own = lab();
    put(own, 'a', spec);
    put(own, 'b', spec);
    own.reconcile();
    put(own, 'b', { ...spec, clusterIP: '127.96.0.11', ports: [{ port: 80, nodePort: 30_081 }] });
    own.reconcile();
    assert.equal(addressOf(own, 'b'), '127.96.0.11');
    assert.equal(own.get(Service, 'b').spec.ports?.[0]?.nodePort, 30_081);
    assert.deepEqual(messages(own), []);
  });
});

describe('a manifest from a cluster with other ranges', () => {
  const spec = { clusterIP: '10.96.0.10', type: 'NodePort', ports: [{ port: 80, nodePort: 8080 }] };

  test('is served elsewhere, and says so', () => {
    const own = lab();
    put(own, 'dns', spec);
    own.reconcile();
    assert.equal(addressOf(own, 'dns'), '127.96.1.1');
    const nodePort = own.get(Service, 'dns').spec.ports?.[0]?.nodePort ?? 0;
    assert.ok(nodePort >= 30_086);
    assert.deepEqual(messages(own), [
      'warning dns spec.clusterIP: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: the provided IP (10.96.0.10) is not in the valid range. The range of valid IPs is 127.96.0.0/16 | The Service is served at 127.96.1.1 instead.',
      `warning dns spec.ports[0].nodePort: spec.ports[0].nodePort: Invalid value: 8080: provided port is not in the valid range. The range of valid ports is 30000-32767 | Port ${nodePort} is used instead.`,
    ]);
  });

  test('keeps its address when the file is saved, though a lower one is free by then', () => {
    const own = lab();
    put(own, 'a', {});
    put(own, 'dns', spec);
    own.reconcile();
    own.remove(Service, 'a');
    own.reconcile();
    put(own, 'dns', spec, { changed: 'yes' });
    own.reconcile();
    assert.equal(addressOf(own, 'dns'), '127.96.1.2');
    assert.equal(messages(own).length, 2);
  });

  test('is what it is when its file asks for nothing any more', () => {
    const own = lab();
    put(own, 'dns', spec);
    own.reconcile();
    put(own, 'dns', { type: 'NodePort' });
    own.reconcile();
    assert.equal(addressOf(own, 'dns'), '127.96.1.1');
    assert.deepEqual(messages(own), []);
  });

  test('with two families is served with one', () => {
    const own = lab();
    put(own, 'web', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] });
    own.reconcile();
    assert.deepEqual(own.get(Service, 'web').spec.ipFamilies, ['IPv4']);
    assert.equal(addressOf(own, 'web'), '127.96.1.1');
    assert.deepEqual(messages(own), [
      'warning web spec.ipFamilyPolicy: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services | The Service is served with IPv4 alone.',
      'warning web spec.ipFamilies: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster | The Service is served with IPv4 alone.',
    ]);
  });
});

describe('a change of type', () => {
  const nodePortOf = (own: Lab): number | undefined =>
    own.get(Service, 'web').spec.ports?.[0]?.nodePort;

  test('to NodePort gives a port and keeps the address, and back takes the port', () => {
    const own = lab();
    put(own, 'web', {});
    own.reconcile();
    put(own, 'web', { type: 'NodePort' });
    own.reconcile();
    const nodePort = nodePortOf(own);
    assert.ok(nodePort !== undefined);
    assert.equal(addressOf(own, 'web'), '127.96.1.1');
    put(own, 'web', { type: 'ClusterIP' });
    own.reconcile();
    assert.equal(nodePortOf(own), undefined);
    put(own, 'other', { type: 'NodePort', ports: [{ port: 80, nodePort }] });
    own.reconcile();
    assert.equal(own.get(Service, 'other').spec.ports?.[0]?.nodePort, nodePort);
  });

  test('to ExternalName gives everything back', () => {
    const own = lab();
    put(own, 'web', { type: 'NodePort' });
    own.reconcile();
    put(own, 'web', { type: 'ExternalName', externalName: 'example.com', ports: undefined });
    own.reconcile();
    const { clusterIPs, clusterIP, ipFamilies } = own.get(Service, 'web').spec;
    assert.deepEqual([clusterIPs, clusterIP, ipFamilies], [undefined, undefined, undefined]);
    put(own, 'a', { clusterIP: '127.96.1.1' });
    own.reconcile();
    assert.equal(addressOf(own, 'a'), '127.96.1.1');
  });

  test('of traffic policy gives and takes the port for health checks', () => {
    const own = lab();
    put(own, 'web', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
    own.reconcile();
    assert.ok((own.get(Service, 'web').spec.healthCheckNodePort ?? 0) >= 30_086);
    put(own, 'web', { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' });
    own.reconcile();
    assert.equal(own.get(Service, 'web').spec.healthCheckNodePort, undefined);
  });
});

test('an address that was given in vain is free again', () => {
  const own = lab();
  put(own, 'web', {});
  const controller = createAllocationController(OPTIONS);
  const context = { now: own.now, wakeAt: () => {} };
  controller.reconcile(own.snapshot, context);
  own.store.write(controller.reconcile(own.snapshot, context));
  assert.equal(addressOf(own, 'web'), '127.96.1.1');
});

test('a Service keeps its place in its file', () => {
  const own = lab();
  put(own, 'web', {});
  own.reconcile();
  assert.equal(own.snapshot.sourceOf(Service, 'default', 'web')?.file, 'services.yaml');
});

test('when all node ports are taken, the rest is told so', () => {
  const own = new Lab([
    createAllocationController({ ...OPTIONS, nodePorts: { first: 30_000, last: 30_002 } }),
  ]);
  for (const name of ['a', 'b', 'c', 'd']) put(own, name, { type: 'NodePort' });
  own.reconcile();
  assert.deepEqual(messages(own), [
    'error d spec.ports[0].nodePort: failed to allocate a nodePort: range is full | ',
  ]);
  own.remove(Service, 'b');
  own.reconcile();
  assert.deepEqual(messages(own), []);
});
