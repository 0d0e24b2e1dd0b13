import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { FakeHost } from '../../../test/support/fake-ipvs.ts';
import { factsOf, packetModel, readCluster } from '../../../test/support/packets.ts';
import { lowerPackets } from '../../lower/packets.ts';
import type { Model } from '../../model/model.ts';
import { compileIpvs } from './compile.ts';
import { checkIpvs, cleanIpvs } from './host.ts';
import { Ipvs } from './ipvs.ts';
import type { IpvsPort, IpvsProgram, IpvsScheduler } from './program.ts';
import { renderIpvs } from './text.ts';

const node = factsOf(readCluster(), 'node-1');
const model = await packetModel();
const WEB = 'default/web:80/TCP';

function compileOf(m: Model, scheduler: IpvsScheduler = 'rr'): IpvsProgram {
  return compileIpvs(lowerPackets(m, node), { node, scheduler });
}

function without(...names: readonly string[]): Model {
  return { ...model, services: model.services.filter((s) => !names.includes(s.service)) };
}

/** Without the first endpoint. */
function fewer(name: string): Model {
  return {
    ...model,
    services: model.services.map((s) =>
      s.service === name ? { ...s, endpoints: s.endpoints.slice(1) } : s,
    ),
  };
}

function spoilt(change: (port: IpvsPort) => IpvsPort): IpvsProgram {
  return {
    families: compileOf(model).families.map((family) => ({
      ...family,
      ports: family.ports.map((port) => (port.id === WEB ? change(port) : port)),
    })),
  };
}

describe('the IPVS target', () => {
  let host: FakeHost;
  let ipvs: Ipvs;
  beforeEach(() => {
    host = new FakeHost();
    ipvs = new Ipvs({ run: host.run });
  });
  const real = (server: string): unknown =>
    Object.fromEntries(host.servers.get(server)?.real ?? []);

  it('writes everything once, and then what changed', async () => {
    assert.equal((await ipvs.apply(compileOf(model))).sync, 'full');
    const rules = host.rules.length;
    assert.deepEqual(real('-t 10.96.0.1:80'), {
      '10.244.1.2:8080': [1, 0],
      '10.244.2.2:8080': [1, 0],
    });
    assert.equal(host.servers.get('-t 10.96.0.4:80')?.words, '-s rr -p 600');
    assert.equal(host.sets.get('KUBE-CLUSTER-IP')?.get('10.96.0.1,tcp:80'), `"${WEB}"`);
    assert.ok(host.addresses.has('10.96.0.1/32') && host.addresses.has('fd00:96::25/128'));
    const applied = await ipvs.apply(compileOf(without('default/web', 'default/greedy')));
    assert.equal(applied.sync, 'partial');
    assert.equal(host.rules.length, rules);
    assert.equal(host.servers.has('-t 10.96.0.1:80'), false);
    assert.equal(host.sets.get('KUBE-CLUSTER-IP')?.has('10.96.0.1,tcp:80'), false);
    assert.equal(host.addresses.has('10.96.0.1/32'), false);
  });

  it('says nothing when nothing changes', async () => {
    await ipvs.apply(compileOf(model));
    host.refuses = 'ipvsadm';
    const { rejected, sync } = await ipvs.apply(compileOf(model));
    assert.deepEqual([rejected, sync], [[], 'partial']);
  });

  it('gives what goes weight 0, and removes it when it has no connection left', async () => {
    await ipvs.apply(compileOf(model));
    host.servers.get('-t 10.96.0.1:80')!.real.set('10.244.1.2:8080', [1, 3]);
    await ipvs.apply(compileOf(fewer('default/web')));
    await ipvs.sweep();
    assert.deepEqual(real('-t 10.96.0.1:80'), {
      '10.244.1.2:8080': [0, 3],
      '10.244.2.2:8080': [1, 0],
    });
    host.servers.get('-t 10.96.0.1:80')!.real.set('10.244.1.2:8080', [0, 0]);
    await ipvs.sweep();
    assert.deepEqual(real('-t 10.96.0.1:80'), { '10.244.2.2:8080': [1, 0] });
  });

  it('takes one back that comes again before it has gone', async () => {
    await ipvs.apply(compileOf(model));
    host.servers.get('-t 10.96.0.1:80')!.real.set('10.244.1.2:8080', [1, 3]);
    await ipvs.apply(compileOf(fewer('default/web')));
    await ipvs.apply(compileOf(model));
    assert.deepEqual(real('-t 10.96.0.1:80'), {
      '10.244.1.2:8080': [1, 3],
      '10.244.2.2:8080': [1, 0],
    });
  });

  it('removes endpoints of datagrams at once', async () => {
    await ipvs.apply(compileOf(model));
    await ipvs.apply(compileOf(fewer('default/dns')));
    assert.deepEqual(real('-u 10.96.0.14:53'), { '10.244.2.2:8054': [1, 0] });
  });

  it('changes the scheduler of what is there', async () => {
    await ipvs.apply(compileOf(model));
    await ipvs.apply(compileOf(model, 'mh'));
    assert.equal(host.servers.get('-t 10.96.0.4:80')?.words, '-s mh -p 600');
  });

  it('names the Service that ipset refuses, which keeps what it had', async () => {
    await ipvs.apply(compileOf(model));
    const bad = spoilt((port) => ({
      ...port,
      entries: [{ set: 'KUBE-CLUSTER-IP', entry: 'nonsense' }],
    }));
    const { rejected } = await ipvs.apply(bad);
    assert.deepEqual(
      rejected.map((r) => [r.id, r.reason]),
      [[WEB, 'RefusedByKernel']],
    );
    assert.ok(host.sets.get('KUBE-CLUSTER-IP')?.has('10.96.0.1,tcp:80'));
    assert.ok(host.sets.get('KUBE-CLUSTER-IP')?.has('10.96.0.27,tcp:80'));
  });

  it('names the Service that ipvsadm refuses, which keeps what it had', async () => {
    await ipvs.apply(compileOf(model));
    const bad = spoilt((p) => ({ ...p, servers: p.servers.map((s) => ({ ...s, port: 99_999 })) }));
    const { rejected } = await ipvs.apply(bad);
    assert.deepEqual(
      rejected.map((r) => [r.id, r.reason]),
      [[WEB, 'RefusedByKernel']],
    );
    assert.ok(host.servers.has('-t 10.96.0.1:80'));
    const again = await ipvs.apply(compileOf(model));
    assert.deepEqual([again.rejected, again.sync], [[], 'full']);
  });

  it('leaves what others have made, and takes over what a run before has left', async () => {
    await ipvs.apply(compileOf(model));
    host.servers.set('-t 198.51.100.77:99', { words: '-s wrr', real: new Map() });
    const next = new Ipvs({ run: host.run });
    await next.apply(compileOf(without('default/node-port', 'default/self')));
    assert.ok(host.servers.has('-t 198.51.100.77:99'));
    assert.equal(host.servers.has('-t 192.0.2.11:30003'), false);
    assert.equal(host.servers.has('-t 10.96.0.12:80'), false);
  });

  it('sees that a virtual server is gone, and puts it back', async () => {
    await ipvs.apply(compileOf(model));
    assert.equal(await ipvs.isInPlace(), true);
    host.servers.delete('-t 10.96.0.1:80');
    assert.equal(await ipvs.isInPlace(), false);
    ipvs.resync();
    await ipvs.apply(compileOf(model));
    assert.ok(host.servers.has('-t 10.96.0.1:80'));
  });

  it('cleans up after itself', async () => {
    await ipvs.apply(compileOf(model));
    assert.deepEqual(await cleanIpvs(host.run), []);
    assert.deepEqual([host.sets.size, host.servers.size, host.hasDevice], [0, 0, false]);
  });

  it('says what is missing', async () => {
    const run = (): Promise<{ output: string; problem: string }> =>
      Promise.resolve({ output: '', problem: 'Protocol not available' });
    await assert.rejects(checkIpvs(run), { code: 'FW_IPVS_MISSING' });
  });
});

it('what people are shown says where each line comes from', () => {
  const files = renderIpvs(compileOf(model, 'sed'), ({ name }) => `shop.yaml#${name}`);
  assert.deepEqual(
    files.map(({ path }) => path),
    [
      'ipset.save',
      'addresses.batch',
      'ipvsadm.save',
      'iptables.rules',
      'ipset6.save',
      'addresses6.batch',
      'ipvsadm6.save',
      'ip6tables.rules',
    ],
  );
  const head = '# Service default/self:80/TCP spec.ports[0] (shop.yaml#self)';
  assert.ok(
    files[2]!.text.includes(
      `${head}\n-A -t 10.96.0.12:80 -s sed\n-a -t 10.96.0.12:80 -r 10.244.1.2:8080 -m -w 1\n`,
    ),
    files[2]!.text,
  );
});
