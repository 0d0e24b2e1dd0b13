import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { makeAuthority, makeServerCertificate } from '../../../certificates/x509.ts';
import { pod, service } from '../../../runtime/testing.ts';
import { EndpointSlice } from '../../../api/discovery/endpoint-slice.ts';
import { admit } from '../../../api/admit.ts';
import { STREAM_LIMITS } from '../limits.ts';
import { requestHeaders, rewriteLocation } from './headers.ts';
import { serveProxy, serveProxyUpgrade } from './proxy.ts';
import { parseReference, podAddress, serviceAddresses } from './reference.ts';
import type { ProxyAddress } from './reference.ts';

const PREFIX = '/api/v1/namespaces/default/services/web/proxy';

async function listen(t: TestContext, server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function start(
  t: TestContext,
  backend: ReturnType<typeof createServer> | RequestListener,
  scheme: 'http' | 'https' = 'http',
): Promise<{ readonly api: number; readonly backend: number }> {
  const to = await listen(t, typeof backend === 'function' ? createServer(backend) : backend);
  const address: ProxyAddress = { scheme, host: '127.0.0.1', port: to };
  const route = (asked: IncomingMessage): Parameters<typeof serveProxy>[2] => ({
    address,
    prefix: PREFIX,
    rest: (asked.url ?? '').slice(PREFIX.length),
    limits: { ...STREAM_LIMITS, connectMs: 2000 },
  });
  const server = createServer((asked, answer) => void serveProxy(asked, answer, route(asked)));
  server.on('upgrade', (asked, socket, head) => {
    void serveProxyUpgrade({ request: asked, socket, head }, route(asked));
  });
  return { api: await listen(t, server), backend: to };
}

test("a request reaches the backend without what is the API server's alone", async (t) => {
  const { api, backend } = await start(t, (asked, answer) => {
    answer.writeHead(201, 'Made', {
      'x-answer': 'yes',
      connection: 'x-hop',
      'x-hop': '1',
      'set-cookie': ['a=1', 'b=2'],
    });
    void text(asked).then((body) => {
      answer.end(
        JSON.stringify({ method: asked.method, url: asked.url, headers: asked.headers, body }),
      );
    });
  });
  const response = await fetch(`http://127.0.0.1:${api}${PREFIX}/a%2Fb/../c?x=1&y`, {
    method: 'POST',
    body: 'hello',
    headers: {
      authorization: 'Bearer secret',
      'impersonate-user': 'admin',
      'x-remote-user': 'root',
      'proxy-authorization': 'Basic x',
      te: 'trailers',
      'x-mine': 'kept',
      'x-forwarded-host': 'evil',
    },
  });
  assert.equal(response.status, 201);
  assert.equal(response.statusText, 'Made');
  assert.equal(response.headers.get('x-answer'), 'yes');
  assert.equal(response.headers.get('x-hop'), null);
  assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  const seen = (await response.json()) as {
    method: string;
    url: string;
    body: string;
    headers: Record<string, string>;
  };
  assert.deepEqual([seen.method, seen.body], ['POST', 'hello']);
  assert.match(seen.url, /^\/c\?x=1&y$/);
  for (const name of [
    'authorization',
    'impersonate-user',
    'x-remote-user',
    'proxy-authorization',
    'te',
  ]) {
    assert.equal(seen.headers[name], undefined, name);
  }
  assert.equal(seen.headers['x-mine'], 'kept');
  assert.equal(seen.headers['host'], `127.0.0.1:${backend}`);
  assert.equal(seen.headers['x-forwarded-host'], `127.0.0.1:${api}`);
  assert.match(
    seen.headers['x-forwarded-uri'] ?? '',
    /^\/api\/v1\/namespaces\/default\/services\/web\/proxy\/c/,
  );
});

test('redirects of the backend lead through the proxy, and the bare path to its folder', async (t) => {
  const { api, backend } = await start(t, (asked, answer) => {
    const to = new URL(asked.url ?? '/', 'http://x').searchParams.get('to') ?? '';
    answer.writeHead(302, { location: to }).end();
  });
  const location = async (path: string): Promise<string | null> => {
    const response = await fetch(`http://127.0.0.1:${api}${PREFIX}${path}`, { redirect: 'manual' });
    return response.headers.get('location');
  };
  const to = (target: string): Promise<string | null> =>
    location(`/?to=${encodeURIComponent(target)}`);
  const here = `http://127.0.0.1:${api}`;
  assert.equal(await to('/login?a=b#c'), `${here}${PREFIX}/login?a=b#c`);
  assert.equal(await to(`http://127.0.0.1:${backend}/x/`), `${here}${PREFIX}/x/`);
  assert.equal(await to('https://example.com/x'), 'https://example.com/x');
  assert.equal(await to('../up'), '../up');
  assert.equal(await to(`${PREFIX}/already`), `${here}${PREFIX}/already`);
  assert.equal(await location(''), `${PREFIX}/`);
  assert.equal(await location('?q=1'), `${PREFIX}/?q=1`);
});

test('a body of a method that has none is framed, not left lying on the connection', async (t) => {
  const seen: string[] = [];
  const { api } = await start(t, (asked, answer) => {
    seen.push(`${asked.method} ${asked.url}`);
    void text(asked).then((body) => answer.end(body));
  });
  const socket = connect(api, '127.0.0.1');
  socket.write(
    `GET ${PREFIX}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
  );
  const smuggled = 'GET /two HTTP/1.1\r\nHost: y\r\n\r\n';
  socket.write(`${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`);
  assert.match(await text(socket), /GET \/two/);
  assert.deepEqual(seen, ['GET /one']);
});

test('a backend that is not there, and one that breaks off', async (t) => {
  const { api } = await start(t, (_asked, answer) => {
    answer.writeHead(200, { 'content-length': '100' });
    answer.write('half');
    setTimeout(() => answer.destroy(), 50);
  });
  const broken = await fetch(`http://127.0.0.1:${api}${PREFIX}/`);
  await assert.rejects(broken.text());
  const dead = createServer();
  const { api: other } = await start(t, dead);
  dead.close();
  await once(dead, 'close');
  const response = await fetch(`http://127.0.0.1:${other}${PREFIX}/`);
  const status = (await response.json()) as { reason: string; message: string };
  assert.equal(response.status, 503);
  assert.equal(status.reason, 'ServiceUnavailable');
  assert.match(
    status.message,
    /error trying to reach service: dial tcp 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
  );
});

test('https backends may have any certificate', async (t) => {
  const authority = await makeAuthority('somebody', new Date());
  const { certificate, privateKey } = await makeServerCertificate(
    ['other.example'],
    authority,
    new Date(),
  );
  const secure = createHttpsServer({ cert: certificate, key: privateKey }, (_asked, answer) =>
    answer.end('secure'),
  );
  const { api } = await start(t, secure, 'https');
  assert.equal(await (await fetch(`http://127.0.0.1:${api}${PREFIX}/`)).text(), 'secure');
});

test('a WebSocket goes through, and a backend that wants none is heard', async (t) => {
  const backend = createServer((_asked, answer) =>
    answer.writeHead(426, { 'x-why': 'no' }).end('no'),
  );
  const sockets = new WebSocketServer({ noServer: true });
  let protocols: string | undefined;
  backend.on('upgrade', (asked, socket, head) => {
    if (asked.url === '/plain') {
      socket.end('HTTP/1.1 426 No\r\nx-why: no\r\ncontent-length: 2\r\n\r\nno');
      return;
    }
    protocols = asked.headers['sec-websocket-protocol'];
    sockets.handleUpgrade(asked, socket, head, (accepted) => {
      accepted.on('message', (data) => accepted.send(`echo ${(data as Buffer).toString()}`));
    });
  });
  const { api } = await start(t, backend);
  const socket = new WebSocket(`ws://127.0.0.1:${api}${PREFIX}/chat`, [
    'base64url.bearer.authorization.k8s.io.c2VjcmV0',
    'chat',
  ]);
  await once(socket, 'open');
  assert.equal(protocols, 'chat');
  socket.send('hi');
  const [answer] = await once(socket, 'message');
  assert.equal(String(answer), 'echo hi');
  const closed = once(socket, 'close');
  socket.close(1000);
  await closed;
  const asked = request(`http://127.0.0.1:${api}${PREFIX}/plain`, {
    headers: { connection: 'Upgrade', upgrade: 'websocket' },
  }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  assert.deepEqual(
    [response.statusCode, response.headers['x-why'], await text(response)],
    [426, 'no', 'no'],
  );
});

test('references and the addresses they mean', () => {
  assert.deepEqual(parseReference('web'), { scheme: 'http', name: 'web', port: '' });
  assert.deepEqual(parseReference('web:http'), { scheme: 'http', name: 'web', port: 'http' });
  assert.deepEqual(parseReference('https:web:'), { scheme: 'https', name: 'web', port: '' });
  assert.deepEqual(parseReference('https:web:8443'), {
    scheme: 'https',
    name: 'web',
    port: '8443',
  });
  for (const bad of ['', ':', '::', 'ftp:web:1', 'a:b:c:d', 'https::1']) {
    assert.equal(parseReference(bad), undefined, bad);
  }
  const web = service('web', {
    selector: { app: 'web' },
    ports: [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'admin', port: 81 },
    ],
  });
  const { object: slice } = admit(EndpointSlice, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'default' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [
      { addresses: ['127.244.0.1'] },
      { addresses: ['127.244.0.2'], conditions: { ready: false } },
      { addresses: ['127.244.0.3'], conditions: { ready: true } },
    ],
  });
  const resolve = (text: string): unknown => {
    const reference = parseReference(text);
    assert.ok(reference);
    const resolved = serviceAddresses(reference, web, [slice]);
    return resolved.ok
      ? resolved.addresses.map(({ host, port }) => `${host}:${port}`)
      : resolved.status.message;
  };
  assert.deepEqual(resolve('web:http'), ['127.244.0.1:8080', '127.244.0.3:8080']);
  assert.deepEqual(resolve('web:80'), ['127.244.0.1:8080', '127.244.0.3:8080']);
  assert.equal(resolve('web:admin'), 'no endpoints available for service "web"');
  assert.equal(resolve('web:9'), 'no service port "9" found for service "web"; it has http, admin');
  assert.match(String(resolve('web')), /no service port ""/);

  const one = pod({
    container: { ports: [{ name: 'http', containerPort: 8080 }] },
    status: { podIP: '127.244.0.9' },
  });
  const address = (text: string): unknown => {
    const reference = parseReference(text);
    assert.ok(reference);
    const resolved = podAddress(reference, one);
    return resolved.ok ? resolved.addresses[0] : resolved.status.message;
  };
  assert.deepEqual(address('web'), { scheme: 'http', host: '127.244.0.9', port: 8080 });
  assert.deepEqual(address('https:web:http'), { scheme: 'https', host: '127.244.0.9', port: 8080 });
  assert.deepEqual(address('web:99'), { scheme: 'http', host: '127.244.0.9', port: 99 });
  assert.equal(address('web:nope'), 'pod "web" has no port "nope"');
});

test('headers named by Connection go no further, and addresses of IPv6 are written in brackets', () => {
  const to: ProxyAddress = { scheme: 'http', host: '::1', port: 80 };
  const from = { uri: '/x', host: 'api', protocol: 'https', clientAddress: '10.0.0.1' } as const;
  const raw = [
    'Host',
    'api',
    'Connection',
    'X-Secret, close',
    'X-Secret',
    '1',
    'X-Forwarded-For',
    '1.1.1.1',
    'A',
    'b',
  ];
  assert.deepEqual(requestHeaders(raw, from, to, undefined), [
    'Host',
    '[::1]',
    'A',
    'b',
    'X-Forwarded-For',
    '1.1.1.1, 10.0.0.1',
    'X-Forwarded-Uri',
    '/x',
    'X-Forwarded-Host',
    'api',
    'X-Forwarded-Proto',
    'https',
  ]);
  assert.equal(rewriteLocation('http://[::1]/a', '/p', from, to), 'https://api/p/a');
});
