// How long a TCP connection takes to be made through a ClusterIP, from a node to a pod in a network
// namespace of its own, by each way of carrying it: one after the other, a new socket each time.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const POD = '10.244.1.2';
const PORT = 8080;

/** Microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

const SERVER = `require('net').createServer((s) => { s.on('error', () => {}); s.end(); }).listen(${PORT});`;

const CLIENT = `
const net = require('net');
const [address, port, count] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])];
const times = [];
const one = () => new Promise((resolve, reject) => {
  const start = process.hrtime.bigint();
  const socket = net.connect(port, address, () => {
    times.push(Number(process.hrtime.bigint() - start) / 1000);
    socket.destroy();
  });
  socket.once('close', resolve);
  socket.once('error', reject);
});
(async () => {
  for (let i = 0; i < count / 4; i++) await one();
  times.length = 0;
  for (let i = 0; i < count; i++) await one();
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] }));
})();`;

/** A node and a pod, joined; gone after `remove`. */
export class Pair {
  readonly node: string;
  readonly #pod: string;
  #server: ChildProcess | undefined;

  constructor(name: string) {
    this.node = `fwlat${process.pid}${name}n`;
    this.#pod = `fwlat${process.pid}${name}p`;
  }

  async start(): Promise<void> {
    const [n, p] = [this.node, this.#pod];
    for (const ns of [n, p]) {
      ip('netns', 'add', ns);
      ip('-n', ns, 'link', 'set', 'lo', 'up');
    }
    ip('-n', n, 'link', 'add', 'pod', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', p);
    ip('-n', n, 'link', 'set', 'pod', 'up');
    ip('-n', p, 'link', 'set', 'eth0', 'up');
    ip('-n', n, 'addr', 'add', '10.244.1.1/24', 'dev', 'pod');
    ip('-n', p, 'addr', 'add', `${POD}/24`, 'dev', 'eth0');
    ip('-n', p, 'route', 'add', 'default', 'via', '10.244.1.1');
    // Where cluster IPs would be sent to if nobody translated them.
    ip('-n', n, 'route', 'add', 'default', 'via', POD);
    this.#server = spawn('ip', ['netns', 'exec', p, process.execPath, '-e', SERVER], {
      stdio: 'ignore',
    });
    await until(() => this.#dials(POD, PORT));
  }

  /** Connects that many times. */
  measure(address: string, port: number, count: number): Latency {
    const command = ['netns', 'exec', this.node, process.execPath, '-e', CLIENT];
    const task = [address, String(port), String(count)];
    const done = spawnSync('ip', [...command, ...task], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${address}:${port}: ${done.stderr}`);
    return JSON.parse(done.stdout) as Latency;
  }

  /** Runs `fairway node` there until it carries packets; gives what ends it. */
  async carry(file: string, args: readonly string[]): Promise<() => void> {
    const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
    const child = spawn(
      'ip',
      ['netns', 'exec', this.node, process.execPath, main, 'node', file, '--no-watch', ...args],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until(() => said.includes('Carrying packets') || child.exitCode !== null);
    if (child.exitCode !== null) throw new Error(`fairway node ended: ${said}`);
    return () => void child.kill('SIGKILL');
  }

  remove(): void {
    this.#server?.kill('SIGKILL');
    for (const ns of [this.node, this.#pod]) spawnSync('ip', ['netns', 'del', ns]);
  }

  #dials(address: string, port: number): boolean {
    try {
      this.measure(address, port, 1);
      return true;
    } catch {
      return false;
    }
  }
}

/** Services whose last one leads to the pod, and all others to nobody in particular. */
export function manifestOf(count: number, addressOf: (i: number) => string): string {
  const items = Array.from({ length: count }, (_, i) => {
    const isLast = i === count - 1;
    const name = `svc-${String(i).padStart(6, '0')}`;
    const endpoint = isLast ? POD : `10.128.${(i >> 8) & 255}.${i & 255}`;
    const labels = { 'kubernetes.io/service-name': name };
    return [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { clusterIP: addressOf(i), ports: [{ port: 8000 }] },
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name, labels },
        addressType: 'IPv4',
        ports: [{ name: '', port: PORT, protocol: 'TCP' }],
        endpoints: [{ addresses: [endpoint], conditions: { ready: true } }],
      },
    ];
  });
  return items
    .flat()
    .map((item) => JSON.stringify(item))
    .join('\n---\n');
}

function ip(...args: readonly string[]): void {
  const done = spawnSync('ip', args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`ip ${args.join(' ')}: ${done.stderr}`);
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 180_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('it takes too long');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
