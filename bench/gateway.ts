// The tests of gateway-api-bench, on Fairway without a cluster: attached routes (A), propagation of new
// routes (B) also while others change (B2), a route that changes under load (C), 5,000 routes and their
// changes (D), ListenerSets (F), and an endpoint that fails (G). Peers' figures are of that project's own
// machine (16 cores) and are in docs/performance.md; what can be compared are the counts.

import { makeAuthority, makeServerCertificate } from '../src/certificates/x509.ts';
import { measureAttached } from './gateway/attached.ts';
import { measureChange } from './gateway/change.ts';
import { measureFailover } from './gateway/failover.ts';
import { measureListenerSets } from './gateway/listener-sets.ts';
import { measurePropagation } from './gateway/propagation.ts';
import { measureScale } from './gateway/scale.ts';
import { Backend, createService, openStage } from './gateway/stage.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';

type Measured = readonly [what: string, figures: string, values: unknown];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const milli = (ms: number): string => `${ms.toFixed(1)} ms`;

const TESTS: Readonly<Record<string, (context: Context) => Promise<Measured>>> = {
  attached: async (context) => {
    const got = await measureAttached(context, context.quick ? 200 : 1_000);
    const writes = `${got.gatewayWrites} writes of the Gateway's status, ${got.routeWrites} of routes'`;
    const figures = `setup ${milli(got.setupMs)}, teardown ${milli(got.teardownMs)}, ${writes}`;
    return [`A: ${got.routes} attached routes`, figures, got];
  },
  propagation: async (context) => {
    const stage = await openStage(context, 'propagation');
    const backend = new Backend();
    try {
      await createService(stage.client, 'backend', [await backend.listen()]);
      const got = await measurePropagation(context, stage, context.quick ? 200 : 3_000);
      return [`B: ${got.routes} routes, one by one`, propagationText(got), got];
    } finally {
      backend.close();
      await stage.close();
    }
  },
  change: async (context) => {
    const got = await measureChange(context, context.quick ? 10 : 100);
    const figures = `${got.requests} requests, ${got.failed} failed; ${got.late} changes late`;
    return [`C: ${got.changes} changes of a route under load`, figures, got];
  },
  scale: async (context) => {
    const got = await measureScale(
      context,
      context.quick
        ? { namespaces: 10, each: 50, churnSeconds: 5, probes: 20 }
        : { namespaces: 50, each: 100, churnSeconds: 60, probes: 100 },
    );
    const figures = `created in ${seconds(got.loadedMs)}; ${got.megabytes.toFixed(0)} MB; while changing ${got.cores.toFixed(3)} cores, ${got.churnMegabytes.toFixed(0)} MB; B2: ${propagationText(got.underChurn)}`;
    return [`D: ${got.routes} routes and Services`, figures, got];
  },
  'listener-sets': async (context) => {
    const now = new Date();
    const authority = await makeAuthority('bench', now);
    const keys = await makeServerCertificate(['*.example.test'], authority, now);
    const got = await measureListenerSets(
      context,
      { sets: context.quick ? 100 : 2_500, routesEach: 16, probes: context.quick ? 5 : 50 },
      keys,
    );
    const figures = `ready after ${seconds(got.readyMs)}, ${got.megabytes.toFixed(0)} MB; one more: ${propagationText(got.oneMore)}`;
    return [`F: ${got.sets} ListenerSets, ${got.routes} routes`, figures, got];
  },
  failover: async (context) => {
    const got = await measureFailover(context, context.quick ? 5 : 60);
    const figures = `${got.failed} requests to the endpoint that fails, of ${got.fairShare.toFixed(0)} by its share; afterwards ${got.afterwards.toFixed(2)} of its share`;
    return ['G: an endpoint that fails', figures, got];
  },
};

function propagationText(got: {
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly wrong: number;
}): string {
  return `p50 ${milli(got.p50Ms)}, p99 ${milli(got.p99Ms)}, longest ${milli(got.maxMs)}, all in ${seconds(got.totalMs)}, ${got.wrong} wrong answers`;
}

async function run(context: Context): Promise<Outcome> {
  const measured: Measured[] = [];
  for (const [name, test] of Object.entries(TESTS)) {
    if (!isWanted(context, name)) continue;
    context.progress(name);
    measured.push(await test(context));
  }
  return {
    tables: [
      {
        title: 'gateway-api-bench without a cluster',
        columns: ['test', 'Fairway'],
        rows: measured.map(([what, figures]) => [what, figures]),
      },
    ],
    notes: ['clients, backends and Fairway share the machine; one worker'],
    values: measured.map(([what, , values]) => ({ what, values })),
  };
}

export const gatewayApi: Benchmark = {
  about: 'the tests of gateway-api-bench, without a cluster',
  limitMs: 30 * 60_000,
  run,
};
