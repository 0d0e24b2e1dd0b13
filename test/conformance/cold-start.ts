// How long a cold `fairway up` takes from nothing to all base Gateways of the suite programmed, as clients
// of its API see it. Pods and all: what the suite applies first, with the one Secret its Go code makes.

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_GATEWAY_CLASS } from '../../src/api/fairway.ts';
import { makeAuthority, makeServerCertificate } from '../../src/certificates/x509.ts';
import { ApiClient } from '../support/api-client.ts';

const here = import.meta.dirname;
const FAIRWAY = join(here, '..', '..', 'bin', 'fairway');
const GATEWAYS = '/apis/gateway.networking.k8s.io/v1/gateways';
const NAMESPACE = 'gateway-conformance-infra';
const SECRET = 'tls-validity-checks-certificate';
const LOOK_MS = 20;
const LOOKS_MAX = 1_500;

interface WrittenGateways {
  readonly items: readonly {
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

export interface ColdStart {
  readonly gateways: number;
  readonly milliseconds: number;
}

/** Starts a Fairway of its own over the suite's base manifests, and ends it again. */
export async function coldStart(): Promise<ColdStart> {
  const home = mkdtempSync(join(tmpdir(), 'fairway-cold-start-'));
  const folder = join(home, 'base');
  mkdirSync(folder);
  const manifests = readFileSync(join(suiteFolder(), 'base', 'manifests.yaml'), 'utf8');
  // The suite puts the name of the class in as well.
  const ours = manifests.replaceAll('{GATEWAY_CLASS_NAME}', DEFAULT_GATEWAY_CLASS);
  writeFileSync(join(folder, 'manifests.yaml'), ours);
  writeFileSync(join(folder, 'secret.json'), JSON.stringify(await secret()));
  const startedMs = performance.now();
  const child = spawn(FAIRWAY, ['up', '--fresh', '--api-port', '0', folder], {
    env: { ...process.env, FAIRWAY_HOME: home, NO_COLOR: '1' },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const api = new ApiClient(await untilThere(join(home, 'state'), child));
    const gateways = await untilProgrammed(api);
    const milliseconds = performance.now() - startedMs;
    api.close();
    return { gateways, milliseconds };
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(home, { recursive: true, force: true });
  }
}

/** The kubeconfig, written once the API is served: it is told only when pods are ready. */
async function untilThere(state: string, child: ChildProcess): Promise<string> {
  for (let i = 0; i < LOOKS_MAX && child.exitCode === null; i++) {
    const [found] = globSync('block-*/kubeconfig', { cwd: state });
    if (found !== undefined) return join(state, found);
    await delay(LOOK_MS);
  }
  throw new Error(`fairway ended with ${child.exitCode}`);
}

/** Gives how many there are. */
async function untilProgrammed(api: ApiClient): Promise<number> {
  for (let i = 0; i < LOOKS_MAX; i++) {
    const { body } = await api.ask('GET', GATEWAYS);
    const { items } = body as unknown as WrittenGateways;
    const programmed = items.filter(({ status }) =>
      status?.conditions?.some((c) => c.type === 'Programmed' && c.status === 'True'),
    );
    if (items.length > 0 && programmed.length === items.length) return items.length;
    await delay(LOOK_MS);
  }
  throw new Error('the base Gateways were not programmed');
}

function suiteFolder(): string {
  const args = ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/gateway-api/conformance'];
  return execFileSync('go', args, { cwd: here, encoding: 'utf8' }).trim();
}

async function secret(): Promise<object> {
  const now = new Date();
  const authority = await makeAuthority('base', now);
  const pair = await makeServerCertificate(['*', '*.org', '*.wildcard.org'], authority, now);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: SECRET, namespace: NAMESPACE },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': pair.certificate, 'tls.key': pair.privateKey },
  };
}
