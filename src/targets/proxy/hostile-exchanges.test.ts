// What backends and clients do to each other through the proxy that no single message shows: floods of
// interim responses, bodies nobody knows the fate of, upgrades to HTTP itself, tunnels that fall silent.

import assert from 'node:assert/strict';
import { connect as connectH2, createServer as createH2 } from 'node:http2';
import type { ClientHttp2Session, Http2Server, ServerHttp2Session } from 'node:http2';
import { createServer as createTcp } from 'node:net';
import type { Server, Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { DEFAULT_LIMITS } from './datapath/limits.ts';
import type { Proxy } from './proxy.ts';
import { patiently, say } from './testing/raw.ts';
import { backendOf, listenAny, modelOf, newProxy, serve, until } from './testing/rig.ts';

const ADDRESS = '127.80.204.9';
const PLACE = { address: ADDRESS, port: 18093 };
const REQUESTS = 10;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const EARLY = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const WEBSOCKET = 'Connection: upgrade\r\nUpgrade: ';
/** Shorter than a look at the times takes; two looks are needed. */
const TUNNEL_IDLE_MS = 100;

const get = (fields = ''): string => `GET / HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;

/** Hands each connection's bytes to whatever the test says. */
class Raw {
  readonly server: Server;
  connections = 0;
  closed = 0;
  seen = '';
  onText: (socket: Socket, text: string) => void = () => undefined;

  constructor() {
    this.server = createTcp((socket) => {
      this.connections++;
      socket.on('error', () => undefined);
      socket.on('close', () => this.closed++);
      socket.on('data', (bytes: Buffer) => {
        const text = bytes.toString('latin1');
        this.seen += text;
        this.onText(socket, text);
      });
    });
  }

  /** Answers every head so. */
  answers(text: string): void {
    this.seen = '';
    this.onText = (socket, heard) => void (heard.includes('\r\n\r\n') && socket.write(text));
  }
}

describe('what the two sides do to each other', () => {
  const backend = new Raw();
  const sessions = new Set<ServerHttp2Session>();
  const clients = new Set<ClientHttp2Session>();
  let h2: Http2Server;
  let sessionsMost = 0;
  let proxy: Proxy;

  before(async () => {
    h2 = createH2({ settings: { enableConnectProtocol: true, maxConcurrentStreams: 1 } });
    h2.on('session', (session) => {
      sessions.add(session);
      sessionsMost = Math.max(sessionsMost, sessions.size);
      session.on('close', () => sessions.delete(session));
    });
    h2.on('stream', (stream) => {
      stream.on('error', () => undefined);
      setTimeout(() => {
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end('ok');
      }, 10);
    });
    proxy = newProxy({
      limits: { tunnelIdleTimeoutMs: TUNNEL_IDLE_MS, backendConnectionsMax: 1 },
    });
    const rules = [
      { path: '/', backend: 'raw' },
      { path: '/h2', backend: 'h2' },
    ];
    const raw = backendOf('raw', 'http', [await listenAny(backend.server)]);
    const other = backendOf('h2', 'h2c', [await listenAny(h2)]);
    const ports = [{ port: PLACE.port, protocol: 'http' as const, rules }];
    await serve(proxy, modelOf(ADDRESS, ports, [raw, other]));
  });

  after(async () => {
    for (const session of [...clients, ...sessions]) session.destroy();
    await proxy.stop(0);
    backend.server.close();
    h2.close();
  });

  beforeEach(() => backend.answers(OK));

  function session(): ClientHttp2Session {
    const made = connectH2(`http://${ADDRESS}:${PLACE.port}`);
    made.on('error', () => undefined);
    clients.add(made);
    return made;
  }

  it('cuts a backend that sends interim responses without end', async () => {
    const closed = backend.closed;
    backend.answers(EARLY.repeat(DEFAULT_LIMITS.interimsMax * 10));
    await patiently(async (quietMs) => {
      const heard = await say(PLACE, get(), { quietMs });
      assert.deepEqual(heard.statuses, [502]);
      assert.equal(heard.text.split('HTTP/1.1 103').length - 1, DEFAULT_LIMITS.interimsMax);
    });
    await until(() => backend.closed > closed, 'the backend to be cut');
  });

  it('lets a client have as many interim responses as it may, and then its answer', () =>
    patiently(async (quietMs) => {
      backend.answers(EARLY.repeat(DEFAULT_LIMITS.interimsMax) + OK);
      assert.deepEqual((await say(PLACE, get(), { quietMs })).statuses, [200]);
    }));

  it('does not read on after a final answer to a client that waits to send its body', () =>
    patiently(async (quietMs) => {
      const head = 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n';
      const asks = `${head}Expect: 100-continue\r\n\r\n`;
      const heard = await say(PLACE, [asks, get('X: smuggled\r\n')], { quietMs, gapMs: quietMs });
      assert.deepEqual(heard.statuses, [200]);
      assert.match(heard.text, /connection: close/i);
      assert.equal(heard.end, 'closed');
      assert.doesNotMatch(backend.seen, /smuggled/);
    }));

  it('does not use a backend connection again whose backend did not say whether it wants the body', () =>
    patiently(async (quietMs) => {
      await say(PLACE, get(), { quietMs });
      const before_ = backend.connections;
      const body = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
      const head = `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${body.length}\r\n`;
      const asks = `${head}Expect: 100-continue\r\n\r\n${body}`;
      assert.deepEqual((await say(PLACE, asks, { quietMs })).statuses, [200]);
      assert.deepEqual((await say(PLACE, get(), { quietMs })).statuses, [200]);
      assert.equal(backend.connections, before_ + 1);
    }));

  it('does when it has said so', () =>
    patiently(async (quietMs) => {
      backend.onText = (socket, text) =>
        void socket.write(text.includes('expect') ? `HTTP/1.1 100 Continue\r\n\r\n${OK}` : OK);
      await say(PLACE, get(), { quietMs });
      const before_ = backend.connections;
      const asks =
        'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi';
      await say(PLACE, asks, { quietMs });
      await say(PLACE, get(), { quietMs });
      assert.equal(backend.connections, before_);
    }));

  for (const [asked, forwarded] of [
    ['websocket, h2c', 'websocket'],
    ['h2c, websocket', 'websocket'],
    ['H2C, HTTP/2.0', ''],
    ['h2c,', ''],
    ['chat/2', 'chat/2'],
  ] as const) {
    it(`forwards an upgrade to "${asked}" as one to "${forwarded}"`, () =>
      patiently(async (quietMs) => {
        backend.answers(OK);
        await say(PLACE, get(`${WEBSOCKET}${asked}\r\n`), { quietMs });
        const [, upgrade = ''] = /\r\nupgrade: ([^\r]*)/i.exec(backend.seen) ?? [];
        assert.equal(upgrade, forwarded);
      }));
  }

  it('makes no tunnel of a protocol that was not asked for', () =>
    patiently(async (quietMs) => {
      backend.answers(`HTTP/1.1 101 Switching Protocols\r\n${WEBSOCKET}h2c\r\n\r\nsecret`);
      const heard = await say(PLACE, get(`${WEBSOCKET}chat\r\n`), { quietMs });
      assert.deepEqual(heard.statuses, [502]);
      assert.doesNotMatch(heard.text, /secret/);
    }));

  it('makes no tunnel of HTTP inside HTTP/2 either', async () => {
    const client = session();
    const status = await new Promise((resolve, reject) => {
      client.once('remoteSettings', () => {
        const stream = client.request({ ':method': 'CONNECT', ':protocol': 'h2c', ':path': '/' });
        stream.on('response', (head) => resolve(head[':status']));
        stream.on('error', reject);
      });
    });
    assert.equal(status, 501);
    assert.equal(backend.seen, '');
  });

  it('answers all that a client asked before it closed its half', () =>
    patiently(async (quietMs) => {
      const heard = await say(PLACE, get().repeat(3), { quietMs, half: true });
      assert.deepEqual(heard.statuses, [200, 200, 200]);
      assert.equal(heard.end, 'closed');
    }));

  it('ends when what follows is not a whole request', () =>
    patiently(async (quietMs) => {
      const heard = await say(PLACE, `${get()}GET / HT`, { quietMs, half: true });
      assert.deepEqual(heard.statuses, [200]);
      assert.equal(heard.end, 'closed');
    }));

  it('takes no more connections to an HTTP/2 backend than it may, and serves all', async () => {
    const client = session();
    const answers = await Promise.all(
      Array.from(
        { length: REQUESTS },
        () =>
          new Promise((resolve, reject) => {
            const stream = client.request({ ':path': '/h2' });
            stream.on('response', (head) => resolve(head[':status']));
            stream.on('error', reject);
            stream.resume();
          }),
      ),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: REQUESTS }, () => 200),
    );
    assert.equal(sessionsMost, 1);
  });

  it('ends a tunnel in HTTP/2 over which nothing goes', async () => {
    backend.answers(`HTTP/1.1 101 Switching Protocols\r\n${WEBSOCKET}chat\r\n\r\n`);
    const client = session();
    await new Promise((resolve) => client.once('remoteSettings', resolve));
    const stream = client.request({ ':method': 'CONNECT', ':protocol': 'chat', ':path': '/' });
    let status: unknown;
    stream.on('response', (head) => (status = head[':status']));
    stream.on('error', () => undefined);
    await until(() => stream.destroyed, 'the tunnel to end');
    assert.equal(status, 200);
  });

  it('drops trailers of HTTP/2 that say what only heads may', async () => {
    backend.onText = (socket, text) =>
      void (text.endsWith('0\r\n\r\n') || text.includes('x-sum') ? socket.write(OK) : 0);
    const client = session();
    const stream = client.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'x-sum': '1', 'set-cookie': 'a=b', range: 'bytes=0-1' }),
    );
    stream.end('body');
    await new Promise((resolve, reject) => {
      stream.on('response', resolve);
      stream.on('error', reject);
    });
    assert.match(backend.seen, /\r\n0\r\nx-sum: 1\r\n\r\n$/);
  });
});
