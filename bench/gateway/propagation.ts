// B: one HTTPRoute after the other is created, each asked for every 5 ms until its 404 becomes a 200. It
// has two rules, header filters, and a backend that does not exist in the rule that is not asked for. Any
// other answer is an error. B2 is the same while others change things (scale.ts).

import type { Context } from '../support/benchmark.ts';
import { median, percentile } from '../support/stats.ts';
import { NAMESPACE, ROUTES, until, Visitor, write } from './stage.ts';
import type { Stage } from './stage.ts';

export interface Propagation {
  readonly routes: number;
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Answers other than 404 and 200. */
  readonly wrong: number;
}

const LOOK_MS = 5;

/** Needs the Service `backend`. */
export async function measurePropagation(
  context: Context,
  stage: Stage,
  count: number,
): Promise<Propagation> {
  const visitor = new Visitor(stage.port);
  const times: number[] = [];
  let wrong = 0;
  const startedMs = performance.now();
  try {
    for (let i = 0; i < count; i++) {
      const host = `p${i}.example.test`;
      const sentMs = performance.now();
      await write(stage.client, 'POST', ROUTES, route(i, host));
      const servedMs = await until(context, LOOK_MS, async () => {
        const { status } = await visitor.ask(host, '/ok');
        if (status !== 404 && status !== 200) wrong++;
        return status === 200;
      });
      times.push(servedMs - sentMs);
    }
  } finally {
    visitor.close();
  }
  return {
    routes: count,
    totalMs: performance.now() - startedMs,
    p50Ms: median(times),
    p99Ms: percentile(times, 0.99),
    maxMs: Math.max(...times),
    wrong,
  };
}

function route(index: number, host: string): object {
  const filters = [
    {
      type: 'RequestHeaderModifier',
      requestHeaderModifier: { add: [{ name: 'x-in', value: 'a' }] },
    },
    {
      type: 'ResponseHeaderModifier',
      responseHeaderModifier: { set: [{ name: 'x-out', value: 'b' }] },
    },
  ];
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `p${index}`, namespace: NAMESPACE },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [host],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/ok' } }],
          filters,
          backendRefs: [{ name: 'backend', port: 80 }],
        },
        {
          matches: [{ path: { type: 'PathPrefix', value: '/not-there' } }],
          backendRefs: [{ name: 'not-there', port: 80 }],
        },
      ],
    },
  };
}
