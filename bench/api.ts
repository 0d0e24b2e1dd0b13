// The Kubernetes API with 10,000 HTTPRoutes, each served at a Gateway: creating them with four clients,
// listing them, changing one until the change is served, 20 watchers while they are patched, and the
// memory of the process. Then the same routes are created anew while 1,000 requests a second go through
// the Gateway, whose p99 is compared with that of quiet times. Clients, load and Fairway share the
// machine.

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../test/support/api-client.ts';
import { kubeconfigIn } from '../test/support/kubectl.ts';
import { Load } from './save.ts';
import { Probe } from './save/probe.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';
import { ADDRESS, startFairway } from './support/fairway.ts';
import { gateway, hostOf, route, service } from './support/manifests.ts';
import { freePort } from './support/ports.ts';
import { median, percentile } from './support/stats.ts';

const ROUTES = 10_000;
const ROUTES_QUICK = 2_000;
const CLIENTS = 4;
const WATCHERS = 20;
const PATCHES = 1_000;
const PATCHES_QUICK = 200;
const LISTS = 20;
const CHANGES = 30;
/** Between two changes of one route. */
const CHANGE_PAUSE_MS = 100;
const IDLE_MS = 5_000;
/** Until what was written is served, and the event loop has nothing to do. */
const SETTLE_MS = 3_000;

const PATH = '/apis/gateway.networking.k8s.io/v1/namespaces/bench/httproutes';

function routeObject(index: number): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `api-${index}`, namespace: 'bench', labels: { group: String(index % 100) } },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [`a${index}.example.test`],
      rules: [
        {
          matches: [
            { path: { type: 'PathPrefix', value: '/app' } },
            { path: { type: 'Exact', value: '/other' } },
          ],
          backendRefs: [{ name: 'backend', port: 80 }],
        },
        { backendRefs: [{ name: 'backend', port: 80 }] },
      ],
    },
  };
}

/** Does something `count` times with so many at once; milliseconds of each. */
async function times(
  count: number,
  clients: number,
  one: (index: number) => Promise<void>,
): Promise<readonly number[]> {
  const tookMs: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      const startedMs = performance.now();
      await one(index);
      tookMs.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return tookMs;
}

async function create(client: ApiClient, context: Context, routes: number) {
  const startedMs = performance.now();
  const each = await times(routes, CLIENTS, async (index) => {
    context.signal.throwIfAborted();
    const { status, text } = await client.create(PATH, routeObject(index));
    if (status !== 201) throw new Error(`not created: ${status} ${text}`);
  });
  const perSecond = routes / ((performance.now() - startedMs) / 1000);
  return { perSecond, p50Ms: percentile(each, 0.5), p99Ms: percentile(each, 0.99) };
}

async function list(client: ApiClient, query: string, expected: number): Promise<number> {
  return median(
    await times(LISTS, 1, async () => {
      const { text } = await client.get(`${PATH}${query}`);
      // Read as text: what a client does with it is its own affair.
      const found = text.split('"parentRefs":[{').length - 1;
      if (found < expected) throw new Error(`${found} routes listed, not ${expected}`);
    }),
  );
}

/** Milliseconds from a patch being sent to its event being read, for each event of each watcher. */
async function watched(client: ApiClient, patches: number) {
  const { body } = await client.get(`${PATH}?limit=1`);
  const from = `resourceVersion=${body.metadata.resourceVersion}`;
  const watches = Array.from({ length: WATCHERS }, () => client.watch(`${PATH}?${from}`));
  await delay(SETTLE_MS);
  const sentMs = new Map<string, number>();
  const startedMs = performance.now();
  await times(patches, CLIENTS, async (index) => {
    sentMs.set(String(index), performance.now());
    const patch = { metadata: { annotations: { patch: String(index) } } };
    const { status } = await client.patch(`${PATH}/api-${index}`, patch);
    if (status !== 200) throw new Error(`not patched: ${status}`);
  });
  const perSecond = patches / ((performance.now() - startedMs) / 1000);
  await delay(SETTLE_MS);
  const latencies: number[] = [];
  for (const { events, timesMs } of watches) {
    const seen = new Set<string>();
    for (const [i, { object }] of events.entries()) {
      const patch: string | undefined = object.metadata.annotations?.patch;
      if (patch === undefined || seen.has(patch)) continue;
      seen.add(patch);
      latencies.push(timesMs[i]! - sentMs.get(patch)!);
    }
  }
  for (const watch of watches) watch.stop();
  return {
    perSecond,
    events: latencies.length,
    expected: patches * WATCHERS,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

/** Milliseconds from a change of one route being sent to the first answer by it, the API's own included. */
async function served(client: ApiClient, port: number, context: Context, routes: number) {
  const index = Math.floor(routes / 2);
  const probe = new Probe({ address: ADDRESS, port, host: `a${index}.example.test` });
  const tookMs: number[] = [];
  try {
    for (let version = 1; version <= CHANGES + 1; version++) {
      await delay(CHANGE_PAUSE_MS, undefined, { signal: context.signal });
      const startedMs = performance.now();
      const done = probe.untilVersion(version, context.signal);
      const { status } = await client.patch(`${PATH}/api-${index}`, versioned(version));
      if (status !== 200) throw new Error(`not patched: ${status}`);
      tookMs.push((await done) - startedMs);
    }
  } finally {
    probe.close();
  }
  // The first change warms up, and is not counted.
  const counted = tookMs.slice(1);
  return { p50Ms: percentile(counted, 0.5), p99Ms: percentile(counted, 0.99) };
}

/** A patch that gives the answers of a route another field. */
function versioned(version: number): object {
  const set = [{ name: 'x-version', value: String(version) }];
  const filters = [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }];
  const backendRefs = [{ name: 'backend', port: 80 }];
  return { spec: { rules: [{ filters, backendRefs }] } };
}

/** What a load through the Gateway saw while something was done. */
async function loaded<T>(port: number, during: () => Promise<T>) {
  const load = new Load();
  try {
    await load.backend();
    load.begin(port, [hostOf(0)]);
    const result = await during();
    const { requests, failed, p99Ms } = await load.end();
    return { result, requests, failed, p99Ms };
  } finally {
    await load.stop();
  }
}

function megabytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

async function run(context: Context): Promise<Outcome> {
  const { scratch, quick, progress, signal } = context;
  const routes = quick ? ROUTES_QUICK : ROUTES;
  const backend = new Load();
  const port = await freePort();
  let client: ApiClient | undefined;
  try {
    scratch.write('api/gateway.yaml', gateway({ httpPort: port }));
    scratch.write('api/service.yaml', service(`127.0.0.1:${await backend.backend()}`));
    scratch.write('api/route.yaml', route(0));
    const folder = dirname(scratch.file('api/_'));
    const fairway = await startFairway(context, folder, { args: ['--workers', '1'] });
    client = new ApiClient(await kubeconfigIn(scratch.file('home')), CLIENTS);
    const emptyMb = megabytesOf(fairway.pid);
    progress(`creating ${routes} routes`);
    const created = await create(client, context, routes);
    await delay(SETTLE_MS, undefined, { signal });
    const fullMb = megabytesOf(fairway.pid);
    progress('listing');
    const listMs = await list(client, '', routes);
    const labelMs = await list(client, '?labelSelector=group%3D7', routes / 100);
    const pageMs = await list(client, '?limit=500', 500);
    progress('changing one route');
    const change = await served(client, port, context, routes);
    progress('watching');
    const watch = await watched(client, quick ? PATCHES_QUICK : PATCHES);
    const endMb = megabytesOf(fairway.pid);
    progress('deleting all');
    const deleting = performance.now();
    await client.ask('DELETE', PATH + '?labelSelector=group');
    const deleteMs = performance.now() - deleting;
    await delay(SETTLE_MS, undefined, { signal });
    progress('load on the Gateway while nothing is written');
    const idle = await loaded(port, () => delay(IDLE_MS, undefined, { signal }));
    progress('load on the Gateway while routes are created');
    const own = client;
    const busy = await loaded(port, () => create(own, context, routes));
    const failed = idle.failed + busy.failed;
    const values = {
      routes,
      created,
      listMs,
      labelMs,
      pageMs,
      change,
      watch,
      deleteMs,
      emptyMb,
      fullMb,
      endMb,
      dataPlane: { idleP99Ms: idle.p99Ms, busyP99Ms: busy.p99Ms, failed },
    };
    const ms = (value: number): string => `${value.toFixed(1)} ms`;
    return {
      tables: [
        {
          title: `${routes.toLocaleString('en')} HTTPRoutes`,
          columns: ['what', 'measured'],
          rows: [
            [
              'create, 4 clients',
              `${created.perSecond.toFixed(0)}/s, p50 ${ms(created.p50Ms)}, p99 ${ms(created.p99Ms)}`,
            ],
            ['list all', ms(listMs)],
            ['list 1 % by label', ms(labelMs)],
            ['list 500', ms(pageMs)],
            [
              'patch of one route, until served',
              `p50 ${ms(change.p50Ms)}, p99 ${ms(change.p99Ms)}`,
            ],
            [
              `patch, ${WATCHERS} watchers`,
              `${watch.perSecond.toFixed(0)}/s, events p50 ${ms(watch.p50Ms)}, p99 ${ms(watch.p99Ms)}, ${watch.events} of ${watch.expected}`,
            ],
            ['delete all', ms(deleteMs)],
            [
              'memory empty, full, after watches',
              `${emptyMb.toFixed(0)}, ${fullMb.toFixed(0)}, ${endMb.toFixed(0)} MB`,
            ],
            [
              'requests through the Gateway, p99',
              `${ms(idle.p99Ms)} idle, ${ms(busy.p99Ms)} while creating ${busy.result.perSecond.toFixed(0)}/s, ${failed} failed`,
            ],
          ],
        },
      ],
      notes: ['clients, load and Fairway share the machine; one worker serves the Gateway'],
      values,
    };
  } finally {
    client?.close();
    await backend.stop();
  }
}

export const api: Benchmark = {
  about: 'the Kubernetes API with many objects, and what the data plane notices of it',
  limitMs: 600_000,
  run,
};
