// G: many routes to one Service of four endpoints, one of which answers 503 for a while and then is well
// again; nothing is retried. How many requests does it still get while it fails, and how soon is it back?

import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../support/benchmark.ts';
import {
  Backend,
  createService,
  forEach,
  NAMESPACE,
  openStage,
  ROUTES,
  until,
  Visitor,
  write,
} from './stage.ts';

export interface Failover {
  readonly requests: number;
  /** Of the endpoint, while it failed, beside what its fair share would have been. */
  readonly failed: number;
  readonly fairShare: number;
  /** What it got of its fair share in the same time after it was well. */
  readonly afterwards: number;
}

const ROUTE_COUNT = 100;
const CLIENTS = 8;
const ENDPOINTS = 4;

export async function measureFailover(context: Context, windowSeconds: number): Promise<Failover> {
  const stage = await openStage(context, 'failover');
  const backends = Array.from({ length: ENDPOINTS }, () => new Backend());
  const visitor = new Visitor(stage.port, CLIENTS);
  const windowMs = windowSeconds * 1000;
  try {
    const ports = await Promise.all(backends.map(async (backend) => backend.listen()));
    await createService(stage.client, 'backend', ports);
    await forEach(ROUTE_COUNT, async (i) => write(stage.client, 'POST', ROUTES, route(i)));
    await until(context, 10, async () => (await visitor.ask(host(ROUTE_COUNT - 1))).status === 200);
    let over = false;
    const asking = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let turn = client; !over; turn += CLIENTS) await visitor.ask(host(turn % ROUTE_COUNT));
    });
    const [bad] = backends as [Backend];
    const count = (): number => backends.reduce((sum, { requests }) => sum + requests, 0);
    const window = async (): Promise<{ own: number; share: number }> => {
      const [own, all] = [bad.requests, count()];
      await delay(windowMs, undefined, { signal: context.signal });
      return { own: bad.requests - own, share: (count() - all) / ENDPOINTS };
    };
    await delay(1_000, undefined, { signal: context.signal });
    bad.status = 503;
    const failing = await window();
    bad.status = 200;
    const after = await window();
    over = true;
    await Promise.all(asking);
    return {
      requests: count(),
      failed: failing.own,
      fairShare: failing.share,
      afterwards: after.own / after.share,
    };
  } finally {
    visitor.close();
    for (const backend of backends) backend.close();
    await stage.close();
  }
}

function host(index: number): string {
  return `f${index}.example.test`;
}

function route(index: number): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `f${index}`, namespace: NAMESPACE },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [host(index)],
      rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }],
    },
  };
}
