// A cluster of network namespaces: a client outside, two nodes, pods on them, joined by veth pairs, with
// an agent in each. Everything is gone when it is removed; what cannot be made says why.
//
//   client 192.0.2.9 ── bridge ─┬─ node-1 192.0.2.11 ── pods 10.244.1.0/24
//                               └─ node-2 192.0.2.12 ── pods 10.244.2.0/24

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { familyOf } from '../../src/lib/cidr.ts';
import type { Cluster } from '../support/packets.ts';

const AGENT = join(import.meta.dirname, 'agent.ts');
const APT_TIMEOUT_MS = 120_000;

/** Why there can be no lab on this machine; null when there can. Installs what is missing, as root. */
export function whyNoLab(commands: readonly string[]): string | null {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'making network namespaces needs root';
  const packages: Readonly<Record<string, string>> = {
    ip: 'iproute2',
    nft: 'nftables',
    'iptables-restore': 'iptables',
    ipset: 'ipset',
    ipvsadm: 'ipvsadm',
  };
  const isMissing = (command: string): boolean =>
    spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0;
  const missing = commands.filter(isMissing);
  if (missing.length > 0) {
    const names = missing.map((command) => packages[command] ?? command);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...names], {
      timeout: APT_TIMEOUT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const still = missing.filter(isMissing);
    if (still.length > 0) return `${still.join(', ')} is missing and could not be installed`;
  }
  const tried = spawnSync('unshare', ['-n', 'true']);
  return tried.status === 0 ? null : 'this machine allows no network namespaces';
}

export interface DialTask {
  readonly transport: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly source: string;
  readonly times: number;
  readonly timeoutMs: number;
}

class Agent {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(namespace: string) {
    this.#child = spawn('ip', ['netns', 'exec', namespace, process.execPath, AGENT], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  ask<T>(task: object): Promise<T> {
    const answer = this.#queue.then(async () => {
      this.#child.stdin!.write(`${JSON.stringify(task)}\n`);
      const { value, done } = await this.#answers.next();
      if (done === true) throw new Error('an agent has ended');
      return JSON.parse(value as string) as T;
    });
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.stdin!.end();
    });
  }
}

export class Lab {
  readonly #cluster: Cluster;
  readonly #prefix: string;
  readonly #agents = new Map<string, Agent>();
  /** Node the client sends to Services through. */
  #via = '';

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#prefix = `fw${process.pid}-`;
  }

  /** Name of somebody's namespace. */
  namespaceOf(name: string): string {
    return this.#prefix + (this.#cluster.clients[name] === undefined ? name : 'client');
  }

  async start(): Promise<void> {
    const { nodes, pods } = this.#cluster;
    for (const name of ['client', ...Object.keys(nodes), ...Object.keys(pods)]) {
      const ns = this.namespaceOf(name);
      run('ip', 'netns', 'add', ns);
      this.#ip(name, 'link', 'set', 'lo', 'up');
      this.#sysctl(name, 'net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0');
    }
    this.#sysctl('client', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    this.#ip('client', 'link', 'add', 'br0', 'type', 'bridge');
    this.#ip('client', 'link', 'set', 'br0', 'up');
    for (const { addresses } of Object.values(this.#cluster.clients)) {
      for (const address of addresses) this.#address('client', 'br0', onLink(address));
    }
    for (const name of Object.keys(nodes)) this.#addNode(name);
    for (const name of Object.keys(pods)) this.#addPod(name);
    for (const name of ['client', ...Object.keys(nodes), ...Object.keys(pods)]) {
      this.#agents.set(name, new Agent(this.namespaceOf(name)));
    }
    const listen = (name: string, transport: string, port: number): Promise<unknown> =>
      this.#agents.get(name)!.ask({ do: 'listen', transport, port, name: `${name}:${port}` });
    await Promise.all([
      ...Object.keys(pods).flatMap((name) => [
        ...[8080, 8081, 8053].map((port) => listen(name, 'tcp', port)),
        listen(name, 'udp', 8054),
      ]),
      ...Object.keys(nodes).map((name) => listen(name, 'tcp', 8090)),
    ]);
  }

  /** Dials from somebody's namespace; a client does through the node `on`. */
  async dial(from: string, on: string, task: DialTask): Promise<readonly string[]> {
    const isClient = this.#cluster.clients[from] !== undefined;
    if (isClient) this.#routeClientVia(on);
    const agent = this.#agents.get(isClient ? 'client' : from)!;
    return agent.ask<readonly string[]>({ do: 'dial', ...task });
  }

  /** Runs a command in somebody's namespace, with a text to read; throws what it complains about. */
  exec(name: string, command: readonly string[], input = ''): string {
    const args = ['netns', 'exec', this.namespaceOf(name), ...command];
    const done = spawnSync('ip', args, { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (done.status !== 0) throw new Error(`${command.join(' ')}: ${done.stderr}`);
    return done.stdout;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    const { nodes, pods } = this.#cluster;
    for (const name of ['client', ...Object.keys(nodes), ...Object.keys(pods)]) {
      spawnSync('ip', ['netns', 'del', this.namespaceOf(name)]);
    }
  }

  #addNode(name: string): void {
    const { addresses } = this.#cluster.nodes[name]!;
    const link = `to-${name}`;
    const ns = this.namespaceOf(name);
    this.#ip('client', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
    this.#ip('client', 'link', 'set', link, 'master', 'br0', 'up');
    this.#ip(name, 'link', 'set', 'eth0', 'up');
    this.#sysctl(name, 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    // One refusal is told at once, however many there were just before.
    this.#sysctl(name, 'net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0');
    for (const address of addresses) {
      this.#address(name, 'eth0', onLink(address));
      const gateway = this.#cluster.clients.client!.addresses.find((a) => same(a, address))!;
      this.#ip(name, 'route', 'add', 'default', 'via', gateway);
    }
  }

  /** Pods are joined by routes, not by a bridge: what one says to another passes through its node. */
  #addPod(name: string): void {
    const { node, addresses } = this.#cluster.pods[name]!;
    const link = `to-${name}`;
    const ns = this.namespaceOf(name);
    this.#ip(node, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
    this.#ip(node, 'link', 'set', link, 'up');
    this.#ip(name, 'link', 'set', 'eth0', 'up');
    for (const address of addresses) {
      const gateway = address.includes(':') ? 'fe80::1' : '169.254.1.1';
      const bits = address.includes(':') ? 128 : 32;
      this.#address(node, link, `${gateway}/${bits}`, 'link');
      this.#address(name, 'eth0', `${address}/${bits}`);
      this.#ip(name, 'route', 'add', gateway, 'dev', 'eth0');
      this.#ip(name, 'route', 'add', 'default', 'via', gateway, 'dev', 'eth0');
      this.#ip(node, 'route', 'add', `${address}/${bits}`, 'dev', link);
      const home = this.#cluster.nodes[node]!.addresses.find((a) => same(a, address))!;
      for (const other of ['client', ...Object.keys(this.#cluster.nodes)]) {
        if (other !== node) this.#ip(other, 'route', 'add', `${address}/${bits}`, 'via', home);
      }
    }
  }

  #routeClientVia(node: string): void {
    if (this.#via === node) return;
    this.#via = node;
    const networks = [...this.#cluster.serviceCidrs, '203.0.113.0/24', '198.51.100.0/24'];
    for (const network of networks) {
      const home = this.#cluster.nodes[node]!.addresses.find((a) => same(a, network))!;
      this.#ip('client', 'route', 'replace', network, 'via', home);
    }
  }

  #address(name: string, link: string, address: string, scope = 'global'): void {
    const nodad = address.includes(':') ? ['nodad'] : [];
    this.#ip(name, 'addr', 'add', address, 'dev', link, 'scope', scope, ...nodad);
  }

  #ip(name: string, ...args: readonly string[]): void {
    const family = args.some((a) => a.includes(':') && !a.startsWith('to-')) ? ['-6'] : [];
    run('ip', '-n', this.namespaceOf(name), ...family, ...args);
  }

  #sysctl(name: string, ...settings: readonly string[]): void {
    for (const setting of settings) {
      const [key = '', value = ''] = setting.split('=');
      const path = `/proc/sys/${key.replaceAll('.', '/')}`;
      this.exec(name, ['sh', '-c', `echo ${value} > ${path}`]);
    }
  }
}

function onLink(address: string): string {
  return address.includes(':') ? `${address}/64` : `${address}/24`;
}

function same(a: string, b: string): boolean {
  return familyOf(a) === familyOf(b);
}

function run(program: string, ...args: readonly string[]): void {
  try {
    execFileSync(program, args, { stdio: 'pipe', encoding: 'utf8' });
  } catch (error) {
    throw new Error(
      `${program} ${args.join(' ')}: ${(error as { stderr?: string }).stderr ?? ''}`,
      {
        cause: error,
      },
    );
  }
}
