// A route changes every 100 ms, by the API, while 10,000 routes are served: over HTTP/1.1, HTTP/2 and TLS
// at a steady rate, with 1,000 WebSockets open. How many requests fail, how many connections close, what
// becomes of the p99, and how soon is each change served? Every load runs twice in turn, without changes
// and with them. Fairway has core 0, with its control plane; load, backend and this process have core 1.

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ApiClient } from '../test/support/api-client.ts';
import { kubeconfigIn } from '../test/support/kubectl.ts';
import { makeAuthority, makeServerCertificate } from '../src/certificates/x509.ts';
import type { FromSockets } from './change/sockets.ts';
import { startBackend } from './proxy/peers.ts';
import { Probe } from './save/probe.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';
import { ADDRESS, startFairway } from './support/fairway.ts';
import {
  gateway,
  hostOf,
  route,
  secret,
  service,
  toFile,
  webSockets,
} from './support/manifests.ts';
import { freePort } from './support/ports.ts';
import { median, percentile } from './support/stats.ts';
import { needTools } from './support/tools.ts';

interface Load {
  readonly name: string;
  readonly title: string;
  readonly secure: boolean;
  /** Arguments of h2load; `--rps` is for each connection. */
  readonly args: readonly string[];
}

const LOADS: readonly Load[] = [
  {
    name: 'h1',
    title: 'HTTP/1.1, 64 connections, 3,200/s',
    secure: false,
    args: ['--h1', '-c64', '-m1', '--rps=50'],
  },
  {
    name: 'h2',
    title: 'h2c, 8 connections, 3,200/s',
    secure: false,
    args: ['-c8', '-m16', '--rps=400'],
  },
  {
    name: 'tls',
    title: 'HTTP/1.1 over TLS, 64 connections, 3,200/s',
    secure: true,
    args: ['--h1', '-c64', '-m1', '--rps=50'],
  },
];

const ROUTES = 10_000;
const CHANGE_EVERY_MS = 100;
const SECONDS = 10;
const ROUNDS = 3;
const SOCKETS = 1_000;
/** The route that changes, and the one the load asks for. */
const CHANGING = ROUTES / 2;
const LOADED = 7;
const PROXY_CORE = '0';
const LOAD_CORE = '1';
const SETTLE_MS = 3_000;
const PATH = '/apis/gateway.networking.k8s.io/v1/namespaces/bench/httproutes/changing';

interface Measured {
  readonly load: string;
  readonly requests: number;
  readonly failed: number;
  readonly quietP99Ms: number;
  readonly changingP99Ms: number;
  readonly changes: number;
  readonly servedMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Changes that were served after more than 10 ms. */
  readonly late: number;
}

async function run(context: Context): Promise<Outcome> {
  const missing = await needTools(context, ['nginx', 'h2load', 'taskset']);
  if (missing.size > 0) {
    return { tables: [], notes: [...missing.values()].map((why) => `skipped: ${why}`), values: [] };
  }
  const { scratch, quick, progress } = context;
  const backend = await startBackend(context, LOAD_CORE);
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const sockets = new Worker(new URL('./change/sockets.ts', import.meta.url));
  const echoPort = await nextOf(sockets, 'listening');
  const now = new Date();
  const authority = await makeAuthority('bench', now);
  const keys = await makeServerCertificate(['*.example.test'], authority, now);
  scratch.write('change/gateway.yaml', gateway({ httpPort, httpsPort }));
  scratch.write('change/secret.yaml', secret(keys.certificate, keys.privateKey));
  scratch.write('change/service.yaml', service(backend.place.http));
  scratch.write('change/sockets.yaml', webSockets(`127.0.0.1:${echoPort.port}`));
  const all = Array.from({ length: ROUTES }, (_, i) => i).filter((i) => i !== CHANGING);
  scratch.write('change/routes.yaml', toFile(all.map((i) => route(i))));
  progress('starting');
  await startFairway(context, dirname(scratch.file('change/_')), {
    args: ['--workers', '1', '--no-watch', '--fresh'],
    cores: PROXY_CORE,
  });
  const client = new ApiClient(await kubeconfigIn(scratch.file('home')), 1);
  const probe = new Probe({ address: ADDRESS, port: httpPort, host: hostOf(CHANGING) });
  try {
    const made = await client.create(PATH.slice(0, PATH.lastIndexOf('/')), changing(0));
    if (made.status !== 201) throw new Error(`not created: ${made.text}`);
    await probe.untilVersion(0, context.signal);
    progress('opening WebSockets');
    const count = quick ? SOCKETS / 10 : SOCKETS;
    sockets.postMessage({ kind: 'open', address: ADDRESS, port: httpPort, count });
    await nextOf(sockets, 'opened');
    await delay(SETTLE_MS, undefined, { signal: context.signal });
    const origins = {
      plain: `http://${ADDRESS}:${httpPort}`,
      secure: `https://${ADDRESS}:${httpsPort}`,
    };
    const measured: Measured[] = [];
    for (const load of LOADS.filter(({ name }) => isWanted(context, name))) {
      const origin = load.secure ? origins.secure : origins.plain;
      measured.push(await measure(context, load, origin, new Changer(client, probe)));
    }
    sockets.postMessage({ kind: 'count' });
    const counted = await nextOf(sockets, 'counted');
    return outcomeOf(measured, counted, count, probe);
  } finally {
    probe.close();
    client.close();
    await sockets.terminate();
  }
}

/** Changes the route over and over and looks when it shows. */
class Changer {
  static #version = 0;
  readonly servedMs: number[] = [];
  readonly #client: ApiClient;
  readonly #probe: Probe;

  constructor(client: ApiClient, probe: Probe) {
    this.#client = client;
    this.#probe = probe;
  }

  async during(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const version = ++Changer.#version;
      const sentMs = performance.now();
      const patched = this.#client.patch(PATH, { spec: changing(version).spec });
      const servedMs = await this.#probe.untilVersion(version, AbortSignal.timeout(10_000));
      const { status, text } = await patched;
      if (status !== 200) throw new Error(`not patched: ${status} ${text}`);
      this.servedMs.push(servedMs - sentMs);
      const left = CHANGE_EVERY_MS - (performance.now() - sentMs);
      await delay(Math.max(0, left), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function measure(
  context: Context,
  load: Load,
  origin: string,
  changer: Changer,
): Promise<Measured> {
  const rounds = context.quick ? 1 : ROUNDS;
  const quiet: number[] = [];
  const busy: number[] = [];
  let [requests, failed] = [0, 0];
  const once = async (): Promise<number> => {
    const got = await runLoad(context, load, origin);
    requests += got.times.length;
    failed += got.failed;
    return percentile(got.times, 0.99);
  };
  for (let round = 0; round < rounds; round++) {
    context.progress(`${load.title}: round ${round + 1} of ${rounds}`);
    quiet.push(await once());
    const stop = new AbortController();
    const changes = changer.during(stop.signal);
    busy.push(await once());
    stop.abort();
    await changes;
  }
  const { servedMs } = changer;
  return {
    load: load.title,
    requests,
    failed,
    quietP99Ms: median(quiet),
    changingP99Ms: median(busy),
    changes: servedMs.length,
    servedMs: {
      p50: median(servedMs),
      p99: percentile(servedMs, 0.99),
      max: Math.max(...servedMs),
    },
    late: servedMs.filter((ms) => ms > 10).length,
  };
}

/** Milliseconds of each request, and how many had another answer than 200 or none. */
async function runLoad(
  { scratch, quick }: Context,
  load: Load,
  origin: string,
): Promise<{ readonly times: readonly number[]; readonly failed: number }> {
  const seconds = quick ? 3 : SECONDS;
  const log = scratch.write('load/h2load.log', '');
  const out = await scratch.run(
    [
      'h2load',
      '-t1',
      ...load.args,
      `--duration=${seconds}`,
      '--warm-up-time=0',
      `--log-file=${log}`,
      '-H',
      `:authority: ${hostOf(LOADED)}`,
      `${origin}/app/hello`,
    ],
    { cores: LOAD_CORE, limitMs: seconds * 1000 + 20_000 },
  );
  // Start of the request in µs, status, µs until its answer was complete.
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split('\t').map(Number));
  const errors = Number(/(\d+) failed, /.exec(out)?.[1] ?? 0);
  const wrong = rows.filter(([, status]) => status !== 200).length;
  return { times: rows.map(([, , us = 0]) => us / 1000), failed: errors + wrong };
}

function changing(version: number) {
  const set = [{ name: 'x-version', value: String(version) }];
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'changing', namespace: 'bench' },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [hostOf(CHANGING)],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/app' } }],
          filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }],
          backendRefs: [{ name: 'backend', port: 80 }],
        },
      ],
    },
  };
}

type Told<K extends FromSockets['kind']> = Extract<FromSockets, { kind: K }>;

function nextOf<K extends FromSockets['kind']>(worker: Worker, kind: K): Promise<Told<K>> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: FromSockets) => {
      worker.off('error', reject);
      if (message.kind === kind) resolve(message as Told<K>);
      else reject(new Error(`the WebSockets said ${message.kind} and not ${kind}`));
    });
  });
}

function outcomeOf(
  measured: readonly Measured[],
  sockets: Told<'counted'>,
  opened: number,
  probe: Probe,
): Outcome {
  const ms = (value: number): string => value.toFixed(1);
  return {
    tables: [
      {
        title: `a change every ${CHANGE_EVERY_MS} ms among ${ROUTES.toLocaleString('en')} routes`,
        columns: [
          'load',
          'requests',
          'failed',
          'p99 ms quiet',
          'changing',
          'ratio',
          'changes',
          'served after ms p50',
          'p99',
          'longest',
          'over 10 ms',
        ],
        rows: measured.map((m) => [
          m.load,
          String(m.requests),
          String(m.failed),
          ms(m.quietP99Ms),
          ms(m.changingP99Ms),
          (m.changingP99Ms / m.quietP99Ms).toFixed(2),
          String(m.changes),
          ms(m.servedMs.p50),
          ms(m.servedMs.p99),
          ms(m.servedMs.max),
          String(m.late),
        ]),
      },
    ],
    notes: [
      `WebSockets: ${opened} open, ${sockets.closed} closed, ${sockets.echoed} of ${sockets.sent} messages came back`,
      `the client that looks for changes: ${probe.requests} requests, ${probe.failed} failed`,
      'p99: medians of the rounds; a change is looked for every millisecond',
    ],
    values: [{ measured, sockets, opened }],
  };
}

export const change: Benchmark = {
  about: 'a route that changes every 100 ms under load, among 10,000',
  limitMs: 15 * 60_000,
  run,
};
