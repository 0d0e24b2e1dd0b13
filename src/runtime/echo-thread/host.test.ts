import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { StartError } from '../process/container-process.ts';
import { temporaryFolder } from '../testing.ts';
import { clusterLookup } from './cluster-lookup.ts';
import { EchoHost } from './host.ts';
import type { EchoStart } from './protocol.ts';

const ADDRESS = `127.198.${process.pid % 250}.1`;

function start(t: TestContext, more: Partial<EchoStart> = {}): EchoStart {
  return {
    id: 'one',
    address: ADDRESS,
    image: 'hashicorp/http-echo',
    args: ['-text=hello', '-listen=:18080'],
    env: {},
    mounts: [],
    log: { stateDir: temporaryFolder(t), namespace: 'default', pod: 'web', container: 'main' },
    ...more,
  };
}

const ask = async (): Promise<string> =>
  (await (await fetch(`http://${ADDRESS}:18080/`)).text()).trim();

test('a server starts, answers, and has ended when it was told to', async (t) => {
  const host = new EchoHost(() => {});
  t.after(() => host.close());
  const workload = await host.start(start(t));
  assert.equal(await ask(), 'hello');
  workload.terminate();
  assert.deepEqual(await workload.exited, { exitCode: 0 });
  await assert.rejects(ask());
});

test('an end of the thread is the end of its servers, and the next one begins a new thread', async (t) => {
  const host = new EchoHost(() => {});
  t.after(() => host.close());
  const workload = await host.start(start(t));
  await host.close();
  assert.deepEqual(await workload.exited, { exitCode: 1 });
  const next = await host.start(start(t, { id: 'two' }));
  assert.equal(await ask(), 'hello');
  next.kill();
  await next.exited;
});

test('a server that cannot start is a start error with its words', async (t) => {
  const host = new EchoHost(() => {});
  t.after(() => host.close());
  const first = await host.start(start(t));
  await assert.rejects(host.start(start(t, { id: 'two' })), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /18080/);
    return true;
  });
  first.kill();
  await first.exited;
});

/** A DNS server that answers one name and knows no other. */
async function nameServer(t: TestContext, name: string, ip: string): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const wanted = Buffer.concat(
      name
        .split('.')
        .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    );
    const found =
      query.subarray(12, 12 + wanted.length).equals(wanted) && query[12 + wanted.length] === 0;
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const head = Buffer.from([
      query[0] ?? 0,
      query[1] ?? 0,
      0x81,
      found ? 0x80 : 0x83,
      0,
      1,
      0,
      found ? 1 : 0,
      0,
      0,
      0,
      0,
    ]);
    const answer = Buffer.from([
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      5,
      0,
      4,
      ...ip.split('.').map(Number),
    ]);
    socket.send(
      Buffer.concat([head, question, ...(found ? [answer] : [])]),
      from.port,
      from.address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

test('names are looked up as in the pod, and by the system when the cluster does not know them', async (t) => {
  const server = await nameServer(t, 'api.shop.svc.cluster.local', '127.96.0.7');
  const lookup = clusterLookup({
    server,
    search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
  });
  const find = (name: string, options: { all?: boolean; family?: number } = {}): Promise<unknown> =>
    new Promise((resolve) =>
      lookup(name, options, (error, address: string | LookupAddress[]) =>
        resolve(error?.code ?? address),
      ),
    );
  assert.equal(await find('api'), '127.96.0.7');
  assert.equal(await find('api.shop'), '127.96.0.7');
  assert.equal(await find('api.shop.svc.cluster.local'), '127.96.0.7');
  assert.deepEqual(await find('api', { all: true }), [{ address: '127.96.0.7', family: 4 }]);
  assert.equal(await find('127.0.0.9'), '127.0.0.9');
  assert.equal(await find('localhost', { family: 4 }), '127.0.0.1');
});
