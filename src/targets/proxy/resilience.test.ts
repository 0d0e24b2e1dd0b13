// What holds when endpoints fail, come and go, when there is more load than can be carried, and when a
// worker crashes: on real sockets, with every answer counted.

import assert from 'node:assert/strict';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { connect, createServer as createTcp } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { lower } from '../../lower/view.ts';
import { compileProxy } from './compile.ts';
import type { Proxy } from './proxy.ts';
import { say } from './testing/raw.ts';
import { backendOf, listenAny, modelOf, newProxy, serve, until } from './testing/rig.ts';
import type { RigOptions, RigPort } from './testing/rig.ts';

const ADDRESS = '127.80.203.1';
const PORT = 18092;
const PLACE = { address: ADDRESS, port: PORT };

interface Got {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** Rejects when the connection breaks. */
function ask(path: string, agent: Agent | false = false, method = 'GET', body = ''): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: ADDRESS, port: PORT, path, agent, method }, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += bytes.toString()));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('the data path', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).toReversed()) await clean();
  });

  async function backend(listener: RequestListener): Promise<{ server: Server; port: number }> {
    const server = createServer(listener);
    const port = await listenAny(server);
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { server, port };
  }

  async function tcp(onConnection: (socket: Socket) => void): Promise<number> {
    const open = new Set<Socket>();
    const server = createTcp({ allowHalfOpen: true }, (socket) => {
      open.add(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    const port = await listenAny(server);
    cleanups.push(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    return port;
  }

  function start(options: RigOptions = {}): Proxy {
    const proxy = newProxy(options);
    cleanups.push(() => proxy.stop(100));
    return proxy;
  }

  /** One rule for everything, to the endpoints on `ports`. */
  const toAll = (
    ports: readonly number[],
    more: Parameters<typeof backendOf>[3] = {},
    rules = {},
  ) =>
    modelOf(
      ADDRESS,
      [{ port: PORT, protocol: 'http', rules: [{ path: '/', backend: 'b', ...rules }] }],
      [backendOf('b', 'http', ports, more)],
    );

  const sum = (proxy: Proxy, name: keyof ReturnType<Proxy['counters']>[number]): number =>
    proxy.counters().reduce((total, counters) => total + counters[name], 0);

  it('sends next to nothing to an endpoint that fails, and its share soon after it is well', async () => {
    let isBad = true;
    const counts = { good: 0, flaky: 0 };
    const good = await backend((_, response) => {
      counts.good++;
      response.end('good');
    });
    const flaky = await backend((_, response) => {
      counts.flaky++;
      if (isBad) response.statusCode = 503;
      response.end('flaky');
    });
    const proxy = start();
    await serve(proxy, toAll([good.port, flaky.port]));
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    cleanups.push(() => agent.destroy());
    const some = (count: number) =>
      Promise.all(Array.from({ length: count }, () => ask('/', agent)));
    await some(100);
    counts.flaky = 0;
    await some(1000);
    assert.ok(counts.flaky <= 10, `${counts.flaky} of 1,000 went to the bad endpoint`);
    isBad = false;
    await delay(2100);
    await some(20);
    counts.flaky = 0;
    await some(1000);
    assert.ok(
      counts.flaky >= 400,
      `${counts.flaky} of 1,000 went to the endpoint that is well again`,
    );
    assert.ok(sum(proxy, 'ejections') >= 1);
  });

  it('sends a request on whose connection broke off unanswered to another endpoint', async () => {
    const broken = await tcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { port } = await backend((_, response) => response.end('well'));
    const proxy = start();
    await serve(proxy, toAll([broken, port]));
    for (let i = 0; i < 20; i++) assert.equal((await ask('/')).body, 'well');
    assert.ok(sum(proxy, 'resetRetries') > 0);
    // What may have been acted on is not sent again.
    const posts = await Promise.all(
      Array.from({ length: 20 }, () => ask('/', false, 'POST', 'x').then((got) => got.status)),
    );
    assert.ok(posts.every((status) => status === 200 || status === 502));
  });

  it('answers 502 when the only endpoint breaks off', async () => {
    const broken = await tcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await serve(start(), toAll([broken]));
    assert.equal((await ask('/')).status, 502);
  });

  it('keeps to connections an endpoint may have, lets few wait, and sheds the rest', async () => {
    const held: (() => void)[] = [];
    let open = 0;
    let most = 0;
    const slow = await backend((_, response) => {
      most = Math.max(most, ++open);
      held.push(() => {
        open--;
        response.end('slow');
      });
    });
    const proxy = start({ limits: { backendConnectionsMax: 4, pendingRequestsMax: 6 } });
    await serve(proxy, toAll([slow.port]));
    const all = Array.from({ length: 30 }, () => ask('/'));
    const shed = Promise.all(all.map((one) => one.then((got) => got)));
    await until(
      () => held.length === 4 && sum(proxy, 'pendingOverflows') === 20,
      'the rest to be shed',
    );
    const drain = setInterval(() => held.shift()?.(), 5);
    cleanups.push(() => clearInterval(drain));
    const got = await shed;
    const refused = got.filter(({ status }) => status === 503);
    assert.equal(refused.length, 20);
    for (const { headers } of refused) assert.equal(headers['retry-after'], '1');
    assert.equal(got.filter(({ body }) => body === 'slow').length, 10);
    assert.equal(most, 4);
    assert.equal(sum(proxy, 'pendingOpen'), 0);
    assert.equal(sum(proxy, 'requestsOpen'), 0);
    assert.equal((await ask('/').then((one) => one)).status, 200);
  });

  it('does not wait for a connection longer than it may', async () => {
    const silent = await backend(() => undefined);
    const proxy = start({ limits: { backendConnectionsMax: 1, pendingTimeoutMs: 1 } });
    await serve(proxy, toAll([silent.port]));
    const first = ask('/').catch(() => undefined);
    await until(() => sum(proxy, 'requestsOpen') === 1, 'the first request');
    const second = await ask('/');
    assert.equal(second.status, 503);
    assert.equal(second.headers['retry-after'], '1');
    assert.equal(sum(proxy, 'pendingTimeouts'), 1);
    void first;
  });

  it('gives no answer to a request that waited for another one', async () => {
    // A backend that answers twice: the second answer is nobody's, least of all of who waited.
    const port = await tcp((socket) =>
      socket.on('data', () =>
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
        ),
      ),
    );
    const proxy = start({ limits: { backendConnectionsMax: 1 } });
    await serve(proxy, toAll([port]));
    const got = await Promise.all(Array.from({ length: 10 }, () => ask('/')));
    assert.deepEqual(
      got.map(({ body }) => body),
      Array.from({ length: 10 }, () => 'one'),
    );
  });

  it('refuses requests beyond those it may have under way, and serves again after them', async () => {
    const held: (() => void)[] = [];
    const slow = await backend((_, response) => held.push(() => response.end('slow')));
    const proxy = start({ limits: { requestsMax: 2 } });
    await serve(proxy, toAll([slow.port]));
    const two = [ask('/'), ask('/')];
    await until(() => held.length === 2, 'two requests');
    const third = await ask('/');
    assert.deepEqual([third.status, third.headers['retry-after']], [503, '1']);
    for (const end of held.splice(0)) end();
    for (const one of two) assert.equal((await one).status, 200);
    const fourth = ask('/');
    await until(() => held.length === 1, 'the next request');
    held.pop()?.();
    assert.equal((await fourth).status, 200);
    assert.equal(sum(proxy, 'shedRequests'), 1);
  });

  it('refuses bodies larger than they may be, with a length and without', async () => {
    const { port } = await backend((incoming, response) => {
      incoming.resume();
      incoming.on('end', () => response.end('took it'));
    });
    const proxy = start({ limits: { bodyBytesMax: 10 } });
    await serve(proxy, toAll([port]));
    assert.equal((await ask('/', false, 'POST', '0123456789')).status, 200);
    assert.equal((await ask('/', false, 'POST', '0123456789a')).status, 413);
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const heard = await say(PLACE, [`${head}6\r\n012345\r\n`, '6\r\n012345\r\n0\r\n\r\n'], {
      gapMs: 20,
    });
    assert.equal(heard.status, 413);
    assert.equal(sum(proxy, 'bodiesTooLarge'), 2);
  });

  it('holds rules without times to one for all', async () => {
    const silent = await backend(() => undefined);
    const proxy = start({ limits: { requestTimeoutMs: 50 } });
    await serve(proxy, toAll([silent.port]));
    assert.equal((await ask('/')).status, 504);
    assert.equal(sum(proxy, 'timeouts'), 1);
  });

  it('takes as many connections as it may, from all and from one address', async () => {
    const { port } = await backend((_, response) => response.end('ok'));
    const proxy = start({ limits: { connectionsMax: 5, connectionsPerAddressMax: 3 } });
    await serve(proxy, toAll([port]));
    const open = (localAddress: string): Promise<'open' | 'refused'> =>
      new Promise((resolve) => {
        const socket = connect({ host: ADDRESS, port: PORT, localAddress });
        cleanups.push(() => socket.destroy());
        socket.on('error', () => resolve('refused'));
        socket.on('close', () => resolve('refused'));
        socket.on('data', () => resolve('open'));
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      });
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) seen.push(await open('127.0.0.1'));
    for (let i = 0; i < 3; i++) seen.push(await open('127.0.0.2'));
    assert.deepEqual(seen, ['open', 'open', 'open', 'refused', 'open', 'open', 'refused']);
    assert.equal(sum(proxy, 'connectionsOverAddress'), 1);
    assert.equal(sum(proxy, 'connectionsRefused'), 1);
    for (const clean of cleanups.splice(2)) await clean();
    await until(async () => (await open('127.0.0.1')) === 'open', 'room again');
  });

  it('lets an endpoint that is about to end finish, and sends it nothing new', async () => {
    const held: (() => void)[] = [];
    const counts = [0, 0];
    const old = await backend((_, response) => {
      counts[0]!++;
      held.push(() => response.end('old'));
    });
    const next = await backend((_, response) => {
      counts[1]!++;
      response.end('next');
    });
    const proxy = start();
    await serve(proxy, toAll([old.port]));
    const running = ask('/');
    await until(() => held.length === 1, 'a request under way');
    await serve(proxy, toAll([next.port], { draining: [old.port] }));
    for (let i = 0; i < 20; i++) assert.equal((await ask('/')).body, 'next');
    held.pop()?.();
    assert.equal((await running).body, 'old');
    assert.equal(counts[0], 1);
    // Back again, before it was gone.
    await serve(proxy, toAll([old.port]));
    const again = ask('/');
    await until(() => held.length === 1, 'a request again');
    held.pop()?.();
    assert.equal((await again).body, 'old');
  });

  it('opens no more places than it may, and keeps those that are open', async () => {
    const { port } = await backend((_, response) => response.end('ok'));
    const proxy = start({ limits: { placesMax: 2 } });
    const model = toAll([port]);
    await serve(proxy, model);
    const [entryPoint] = model.entryPoints;
    // Their ids come first.
    const others = [1, 2, 3].map((i) => ({
      ...entryPoint!,
      id: `a/a${i}:1`,
      gateway: `a/a${i}`,
      port: entryPoint!.port + i,
    }));
    const all = { ...model, entryPoints: [...others, ...model.entryPoints] };
    const { rejected } = await proxy.apply(compileProxy(lower(all, 'node')));
    assert.deepEqual(
      rejected.map(({ id, message }) => [id, message.slice(0, 17)]),
      ['a/a2:1', 'a/a3:1'].map((id) => [id, 'no room to listen']),
    );
    assert.equal((await ask('/')).body, 'ok');
  });

  it('replaces a worker that crashes, while the others serve', async () => {
    const { port } = await backend((_, response) => response.end('ok'));
    const crashes: number[] = [];
    const proxy = start({ workers: 2, onCrash: (index) => crashes.push(index) });
    const model = toAll([port]);
    await serve(proxy, model);
    const agents = Array.from({ length: 16 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    cleanups.push(() => agents.forEach((agent) => agent.destroy()));
    for (const agent of agents) await ask('/', agent);
    const [first] = proxy.counters();
    const onFirst = first!.connectionsOpen;
    assert.ok(onFirst > 0 && onFirst < 16, 'both workers have connections');
    await proxy.killWorker(0);
    const after = await Promise.allSettled(agents.map((agent) => ask('/', agent)));
    const failed = after.filter(({ status }) => status === 'rejected').length;
    assert.ok(failed <= onFirst, `${failed} failed, ${onFirst} were on the worker`);
    assert.deepEqual(crashes, [0]);
    // It comes back with the program, and takes connections.
    await until(async () => {
      await Promise.all(Array.from({ length: 16 }, () => ask('/').catch(() => undefined)));
      return proxy.counters()[0]!.requests > first!.requests;
    }, 'the new worker to serve');
    assert.equal(proxy.restarts, 1);
    const before = sum(proxy, 'requests');
    assert.ok(before >= 32, 'what was counted before is not lost');
    // And follows changes.
    const other = await backend((_, response) => response.end('other'));
    await serve(proxy, toAll([other.port]));
    for (let i = 0; i < 20; i++) assert.equal((await ask('/')).body, 'other');
  });

  it('is told of changes made while a worker is being replaced', async () => {
    const one = await backend((_, response) => response.end('one'));
    const two = await backend((_, response) => response.end('two'));
    const proxy = start({ workers: 1 });
    await serve(proxy, toAll([one.port]));
    const killed = proxy.killWorker(0);
    const applied = serve(proxy, toAll([two.port]));
    await Promise.all([killed, applied]);
    await until(
      () =>
        ask('/').then(
          ({ body }) => body === 'two',
          () => false,
        ),
      'the second program',
    );
  });

  it('closes halves of connections that it hands on one by one, and idle ones whole', async () => {
    const port = await tcp((socket) => {
      let text = '';
      socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
      // Speaks only when the client has said all.
      socket.on('end', () => socket.end(`heard ${text}`));
    });
    const stream: RigPort = {
      port: PORT,
      protocol: 'tcp',
      stream: { mode: 'plain', backend: 'b' },
    };
    const proxy = start({ limits: { relayIdleTimeoutMs: 150 } });
    await serve(proxy, modelOf(ADDRESS, [stream], [backendOf('b', 'tcp', [port])]));
    const heard = await say(PLACE, ['a', 'b'], { half: true, gapMs: 20 });
    assert.deepEqual([heard.text, heard.end], ['heard ab', 'closed']);
    const idle = connect(PORT, ADDRESS);
    idle.on('error', () => undefined);
    await once(idle, 'close');
    assert.equal(sum(proxy, 'relayTimeouts'), 1);
  });
});
