// D: 50 namespaces with 100 routes and Services each, then a quiet while in which an endpoint moves every
// two seconds and a route changes every second. What does it take of memory and processor? B2: how long
// do new routes take meanwhile?

import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../support/benchmark.ts';
import { cpuTimeOf } from '../support/cpu.ts';
import { measurePropagation } from './propagation.ts';
import type { Propagation } from './propagation.ts';
import {
  Backend,
  createService,
  forEach,
  megabytesOf,
  openStage,
  serviceObject,
  write,
} from './stage.ts';
import type { Stage } from './stage.ts';

export interface Scale {
  readonly routes: number;
  readonly loadedMs: number;
  readonly megabytes: number;
  /** Of a core, while things change. */
  readonly cores: number;
  readonly churnMegabytes: number;
  readonly underChurn: Propagation;
}

const CHURN_MS = 1_000;

export interface ScaleSize {
  readonly namespaces: number;
  readonly each: number;
  readonly churnSeconds: number;
  readonly probes: number;
}

export async function measureScale(context: Context, size: ScaleSize): Promise<Scale> {
  const stage = await openStage(context, 'scale');
  const backend = new Backend();
  const { client, fairway } = stage;
  try {
    const port = await backend.listen();
    await createService(client, 'backend', [port]);
    const startedMs = performance.now();
    await forEach(size.namespaces, async (n) => {
      const namespace = `scale-${n}`;
      await write(client, 'POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace },
      });
    });
    await forEach(size.namespaces * size.each, async (i) => {
      const namespace = `scale-${i % size.namespaces}`;
      const services = `/api/v1/namespaces/${namespace}/services`;
      await write(client, 'POST', services, serviceObject(`s${i}`, [port], namespace));
      await write(client, 'POST', routesOf(namespace), route(namespace, i, 0));
    });
    const loadedMs = performance.now() - startedMs;
    await delay(5 * CHURN_MS, undefined, { signal: context.signal });
    const megabytes = megabytesOf(fairway.pid);
    const stop = new AbortController();
    const churning = churn(stage, size, port, AbortSignal.any([stop.signal, context.signal]));
    const before = cpuTimeOf(fairway.pid);
    const churnMs = size.churnSeconds * 1_000;
    await delay(churnMs, undefined, { signal: context.signal });
    const after = cpuTimeOf(fairway.pid);
    const churnMegabytes = megabytesOf(fairway.pid);
    const underChurn = await measurePropagation(context, stage, size.probes);
    stop.abort();
    await churning;
    const usedMs = after.userMs + after.systemMs - before.userMs - before.systemMs;
    return {
      routes: size.namespaces * size.each,
      loadedMs,
      megabytes,
      cores: usedMs / churnMs,
      churnMegabytes,
      underChurn,
    };
  } finally {
    backend.close();
    await stage.close();
  }
}

/** A route each second, an endpoint each two. */
async function churn(
  { client }: Stage,
  { namespaces, each }: ScaleSize,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 1; !signal.aborted; turn++) {
    const i = (turn * 37) % (namespaces * each);
    const namespace = `scale-${i % namespaces}`;
    const merge = 'application/merge-patch+json';
    await client.patch(`${routesOf(namespace)}/s${i}`, { spec: rules(i, turn) }, merge);
    if (turn % 2 === 0) {
      // Another name of the same place.
      const address = turn % 4 === 0 ? `127.0.0.1:${port}` : `localhost:${port}`;
      const metadata = { annotations: { 'fairway.dev/address': address } };
      await client.patch(`/api/v1/namespaces/${namespace}/services/s${i}`, { metadata }, merge);
    }
    await delay(CHURN_MS, undefined, { signal }).catch(() => undefined);
  }
}

function routesOf(namespace: string): string {
  return `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes`;
}

function route(namespace: string, index: number, version: number): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `s${index}`, namespace },
    spec: {
      parentRefs: [{ name: 'web', namespace: 'bench' }],
      hostnames: [`s${index}.example.test`],
      ...rules(index, version),
    },
  };
}

function rules(index: number, version: number): object {
  const set = [{ name: 'x-version', value: String(version) }];
  return {
    rules: [
      {
        filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }],
        backendRefs: [{ name: `s${index}`, port: 80 }],
      },
    ],
  };
}
