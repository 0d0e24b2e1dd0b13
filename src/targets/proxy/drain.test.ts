// What is handed on whole when the proxy ends: connections and datagrams that wait for an answer get it,
// and nobody waits for those that do not.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { EntryPoint, Model } from '../../model/model.ts';
import type { Proxy } from './proxy.ts';
import { backendOf, modelOf, ORIGIN, serve, startProxy } from './testing/serve.ts';

const PLACE = { address: '127.80.201.4', port: 18093 };
/** The backends answer after so long. */
const ANSWER_MS = 300;
/** Nothing in here waits so long; a drain that does has waited for what will not come. */
const GRACE_MS = 30_000;

function entryPoint(protocol: 'tcp' | 'udp', backend: string): EntryPoint {
  const [base] = modelOf(PLACE, [], []).entryPoints;
  assert.ok(base);
  const rule = { id: 'r', backends: [{ backend, weight: 1, origin: ORIGIN }], origin: ORIGIN };
  return {
    ...base,
    id: `n/g:1/${protocol}`,
    protocol,
    listeners: [
      {
        id: `n/g/${protocol}`,
        name: protocol,
        hostname: '',
        certificates: [],
        hosts: [],
        stream: { mode: 'plain', hosts: [{ hostname: '', rule }] },
        origin: ORIGIN,
      },
    ],
  };
}

describe('a proxy that ends', () => {
  let tcp: Server;
  let udp: UdpSocket;
  let model: Model;
  const sockets: Socket[] = [];

  before(async () => {
    tcp = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on(
        'data',
        (bytes) => void delay(ANSWER_MS).then(() => socket.write(`tcp ${String(bytes)}`)),
      );
    });
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    udp = createSocket('udp4');
    udp.on('message', (bytes, from) => {
      if (String(bytes) === 'silence') return;
      void delay(ANSWER_MS).then(() => udp.send(`udp ${String(bytes)}`, from.port, from.address));
    });
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const tcpBackend = backendOf('tcp', 'tcp', [(tcp.address() as AddressInfo).port]);
    const udpBackend = backendOf('udp', 'udp', [udp.address().port]);
    model = {
      ...modelOf(PLACE, [], [tcpBackend, udpBackend]),
      entryPoints: [entryPoint('tcp', 'tcp'), entryPoint('udp', 'udp')],
    };
  });

  after(() => {
    for (const socket of sockets) socket.destroy();
    tcp.close();
    udp.close();
  });

  async function started(): Promise<Proxy> {
    const proxy = startProxy();
    await serve(proxy, model);
    return proxy;
  }

  it('lets a connection have the answer it waits for', async () => {
    const proxy = await started();
    const client = connect(PLACE.port, PLACE.address);
    client.on('error', () => undefined);
    client.write('a');
    await delay(ANSWER_MS / 3);
    const stopped = proxy.stop(GRACE_MS);
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.equal(String(answer), 'tcp a');
    await stopped;
    client.destroy();
  });

  it('lets a datagram have the answer it waits for', async () => {
    const proxy = await started();
    const client = createSocket('udp4');
    client.send('a', PLACE.port, PLACE.address);
    await delay(ANSWER_MS / 3);
    const stopped = proxy.stop(GRACE_MS);
    const [answer] = (await once(client, 'message')) as [Buffer];
    assert.equal(String(answer), 'udp a');
    await stopped;
    client.close();
  });

  it('does not wait for what is idle, or is never answered', async () => {
    const proxy = await started();
    const idle = connect(PLACE.port, PLACE.address);
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    const silent = createSocket('udp4');
    silent.send('silence', PLACE.port, PLACE.address);
    await delay(ANSWER_MS / 3);
    const won = await Promise.race([
      proxy.stop(GRACE_MS).then(() => 'stopped'),
      delay(GRACE_MS / 2, 'still waiting', { ref: false }),
    ]);
    assert.equal(won, 'stopped');
    idle.destroy();
    silent.close();
  });
});
