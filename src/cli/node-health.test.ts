import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import type { PortView } from '../lower/packets.ts';
import type { KubeClient } from '../sources/kube/client.ts';
import { NodeEvents } from './node-events.ts';
import type { ServiceWarning } from './node-events.ts';
import { HealthCheckPorts } from './node-health.ts';

it('warns of a health check port that somebody else has, in an Event of the Service', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
  const { port: taken } = other.address() as AddressInfo;
  const port = { service: 'shop/front', healthCheckNodePort: taken, localReady: 1 };
  const family = { family: 'ipv4', ports: [port as unknown as PortView] } as never;
  const view = { families: [family], conflicts: [] };
  const troubles: ServiceWarning[] = [];
  const checks = new HealthCheckPorts(
    ['127.0.0.1'],
    () => true,
    (t) => void troubles.push(t),
  );
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  for (let round = 0; round < 2; round++) {
    checks.update(view);
    await settled();
  }
  assert.equal(troubles.length, 1);
  const trouble = troubles[0]!;
  await new Promise((resolve) => other.close(resolve));
  // Somebody who lets go of the port is followed.
  checks.update(view);
  await settled();
  const answer = await fetch(`http://127.0.0.1:${taken}/`);
  assert.equal(answer.status, 200);
  await answer.text();
  checks.stop();
  assert.equal(trouble.reason, 'FailedToStartServiceHealthcheck');
  assert.deepEqual([trouble.namespace, trouble.name], ['shop', 'front']);
  assert.match(trouble.message, new RegExp(`127\\.0\\.0\\.1:${taken}: somebody else has the port`));

  const sent: unknown[] = [];
  const client = {
    ask: (path: string, _signal: AbortSignal, body: object) => {
      sent.push([path, body]);
      return Promise.reject(new Error('forbidden'));
    },
  } as unknown as KubeClient;
  await new NodeEvents(client, 'node-1').warn(trouble);
  const [[path, event]] = sent as [[string, Record<string, unknown>]];
  assert.equal(path, '/api/v1/namespaces/shop/events');
  assert.equal(event['type'], 'Warning');
  assert.equal(event['reason'], 'FailedToStartServiceHealthcheck');
  assert.deepEqual(event['source'], { component: 'fairway-node', host: 'node-1' });
  assert.deepEqual(event['involvedObject'], {
    apiVersion: 'v1',
    kind: 'Service',
    namespace: 'shop',
    name: 'front',
  });
});
