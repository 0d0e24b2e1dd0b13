// C: one client asks without a pause while, every 200 ms, its route changes to another backend and another
// response field. Everything but 200 is a failure, and so is a field of a change that is over.

import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../support/benchmark.ts';
import {
  Backend,
  createService,
  NAMESPACE,
  openStage,
  ROUTES,
  until,
  Visitor,
  write,
} from './stage.ts';

export interface Change {
  readonly changes: number;
  readonly requests: number;
  readonly failed: number;
  /** Changes that did not show before the next one came. */
  readonly late: number;
}

const EVERY_MS = 200;
const HOST = 'change.example.test';

export async function measureChange(context: Context, changes: number): Promise<Change> {
  const stage = await openStage(context, 'change');
  const backends = [new Backend(), new Backend()];
  const visitor = new Visitor(stage.port);
  try {
    for (const [i, backend] of backends.entries()) {
      await createService(stage.client, `backend-${i}`, [await backend.listen()]);
    }
    await write(stage.client, 'POST', ROUTES, route(0));
    await until(context, 5, async () => (await visitor.ask(HOST)).status === 200);
    let [requests, failed, late, version, seen, over] = [0, 0, 0, 0, 0, false];
    const asking = (async (): Promise<void> => {
      while (!over) {
        const { status, headers } = await visitor.ask(HOST);
        requests++;
        if (status !== 200) failed++;
        seen = Number(headers['x-version']);
      }
    })();
    for (version = 1; version <= changes; version++) {
      const { body } = await stage.client.get(`${ROUTES}/change`);
      const { resourceVersion } = body.metadata;
      await write(stage.client, 'PUT', `${ROUTES}/change`, route(version, resourceVersion));
      await delay(EVERY_MS, undefined, { signal: context.signal });
      if (seen !== version) late++;
    }
    over = true;
    await asking;
    return { changes, requests, failed, late };
  } finally {
    visitor.close();
    for (const backend of backends) backend.close();
    await stage.close();
  }
}

function route(version: number, resourceVersion?: string): object {
  const set = [{ name: 'x-version', value: String(version) }];
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'change', namespace: NAMESPACE, resourceVersion },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [HOST],
      rules: [
        {
          filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }],
          backendRefs: [{ name: `backend-${version % 2}`, port: 80 }],
        },
      ],
    },
  };
}
