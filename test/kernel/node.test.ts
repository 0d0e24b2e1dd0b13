// fairway node as a user meets it, in a network namespace of its own: rules come, follow the files, are
// put back when somebody deletes them, and go.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { whyNoLab } from './lab.ts';

const root = join(import.meta.dirname, '..', '..');
const NS = `fwnode${process.pid}`;
const PATIENCE_MS = 20_000;

function exec(...command: readonly string[]): string {
  const done = spawnSync('ip', ['netns', 'exec', NS, ...command], { encoding: 'utf8' });
  return `${done.stdout}${done.stderr}`;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

class NodeProcess {
  readonly #child: ChildProcess;
  text = '';

  constructor(...args: readonly string[]) {
    const main = join(root, 'src', 'cli', 'main.ts');
    this.#child = spawn('ip', ['netns', 'exec', NS, process.execPath, main, 'node', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (part: string) => (this.text += part));
    }
  }

  get code(): number | null {
    return this.#child.exitCode;
  }

  async end(): Promise<void> {
    if (this.code !== null) return;
    await new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGTERM');
    });
  }
}

/** Somebody who answers on the node. */
class PodOf {
  readonly #child: ChildProcess;

  constructor(port = 8077, address = '192.0.2.11') {
    const server = `require('http').createServer((_, r) => r.end('here')).listen(${port}, '${address}')`;
    this.#child = spawn('ip', ['netns', 'exec', NS, process.execPath, '-e', server]);
  }

  end(): void {
    this.#child.kill();
  }
}

/** The policy is of no concern to the node itself. */
const LOCAL = `apiVersion: v1
kind: Service
metadata: { name: local, namespace: default }
spec: { type: NodePort, externalTrafficPolicy: Local, ports: [{ port: 80, nodePort: 30077 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: local-1, namespace: default, labels: { kubernetes.io/service-name: local } }
addressType: IPv4
ports: [{ name: '', port: 8077, protocol: TCP }]
endpoints: [{ addresses: [192.0.2.11], nodeName: elsewhere, conditions: { ready: true } }]
`;

const reason = whyNoLab(['ip', 'nft', 'iptables-restore', 'curl']);

describe('fairway node', { skip: reason ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-node-'));
  const file = join(folder, 'in.yaml');
  const flags = [
    '--node-name',
    'node-1',
    '--node-address',
    '192.0.2.11',
    '--min-sync-period',
    '0',
    '--sync-period',
    '1',
  ];
  let running: NodeProcess | undefined;
  before(() => {
    spawnSync('ip', ['netns', 'add', NS]);
    spawnSync('ip', ['-n', NS, 'link', 'set', 'lo', 'up']);
    spawnSync('ip', ['-n', NS, 'addr', 'add', '192.0.2.11/32', 'dev', 'lo']);
    cpSync(join(root, 'testdata', 'packets', 'in.yaml'), file);
  });
  after(async () => {
    await running?.end();
    spawnSync('ip', ['netns', 'del', NS]);
    rmSync(folder, { recursive: true });
  });

  it('puts the Services of files in force', async () => {
    running = new NodeProcess(file, ...flags);
    await until('ready', () => running!.text.includes('Carrying packets'));
    assert.match(
      exec('nft', 'list', 'map', 'ip', 'fairway', 'services'),
      /10\.96\.0\.1 \. tcp \. 80/,
    );
  });

  it('is refused a second time on the same node', async () => {
    const second = new NodeProcess(file, ...flags);
    await until('ended', () => second.code !== null);
    assert.equal(second.code, 2);
    assert.match(second.text, /FW_NODE_TAKEN/);
  });

  it('answers for its health, and counts', () => {
    assert.match(exec('curl', '-s', '-i', 'http://127.0.0.1:10256/healthz'), /200 OK/);
    assert.match(exec('curl', '-s', '-i', 'http://127.0.0.1:10256/livez'), /200 OK/);
    assert.match(
      exec('curl', '-s', 'http://127.0.0.1:10256/metrics'),
      /kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} [1-9]/,
    );
  });

  it('tells load balancers whether a Service has endpoints here', async () => {
    const ask = (): string => exec('curl', '-s', '-i', 'http://192.0.2.11:31019/');
    await until('an answer', () => ask().includes('HTTP/1.1'));
    assert.match(ask(), /200 OK/);
    assert.match(
      ask(),
      /\{"service":\{"namespace":"default","name":"balanced-local"\},"localEndpoints":1,"serviceProxyHealthy":true\}/,
    );
  });

  it('follows the files with what changed', async () => {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('port: 80, targetPort: 8080', 'port: 88, targetPort: 8080'));
    const services = (): string => exec('nft', 'list', 'map', 'ip', 'fairway', 'services');
    await until('the new port', () => /10\.96\.0\.1 \. tcp \. 88/.test(services()));
    // Somebody else has wanted the address and the port that became free.
    assert.match(services(), /10\.96\.0\.1 \. tcp \. 80 comment "default\/greedy/);
    assert.match(running!.text, /\(partial\)/);
  });

  it('puts back what somebody else has deleted', async () => {
    exec('nft', 'delete', 'table', 'ip', 'fairway');
    await until('the rules', () =>
      /10\.96\.0\.1 \. tcp \. 88/.test(exec('nft', 'list', 'map', 'ip', 'fairway', 'services')),
    );
  });

  it('removes a chain that somebody else has put into its table', async () => {
    const chain = '{ type filter hook input priority -200; }';
    exec('nft', `add chain ip fairway foreign ${chain}`);
    exec('nft', 'add rule ip fairway foreign tcp dport 9 drop');
    const chains = (): string => exec('nft', 'list', 'chains', 'ip');
    assert.match(chains(), /foreign/);
    await until('removed', () => !chains().includes('foreign'));
    assert.match(chains(), /nat-prerouting/);
    exec('nft', 'flush chain ip fairway nat-output\ndelete chain ip fairway nat-output');
    await until('back', () => chains().includes('nat-output'));
  });

  it('changes nothing when one of several files cannot be read', async () => {
    await running?.end();
    const broken = join(folder, 'broken.yaml');
    for (const text of ['a: [', undefined]) {
      if (text === undefined) rmSync(broken);
      else writeFileSync(broken, text);
      const other = join(folder, 'other.yaml');
      writeFileSync(other, LOCAL);
      const process = new NodeProcess(other, broken, ...flags);
      await until('ended', () => process.code !== null || process.text.includes('Carrying'));
      await process.end();
      assert.match(process.text, /FW_FILES_UNUSABLE/);
      assert.equal(process.code, 2, process.text);
      assert.match(exec('nft', 'list', 'map', 'ip', 'fairway', 'services'), /10\.96\.0\.1 /);
    }
  });

  it('changes nothing when it is told nothing that it can read', async () => {
    await running?.end();
    const broken = join(folder, 'broken.yaml');
    writeFileSync(broken, 'a: [');
    for (const [args, code] of [
      [[broken], 'FW_FILES_UNUSABLE'],
      [[broken, '--mode', 'iptables'], 'FW_FILES_UNUSABLE'],
      [[], 'FW_USAGE'],
    ] as const) {
      const process = new NodeProcess(...args, ...flags);
      await until('ended', () => process.code !== null);
      assert.equal(process.code, 2, process.text);
      assert.match(process.text, new RegExp(code));
      assert.match(exec('nft', 'list', 'map', 'ip', 'fairway', 'services'), /10\.96\.0\.1 /);
    }
  });

  it('says who is in its way', async () => {
    const other = new PodOf(10_256, '127.0.0.1');
    await until('listens', () => exec('curl', '-s', 'http://127.0.0.1:10256/') === 'here');
    const taken = new NodeProcess(file, ...flags);
    await until('ended', () => taken.code !== null);
    other.end();
    assert.equal(taken.code, 2, taken.text);
    assert.match(
      taken.text,
      /127\.0\.0\.1:10256: somebody else has the port \(FW_HEALTH_UNAVAILABLE\)/,
    );
  });

  it('refuses flags that make no sense', async () => {
    for (const args of [
      ['--health-port', '65536'],
      ['--health-port', 'x'],
      ['--sync-period', '0'],
      ['--sync-period', '1e9'],
      ['--min-sync-period', '-1'],
      ['--node-address', '10.0.0.0/8'],
    ]) {
      const refused = new NodeProcess(file, ...flags, ...args);
      await until('ended', () => refused.code !== null);
      assert.equal(refused.code, 2, refused.text);
      assert.match(refused.text, /FW_USAGE/);
    }
  });

  it('asks for root where it changes rules of the kernel', () => {
    const main = join(root, 'src', 'cli', 'main.ts');
    for (const args of [['in.yaml'], ['--cleanup'], ['--mode', 'userspace', '--cleanup']]) {
      const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
      assert.match(exec(...nobody, process.execPath, main, 'node', ...args), /FW_NEEDS_ROOT/);
    }
  });

  it('leaves nothing of another mode behind', async () => {
    await running?.end();
    running = new NodeProcess(file, ...flags, '--mode', 'iptables');
    await until('ready', () => running!.text.includes('Carrying packets'));
    assert.doesNotMatch(exec('nft', 'list', 'tables'), /fairway/);
    assert.match(exec('iptables-save', '-t', 'nat'), /KUBE-SVC-/);
  });

  it('puts back chains that were flushed', async () => {
    exec('iptables', '-t', 'nat', '-F');
    exec('iptables', '-t', 'nat', '-X');
    await until('the chains', () => exec('iptables-save', '-t', 'nat').includes('KUBE-SVC-'));
  });

  for (const mode of ['nftables', 'iptables']) {
    it(`serves node ports on loopback when that is asked for (${mode})`, async () => {
      await running?.end();
      const local = join(folder, 'local.yaml');
      writeFileSync(local, LOCAL);
      const answers = new PodOf();
      const dial = (address: string): string => exec('curl', '-s', '-m', '2', `http://${address}`);
      running = new NodeProcess(local, ...flags, '--mode', mode);
      await until('ready', () => running!.text.includes('Carrying packets'));
      assert.equal(dial('127.0.0.1:30077'), '');
      await until('an answer', () => dial('192.0.2.11:30077') === 'here');
      await running.end();
      const networks = ['127.0.0.0/8', '192.0.2.0/24'].flatMap((n) => ['--nodeport-addresses', n]);
      running = new NodeProcess(local, ...flags, '--mode', mode, ...networks);
      await until('ready', () => running!.text.includes('Carrying packets'));
      await until('an answer', () => dial('127.0.0.1:30077') === 'here');
      assert.equal(dial('192.0.2.11:30077'), 'here');
      answers.end();
    });
  }

  it('removes rules of the kernel when it carries packets itself', async () => {
    await running?.end();
    assert.match(exec('iptables-save', '-t', 'nat'), /KUBE-SVC-/);
    running = new NodeProcess(file, ...flags, '--mode', 'userspace');
    await until('ready', () => running!.text.includes('Carrying packets'));
    assert.doesNotMatch(exec('iptables-save'), /KUBE/);
    assert.doesNotMatch(exec('nft', 'list', 'tables'), /fairway/);
    await running.end();
    // Something to remove.
    running = new NodeProcess(file, ...flags);
    await until('ready', () => running!.text.includes('Carrying packets'));
  });

  it('removes every rule when asked', async () => {
    await running?.end();
    const clean = new NodeProcess('--cleanup');
    await until('ended', () => clean.code !== null);
    assert.equal(clean.code, 0, clean.text);
    assert.doesNotMatch(exec('iptables-save'), /KUBE/);
    assert.doesNotMatch(exec('ip6tables-save'), /KUBE/);
    assert.doesNotMatch(exec('nft', 'list', 'tables'), /fairway/);
  });
});
