// The rows of testdata/packets asked of the real kernel: a cluster of network namespaces, the rules of
// each target on both nodes, and sockets. Says why where it cannot be done.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CommandRunner } from '../../src/lib/run-command.ts';
import { lowerPackets } from '../../src/lower/packets.ts';
import type { PacketView } from '../../src/lower/packets.ts';
import type { PacketFate } from '../../src/model/packet.ts';
import { compileIptables } from '../../src/targets/iptables/compile.ts';
import { cleanIptables, Iptables } from '../../src/targets/iptables/iptables.ts';
import { renderIptables } from '../../src/targets/iptables/text.ts';
import { compileIpvs } from '../../src/targets/ipvs/compile.ts';
import { checkIpvs, cleanIpvs } from '../../src/targets/ipvs/host.ts';
import { Ipvs } from '../../src/targets/ipvs/ipvs.ts';
import { compileNft } from '../../src/targets/nftables/compile.ts';
import { nftCleanup, Nftables } from '../../src/targets/nftables/nftables.ts';
import { renderNft } from '../../src/targets/nftables/render.ts';
import { factsOf, packetModel, readCluster, readPackets } from '../support/packets.ts';
import type { PacketQuestion } from '../support/packets.ts';
import { Lab, whyNoLab } from './lab.ts';

const cluster = readCluster();

interface KernelUnderTest {
  readonly name: string;
  readonly commands: readonly string[];
  /** Endpoints see a process of the node in place of the client; what is dropped is closed instead. */
  readonly isRelay?: boolean;
  /** Why the kernel at hand cannot; null when it can. */
  readonly whyNot?: () => Promise<string | null>;
  readonly load: (lab: Lab, node: string, view: PacketView) => Promise<void>;
  readonly clean: (lab: Lab, node: string) => Promise<void> | void;
}

/** Processes that carry packets in user space, by node. */
const relays = new Map<string, ChildProcess>();

const KERNELS: readonly KernelUnderTest[] = [
  {
    name: 'nftables',
    commands: ['ip', 'nft'],
    load: async (lab, node, view) => {
      const program = compileNft(view);
      // What people are shown is what could be loaded, too.
      lab.exec(node, ['nft', '-c', '-f', '-'], renderNft(program)[0]!.text);
      const run = (script: string): Promise<string | null> =>
        Promise.resolve(attempt(() => lab.exec(node, ['nft', '-f', '-'], script)));
      const { rejected } = await new Nftables({ run }).apply(program);
      assert.deepEqual(rejected, []);
    },
    clean: (lab, node) => {
      lab.exec(node, ['nft', '-f', '-'], nftCleanup());
      assert.equal(lab.exec(node, ['nft', 'list', 'tables']), '');
    },
  },
  {
    name: 'iptables',
    commands: ['ip', 'iptables-restore'],
    load: async (lab, node, view) => {
      const program = compileIptables(view);
      for (const { path, text } of renderIptables(program)) {
        lab.exec(node, [path.replace('.rules', '-restore'), '--noflush', '--test'], `${text}\n`);
      }
      const { rejected } = await new Iptables({ run: runIn(lab, node) }).apply(program);
      assert.deepEqual(rejected, []);
    },
    clean: async (lab, node) => {
      assert.deepEqual(await cleanIptables(runIn(lab, node)), []);
      for (const command of ['iptables-save', 'ip6tables-save']) {
        assert.doesNotMatch(lab.exec(node, [command]), /KUBE/);
      }
    },
  },
  {
    name: 'ipvs',
    commands: ['ip', 'iptables-restore', 'ipset', 'ipvsadm'],
    whyNot: () =>
      checkIpvs().then(
        () => null,
        () => 'this kernel has no IPVS: npm run vm asks one that has',
      ),
    load: async (lab, node, view) => {
      const program = compileIpvs(view, { node: factsOf(cluster, node), scheduler: 'rr' });
      const { rejected } = await new Ipvs({ run: runIn(lab, node) }).apply(program);
      assert.deepEqual(rejected, []);
    },
    clean: async (lab, node) => {
      assert.deepEqual(await cleanIpvs(runIn(lab, node)), []);
      assert.deepEqual(await cleanIptables(runIn(lab, node)), []);
      for (const command of ['iptables-save', 'ip6tables-save']) {
        assert.doesNotMatch(lab.exec(node, [command]), /KUBE/);
      }
      assert.equal(lab.exec(node, ['ipset', 'list', '-n']), '');
      assert.doesNotMatch(lab.exec(node, ['ipvsadm', '-Ln']), /TCP|UDP|SCTP/);
      assert.doesNotMatch(lab.exec(node, ['ip', 'link']), /kube-ipvs0/);
    },
  },
  {
    name: 'userspace',
    commands: ['ip'],
    isRelay: true,
    load: async (lab, node, view) => {
      // A process listens on addresses of its node alone; networks of Services are made its own.
      const own = Object.values(cluster.loadBalancers)
        .flatMap((list) => list as readonly { ip: string; ipMode: string }[])
        .filter(({ ipMode }) => ipMode === 'VIP')
        .map(({ ip }) => `${ip}/32`);
      for (const network of [...cluster.serviceCidrs, ...own, '198.51.100.1/32']) {
        const family = network.includes(':') ? '-6' : '-4';
        lab.exec(node, ['ip', family, 'route', 'add', 'local', network, 'dev', 'lo']);
      }
      // Of IPv6 nobody may listen on an address that is no device's.
      const [, six] = view.families;
      for (const { frontends } of six!.ports) {
        for (const { address } of frontends.filter((f) => f.address !== '')) {
          lab.exec(node, ['ip', '-6', 'addr', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
        }
      }
      const script = join(import.meta.dirname, 'userspace.ts');
      const command = ['netns', 'exec', lab.namespaceOf(node), process.execPath, script, node];
      const child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'] });
      relays.set(node, child);
      const [rejected] = (await once(child.stdout, 'data')) as [Buffer];
      assert.deepEqual(JSON.parse(rejected.toString()), []);
    },
    clean: async (_lab, node) => {
      const child = relays.get(node)!;
      child.stdin!.end();
      await once(child, 'exit');
      relays.delete(node);
    },
  },
];

function runIn(lab: Lab, node: string): CommandRunner {
  return (command, input) => {
    let output = '';
    const problem = attempt(() => void (output = lab.exec(node, command, input)));
    return Promise.resolve({ output, problem });
  };
}

function attempt(action: () => void): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Often enough that each of three endpoints is met, and a wrong one too. */
const TIMES = 24;
/** A dropped packet is known by silence. */
const SILENCE_MS = 700;
const PATIENCE_MS = 5000;

for (const kernel of KERNELS) {
  const reason = whyNoLab(kernel.commands) ?? (await kernel.whyNot?.()) ?? null;
  describe(`the kernel, by ${kernel.name}`, { skip: reason ?? false }, () => {
    const lab = new Lab(cluster);
    before(async () => {
      await lab.start();
      const model = await packetModel();
      for (const node of Object.keys(cluster.nodes)) {
        await kernel.load(lab, node, lowerPackets(model, factsOf(cluster, node)));
      }
    });
    after(async () => {
      // Those that a failure before has left.
      for (const child of relays.values()) child.stdin!.end();
      await lab.remove();
    });
    for (const question of readPackets(cluster)) {
      const { transport } = question.probe;
      const skip = transport === 'sctp' ? 'Node.js has no SCTP sockets' : false;
      it(question.name, { skip }, () =>
        ask(lab, { ...question, fate: question.instead[kernel.name] ?? question.fate }, kernel),
      );
    }
    it('leaves nothing behind', async () => {
      for (const node of Object.keys(cluster.nodes)) await kernel.clean(lab, node);
    });
  });
}

async function ask(
  lab: Lab,
  { from, on, probe, fate }: PacketQuestion,
  { isRelay = false }: KernelUnderTest,
): Promise<void> {
  const { transport, address, port, source } = probe;
  if (transport === 'sctp') return;
  const expectsSilence = fate.kind === 'drop';
  const answers = await lab.dial(from, on, {
    transport,
    address,
    port,
    source,
    times: fate.kind === 'forward' ? TIMES : 1,
    timeoutMs: expectsSilence ? SILENCE_MS : PATIENCE_MS,
  });
  switch (fate.kind) {
    case 'forward':
      return checkForward(
        answers,
        isRelay ? { ...fate, masqueraded: fate.endpoints } : fate,
        source,
      );
    case 'reject':
      return assert.deepEqual(answers, ['refused']);
    case 'drop':
      // A datagram of the node itself is refused by its own firewall, which the kernel tells it.
      return assert.ok(
        ['timeout', 'EPERM', ...(isRelay ? ['refused', 'ECONNRESET'] : [])].includes(answers[0]!),
        answers[0],
      );
    case 'pass':
      // Nobody listens there, or nobody is there: in no case a pod answers.
      return assert.ok(!answers[0]!.includes(' '), answers[0]);
  }
}

type Forward = Extract<PacketFate, { kind: 'forward' }>;

function checkForward(answers: readonly string[], fate: Forward, source: string): void {
  const places = { ...cluster.pods, ...cluster.nodes };
  const seen = new Map<string, string>();
  for (const answer of answers) {
    const [name = '', client = ''] = answer.split(' ');
    const [who = '', port = ''] = name.split(':');
    const address = places[who]?.addresses.find((a) => a.includes(':') === source.includes(':'));
    assert.ok(address !== undefined && client !== '', `nobody answered: ${answer}`);
    seen.set(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`, client);
  }
  const met = [...seen.keys()].toSorted();
  if (fate.affinitySeconds > 0) {
    assert.equal(met.length, 1, `a client met several: ${met.join(', ')}`);
    assert.ok(fate.endpoints.includes(met[0]!), `${met[0]} is none of the endpoints`);
  } else assert.deepEqual(met, fate.endpoints);
  for (const [endpoint, client] of seen) {
    // What stays on a node keeps its address there: there is nothing to route, so nothing to rewrite.
    const isNode = Object.values(cluster.nodes).some((n) =>
      n.addresses.some((a) => endpoint.includes(a)),
    );
    const isOfNode = Object.values(cluster.nodes).some((n) => n.addresses.includes(source));
    if (isNode || isOfNode) continue;
    const isMasqueraded = fate.masqueraded.includes(endpoint);
    assert.equal(client !== source, isMasqueraded, `${endpoint} saw ${client}`);
  }
}
