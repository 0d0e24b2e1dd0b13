// Datagrams that keep coming from one port, while the endpoint they go to is replaced: the kernel remembers
// such a flow for as long as it lasts, and fairway node makes it forget. Real sockets, three namespaces.
//
//   client 192.0.2.9 ── node 192.0.2.11 ── pods 10.244.1.2, 10.244.1.3

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { whyNoLab } from './lab.ts';

const root = join(import.meta.dirname, '..', '..');
const PATIENCE_MS = 20_000;
const id = `fwudp${process.pid}`;
const [client, node] = [`${id}c`, `${id}n`];
const pods = [2, 3].map((n) => ({ ns: `${id}p${n}`, address: `10.244.1.${n}` }));
const reason = whyNoLab(['ip', 'nft', 'iptables-restore', 'conntrack', 'curl']);

function ip(...args: readonly string[]): void {
  const done = spawnSync('ip', args, { encoding: 'utf8' });
  assert.equal(done.status, 0, `ip ${args.join(' ')}: ${done.stderr}`);
}

function exec(ns: string, ...command: readonly string[]): string {
  const done = spawnSync('ip', ['netns', 'exec', ns, ...command], { encoding: 'utf8' });
  return `${done.stdout}${done.stderr}`;
}

/** Joins a namespace to the node. */
function join2(ns: string, address: string, gateway: string): void {
  const link = `v${ns.slice(-5)}`;
  ip('-n', node, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
  ip('-n', node, 'link', 'set', link, 'up');
  ip('-n', node, 'addr', 'add', `${gateway}/32`, 'dev', link);
  ip('-n', node, 'route', 'add', `${address}/32`, 'dev', link);
  ip('-n', ns, 'link', 'set', 'eth0', 'up');
  ip('-n', ns, 'addr', 'add', `${address}/32`, 'dev', 'eth0');
  ip('-n', ns, 'route', 'add', gateway, 'dev', 'eth0');
  ip('-n', ns, 'route', 'add', 'default', 'via', gateway);
}

const SERVER = `const s = require('dgram').createSocket('udp4');
s.on('message', (m, from) => s.send(process.argv[1], from.port, from.address));
s.bind(5353);`;
/** From one port, ten times a second. */
const CLIENT = `const s = require('dgram').createSocket('udp4');
s.on('message', (m) => process.stdout.write(m + '\\n'));
s.on('error', () => undefined);
s.bind(4000, () => setInterval(() => s.send('?', 53, '10.96.0.10'), 100));`;

class Running {
  readonly child: ChildProcess;
  text = '';

  constructor(ns: string, ...args: readonly string[]) {
    this.child = spawn('ip', ['netns', 'exec', ns, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (part: string) => (this.text += part));
    }
  }

  async until(isSo: (text: string) => boolean): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!isSo(this.text)) {
      if (performance.now() > end) throw new Error(`it never came to this: ${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.kill('SIGTERM');
    });
  }
}

const manifest = (...addresses: readonly string[]): string => `apiVersion: v1
kind: Service
metadata: { name: dns, namespace: default }
spec: { clusterIP: 10.96.0.10, ports: [{ port: 53, protocol: UDP }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: dns-1, namespace: default, labels: { kubernetes.io/service-name: dns } }
addressType: IPv4
ports: [{ name: '', port: 5353, protocol: UDP }]
endpoints: [${addresses.map((a) => `{ addresses: [${a}], conditions: { ready: true } }`).join(', ')}]
`;

describe('datagrams that keep coming', { skip: reason ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-udp-'));
  const file = join(folder, 'in.yaml');
  const running: Running[] = [];
  const start = (ns: string, ...args: readonly string[]): Running => {
    const one = new Running(ns, ...args);
    running.push(one);
    return one;
  };
  const startNode = async (mode: string): Promise<Running> => {
    const one = start(
      node,
      join(root, 'src', 'cli', 'main.ts'),
      'node',
      file,
      '--mode',
      mode,
      '--min-sync-period',
      '0',
      '--sync-period',
      '1',
    );
    await one.until((text) => text.includes('Carrying packets'));
    return one;
  };
  const last = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

  before(() => {
    for (const ns of [client, node, ...pods.map((pod) => pod.ns)]) {
      ip('netns', 'add', ns);
      ip('-n', ns, 'link', 'set', 'lo', 'up');
    }
    exec(node, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    join2(client, '192.0.2.9', '192.0.2.11');
    for (const pod of pods) {
      join2(pod.ns, pod.address, '169.254.1.1');
      start(pod.ns, '-e', SERVER, pod.address);
    }
  });
  after(async () => {
    for (const one of running) await one.end();
    for (const ns of [client, node, ...pods.map((pod) => pod.ns)])
      spawnSync('ip', ['netns', 'del', ns]);
    rmSync(folder, { recursive: true });
  });

  for (const mode of ['nftables', 'iptables']) {
    it(`go to the endpoint that took its place (${mode})`, async () => {
      const [one, two] = pods.map((pod) => pod.address);
      writeFileSync(file, manifest(one!));
      const carrier = await startNode(mode);
      const sender = start(client, '-e', CLIENT);
      await sender.until((text) => last(text) === one);
      writeFileSync(file, manifest(two!));
      await sender.until((text) => last(text) === two);
      const metrics = exec(node, 'curl', '-s', 'http://127.0.0.1:10256/metrics');
      assert.match(metrics, /conntrack_reconciler_deleted_entries_total\{ip_family="IPv4"\} [1-9]/);

      // It changed while nobody was there to see it: found at the next start.
      await carrier.end();
      writeFileSync(file, manifest(one!));
      const next = await startNode(mode);
      await sender.until((text) => last(text) === one);

      // A second endpoint is no reason to take a flow from the first.
      writeFileSync(file, manifest(one!, two!));
      await next.until((text) => text.includes('(partial)'));
      const before = sender.text.length;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const answers = new Set(sender.text.slice(before).trim().split('\n'));
      assert.deepEqual([...answers], [one]);
      await sender.end();
      await next.end();
    });
  }
});
