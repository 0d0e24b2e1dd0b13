// fairway node with Services of both address families in files: both of their addresses answer, from
// endpoints of both, by each mode of the kernel.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { whyNoLab } from './lab.ts';

const root = join(import.meta.dirname, '..', '..');
const NS = `fwdual${process.pid}`;
const PATIENCE_MS = 20_000;

const OBJECTS = `apiVersion: v1
kind: Service
metadata: { name: both, namespace: default }
spec:
  ipFamilyPolicy: RequireDualStack
  clusterIP: 10.96.0.20
  clusterIPs: [10.96.0.20, 'fd00:96::20']
  ports: [{ port: 80, targetPort: 8077 }]
---
apiVersion: v1
kind: Service
metadata: { name: six, namespace: default }
spec: { clusterIP: 'fd00:96::1', ports: [{ port: 80, targetPort: 8077 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: both-4, namespace: default, labels: { kubernetes.io/service-name: both } }
addressType: IPv4
ports: [{ name: '', port: 8077, protocol: TCP }]
endpoints: [{ addresses: [192.0.2.21], nodeName: node-1, conditions: { ready: true } }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: both-6, namespace: default, labels: { kubernetes.io/service-name: both } }
addressType: IPv6
ports: [{ name: '', port: 8077, protocol: TCP }]
endpoints: [{ addresses: ['fd00:2::21'], nodeName: node-1, conditions: { ready: true } }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: six-6, namespace: default, labels: { kubernetes.io/service-name: six } }
addressType: IPv6
ports: [{ name: '', port: 8077, protocol: TCP }]
endpoints: [{ addresses: ['fd00:2::21'], nodeName: node-1, conditions: { ready: true } }]
`;

function exec(...command: readonly string[]): string {
  const done = spawnSync('ip', ['netns', 'exec', NS, ...command], { encoding: 'utf8' });
  return `${done.stdout}${done.stderr}`;
}

async function until(what: string, isSo: () => boolean, text: () => string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${what}\n${text()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

const reason = whyNoLab(['ip', 'nft', 'iptables-restore', 'curl']);

describe('fairway node with both families', { skip: reason ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-dual-'));
  const file = join(folder, 'in.yaml');
  let pod: ChildProcess | undefined;
  before(() => {
    writeFileSync(file, OBJECTS);
    spawnSync('ip', ['netns', 'add', NS]);
    exec('ip', 'link', 'set', 'lo', 'up');
    for (const address of ['192.0.2.11/32', '192.0.2.21/32', 'fd00:2::11/128', 'fd00:2::21/128']) {
      exec('ip', 'addr', 'add', address, 'dev', 'lo');
    }
    exec('ip', 'route', 'add', 'default', 'dev', 'lo');
    exec('ip', '-6', 'route', 'add', 'default', 'dev', 'lo');
    const server = `for (const a of ['192.0.2.21', 'fd00:2::21']) require('http').createServer((_, r) => r.end('at ' + a)).listen(8077, a)`;
    pod = spawn('ip', ['netns', 'exec', NS, process.execPath, '-e', server], { stdio: 'ignore' });
  });
  after(async () => {
    if (pod !== undefined) await end(pod);
    spawnSync('ip', ['netns', 'del', NS]);
    rmSync(folder, { recursive: true });
  });
  for (const mode of ['nftables', 'iptables']) {
    it(`carries both addresses of a Service (${mode})`, async () => {
      const main = join(root, 'src', 'cli', 'main.ts');
      const flags = ['--mode', mode, '--service-cidr', '10.96.0.0/16,fd00:96::/112'];
      const own = ['--node-name', 'node-1', '--node-address', '192.0.2.11'];
      const command = [process.execPath, main, 'node', file, ...flags, ...own];
      const running = spawn('ip', ['netns', 'exec', NS, ...command]);
      let text = '';
      for (const stream of [running.stdout, running.stderr]) {
        stream.setEncoding('utf8').on('data', (part: string) => (text += part));
      }
      try {
        await until(
          'ready',
          () => text.includes('Carrying packets'),
          () => text,
        );
        assert.doesNotMatch(text, /not configured/);
        const ask = (url: string): string => exec('curl', '-gsS', '-m', '5', url);
        assert.equal(ask('http://10.96.0.20/'), 'at 192.0.2.21');
        assert.equal(ask('http://[fd00:96::20]/'), 'at fd00:2::21');
        assert.equal(ask('http://[fd00:96::1]/'), 'at fd00:2::21');
      } finally {
        await end(running);
      }
    });
  }
});
