// F: 2,500 ListenerSets, each with a TLS listener of its own, and 40,000 routes on them, from files. How
// long until they are served, in how much memory, and how long does one more route take?

import type { Context } from '../support/benchmark.ts';
import { toFile } from '../support/manifests.ts';
import { measurePropagation } from './propagation.ts';
import type { Propagation } from './propagation.ts';
import { Backend, createService, megabytesOf, openStage } from './stage.ts';

export interface ListenerSets {
  readonly sets: number;
  readonly routes: number;
  readonly readyMs: number;
  readonly megabytes: number;
  readonly oneMore: Propagation;
}

export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

const SETS_PER_FILE = 100;

export async function measureListenerSets(
  context: Context,
  size: { readonly sets: number; readonly routesEach: number; readonly probes: number },
  keys: KeyPair,
): Promise<ListenerSets> {
  const { sets, routesEach } = size;
  const files: Record<string, string> = { 'secret.json': JSON.stringify(secret(keys)) };
  for (let first = 0; first < sets; first += SETS_PER_FILE) {
    const count = Math.min(SETS_PER_FILE, sets - first);
    const objects = Array.from({ length: count }, (_, i) => oneSet(first + i, routesEach)).flat();
    files[`sets-${first}.yaml`] = toFile(objects.map((object) => `${JSON.stringify(object)}\n`));
  }
  const startedMs = performance.now();
  const stage = await openStage(context, 'listener-sets', files, OPEN_TO_SETS);
  const readyMs = performance.now() - startedMs;
  const backend = new Backend();
  try {
    await createService(stage.client, 'backend', [await backend.listen()]);
    const oneMore = await measurePropagation(context, stage, size.probes);
    const megabytes = megabytesOf(stage.fairway.pid);
    return { sets, routes: sets * routesEach, readyMs, megabytes, oneMore };
  } finally {
    backend.close();
    await stage.close();
  }
}

/** What the Gateway needs so that others may add listeners to it. */
const OPEN_TO_SETS = '  allowedListeners:\n    namespaces:\n      from: Same\n';

function secret({ certificate, privateKey }: KeyPair): object {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sets', namespace: 'bench' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificate), 'tls.key': base64(privateKey) },
  };
}

function oneSet(index: number, routes: number): readonly object[] {
  const name = `set-${index}`;
  const set = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'ListenerSet',
    metadata: { name, namespace: 'bench' },
    spec: {
      parentRef: { name: 'web' },
      listeners: [
        {
          name: 'tls',
          port: 8443,
          protocol: 'HTTPS',
          hostname: `${name}.example.test`,
          tls: { certificateRefs: [{ name: 'sets' }] },
        },
      ],
    },
  };
  const own = Array.from({ length: routes }, (_, i) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `${name}-${i}`, namespace: 'bench' },
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'ListenerSet', name }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: `/app-${i}` } }],
          backendRefs: [{ name: 'backend', port: 80 }],
        },
      ],
    },
  }));
  return [set, ...own];
}
