// What it costs to program the kernel: one transaction with all Services, and one that changes ten of
// them, by Fairway's slot maps, by the layout of kube-proxy 1.36 and by iptables; and what it costs to go
// through: the time a TCP connection takes through a ClusterIP. All in one run, each in network namespaces
// of its own that are gone afterwards. Needs root, iproute2 and nft; rows of iptables need iptables.

import { spawn, spawnSync } from 'node:child_process';
import { lowerPackets } from '../src/lower/packets.ts';
import type { Model, ServicePort } from '../src/model/model.ts';
import type { NodeFacts } from '../src/model/node.ts';
import { compileIptables } from '../src/targets/iptables/compile.ts';
import { Iptables } from '../src/targets/iptables/iptables.ts';
import { compileNft } from '../src/targets/nftables/compile.ts';
import { Nftables } from '../src/targets/nftables/nftables.ts';
import type { NftRunner } from '../src/targets/nftables/nftables.ts';
import { peerTable, peerUpdate } from './kernel/layout.ts';
import { Pair, manifestOf } from './kernel/latency.ts';
import type { Latency } from './kernel/latency.ts';
import type { BenchService } from './kernel/layout.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';

interface Size {
  readonly name: string;
  readonly services: number;
  readonly endpoints: number;
  readonly isQuick: boolean;
}

const SIZES: readonly Size[] = [
  { name: '100x10', services: 100, endpoints: 10, isQuick: true },
  { name: '1000x10', services: 1000, endpoints: 10, isQuick: true },
  { name: '10000x10', services: 10_000, endpoints: 10, isQuick: false },
  { name: '5006x50', services: 5006, endpoints: 50, isQuick: false },
];
/** By iptables, where 10,000 x 10 would take many minutes. */
const IPTABLES_SIZES: readonly Size[] = [
  { name: 'iptables 100x10', services: 100, endpoints: 10, isQuick: true },
  { name: 'iptables 1000x10', services: 1000, endpoints: 10, isQuick: false },
  { name: 'iptables 10000x1', services: 10_000, endpoints: 1, isQuick: false },
];
const CHANGED = 10;
/** Nodes the endpoints are spread over; those of one are local. */
const NODES = 100;
const ROUNDS = 3;
/** One change takes some milliseconds, and one process of somebody else makes it ten times as long. */
const CHANGES = 5;

const NODE: NodeFacts = {
  name: 'node-0',
  zone: '',
  addresses: ['192.0.2.11'],
  nodePortAddresses: [],
  podCidrs: ['10.128.0.0/9'],
  serviceCidrs: ['10.96.0.0/12'],
  masqueradeAll: false,
};

function dotted(base: number, i: number): string {
  return `${base}.${((i >> 16) & 127) | 128}.${(i >> 8) & 255}.${i & 255}`;
}

/** Services with endpoints of their own; `shift` moves the endpoints of the first few. */
function generate({ services, endpoints }: Size, shift: number): readonly BenchService[] {
  return Array.from({ length: services }, (_, s) => ({
    name: `svc-${s}`,
    address: `10.${96 + (s >> 16)}.${(s >> 8) & 255}.${s & 255}`,
    port: 80,
    endpoints: Array.from({ length: endpoints }, (__, e) => {
      const index = s * endpoints + e + (s < CHANGED ? shift : 0);
      return { address: dotted(10, index), isLocal: index % NODES === 0 };
    }),
  }));
}

const ports = new Map<string, ServicePort>();

function modelOf(services: readonly BenchService[]): Model {
  return {
    entryPoints: [],
    backends: new Map(),
    certificates: new Map(),
    services: services.map((service) => {
      // Unchanged Services are the same objects, as resolve hands them on.
      const key = `${service.name} ${service.endpoints.map((e) => e.address).join()}`;
      let port = ports.get(key);
      if (port === undefined) ports.set(key, (port = portOf(service)));
      return port;
    }),
  };
}

function portOf({ name, address, port, endpoints }: BenchService): ServicePort {
  return {
    id: `default/${name}:${port}/TCP`,
    service: `default/${name}`,
    portName: '',
    protocol: 'TCP',
    frontends: [{ kind: 'clusterIP', address, port }],
    affinitySeconds: 0,
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    endpoints: endpoints.map((e) => ({
      address: e.address,
      port: 8080,
      ready: true,
      serving: true,
      terminating: false,
      node: e.isLocal ? 'node-0' : 'node-1',
      zone: '',
      target: '',
    })),
    origin: { kind: 'Service', namespace: 'default', name, field: 'spec.ports[0]' },
  };
}

function nftIn(namespace: string): NftRunner {
  return (script) =>
    new Promise((resolve, reject) => {
      const child = spawn('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], {
        stdio: ['pipe', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text.slice(0, 1000)));
      child.once('error', reject);
      child.once('close', (code) => resolve(code === 0 ? null : said));
      child.stdin.on('error', () => undefined);
      child.stdin.end(`${script}\n`);
    });
}

interface Times {
  /** Seconds. */
  readonly load: number;
  readonly update: number;
  /** Of that, the time in nft and the kernel. */
  readonly loadInNft: number;
  readonly updateInNft: number;
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

/** Runs something in a network namespace that is there for it alone. */
async function inNamespace<T>(name: string, action: (run: NftRunner) => Promise<T>): Promise<T> {
  const namespace = `fwbench${process.pid}${name}`;
  spawnSync('ip', ['netns', 'add', namespace]);
  try {
    return await action(nftIn(namespace));
  } finally {
    spawnSync('ip', ['netns', 'del', namespace]);
  }
}

/** With everything from the model on: lowering, compiling, the text, and the kernel. */
function measureOwn(size: Size): Promise<Times> {
  return inNamespace('own', async (run) => {
    let inNft = 0;
    const nft = new Nftables({
      run: async (script) => {
        const start = performance.now();
        const problem = await run(script);
        inNft += (performance.now() - start) / 1000;
        return problem;
      },
    });
    const models = Array.from({ length: CHANGES + 1 }, (_, i) => modelOf(generate(size, i)));
    const apply = async (model: Model): Promise<void> => {
      const { rejected } = await nft.apply(compileNft(lowerPackets(model, NODE)));
      if (rejected.length > 0) throw new Error(rejected[0]!.message);
    };
    const load = await seconds(() => apply(models[0]!));
    const loadInNft = inNft;
    const updates: number[] = [];
    const updatesInNft: number[] = [];
    for (const model of models.slice(1)) {
      inNft = 0;
      updates.push(await seconds(() => apply(model)));
      updatesInNft.push(inNft);
    }
    return { load, update: middle(updates), loadInNft, updateInNft: middle(updatesInNft) };
  });
}

/** With what is written to nft, and not what it takes kube-proxy to write it. */
function measurePeer(size: Size): Promise<Times> {
  return inNamespace('peer', async (run) => {
    const carry = async (text: string): Promise<void> => {
      const problem = await run(text);
      if (problem !== null) throw new Error(problem);
    };
    const first = peerTable(generate(size, 0));
    const texts = Array.from({ length: CHANGES }, (_, i) =>
      peerUpdate(generate(size, i + 1).slice(0, CHANGED)),
    );
    const load = await seconds(() => carry(first));
    const updates: number[] = [];
    for (const text of texts) updates.push(await seconds(() => carry(text)));
    const update = middle(updates);
    return { load, update, loadInNft: load, updateInNft: update };
  });
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

function middleOf(times: readonly Times[]): Times {
  const of = (key: keyof Times): number => middle(times.map((t) => t[key]));
  return {
    load: of('load'),
    update: of('update'),
    loadInNft: of('loadInNft'),
    updateInNft: of('updateInNft'),
  };
}

/** The same by iptables: lowering, compiling, the text, and iptables-restore. */
async function measureIptables(size: Size): Promise<Omit<Times, 'loadInNft' | 'updateInNft'>> {
  const namespace = `fwbench${process.pid}ipt`;
  spawnSync('ip', ['netns', 'add', namespace]);
  try {
    const iptables = new Iptables({ run: (command, input) => runIn(namespace, command, input) });
    const apply = async (model: Model): Promise<void> => {
      const { rejected } = await iptables.apply(compileIptables(lowerPackets(model, NODE)));
      if (rejected.length > 0) throw new Error(rejected[0]!.message);
    };
    const [first, second] = [modelOf(generate(size, 0)), modelOf(generate(size, 1))];
    return {
      load: await seconds(() => apply(first)),
      update: await seconds(() => apply(second)),
    };
  } finally {
    spawnSync('ip', ['netns', 'del', namespace]);
  }
}

function runIn(
  namespace: string,
  command: readonly string[],
  input: string,
): Promise<{ output: string; problem: string | null }> {
  return new Promise((resolve) => {
    const child = spawn('ip', ['netns', 'exec', namespace, ...command]);
    let [output, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text.slice(0, 1000)));
    child.once('close', (code) => resolve({ output, problem: code === 0 ? null : said }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

type Way = 'nftables' | 'kube-proxy 1.36' | 'iptables' | 'userspace';
const WAYS: readonly Way[] = ['nftables', 'kube-proxy 1.36', 'iptables', 'userspace'];
/** With user space every address is a socket, and files of 10,000 Services take long to read. */
const SERVICES_MAX: Readonly<Record<Way, number>> = {
  nftables: 10_000,
  'kube-proxy 1.36': 10_000,
  iptables: 10_000,
  userspace: 1000,
};

interface LatencyRow {
  readonly way: string;
  readonly services: number;
  readonly latency: Latency;
  /** The pod's own address, under the same rules. */
  readonly direct: Latency;
}

/** Through the last Service: with iptables, the one most rules stand before. */
async function measureLatency(way: Way, services: number, context: Context): Promise<LatencyRow> {
  const pair = new Pair(way.slice(0, 4));
  let end: (() => void) | undefined;
  try {
    await pair.start();
    const isLocal = way === 'userspace';
    const addressOf = (i: number): string =>
      `${isLocal ? '127.96' : '10.96'}.${((i + 1) >> 8) & 255}.${(i + 1) & 255}`;
    if (way === 'kube-proxy 1.36') {
      const all = Array.from({ length: services }, (_, i) => ({
        name: `svc-${i}`,
        address: addressOf(i),
        port: 8000,
        endpoints: [{ address: i === services - 1 ? '10.244.1.2' : dotted(10, i), isLocal: false }],
      }));
      const problem = await nftIn(pair.node)(peerTable(all));
      if (problem !== null) throw new Error(problem);
    } else {
      const file = context.scratch.write('services.yaml', manifestOf(services, addressOf));
      const cidr = isLocal ? '127.96.0.0/16' : '10.96.0.0/12';
      const flags = ['--mode', way, '--health-port', '0', '--service-cidr', cidr];
      end = await pair.carry(file, flags);
    }
    const count = context.quick ? 300 : 2000;
    const latency = pair.measure(addressOf(services - 1), 8000, count);
    const direct = pair.measure('10.244.1.2', 8080, count);
    return { way, services, latency, direct };
  } finally {
    end?.();
    pair.remove();
  }
}

async function run(context: Context): Promise<Outcome> {
  if (process.getuid?.() !== 0 || spawnSync('nft', ['--version']).status !== 0) {
    return { tables: [], notes: ['skipped: it needs root and nft'], values: [] };
  }
  const values = [];
  const iptables = [];
  const latencies: LatencyRow[] = [];
  for (const size of SIZES) {
    if (!isWanted(context, size.name) || (context.quick && !size.isQuick)) continue;
    const own: Times[] = [];
    const peer: Times[] = [];
    const rounds = size.services * size.endpoints > 50_000 ? 1 : ROUNDS;
    for (let round = 0; round < rounds; round++) {
      context.signal.throwIfAborted();
      context.progress(`${size.name} round ${round + 1}`);
      own.push(await measureOwn(size));
      peer.push(await measurePeer(size));
    }
    ports.clear();
    values.push({
      name: size.name,
      rounds,
      own: middleOf(own),
      peer: middleOf(peer),
    });
  }
  const hasIptables = spawnSync('iptables-restore', ['--version']).status === 0;
  for (const size of IPTABLES_SIZES) {
    if (!hasIptables || !isWanted(context, size.name) || (context.quick && !size.isQuick)) continue;
    context.signal.throwIfAborted();
    context.progress(size.name);
    iptables.push({ name: size.name, ...(await measureIptables(size)) });
    ports.clear();
  }
  for (const services of context.quick ? [10] : [10, 10_000]) {
    for (const way of WAYS) {
      if (!isWanted(context, 'latency') || (way === 'iptables' && !hasIptables)) continue;
      context.signal.throwIfAborted();
      const count = Math.min(services, SERVICES_MAX[way]);
      context.progress(`connect by ${way}, ${count} Services`);
      latencies.push(await measureLatency(way, count, context));
    }
  }
  const show = (value: number): string => value.toFixed(3);
  return {
    tables: [
      {
        title: `seconds to load all Services, and to change the endpoints of ${CHANGED}`,
        columns: [
          'services',
          'load',
          'in nft',
          'kube-proxy 1.36 in nft',
          'ratio in nft',
          'change',
          'in nft',
          'kube-proxy 1.36 in nft',
          'ratio in nft',
        ],
        rows: values.map(({ name, own, peer }) => [
          name,
          show(own.load),
          show(own.loadInNft),
          show(peer.loadInNft),
          (own.loadInNft / peer.loadInNft).toFixed(2),
          show(own.update),
          show(own.updateInNft),
          show(peer.updateInNft),
          (own.updateInNft / peer.updateInNft).toFixed(2),
        ]),
      },
      {
        title: `seconds by iptables, to load all Services and to change ${CHANGED}`,
        columns: ['services', 'load', 'change'],
        rows: iptables.map(({ name, load, update }) => [name, show(load), show(update)]),
      },
      {
        title: 'microseconds to connect through a ClusterIP, from the node',
        columns: ['by', 'services', 'p50', 'p99', 'pod itself p50', 'ratio p50'],
        rows: latencies.map(({ way, services, latency, direct }) => [
          way,
          String(services),
          latency.p50.toFixed(0),
          latency.p99.toFixed(0),
          direct.p50.toFixed(0),
          (latency.p50 / direct.p50).toFixed(2),
        ]),
      },
    ],
    notes: [
      'connections are made by Node.js, whose own time is in every one of them',
      'load and change are from the model to the kernel; of the other layout only nft is measured, on text that is there',
      'the median of three rounds, of the two largest one round; in each round the median of five changes',
    ],
    values: { nftables: values, iptables, latencies },
  };
}

export const kernel: Benchmark = {
  about:
    'seconds to program the kernel, and to connect through it, beside the layout of kube-proxy 1.36',
  limitMs: 1_800_000,
  run,
};
