// Hosts outside as backends, on real sockets: names are looked up by a DNS server of the test's own,
// again when their time is over, and what is not outside is never connected to.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Backend } from '../../model/model.ts';
import type { Proxy } from './proxy.ts';
import { ask, modelOf, ORIGIN, serve, startProxy } from './testing/serve.ts';

const PLACE = { address: '127.80.201.3', port: 18092 };
const PATIENCE_MS = 20_000;

/** Addresses by name; null answers nothing at all. What is not here does not exist. */
const zone = new Map<string, readonly string[] | null>();
const asked: string[] = [];

/** A name server that knows A records, each for one second. */
function answerQuery(query: Buffer): Buffer | null {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const name = labels.join('.').toLowerCase();
  if (type === 1) asked.push(name);
  const known = zone.get(name);
  if (known === null) return null;
  const addresses = type === 1 ? (known ?? []) : [];
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([head, query.subarray(12, at + 5), ...records]);
}

function backend(name: string, port: number): Backend {
  return { key: name, protocol: 'http', host: { name, port }, endpoints: [], origin: ORIGIN };
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `waited in vain for ${what}`);
    await delay(20);
  }
}

describe('a host outside', () => {
  let dns: UdpSocket;
  let proxy: Proxy;
  /** How often it was told that forbidden hosts have changed. */
  let news = 0;
  const servers: Server[] = [];
  let port = 0;

  /** Servers on several addresses, all on one port, which say where they are. */
  async function listen(address: string): Promise<void> {
    const server = createServer((_, response) => response.end(address));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    port = (server.address() as AddressInfo).port;
  }

  const names = [
    'a.example',
    'b.example',
    'gone.example',
    'silent.example',
    'own.example',
    'inner.example',
  ];

  async function apply(which = names): Promise<void> {
    const rules = which.map((name) => ({ path: `/${name}`, backend: name }));
    const backends = which.map((name) => backend(name, name === 'own.example' ? PLACE.port : port));
    await serve(proxy, modelOf(PLACE, rules, backends));
  }

  before(async () => {
    dns = createSocket('udp4');
    dns.on('message', (query, from) => {
      const answer = answerQuery(query);
      if (answer !== null) dns.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => dns.bind(0, '127.0.0.1', resolve));
    await listen('127.90.0.1');
    await listen('127.90.0.2');
    await listen('127.91.0.1');
    zone.set('a.example', ['127.90.0.1']);
    zone.set('b.example', ['127.91.0.1', '127.90.0.2', '169.254.169.254']);
    zone.set('silent.example', null);
    zone.set('own.example', [PLACE.address]);
    zone.set('inner.example', ['127.91.0.1']);
    proxy = startProxy({
      onForbidden: () => news++,
      // The test lives on loopback, which it allows; but not all of it.
      external: {
        allow: ['127.90.0.0/16', '127.80.0.0/16'],
        deny: [],
        nameservers: [`127.0.0.1:${dns.address().port}`],
      },
      limits: { hostTtlMsMin: 50, hostWaitMs: 500, hostLookupTimeoutMs: 100, hostStaleMs: 300 },
    });
    await apply();
  });

  after(async () => {
    await proxy.stop(0);
    dns.close();
    for (const server of servers) server.close();
  });

  it('has its addresses when the program is in force', async () => {
    assert.equal((await ask(PLACE, '/a.example')).body, '127.90.0.1');
  });

  it('is reached at those of its addresses that are outside, and no others', async () => {
    for (let i = 0; i < 20; i++) {
      assert.equal((await ask(PLACE, '/b.example')).body, '127.90.0.2');
    }
  });

  it('is nowhere when none of its addresses is outside', async () => {
    const got = await ask(PLACE, '/inner.example');
    assert.equal(got.status, 503);
    assert.match(got.body, /those of inner\.example are not outside/);
  });

  it('is never ourselves, whatever is allowed', async () => {
    assert.equal((await ask(PLACE, '/own.example')).status, 503);
  });

  it('is told of when it leads nowhere but inside, until it leads elsewhere', async () => {
    const told = (): Record<string, string> =>
      Object.fromEntries(
        proxy.forbiddenHosts().map(({ backend: key, name, address, why, isOurs }) => {
          assert.equal(key, name);
          return [name, `${address} is ${why}${isOurs ? ': ours' : ''}`];
        }),
      );
    const inner = '127.91.0.1 is the machine itself';
    // Not one that has other addresses as well, nor one that is not known at all.
    const own = `${PLACE.address} is where we listen ourselves: ours`;
    assert.deepEqual(told(), { 'inner.example': inner, 'own.example': own });
    zone.set('a.example', ['169.254.169.254']);
    await until(() => Promise.resolve('a.example' in told()), 'the host that leads inside');
    assert.equal(
      told()['a.example'],
      '169.254.169.254 is where a cloud tells its machines their secrets',
    );
    assert.ok(news > 0);
    const before = news;
    zone.set('a.example', ['127.90.0.1']);
    await until(() => Promise.resolve(!('a.example' in told())), 'the host that leads outside');
    assert.equal(news, before + 1);
    // A worker that takes the place of another finds out for itself.
    await proxy.killWorker(0);
    await until(() => Promise.resolve(told()['inner.example'] === inner), 'the next worker');
    await until(
      async () => (await ask(PLACE, '/a.example').catch(() => null))?.status === 200,
      'it',
    );
  });

  it('that does not exist has no endpoint, and nobody waits for one that does not answer', async () => {
    const gone = await ask(PLACE, '/gone.example');
    assert.equal(gone.status, 503);
    assert.match(gone.body, /gone\.example is not known/);
    assert.equal((await ask(PLACE, '/silent.example')).status, 503);
  });

  it('is looked up again when the time of its addresses is over', async () => {
    zone.set('a.example', ['127.90.0.2']);
    await until(
      async () => (await ask(PLACE, '/a.example')).body === '127.90.0.2',
      'the new address',
    );
  });

  it('that begins to lead to the machine itself is nowhere any more', async () => {
    zone.set('a.example', ['127.91.0.1']);
    await until(async () => (await ask(PLACE, '/a.example')).status === 503, 'no address');
    zone.set('a.example', ['127.90.0.1']);
    await until(async () => (await ask(PLACE, '/a.example')).status === 200, 'the address');
  });

  it('keeps its addresses for a while when nobody answers, and not for ever', async () => {
    zone.set('a.example', null);
    await until(async () => (await ask(PLACE, '/a.example')).status === 503, 'no address');
    zone.set('a.example', ['127.90.0.1']);
    await until(async () => (await ask(PLACE, '/a.example')).status === 200, 'the address');
  });

  it('is not looked up any more when no backend is there', async () => {
    await apply(['b.example']);
    assert.deepEqual(proxy.forbiddenHosts(), []);
    await delay(200);
    asked.length = 0;
    await until(() => Promise.resolve(asked.length > 0), 'the name that is left');
    assert.ok(
      asked.every((name) => name === 'b.example'),
      asked.join(),
    );
  });
});
