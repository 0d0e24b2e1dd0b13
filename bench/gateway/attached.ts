// A: 1,000 HTTPRoutes are created at one Gateway, then deleted. How long after the last write is the
// number of attached routes right, and how often was the Gateway's status written on the way?

import type { Context } from '../support/benchmark.ts';
import { forEach, GATEWAY, NAMESPACE, openStage, ROUTES, until, write } from './stage.ts';

export interface Attached {
  readonly routes: number;
  /** From the last write to the right number. */
  readonly setupMs: number;
  readonly teardownMs: number;
  /** Of the Gateway and of all routes, while they were created. */
  readonly gatewayWrites: number;
  readonly routeWrites: number;
}

export async function measureAttached(context: Context, routes: number): Promise<Attached> {
  const stage = await openStage(context, 'attached');
  const { client } = stage;
  try {
    const attached = async (): Promise<number> => {
      const { body } = await client.get(GATEWAY);
      return body.status?.listeners?.[0]?.attachedRoutes ?? 0;
    };
    const { body } = await client.get(ROUTES);
    const from = `resourceVersion=${body.metadata.resourceVersion}`;
    const gateways = client.watch(`${GATEWAY.slice(0, GATEWAY.lastIndexOf('/'))}?${from}`);
    const changes = client.watch(`${ROUTES}?${from}`);
    await forEach(routes, async (i) => write(client, 'POST', ROUTES, route(i)));
    const createdMs = performance.now();
    const setupMs =
      (await until(context, 10, async () => (await attached()) === routes)) - createdMs;
    const isStatus = ({ type }: { readonly type: string }): boolean => type === 'MODIFIED';
    const gatewayWrites = gateways.events.filter(isStatus).length;
    const routeWrites = changes.events.filter(isStatus).length;
    gateways.stop();
    changes.stop();
    await forEach(routes, async (i) => write(client, 'DELETE', `${ROUTES}/r${i}`));
    const deletedMs = performance.now();
    const teardownMs = (await until(context, 10, async () => (await attached()) === 0)) - deletedMs;
    return { routes, setupMs, teardownMs, gatewayWrites, routeWrites };
  } finally {
    await stage.close();
  }
}

function route(index: number): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `r${index}`, namespace: NAMESPACE },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [`r${index}.example.test`],
      rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }],
    },
  };
}
