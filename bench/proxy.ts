// Fairway's proxy, one worker, beside nginx, HAProxy and Envoy on the same job: 1,000 routes by host and path,
// keep-alive to the backend, X-Forwarded-* set, nothing logged. Each has core 0 while it is measured
// (Fairway with its control plane on it as well), load and backend share core 1; they take turns within
// every round, so that whatever the machine does in that minute, it does to all of them.

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { makeAuthority, makeServerCertificate } from '../src/certificates/x509.ts';
import { startEnvoyPeer } from './proxy/envoy.ts';
import { runLoad } from './proxy/load.ts';
import { startBackend, startFairwayPeer, startHaproxyPeer, startNginxPeer } from './proxy/peers.ts';
import type { BackendPlace, Peer, PeerOptions } from './proxy/peers.ts';
import { ROWS } from './proxy/rows.ts';
import type { Group, Row } from './proxy/rows.ts';
import { quietSample } from './proxy/sample.ts';
import type { Place, Sample } from './proxy/sample.ts';
import { summarize, tableOf } from './proxy/summary.ts';
import type { Line } from './proxy/summary.ts';
import { verifySameJob } from './proxy/verify.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';
import { needEnvoy } from './support/envoy.ts';
import { hostOf } from './support/manifests.ts';
import { needTools } from './support/tools.ts';
import type { Tool } from './support/tools.ts';

const ROUTES = 1_000;
const HOST = hostOf(ROUTES / 2);
const PROXY_CORE = 0;
const LOAD_CORE = 1;

interface Pace {
  readonly rounds: number;
  readonly seconds: number;
}

const FULL: Pace = { rounds: 5, seconds: 3 };
const QUICK: Pace = { rounds: 3, seconds: 1 };

async function run(context: Context): Promise<Outcome> {
  const missing = await needTools(context, ['nginx', 'haproxy', 'wrk', 'h2load', 'taskset']);
  const needed = (['nginx', 'wrk', 'taskset'] as const).filter((tool) => missing.has(tool));
  if (availableParallelism() < 2 || needed.length > 0) {
    const reasons = needed.map((tool) => missing.get(tool)!);
    const why = reasons.length > 0 ? reasons : ['there is only one core'];
    return { tables: [], notes: why.map((reason) => `skipped: ${reason}`), values: [] };
  }
  const rows = ROWS.filter(
    (row) =>
      (context.quick && context.rows.length === 0 ? row.quick : isWanted(context, row.name)) &&
      !(isH2(row) && missing.has('h2load')),
  );
  context.progress('starting the proxies');
  const envoy = rows.some(({ group }) => group === 'one') ? await needEnvoy(context) : null;
  const backend = await startBackend(context, String(LOAD_CORE));
  const groups: Measured[] = [];
  for (const group of ['one', 'routes', 'two'] as const) {
    const own = rows.filter((row) => row.group === group);
    if (own.length === 0) continue;
    const program = envoy !== null && 'path' in envoy ? envoy.path : null;
    const peers = await startPeers(context, group, { backend: backend.place, missing, program });
    try {
      await verifySameJob(peers, HOST);
      const shared = group === 'two';
      const place: Place = {
        scratch: context.scratch,
        cores: shared ? `${PROXY_CORE},${LOAD_CORE}` : String(LOAD_CORE),
        host: HOST,
        seconds: 1,
        proxyCore: shared ? null : PROXY_CORE,
        loadCore: LOAD_CORE,
        backendPid: backend.pid,
      };
      groups.push({ title: TITLES[group], ...(await measureAll(context, own, peers, place)) });
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()));
    }
  }
  return {
    tables: groups.map(({ title, lines }) => tableOf(title, rows, lines)),
    notes: [
      ...[...missing.values()].map((reason) => `skipped: ${reason}`),
      ...(envoy !== null && 'missing' in envoy ? [`skipped: ${envoy.missing}`] : []),
      ...versions(missing),
      ...notesOf(groups),
    ],
    values: groups.flatMap(({ lines }) => lines),
  };
}

function isH2({ protocol }: Row): boolean {
  return protocol !== 'http' && protocol !== 'https';
}

const TITLES: Readonly<Record<Group, string>> = {
  one: 'one worker, 1,000 routes: medians of the rounds (lowest-highest)',
  routes: 'one worker, other numbers of routes',
  two: 'two workers on two cores, which the load and the backend share',
};

/** Fewer and more than the routes of all other rows; the one that is asked for is among them. */
const FEW_ROUTES = 10;
const MANY_ROUTES = 10_000;

async function startPeers(
  context: Context,
  group: Group,
  given: {
    readonly backend: BackendPlace;
    readonly missing: ReadonlyMap<Tool, string>;
    /** Envoy's, if there is one. */
    readonly program: string | null;
  },
): Promise<readonly Peer[]> {
  const { backend, missing, program } = given;
  const now = new Date();
  const keys = await makeServerCertificate([HOST], await makeAuthority('bench', now), now);
  const core = String(PROXY_CORE);
  const options: PeerOptions = { context, core, backend, routes: ROUTES, keys };
  switch (group) {
    case 'one':
      return [
        await startFairwayPeer(options),
        await startNginxPeer(options),
        ...(missing.has('haproxy') ? [] : [await startHaproxyPeer(options)]),
        ...(program === null ? [] : [await startEnvoyPeer(options, program)]),
      ];
    case 'routes':
      return [
        await startFairwayPeer({ ...options, routes: MANY_ROUTES }),
        await startFairwayPeer({
          ...options,
          routes: FEW_ROUTES,
          firstRoute: ROUTES / 2 - FEW_ROUTES / 2,
          name: `fairway, ${FEW_ROUTES} routes`,
          number: 2,
        }),
      ];
    case 'two': {
      const both = { ...options, core: `${PROXY_CORE},${LOAD_CORE}`, workers: 2 };
      return [await startFairwayPeer(both), await startNginxPeer(both)];
    }
  }
}

interface Measured {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly dropped: number;
  readonly taken: number;
}

async function measureAll(
  context: Context,
  rows: readonly Row[],
  peers: readonly Peer[],
  place: Place,
): Promise<Omit<Measured, 'title'>> {
  const { rounds, seconds } = context.quick ? QUICK : FULL;
  const lines: Line[] = [];
  let dropped = 0;
  let taken = 0;
  for (const row of rows) {
    context.progress(`${row.title}: warming up`);
    for (const peer of peers) {
      await runLoad(row, { ...place, origin: peer.origins[row.protocol], seconds: 1 });
    }
    const samples = new Map(peers.map((peer) => [peer.name, [] as Sample[]]));
    for (let round = 0; round < rounds; round++) {
      context.progress(`${row.title}: round ${round + 1} of ${rounds}`);
      for (const peer of peers) {
        const got = await quietSample(row, peer, { ...place, seconds }, context.signal);
        samples.get(peer.name)!.push(got.sample);
        dropped += got.dropped;
        taken += got.dropped + 1;
      }
    }
    lines.push(...summarize(row, samples));
  }
  return { lines, dropped, taken };
}

function notesOf(groups: readonly Measured[]): readonly string[] {
  const lines = groups.flatMap((group) => group.lines);
  const dropped = groups.reduce((sum, group) => sum + group.dropped, 0);
  const taken = groups.reduce((sum, group) => sum + group.taken, 0);
  const disturbed = lines.reduce((sum, line) => sum + line.disturbed, 0);
  const failed = lines.filter((line) => line.errors > 0);
  return [
    `${taken} repetitions, ${dropped} made again because others used more than 12 % of a core; ${disturbed} disturbed every time`,
    ...failed.map((line) => `${line.proxy}, ${line.row}: ${line.errors} requests failed`),
    'p50 and p99 are at saturation; h2load tells no percentiles',
  ];
}

/** What the peers call themselves. */
function versions(missing: ReadonlyMap<Tool, string>): readonly string[] {
  const ask = (program: string, flag: string): string => {
    const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
    return (stdout + stderr).split('\n')[0]?.trim() ?? '';
  };
  const found = [ask('nginx', '-v'), ...(missing.has('haproxy') ? [] : [ask('haproxy', '-v')])];
  return [`compared with ${found.join(' and ')}`];
}

export const proxy: Benchmark = {
  about: 'one worker of the proxy beside nginx, HAProxy and Envoy, a core each',
  limitMs: 75 * 60_000,
  run,
};
