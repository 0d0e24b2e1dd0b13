// fairway node beside fairway up, in a network namespace of their own: the one reads the API of the other,
// through its restarts, and its rules follow.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { kubeconfigIn } from '../support/kubectl.ts';
import { whyNoLab } from './lab.ts';

const root = join(import.meta.dirname, '..', '..');
const NS = `fwcluster${process.pid}`;
const PATIENCE_MS = 90_000;
const reason = whyNoLab(['ip', 'nft', 'curl']);

async function until(what: () => string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function exec(...command: readonly string[]): string {
  const done = spawnSync('ip', ['netns', 'exec', NS, ...command], { encoding: 'utf8' });
  return `${done.stdout}${done.stderr}`;
}

class Running {
  readonly #child: ChildProcess;
  text = '';

  constructor(home: string, ...args: readonly string[]) {
    const main = join(root, 'src', 'cli', 'main.ts');
    this.#child = spawn('ip', ['netns', 'exec', NS, process.execPath, main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FAIRWAY_HOME: home, NO_COLOR: '1' },
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (part: string) => (this.text += part));
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill(signal);
    });
  }
}

const service = (name: string, port: number): string => `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { clusterIP: 127.96.0.40, ports: [{ port: ${port} }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: default, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: '', port: 8080, protocol: TCP }]
endpoints: [{ addresses: [10.244.1.2], conditions: { ready: true } }]
`;

describe('fairway node beside fairway up', { skip: reason ?? false }, () => {
  const home = mkdtempSync(join(tmpdir(), 'fairway-cluster-'));
  const file = join(home, 'in.yaml');
  let up: Running;
  let node: Running;
  const rules = (): string => exec('nft', 'list', 'map', 'ip', 'fairway', 'services');
  const startUp = (): Running => new Running(home, 'up', file, '--fresh', '--no-pods');
  before(() => {
    spawnSync('ip', ['netns', 'add', NS]);
    spawnSync('ip', ['-n', NS, 'link', 'set', 'lo', 'up']);
    writeFileSync(file, service('first', 80));
  });
  after(async () => {
    await node?.end('SIGKILL');
    await up?.end('SIGKILL');
    spawnSync('ip', ['netns', 'del', NS]);
    rmSync(home, { recursive: true });
  });

  it('puts the Services of the API in force', async () => {
    up = startUp();
    await until(
      () => up.text,
      () => up.text.includes('https://127.0.0.1'),
    );
    const kubeconfig = await kubeconfigIn(home);
    node = new Running(
      home,
      'node',
      '--kubeconfig',
      kubeconfig,
      '--node-name',
      'fairway',
      '--min-sync-period',
      '0',
      '--sync-period',
      '1',
    );
    await until(
      () => node.text,
      () => node.text.includes('Carrying packets'),
    );
    assert.match(rules(), /127\.96\.0\.40 \. tcp \. 80 comment "default\/first/);
  });

  it('follows what changes there', async () => {
    writeFileSync(file, service('first', 81));
    await until(rules, () => /127\.96\.0\.40 \. tcp \. 81/.test(rules()));
    assert.doesNotMatch(rules(), /127\.96\.0\.40 \. tcp \. 80/);
  });

  it('says that the server is gone, leaves the rules in force, and goes on when it is back', async () => {
    await up.end('SIGKILL');
    await until(
      () => node.text,
      () => node.text.includes('cannot be reached'),
    );
    assert.match(rules(), /127\.96\.0\.40 \. tcp \. 81/);
    writeFileSync(file, service('second', 82));
    up = startUp();
    await until(
      () => up.text + node.text + rules(),
      () => /127\.96\.0\.40 \. tcp \. 82 comment "default\/second/.test(rules()),
    );
    assert.doesNotMatch(rules(), /first/);
    assert.match(node.text, /can be read again/);
  });

  it('ends when asked to, while there is no server as well', async () => {
    await up.end('SIGKILL');
    await node.end('SIGTERM');
    assert.match(node.text, /The rules stay in force/);
  });
});
