// The IPVS target and the system's own tools: ipset and iptables-restore read what it writes; and, where the
// kernel has IPVS (npm run vm), steps of changes leave what a full sync would write, what goes finishes first,
// and fairway node --mode ipvs comes and goes.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CommandRunner } from '../../src/lib/run-command.ts';
import { lowerPackets } from '../../src/lower/packets.ts';
import type { Model } from '../../src/model/model.ts';
import { compileIptables } from '../../src/targets/iptables/compile.ts';
import { cleanIptables, Iptables } from '../../src/targets/iptables/iptables.ts';
import { compileIpvs } from '../../src/targets/ipvs/compile.ts';
import { checkIpvs, cleanIpvs, hasIpvsRules } from '../../src/targets/ipvs/host.ts';
import { Ipvs } from '../../src/targets/ipvs/ipvs.ts';
import { IPVS_SCHEDULERS } from '../../src/targets/ipvs/program.ts';
import type { IpvsPort, IpvsProgram } from '../../src/targets/ipvs/program.ts';
import { renderIpvs } from '../../src/targets/ipvs/text.ts';
import { FakeHost } from '../support/fake-ipvs.ts';
import { factsOf, packetModel, readCluster } from '../support/packets.ts';
import { whyNoLab } from './lab.ts';

const root = join(import.meta.dirname, '..', '..');
const cluster = readCluster();
const node = factsOf(cluster, 'node-1');
const model = await packetModel();
const compileOf = (m: Model, scheduler: (typeof IPVS_SCHEDULERS)[number] = 'rr'): IpvsProgram =>
  compileIpvs(lowerPackets(m, node), { node, scheduler });

function runnerIn(ns: string): CommandRunner {
  return (command, input) => {
    const done = spawnSync('ip', ['netns', 'exec', ns, ...command], { input, encoding: 'utf8' });
    const problem = done.status === 0 ? null : done.stderr.trim() || 'it failed';
    return Promise.resolve({ output: done.stdout, problem });
  };
}

const noTools = whyNoLab(['ip', 'iptables-restore', 'ipset', 'ipvsadm']);
const noIpvs =
  noTools ??
  (await checkIpvs().then(
    () => null,
    () => 'this kernel has no IPVS: npm run vm asks one that has',
  ));

describe(
  'what people are shown is what the tools read, by ipvs',
  { skip: noTools ?? false },
  () => {
    const ns = `fwipvs${process.pid}`;
    const run = runnerIn(ns);
    const files = new Map(renderIpvs(compileOf(model)).map(({ path, text }) => [path, text]));
    const load = async (path: string, ...command: readonly string[]): Promise<void> => {
      const text = files.get(path);
      assert.ok(text !== undefined, `${path} is not there`);
      // As the text itself says: ipvsadm takes no comments.
      const read = command[0] === 'ipvsadm' ? text.replaceAll(/^#.*\n/gm, '') : text;
      assert.equal((await run(command, `${read}\n`)).problem, null);
    };
    before(() => {
      spawnSync('ip', ['netns', 'add', ns]);
      // Without any address there, IPVS takes every endpoint for a broadcast address.
      spawnSync('ip', ['-n', ns, 'link', 'set', 'lo', 'up']);
    });
    after(() => spawnSync('ip', ['netns', 'del', ns]));

    it('ipset takes the sets, and says which Service each entry is for', async () => {
      await load('ipset.save', 'ipset', 'restore');
      await load('ipset6.save', 'ipset', 'restore');
      const { output } = await run(['ipset', 'save'], '');
      assert.match(
        output,
        /add KUBE-CLUSTER-IP 10\.96\.0\.1,tcp:80 comment "default\/web:80\/TCP"/,
      );
      assert.match(output, /add KUBE-6-CLUSTER-IP fd00:96::25,tcp:80/);
      assert.match(output, /add KUBE-NODE-PORT-SCTP-HASH 192\.0\.2\.11,sctp:30132/);
    });

    it('iptables-restore takes the rules that look into them', async () => {
      await load('iptables.rules', 'iptables-restore', '--noflush', '--test');
      await load('ip6tables.rules', 'ip6tables-restore', '--noflush', '--test');
      await load('iptables.rules', 'iptables-restore', '--noflush');
      await load('ip6tables.rules', 'ip6tables-restore', '--noflush');
    });

    it('ipvsadm takes the virtual servers', { skip: noIpvs ?? false }, async () => {
      await load('ipvsadm.save', 'ipvsadm', '-R');
      await load('ipvsadm6.save', 'ipvsadm', '-R');
      await load('addresses.batch', 'ip', '-batch', '-');
      await load('addresses6.batch', 'ip', '-batch', '-');
      const { output } = await run(['ipvsadm', '-Sn'], '');
      assert.match(output, /-A -t 10\.96\.0\.4:80 -s rr -p 600/);
      assert.match(output, /-a -t \[fd00:96::25\]:80 -r \[fd00:244:1::2\]:8080 -m -w 1/);
    });
  },
);

describe('sets and rules in the kernel, by ipvs', { skip: noTools ?? false }, () => {
  const [used, fresh] = [`fwipvs${process.pid}r`, `fwipvs${process.pid}f`];
  before(() => [used, fresh].forEach((ns) => spawnSync('ip', ['netns', 'add', ns])));
  after(() => [used, fresh].forEach((ns) => spawnSync('ip', ['netns', 'del', ns])));

  /** Sets and rules are real; virtual servers and the device, which a kernel may not have, are not. */
  const half = (ns: string): CommandRunner => {
    const host = new FakeHost();
    const real = runnerIn(ns);
    return (command, input) =>
      ['ipvsadm', 'ip', 'tee'].includes(command[0]!)
        ? host.run(command, input)
        : real(command, input);
  };
  const listed = async (ns: string): Promise<readonly string[]> => {
    const texts = await Promise.all(
      ['iptables-save', 'ip6tables-save'].map((tool) => runnerIn(ns)([tool], '')),
    );
    const sets = await runnerIn(ns)(['ipset', 'save'], '');
    return [...texts, sets]
      .flatMap(({ output }) => output.split('\n'))
      .filter((line) => line.startsWith('-A') || line.startsWith('add'))
      .toSorted();
  };

  it('follow changes, and are then what a full sync would write', async () => {
    const ipvs = new Ipvs({ run: half(used) });
    for (const [i, services] of [
      model.services.slice(0, 3),
      model.services,
      model.services.filter(({ service }) => service !== 'default/guarded'),
      model.services,
    ].entries()) {
      const program = compileOf({ ...model, services });
      const { rejected, sync } = await ipvs.apply(program);
      assert.deepEqual([rejected, sync], [[], i === 0 ? 'full' : 'partial']);
      const other = half(fresh);
      await new Ipvs({ run: other }).apply(program);
      assert.deepEqual(await listed(used), await listed(fresh), `step ${i}`);
      assert.ok((await listed(used)).length > 60);
      // Twice is once: hooks are there a single time.
      await new Ipvs({ run: other }).apply(program);
      assert.deepEqual(await listed(fresh), await listed(used));
      assert.deepEqual(await cleanIpvs(other), []);
    }
  });

  it('leave with their mode, whichever comes next', async () => {
    const run = half(used);
    const real = runnerIn(used);
    assert.deepEqual(await cleanIpvs(run), []);
    assert.equal((await real(['ipset', 'list', '-n'], '')).output, '');
    assert.doesNotMatch((await listed(used)).join('\n'), /match-set|KUBE-IPVS|KUBE-NODE-PORT\b/);
    const program = compileIptables(lowerPackets(model, node));
    assert.deepEqual((await new Iptables({ run: real }).apply(program)).rejected, []);
    assert.equal(await hasIpvsRules(run), false);
    assert.deepEqual(await cleanIptables(real), []);
    assert.deepEqual(await listed(used), []);
    assert.deepEqual((await new Ipvs({ run }).apply(compileOf(model))).rejected, []);
    assert.equal(await hasIpvsRules(run), true);
    assert.deepEqual(await cleanIpvs(run), []);
    assert.deepEqual(await cleanIptables(real), []);
    assert.deepEqual(await listed(used), []);
  });
});

describe('a sync, by ipvs', { skip: noIpvs ?? false }, () => {
  const [used, fresh] = [`fwipvs${process.pid}a`, `fwipvs${process.pid}b`];
  const run = runnerIn(used);
  before(() => {
    for (const ns of [used, fresh]) {
      spawnSync('ip', ['netns', 'add', ns]);
      spawnSync('ip', ['-n', ns, 'link', 'set', 'lo', 'up']);
    }
  });
  after(() => [used, fresh].forEach((ns) => spawnSync('ip', ['netns', 'del', ns])));

  const without = (...names: readonly string[]): Model => ({
    ...model,
    services: model.services.filter(({ service }) => !names.includes(service)),
  });
  const fewer = (name: string): Model => ({
    ...model,
    services: model.services.map((port) =>
      port.service === name ? { ...port, endpoints: port.endpoints.slice(1) } : port,
    ),
  });
  const saved = async (ns: string): Promise<readonly string[]> => {
    const of = async (...command: readonly string[]): Promise<string> =>
      (await runnerIn(ns)(command, '')).output;
    const servers = await of('ipvsadm', '-Sn');
    const sets = await of('ipset', 'save');
    const device = await of('ip', '-o', 'address', 'show', 'dev', 'kube-ipvs0');
    const addresses = [...device.matchAll(/inet6? (\S+)/g)].map(([, address = '']) => address);
    const rules = (await of('iptables-save')).split('\n').filter((line) => line.startsWith('-A'));
    return [...servers.split('\n'), ...sets.split('\n'), ...addresses, ...rules]
      .filter((line) => !line.startsWith('create'))
      .toSorted();
  };

  it('leaves what a full one would write', async () => {
    const ipvs = new Ipvs({ run });
    const steps: readonly Model[] = [
      { ...model, services: model.services.slice(0, 3) },
      model,
      without('default/web', 'default/affinity'),
      fewer('default/affinity'),
      without('default/guarded', 'default/self', 'default/ending-local'),
      model,
    ];
    for (const [i, step] of steps.entries()) {
      const program = compileOf(step);
      const applied = await ipvs.apply(program);
      assert.deepEqual(applied.rejected, []);
      assert.equal(applied.sync, i === 0 ? 'full' : 'partial');
      await ipvs.sweep();
      await cleanIpvs(runnerIn(fresh));
      assert.deepEqual((await new Ipvs({ run: runnerIn(fresh) }).apply(program)).rejected, []);
      assert.deepEqual(await saved(used), await saved(fresh), `step ${i}`);
      assert.equal(await ipvs.isInPlace(), true);
    }
  });

  it('takes over what a run before has left, and leaves what others have made', async () => {
    const foreign = '-A -t 198.51.100.77:99 -s wrr\n';
    assert.equal((await run(['ipvsadm', '-R'], foreign)).problem, null);
    const second = new Ipvs({ run });
    await second.apply(compileOf(without('default/node-port')));
    const { output } = await run(['ipvsadm', '-Ln'], '');
    assert.doesNotMatch(output, /:30003/);
    assert.match(output, /198\.51\.100\.77:99 wrr/);
    await run(['ipvsadm', '-D', '-t', '198.51.100.77:99'], '');
  });

  it('sees that somebody has deleted something, and a full sync mends it', async () => {
    const ipvs = new Ipvs({ run });
    await ipvs.apply(compileOf(model));
    const before = await saved(used);
    for (const damage of [
      ['ipvsadm', '-D', '-t', '10.96.0.1:80'],
      ['iptables', '-F'],
      ['ip', 'link', 'del', 'kube-ipvs0'],
    ]) {
      await run(damage, '');
      if (damage[1] === '-F') await run(['iptables', '-X'], '');
      assert.equal(await ipvs.isInPlace(), false, damage.join(' '));
      ipvs.resync();
      assert.deepEqual((await ipvs.apply(compileOf(model))).rejected, []);
      assert.deepEqual(await saved(used), before, damage.join(' '));
    }
  });

  it('names the Service that is refused, and the others go through', async () => {
    const spoil = (change: (port: IpvsPort) => IpvsPort): IpvsProgram => ({
      families: compileOf(model).families.map((family) => ({
        ...family,
        ports: family.ports.map((p) => (p.id === 'default/web:80/TCP' ? change(p) : p)),
      })),
    });
    const spoilt = [
      spoil((p) => ({ ...p, entries: [{ set: 'KUBE-CLUSTER-IP', entry: 'nonsense' }] })),
      spoil((p) => ({ ...p, servers: p.servers.map((s) => ({ ...s, port: 99_999 })) })),
    ];
    for (const program of spoilt) {
      const ipvs = new Ipvs({ run });
      await ipvs.apply(compileOf(model));
      const { rejected } = await ipvs.apply(program);
      assert.deepEqual(
        rejected.map(({ id, reason }) => [id, reason]),
        [['default/web:80/TCP', 'RefusedByKernel']],
      );
      const { output } = await run(['ipvsadm', '-Ln'], '');
      assert.match(output, /10\.96\.0\.27:80/);
      assert.match(output, /10\.96\.0\.1:80/, 'the Service has lost what it had');
      const mended = await ipvs.apply(compileOf(model));
      assert.deepEqual([mended.rejected, mended.sync], [[], 'full']);
    }
  });

  it('lets an endpoint that goes finish what it has', async () => {
    const ipvs = new Ipvs({ run });
    await run(['ip', 'address', 'add', '192.0.2.11/32', 'dev', 'lo'], '');
    const host: Model = {
      ...model,
      services: model.services
        .filter(({ service }) => service === 'default/host-network')
        .map((port) => ({
          ...port,
          endpoints: port.endpoints.filter((e) => e.address === '192.0.2.11'),
        })),
    };
    const program = compileOf(host);
    await ipvs.apply(program);
    const program2 = compileOf({
      ...host,
      services: host.services.map((port) => ({ ...port, endpoints: [] })),
    });
    // One connection, held open through the cluster IP, from a process on the node.
    const script = `
      const net = require('node:net');
      net.createServer((s) => s.pipe(s)).listen(8090, '192.0.2.11', () => {
        const c = net.connect(80, '10.96.0.11', () => c.write('a'));
        c.on('data', (d) => { console.log('got ' + d); if (String(d) === 'b') process.exit(0); });
        c.on('error', (e) => { console.log(e.message); process.exit(1); });
        process.stdin.once('data', () => c.write('b'));
      });`;
    const child = spawn('ip', ['netns', 'exec', used, process.execPath, '-e', script]);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const until = async (wanted: RegExp): Promise<void> => {
      const end = performance.now() + 30_000;
      while (!wanted.test(said)) {
        if (performance.now() > end) throw new Error(`it said: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await until(/got a/);
    await ipvs.apply(program2);
    await ipvs.sweep();
    const listed = async (): Promise<string> => (await run(['ipvsadm', '-Ln'], '')).output;
    assert.match(
      await listed(),
      /192\.0\.2\.11:8090\s+Masq\s+0\s+1/,
      'it has not been left to finish',
    );
    child.stdin.write('b\n');
    await until(/got b/);
    await new Promise((resolve) => child.once('close', resolve));
    await ipvs.apply(program);
    assert.match(await listed(), /192\.0\.2\.11:8090\s+Masq\s+1/, 'it is taken back');
  });

  it('takes every scheduler that kernels have', async () => {
    const few = { ...model, services: model.services.slice(0, 3) };
    for (const scheduler of IPVS_SCHEDULERS) {
      const { rejected } = await new Ipvs({ run }).apply(compileOf(few, scheduler));
      assert.deepEqual(rejected, [], scheduler);
      assert.match((await run(['ipvsadm', '-Ln'], '')).output, new RegExp(`:80 ${scheduler}\\b`));
    }
  });

  it('leaves nothing behind', async () => {
    assert.deepEqual(await cleanIpvs(run), []);
    assert.equal((await run(['ipset', 'list', '-n'], '')).output, '');
    assert.doesNotMatch((await run(['ipvsadm', '-Ln'], '')).output, /TCP|UDP|SCTP/);
    assert.doesNotMatch((await run(['ip', 'link'], '')).output, /kube-ipvs0/);
  });
});

describe('fairway node, by ipvs', { skip: noIpvs ?? false }, () => {
  const ns = `fwipvs${process.pid}n`;
  const run = runnerIn(ns);
  const file = join(root, 'testdata', 'packets', 'in.yaml');
  const main = join(root, 'src', 'cli', 'main.ts');
  before(() => {
    spawnSync('ip', ['netns', 'add', ns]);
    spawnSync('ip', ['-n', ns, 'link', 'set', 'lo', 'up']);
    spawnSync('ip', ['-n', ns, 'addr', 'add', '192.0.2.11/32', 'dev', 'lo']);
  });
  after(() => spawnSync('ip', ['netns', 'del', ns]));

  /** Runs until it says that it is ready, then ends it. */
  const carry = async (...flags: readonly string[]): Promise<string> => {
    const args = [
      'netns',
      'exec',
      ns,
      process.execPath,
      main,
      'node',
      file,
      '--node-name',
      'node-1',
    ];
    const child = spawn('ip', [
      ...args,
      '--node-address',
      '192.0.2.11',
      '--health-port',
      '0',
      ...flags,
    ]);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Carrying packets')) child.kill('SIGTERM');
      });
    }
    await new Promise((resolve) => child.once('close', resolve));
    return said;
  };

  it('puts Services in force with the scheduler asked for', async () => {
    assert.match(await carry('--mode', 'ipvs', '--ipvs-scheduler', 'wlc'), /by ipvs/);
    assert.match((await run(['ipvsadm', '-Ln'], '')).output, /10\.96\.0\.1:80 wlc/);
  });

  it('leaves nothing of a mode behind when another one comes', async () => {
    const rules = async (): Promise<string> =>
      `${(await run(['iptables-save'], '')).output}${(await run(['nft', 'list', 'tables'], '')).output}`;
    assert.match(await carry('--mode', 'iptables'), /by iptables/);
    assert.equal((await run(['ipset', 'list', '-n'], '')).output, '');
    assert.doesNotMatch((await run(['ipvsadm', '-Ln'], '')).output, /TCP|UDP|SCTP/);
    assert.doesNotMatch(await rules(), /KUBE-IPVS-FILTER|KUBE-NODE-PORT\b/);
    assert.match(await carry('--mode', 'ipvs'), /by ipvs/);
    assert.doesNotMatch(await rules(), /KUBE-SVC-|KUBE-NODEPORTS/);
    assert.match(await carry('--mode', 'nftables'), /by nftables/);
    assert.doesNotMatch(await rules(), /KUBE-/);
    assert.equal((await run(['ipset', 'list', '-n'], '')).output, '');
    assert.match(await carry('--mode', 'ipvs'), /by ipvs/);
    assert.doesNotMatch(await rules(), /ip fairway/);
  });

  it('removes everything when asked', async () => {
    const done = spawnSync('ip', [
      'netns',
      'exec',
      ns,
      process.execPath,
      main,
      'node',
      '--cleanup',
    ]);
    assert.equal(done.status, 0, done.stderr.toString());
    assert.doesNotMatch((await run(['iptables-save'], '')).output, /KUBE/);
    assert.doesNotMatch((await run(['ip6tables-save'], '')).output, /KUBE/);
    assert.equal((await run(['ipset', 'list', '-n'], '')).output, '');
    assert.doesNotMatch((await run(['ipvsadm', '-Ln'], '')).output, /TCP|UDP|SCTP/);
    assert.doesNotMatch((await run(['ip', 'link'], '')).output, /kube-ipvs0/);
  });
});
