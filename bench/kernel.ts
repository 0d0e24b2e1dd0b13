// What it costs to program the kernel: one transaction with all Services, and one that changes ten of
// them, by Fairway's slot maps and by the layout of kube-proxy 1.36, in the same run, each in a network
// namespace of its own that is gone afterwards. Needs root and nft.

import { spawn, spawnSync } from 'node:child_process';
import { lowerPackets } from '../src/lower/packets.ts';
import type { Model, ServicePort } from '../src/model/model.ts';
import type { NodeFacts } from '../src/model/node.ts';
import { compileNft } from '../src/targets/nftables/compile.ts';
import { Nftables } from '../src/targets/nftables/nftables.ts';
import type { NftRunner } from '../src/targets/nftables/nftables.ts';
import { peerTable, peerUpdate } from './kernel/layout.ts';
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
const CHANGED = 10;
/** Nodes the endpoints are spread over; those of one are local. */
const NODES = 100;
const ROUNDS = 3;

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
    const [first, second] = [modelOf(generate(size, 0)), modelOf(generate(size, 1))];
    const apply = async (model: Model): Promise<void> => {
      const { rejected } = await nft.apply(compileNft(lowerPackets(model, NODE)));
      if (rejected.length > 0) throw new Error(rejected[0]!.message);
    };
    const load = await seconds(() => apply(first));
    const loadInNft = inNft;
    inNft = 0;
    const update = await seconds(() => apply(second));
    return { load, update, loadInNft, updateInNft: inNft };
  });
}

/** With what is written to nft, and not what it takes kube-proxy to write it. */
function measurePeer(size: Size): Promise<Times> {
  return inNamespace('peer', async (run) => {
    const carry = async (text: string): Promise<void> => {
      const problem = await run(text);
      if (problem !== null) throw new Error(problem);
    };
    const [first, second] = [
      peerTable(generate(size, 0)),
      peerUpdate(generate(size, 1).slice(0, CHANGED)),
    ];
    const load = await seconds(() => carry(first));
    const update = await seconds(() => carry(second));
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

async function run(context: Context): Promise<Outcome> {
  if (process.getuid?.() !== 0 || spawnSync('nft', ['--version']).status !== 0) {
    return { tables: [], notes: ['skipped: it needs root and nft'], values: [] };
  }
  const values = [];
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
    ],
    notes: [
      'load and change are from the model to the kernel; of the other layout only nft is measured, on text that is there',
      'the median of three rounds; of the two largest, one round',
    ],
    values,
  };
}

export const kernel: Benchmark = {
  about: 'seconds to program the kernel by nftables, beside the layout of kube-proxy 1.36',
  limitMs: 600_000,
  run,
};
