// WebSockets through the data path in every pair of versions: by Upgrade in HTTP/1.1, by extended CONNECT
// in HTTP/2 (RFC 8441), on either side.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect, createServer as createH2 } from 'node:http2';
import type { ClientHttp2Session, Http2Server } from 'node:http2';
import type { Duplex } from 'node:stream';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { acceptOf } from './datapath/websocket.ts';
import type { Proxy } from './proxy.ts';
import { backendOf, listenAny, modelOf, newProxy, serve } from './testing/rig.ts';

const ADDRESS = '127.80.202.1';
const PORT = 18091;

interface Opened {
  readonly stream: Duplex;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

describe('a WebSocket', () => {
  const seen: { method: string; headers: Record<string, unknown> }[] = [];
  const sockets = new Set<{ destroy(): void }>();
  let http: Server;
  let h2: Http2Server;
  let proxy: Proxy;

  before(async () => {
    http = createServer((_, response) => {
      response.statusCode = 403;
      response.end('no');
    });
    http.on('connection', (socket) => sockets.add(socket));
    http.on('upgrade', (incoming, socket, head) => {
      seen.push({ method: incoming.method ?? '', headers: incoming.headers });
      if (incoming.url === '/http/refused') {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
        return;
      }
      const accept = acceptOf(incoming.headers['sec-websocket-key'] ?? '');
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`,
      );
      if (head.length > 0) socket.unshift(head);
      socket.pipe(socket);
    });
    h2 = createH2({ settings: { enableConnectProtocol: true } });
    h2.on('session', (session) => sockets.add(session));
    h2.on('stream', (stream, headers) => {
      seen.push({ method: String(headers[':method']), headers });
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
      stream.pipe(stream);
    });
    proxy = newProxy();
    const backends = [
      backendOf('http', 'http', [await listenAny(http)]),
      backendOf('h2c', 'h2c', [await listenAny(h2)]),
    ];
    const rules = ['http', 'h2c'].map((backend) => ({ path: `/${backend}`, backend }));
    await serve(proxy, modelOf(ADDRESS, [{ port: PORT, protocol: 'http', rules }], backends));
  });

  after(async () => {
    await proxy.stop(1000);
    for (const socket of sockets) socket.destroy();
    http.close();
    h2.close();
  });

  function open1(path: string): Promise<Opened> {
    return new Promise((resolve, reject) => {
      const asked = request({
        host: ADDRESS,
        port: PORT,
        path,
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          'sec-websocket-version': '13',
        },
      });
      asked.on('error', reject);
      asked.on('upgrade', ({ statusCode = 0, headers }, stream) =>
        resolve({ stream, status: statusCode, headers }),
      );
      asked.on('response', (response) =>
        resolve({ stream: response as never, status: response.statusCode ?? 0, headers: {} }),
      );
      asked.end();
    });
  }

  async function open2(path: string): Promise<Opened & { readonly session: ClientHttp2Session }> {
    const session = connect(`http://${ADDRESS}:${PORT}`);
    await once(session, 'remoteSettings');
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': path,
        'sec-websocket-version': '13',
      },
      { endStream: false },
    );
    // Before there is an answer: what comes early must not be lost, nor reach a backend that refuses.
    stream.write('early ');
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    return { session, stream, status: Number(headers[':status']), headers };
  }

  async function echo({ stream }: Opened, expected: string): Promise<void> {
    let got = '';
    stream.on('data', (bytes: Buffer) => (got += bytes.toString()));
    stream.write('hello');
    while (got.length < expected.length) await once(stream, 'data');
    assert.equal(got, expected);
  }

  for (const backend of ['http', 'h2c']) {
    it(`is asked for in HTTP/1.1 for a backend that speaks ${backend}`, async () => {
      const opened = await open1(`/${backend}/chat`);
      assert.equal(opened.status, 101);
      assert.equal(opened.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
      assert.equal(opened.headers['sec-websocket-protocol'], 'chat');
      await echo(opened, 'hello');
      const closed = once(opened.stream, 'close');
      opened.stream.end();
      await closed;
    });

    it(`is asked for in HTTP/2 for a backend that speaks ${backend}`, async () => {
      const opened = await open2(`/${backend}/chat`);
      assert.equal(opened.status, 200);
      assert.equal(opened.headers['sec-websocket-accept'], undefined);
      await echo(opened, 'early hello');
      const closed = once(opened.stream, 'close');
      opened.stream.end();
      await closed;
      opened.session.destroy();
    });
  }

  it('is asked for as the backend expects', () => {
    assert.deepEqual(
      seen.map(({ method }) => method),
      ['GET', 'GET', 'CONNECT', 'CONNECT'],
    );
    for (const { headers } of seen.slice(2)) assert.equal(headers[':protocol'], 'websocket');
  });

  it('that the backend refuses is a response like any other, and nothing sent early reaches it', async () => {
    const refused = await open1('/http/refused');
    assert.equal(refused.status, 403);
    const opened = await open2('/http/refused');
    assert.equal(opened.status, 403);
    opened.session.destroy();
  });
});
