// npm run conformance: the official Gateway API conformance suite, as it is, asked of `fairway up` without
// a cluster. Starts Fairway with nothing in it, runs the suite as a Go module, and writes its report and
// a table of features to docs/conformance. Needs Go, and the privilege for ports below 1024.
//
//   npm run conformance                          every profile of gateways
//   npm run conformance -- -run-test=HTTPRouteWeight   what follows is for the suite

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';
import { coldStart } from './cold-start.ts';
import { isUnsupported, tableOf } from './report.ts';
import type { ConformanceReport } from './report.ts';
import { VERSION } from '../../src/cli/version.ts';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const PROFILES = ['HTTP', 'GRPC', 'TLS', 'TCP', 'UDP'].map((name) => `GATEWAY-${name}`);
const SUITE_VERSION = 'v1.6.1';
/** Of its own, so that the suite can be told of an address in it. */
const GATEWAY_CIDR = '127.120.0.0/17';
/** In the range for Gateways, and free; and one that is in no range of ours. */
const USABLE_ADDRESS = '127.120.100.1';
const UNUSABLE_ADDRESS = '203.0.113.1';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Started {
  readonly process: ChildProcess;
  readonly kubeconfig: string;
}

/** Starts an empty Fairway with a home of its own, and waits for its API. */
function startFairway(home: string): Promise<Started> {
  const child = spawn(
    join(root, 'bin', 'fairway'),
    ['up', '--fresh', '--api-port', '0', '--config', configIn(home)],
    {
      env: { ...process.env, FAIRWAY_HOME: home, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`fairway ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const kubeconfig = /export KUBECONFIG=(\S+)/.exec(line)?.[1];
      if (kubeconfig !== undefined) resolve({ process: child, kubeconfig });
    });
  });
}

/** What runs in place of the one image of the suite that is not built in. */
function configIn(home: string): string {
  const path = join(home, 'fairway.yaml');
  const config = {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'FairwayConfiguration',
    network: { gatewayCIDR: GATEWAY_CIDR },
    pods: {
      images: [
        {
          image: 'registry.k8s.io/coredns/coredns:*',
          command: [process.execPath, join(here, 'dns.mjs')],
        },
      ],
    },
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Runs the suite; its exit code counts, as parallel tests run on after the report is written. */
function runSuite(kubeconfig: string, report: string, more: readonly string[]): Promise<number> {
  const args = [
    'test',
    '-count=1',
    '-timeout=40m',
    '-v',
    '.',
    '-args',
    '-gateway-class=fairway',
    `-conformance-profiles=${PROFILES.join(',')}`,
    '-organization=fairway',
    '-project=fairway',
    '-url=https://fairway.dev',
    `-version=${VERSION}`,
    '-contact=https://fairway.dev',
    `-report-output=${report}`,
    `-usable-address=${USABLE_ADDRESS}`,
    `-unusable-address=${UNUSABLE_ADDRESS}`,
    ...more,
  ];
  const child = spawn('go', args, {
    cwd: here,
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failures: string[] = [];
  let passed = 0;
  let log = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    log += `${line}\n`;
    if (/^ {4}--- PASS/.test(line)) passed++;
    if (/^ {4}--- FAIL/.test(line)) failures.push(line.trim());
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      print(`${passed} tests passed, ${failures.length} failed`);
      for (const failure of failures) print(failure);
      if (code !== 0) writeFileSync(join(tmpdir(), 'fairway-conformance.log'), log);
      resolve(code ?? 1);
    });
  });
}

async function main(more: readonly string[]): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'fairway-conformance-'));
  const report = join(home, 'report.yaml');
  // Single tests are asked for while something is being mended: figures are not.
  const cold = more.length > 0 ? { gateways: 0, milliseconds: 0 } : await coldStart();
  const startedAt = performance.now();
  const fairway = await startFairway(home);
  const upMs = performance.now() - startedAt;
  try {
    const suiteAt = performance.now();
    const code = await runSuite(fairway.kubeconfig, report, more);
    const seconds = (performance.now() - suiteAt) / 1000;
    print(
      `suite: exit code ${code} after ${seconds.toFixed(0)} s; fairway up: ${upMs.toFixed(0)} ms`,
    );
    if (more.length > 0) return code;
    const parsed = parse(readFileSync(report, 'utf8')) as ConformanceReport;
    const folder = join(root, 'docs', 'conformance');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${SUITE_VERSION}-report.yaml`), readFileSync(report));
    writeFileSync(
      join(folder, 'README.md'),
      tableOf(parsed, { suiteVersion: SUITE_VERSION, exitCode: code, seconds, upMs, cold }),
    );
    for (const name of isUnsupported(parsed)) print(`not supported: ${name}`);
    return code;
  } finally {
    fairway.process.removeAllListeners('exit');
    fairway.process.kill('SIGTERM');
    await new Promise((resolve) => fairway.process.once('exit', resolve));
    rmSync(home, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
