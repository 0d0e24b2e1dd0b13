// Long lists to clients that read slowly.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigMap } from '../../api/core/config-map.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { createPresenter } from './present.ts';
import { sendList } from './send.ts';

test('leaves no listener behind for each time the client was waited for', async () => {
  const presenter = createPresenter({
    kind: ConfigMap as unknown as Kind,
    version: 'v1',
    form: 'Object',
    includeObject: 'Metadata',
    now: () => new Date(),
  });
  const data = { text: 'x'.repeat(4096) };
  const objects = Array.from({ length: 8000 }, (_, i): KubeObject => {
    const metadata = { name: `m${i}`, namespace: 'default' };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as KubeObject;
  });
  let waits = 0;
  const left: number[] = [];
  const server = createServer((_, response) => {
    response.on('drain', () => waits++);
    const count = (): number => response.listenerCount('error') + response.listenerCount('close');
    const before = count();
    void sendList(response, presenter, objects, { resourceVersion: '1' }).then(() =>
      left.push(count() - before),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [response] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [
    IncomingMessage,
  ];
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (waits < 5) await delay(1);
  }
  server.close();
  assert.equal((JSON.parse(text) as { items: unknown[] }).items.length, objects.length);
  assert.ok(waits > 1, `waited ${waits} times`);
  assert.deepEqual(left, [0]);
});
