// How the targets bring a real kernel from one program to the next: what a partial sync leaves is what a
// full one writes, and a Service the kernel refuses is named while the others go through.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import type { CommandRunner } from '../../src/lib/run-command.ts';
import { lowerPackets } from '../../src/lower/packets.ts';
import type { Model } from '../../src/model/model.ts';
import { compileIptables } from '../../src/targets/iptables/compile.ts';
import { Iptables } from '../../src/targets/iptables/iptables.ts';
import { compileNft } from '../../src/targets/nftables/compile.ts';
import { Nftables } from '../../src/targets/nftables/nftables.ts';
import type { NftRunner } from '../../src/targets/nftables/nftables.ts';
import type { NftProgram } from '../../src/targets/nftables/program.ts';
import { factsOf, packetModel, readCluster } from '../support/packets.ts';
import { whyNoLab } from './lab.ts';

const reason = whyNoLab(['ip', 'nft', 'iptables-restore']);

function runnerIn(ns: string): CommandRunner {
  return (command, input) => {
    const done = spawnSync('ip', ['netns', 'exec', ns, ...command], { input, encoding: 'utf8' });
    const problem = done.status === 0 ? null : done.stderr.trim() || 'it failed';
    return Promise.resolve({ output: done.stdout, problem });
  };
}

function nftIn(ns: string): NftRunner {
  const run = runnerIn(ns);
  return async (script) => (await run(['nft', '-f', '-'], `${script}\n`)).problem;
}

describe('a sync', { skip: reason ?? false }, async () => {
  const cluster = readCluster();
  const facts = factsOf(cluster, 'node-1');
  const model = await packetModel();
  const [used, fresh] = [`fwsync${process.pid}a`, `fwsync${process.pid}b`];
  const namespaces = [used, fresh];
  before(() => namespaces.forEach((ns) => spawnSync('ip', ['netns', 'add', ns])));
  after(() => namespaces.forEach((ns) => spawnSync('ip', ['netns', 'del', ns])));

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
  const few = model.services.slice(0, 3);
  const steps: readonly Model[] = [
    { ...model, services: few },
    model,
    without('default/web', 'default/affinity'),
    fewer('default/affinity'),
    fewer('default/dual'),
    without('default/guarded', 'default/self', 'default/ending-local'),
    model,
  ];
  const list = (ns: string): string =>
    spawnSync('ip', ['netns', 'exec', ns, 'nft', '-s', 'list', 'ruleset'], { encoding: 'utf8' })
      .stdout;

  /** Lines of a listing in any order, without chains nothing goes to any more. */
  const elements = (ns: string): readonly string[] =>
    [...list(ns).matchAll(/^\s*(?:elements = \{ )?((?:[\w.:]+ \. )+\S+(?: \. \S+)*[^,}]*)/gm)]
      .map(([, element = '']) => element.trim())
      .toSorted();

  it('of nftables leaves what a full one would write', async () => {
    const nft = new Nftables({ run: nftIn(used) });
    for (const [i, step] of steps.entries()) {
      const program = compileNft(lowerPackets(step, facts));
      const applied = await nft.apply(program);
      assert.deepEqual(applied.rejected, []);
      assert.equal(applied.sync, i === 0 ? 'full' : 'partial');
      assert.deepEqual((await new Nftables({ run: nftIn(fresh) }).apply(program)).rejected, []);
      assert.deepEqual(elements(used), elements(fresh), `step ${i}`);
      assert.ok(elements(used).length > (i === 0 ? 3 : 50));
    }
  });

  it('of nftables names the Service that the kernel refuses, and the others go through', async () => {
    const spoilt = (program: NftProgram): NftProgram => ({
      families: program.families.map((family) => ({
        ...family,
        ports: family.ports.map((port) =>
          port.id === 'default/web:80/TCP'
            ? { ...port, elements: [{ map: 'slots', key: 'nonsense', value: 'nothing' }] }
            : port,
        ),
      })),
    });
    for (const before of [undefined, without('default/web', 'default/two')]) {
      const nft = new Nftables({ run: nftIn(used) });
      if (before !== undefined) await nft.apply(compileNft(lowerPackets(before, facts)));
      const { rejected } = await nft.apply(spoilt(compileNft(lowerPackets(model, facts))));
      assert.deepEqual(
        rejected.map(({ id, reason: why }) => [id, why]),
        [['default/web:80/TCP', 'RefusedByKernel']],
      );
      assert.match(list(used), /default\/two:80\/TCP/);
      const { rejected: none, sync } = await nft.apply(compileNft(lowerPackets(model, facts)));
      assert.deepEqual([none, sync], [[], 'full']);
    }
  });

  it('of nftables remembers who stays with whom', async () => {
    const nft = new Nftables({ run: nftIn(used) });
    const program = compileNft(lowerPackets(model, facts));
    await nft.apply(program);
    const set = program.families[0]!.ports.find((p) => p.affinities.length > 0)!.affinities[0]!
      .name;
    const run = nftIn(used);
    assert.equal(await run(`add element ip fairway ${set} { 192.0.2.77 timeout 500s }`), null);
    nft.resync();
    await nft.apply(program);
    assert.match(list(used), /192\.0\.2\.77/);
  });

  it('of iptables leaves what a full one would write', async () => {
    const save = async (ns: string): Promise<readonly string[]> => {
      const { output } = await runnerIn(ns)(['iptables-save'], '');
      return output
        .split('\n')
        .filter((line) => line.startsWith('-A') || line.startsWith(':KUBE'))
        .map((line) => line.replace(/ \[.*/, ''));
    };
    const iptables = new Iptables({ run: runnerIn(used) });
    for (const [i, step] of steps.entries()) {
      const program = compileIptables(lowerPackets(step, facts));
      const applied = await iptables.apply(program);
      assert.deepEqual(applied.rejected, []);
      assert.equal(applied.sync, i === 0 ? 'full' : 'partial');
      await new Iptables({ run: runnerIn(fresh) }).apply(program);
      assert.deepEqual((await save(used)).toSorted(), (await save(fresh)).toSorted(), `step ${i}`);
    }
  });

  it('of iptables names the Service that is refused, and the others go through', async () => {
    const program = compileIptables(lowerPackets(model, facts));
    const families = program.families.map((family) => ({
      ...family,
      ports: family.ports.map((port) =>
        port.id === 'default/web:80/TCP'
          ? {
              ...port,
              rules: [{ table: 'nat', chain: 'KUBE-SERVICES', rule: '-p nonsense' } as const],
            }
          : port,
      ),
    }));
    const { rejected } = await new Iptables({ run: runnerIn(used) }).apply({ families });
    assert.deepEqual(
      rejected.map(({ id }) => id),
      ['default/web:80/TCP'],
    );
    const { output } = await runnerIn(used)(['iptables-save', '-t', 'nat'], '');
    assert.match(output, /default\/two:web cluster IP/);
  });
});
