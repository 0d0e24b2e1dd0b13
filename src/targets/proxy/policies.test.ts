// What rules say about times, retries, copies and sessions, on real sockets: what a client gets, and what
// backends get to see. In HTTP/1.1 and HTTP/2, on both sides.

import assert from 'node:assert/strict';
import { createServer as createHttp, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect as connectH2, createServer as createHttp2 } from 'node:http2';
import type { Http2Server } from 'node:http2';
import { connect, createServer as createTcp } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_PATH_POLICY } from '../../lib/http-path.ts';
import { lower } from '../../lower/view.ts';
import type { Filter } from '../../model/filter.ts';
import type { Action, Backend, Model } from '../../model/model.ts';
import { compileProxy } from './compile.ts';
import type { Counters } from './datapath/counters.ts';
import { DEFAULT_LIMITS } from './datapath/limits.ts';
import { Proxy } from './proxy.ts';

const ADDRESS = '127.80.201.1';
const PORT = 18090;
const ORIGIN = { kind: 'HTTPRoute', namespace: 'n', name: 'r', field: '' };
const PATIENCE_MS = 20_000;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** A backend that does as it is told for each request, and remembers what it saw. */
class Scripted {
  readonly seen: Seen[] = [];
  answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];
  readonly server: Server | Http2Server;

  constructor(h2: boolean) {
    const handle = (incoming: IncomingMessage, response: ServerResponse): void => {
      const answer = this.answers.shift();
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', () => undefined);
      incoming.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        this.seen.push({ method: incoming.method ?? '', path: incoming.url ?? '', body });
        if (answer === undefined) response.end('fine');
        else answer(incoming, response);
      });
    };
    this.server = h2
      ? createHttp2((q, s) =>
          handle(q as unknown as IncomingMessage, s as unknown as ServerResponse),
        )
      : createHttp(handle);
  }
}

const status =
  (code: number) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.statusCode = code;
    response.end(`failed with ${code}`);
  };
const silence = (): void => undefined;

interface Rule {
  readonly path: string;
  readonly backend: string;
  readonly filters?: readonly Filter[];
  readonly policy?: Pick<Action, 'timeouts' | 'retry' | 'session'>;
}

function modelOf(rules: readonly Rule[], backends: readonly Backend[]): Model {
  return {
    entryPoints: [
      {
        id: 'n/g:1',
        gateway: 'n/g',
        addresses: [ADDRESS],
        port: PORT,
        protocol: 'http',
        listeners: [
          {
            id: 'n/g/l',
            name: 'l',
            hostname: '',
            certificates: [],
            hosts: [
              {
                hostname: '',
                rules: rules.map(({ path, backend, filters = [], policy = {} }) => ({
                  match: { path: { kind: 'prefix', value: path }, headers: [], queryParams: [] },
                  action: {
                    id: path,
                    filters,
                    result: {
                      kind: 'forward',
                      backends: [{ backend, weight: 1, filters: [], origin: ORIGIN }],
                    },
                    ...policy,
                    origin: ORIGIN,
                  },
                  origin: ORIGIN,
                })),
              },
            ],
            origin: ORIGIN,
          },
        ],
      },
    ],
    backends: new Map(backends.map((b) => [b.key, b])),
    certificates: new Map(),
    services: [],
  };
}

function backendOf(key: string, protocol: Backend['protocol'], ports: readonly number[]): Backend {
  const endpoints = ports.map((port) => ({
    address: '127.0.0.1',
    port,
    ready: true,
    serving: true,
    terminating: false,
    node: '',
    zone: '',
    target: '',
  }));
  return { key, protocol, endpoints, origin: ORIGIN };
}

interface Got {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

function ask1(method: string, path: string, body = ''): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: ADDRESS, port: PORT, method, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          headers: response.headers,
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function ask2(method: string, path: string, body = ''): Promise<Got> {
  return new Promise((resolve, reject) => {
    const session = connectH2(`http://${ADDRESS}:${PORT}`);
    session.on('error', reject);
    const stream = session.request(
      { ':method': method, ':path': path },
      { endStream: body === '' },
    );
    let headers: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (h) => (headers = h));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      // Node.js takes a CANCEL for an end in good order.
      if (stream.rstCode !== 0) reject(new Error(`reset with ${stream.rstCode}`));
      resolve({
        status: Number(headers[':status']),
        body: Buffer.concat(chunks).toString(),
        headers,
      });
    });
    if (body !== '') stream.end(body);
  });
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `waited for ${what}`);
    await delay(10);
  }
}

const port = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

for (const { client, ask } of [
  { client: 'HTTP/1.1', ask: ask1 },
  { client: 'HTTP/2', ask: ask2 },
]) {
  for (const protocol of ['http', 'h2c'] as const) {
    describe(`a rule, asked in ${client} for a backend that speaks ${protocol}`, () => {
      const main = new Scripted(protocol === 'h2c');
      const copy = new Scripted(protocol === 'h2c');
      const deafSockets: Socket[] = [];
      /** Takes connections and never reads. */
      const deaf = createTcp({ pauseOnConnect: true }, (socket) => deafSockets.push(socket));
      const openSessions = new Set<{ destroy(): void }>();
      let proxy: Proxy;

      const counters = (): Counters => {
        const [only] = proxy.counters();
        assert.ok(only);
        return only;
      };

      before(async () => {
        for (const server of [main.server, copy.server, deaf]) {
          server.on(protocol === 'h2c' ? 'session' : 'connection', (s: { destroy(): void }) =>
            openSessions.add(s),
          );
          await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        }
        proxy = new Proxy({
          workers: 1,
          limits: DEFAULT_LIMITS,
          pathPolicy: DEFAULT_PATH_POLICY,
          explains: false,
          bindings: { firstOpenPort: 0, localhostOffset: null },
          servedPort: (_service, port) => port,
          nodePortAddresses: [],
        });
        const mirrorTo = (backend: string, numerator = 1): Filter => ({
          kind: 'mirror',
          backend,
          numerator,
          denominator: 4,
          origin: ORIGIN,
        });
        const retry = { codes: [503], attempts: 2, backoffMs: 1 };
        const model = modelOf(
          [
            { path: '/plain', backend: 'main' },
            { path: '/retry', backend: 'main', policy: { retry } },
            {
              path: '/slow-retry',
              backend: 'main',
              policy: { retry: { codes: [503], attempts: 50, backoffMs: 50 } },
            },
            {
              path: '/attempts',
              backend: 'main',
              policy: { retry, timeouts: { requestMs: 0, backendRequestMs: 150 } },
            },
            {
              path: '/request',
              backend: 'main',
              policy: { timeouts: { requestMs: 150, backendRequestMs: 0 } },
            },
            { path: '/copied', backend: 'main', filters: [mirrorTo('copy', 4)] },
            { path: '/sometimes', backend: 'main', filters: [mirrorTo('copy', 1)] },
            { path: '/deaf', backend: 'main', filters: [mirrorTo('deaf', 4)] },
            { path: '/nowhere', backend: 'main', filters: [mirrorTo('closed', 4)] },
            { path: '/other-endpoint', backend: 'half', policy: { retry } },
          ],
          [
            backendOf('main', protocol, [port(main.server)]),
            backendOf('copy', protocol, [port(copy.server)]),
            backendOf('deaf', protocol, [port(deaf)]),
            backendOf('closed', protocol, [1]),
            backendOf('half', protocol, [port(main.server), 1]),
          ],
        );
        await proxy.apply(compileProxy(lower(model, 'node')));
      });

      after(async () => {
        await proxy.stop(1000);
        for (const socket of [...deafSockets, ...openSessions]) socket.destroy();
        for (const server of [main.server, copy.server, deaf]) server.close();
      });

      beforeEach(() => {
        for (const backend of [main, copy]) {
          backend.seen.length = 0;
          backend.answers = [];
        }
      });

      it('is tried again after a listed status, with the same body', async () => {
        main.answers = [status(503), status(503)];
        const got = await ask('POST', '/retry/x?y=1', 'hello');
        assert.deepEqual([got.status, got.body], [200, 'fine']);
        const one = { method: 'POST', path: '/retry/x?y=1', body: 'hello' };
        assert.deepEqual(main.seen, [one, one, one]);
      });

      it('passes the last answer on', async () => {
        main.answers = [status(503), status(503), status(503)];
        const got = await ask('GET', '/retry');
        assert.deepEqual([got.status, got.body], [503, 'failed with 503']);
        assert.equal(main.seen.length, 3);
      });

      it('is not tried again after another status', async () => {
        main.answers = [status(500)];
        assert.equal((await ask('GET', '/retry')).status, 500);
        assert.equal(main.seen.length, 1);
      });

      it('is not tried again with a body larger than is kept', async () => {
        main.answers = [status(503)];
        const body = 'x'.repeat(DEFAULT_LIMITS.retryBytesMax + 1);
        const got = await ask('PUT', '/retry', body);
        assert.equal(got.status, 503);
        assert.deepEqual(
          main.seen.map((s) => s.body.length),
          [body.length],
        );
      });

      it('is tried again with a body as large as is kept', async () => {
        main.answers = [status(503)];
        const body = 'x'.repeat(DEFAULT_LIMITS.retryBytesMax);
        assert.equal((await ask('PUT', '/retry', body)).status, 200);
        assert.deepEqual(
          main.seen.map((s) => s.body.length),
          [body.length, body.length],
        );
      });

      it('goes to an endpoint that can be reached', async () => {
        for (let i = 0; i < 8; i++) {
          assert.equal((await ask('POST', '/other-endpoint', 'hello')).status, 200);
        }
        assert.equal(main.seen.length, 8);
      });

      it('is not tried again for a client that has gone', async () => {
        main.answers = Array.from({ length: 50 }, () => status(503));
        const socket = connect(PORT, ADDRESS);
        socket.write(`GET /slow-retry HTTP/1.1\r\nhost: a\r\n\r\n`);
        await until(() => main.seen.length > 0, 'the first attempt');
        // A FIN alone would only say that it sends no more.
        socket.resetAndDestroy();
        await delay(150);
        const reached = main.seen.length;
        await delay(200);
        assert.ok(main.seen.length <= reached + 1, `${main.seen.length} attempts`);
      });

      it('is given up after its time with 504, and the backend is told', async () => {
        main.answers = [silence];
        const got = await ask('GET', '/request');
        assert.equal(got.status, 504);
        assert.equal((await ask('GET', '/request')).status, 200);
      });

      it('breaks a response off whose time is over', async () => {
        main.answers = [
          (_, response) => {
            response.write('the beginning');
          },
        ];
        await assert.rejects(ask('GET', '/request'));
      });

      it('makes an attempt again that takes too long', async () => {
        main.answers = [silence, silence];
        assert.equal((await ask('GET', '/attempts')).status, 200);
        assert.equal(main.seen.length, 3);
        main.answers = [silence, silence, silence];
        assert.equal((await ask('GET', '/attempts')).status, 504);
      });

      it('does not make a POST again that nobody can say the fate of', async () => {
        main.answers = [silence];
        assert.equal((await ask('POST', '/attempts', 'an order')).status, 504);
        assert.equal(main.seen.length, 1);
      });

      it('is copied, whatever becomes of the copy', async () => {
        copy.answers = [status(500)];
        const got = await ask('POST', '/copied/x?y=1', 'hello');
        assert.deepEqual([got.status, got.body], [200, 'fine']);
        await until(() => copy.seen.length === 1, 'the copy');
        assert.deepEqual(copy.seen, main.seen);
      });

      it('is copied with a large body', async () => {
        const body = 'abcdefgh'.repeat(40_000);
        assert.equal((await ask('PUT', '/copied', body)).status, 200);
        assert.equal(main.seen[0]?.body.length, body.length);
        // Where the copy could not keep up it was given up; where it arrived it is whole.
        await until(() => counters().mirrorsOpen === 0, 'the copy to end');
        assert.ok(copy.seen.every((s) => s.body === body));
      });

      it('is copied for its part of the requests', async () => {
        for (let i = 0; i < 60; i++) await ask('GET', '/sometimes');
        await until(() => counters().mirrorsOpen === 0, 'the copies to end');
        // 60 at one in four: 15, and 3 to 32 but once in a million times.
        assert.ok(copy.seen.length >= 3 && copy.seen.length <= 32, `${copy.seen.length} copies`);
      });

      it('does not wait for a copy that nobody reads', async () => {
        const before_ = counters().mirrorsDropped;
        const body = 'x'.repeat(16 * 1024 * 1024);
        const got = await ask('PUT', '/deaf', body);
        assert.equal(got.status, 200);
        assert.equal(main.seen[0]?.body.length, body.length);
        assert.ok(counters().mirrorsDropped > before_);
      });

      it('does not mind that a copy reaches nobody', async () => {
        assert.equal((await ask('POST', '/nowhere', 'hello')).status, 200);
        await until(() => counters().mirrorsOpen <= 1, 'the copy to end');
      });
    });
  }
}

describe('a rule for WebSockets', () => {
  it('has no time for the tunnel, only for getting there', async () => {
    const server = createHttp();
    server.on('upgrade', (_, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
      socket.pipe(socket);
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new Proxy({
      workers: 1,
      limits: DEFAULT_LIMITS,
      pathPolicy: DEFAULT_PATH_POLICY,
      explains: false,
      bindings: { firstOpenPort: 0, localhostOffset: null },
      servedPort: (_service, port) => port,
      nodePortAddresses: [],
    });
    const timeouts = { requestMs: 100, backendRequestMs: 100 };
    const retry = { codes: [503], attempts: 2, backoffMs: 1 };
    const model = modelOf(
      [{ path: '/live', backend: 'ws', policy: { timeouts, retry } }],
      [backendOf('ws', 'ws', [port(server)])],
    );
    await proxy.apply(compileProxy(lower(model, 'node')));
    const socket = connect(PORT, ADDRESS);
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
    socket.write(
      'GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await until(() => text.includes('\r\n\r\n'), 'the answer');
    assert.match(text, /^HTTP\/1\.1 101 /);
    await delay(300);
    socket.write('still here');
    await until(() => text.endsWith('still here'), 'the echo');
    socket.destroy();
    await proxy.stop(1000);
    server.close();
    server.closeAllConnections();
  });
});
