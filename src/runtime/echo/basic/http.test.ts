// echo-basic's HTTP mode over real sockets, against what the real server was seen to answer.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { exchangeRaw, parseAnswer, request, requestHttp2, startPod } from '../testing/pods.ts';

const ENV = { NAMESPACE: 'ns', INGRESS_NAME: 'ing', SERVICE_NAME: 'svc', POD_NAME: 'pod-1' };
const PLAIN = 'Content-Type: text/plain; charset=utf-8';
const JSON_LINES = ['Content-Type: application/json', 'X-Content-Type-Options: nosniff'];

test('a request is described in exactly this form', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10', env: ENV });
  const raw =
    'GET //a/b?x=1&y=%20 HTTP/1.1\r\nHost: h.example:81\r\nx-b: <&>\r\nX-B: 2, 3\r\nConnection: close\r\n\r\n';
  const answer = parseAnswer((await exchangeRaw(pod.address, 3000, raw)).text);
  assert.equal(
    answer.body,
    `{
 "path": "//a/b?x=1\\u0026y=%20",
 "host": "h.example:81",
 "method": "GET",
 "proto": "HTTP/1.1",
 "headers": {
  "Connection": [
   "close"
  ],
  "X-B": [
   "\\u003c\\u0026\\u003e",
   "2, 3"
  ]
 },
 "httpPort": "3000",
 "namespace": "ns",
 "ingress": "ing",
 "service": "svc",
 "pod": "pod-1"
}`,
  );
  assert.deepEqual(answer.headers, [
    ...JSON_LINES,
    `Content-Length: ${answer.body.length}`,
    'Connection: close',
  ]);
});

test('the log repeats path and query exactly and names the client', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  await request(pod.address, '//a?b=%20&c');
  const line = pod.log.find((each) => each.startsWith('Echoing'));
  assert.match(
    line ?? '',
    /^Echoing back request made to \/\/a\?b=%20&c to client \(127\.[\d.]+:\d+\)$/,
  );
});

test('a connection is kept for further requests and no Connection header is sent', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const two =
    'GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  const { text } = await exchangeRaw(pod.address, 3000, two);
  const [first = '', second = ''] = text.split(/(?<=\})(?=HTTP)/);
  assert.match(first, /"path": "\/1"/);
  assert.match(second, /"path": "\/2"/);
  assert.doesNotMatch(first, /^(Connection|Keep-Alive):/m);
});

interface Row {
  readonly name: string;
  readonly target: string;
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly status: number;
  /** Lines the answer must have. */
  readonly lines?: readonly string[];
  /** Exact body. */
  readonly answer?: string;
}

const FORM = 'Content-Type: application/x-www-form-urlencoded';
const ROWS: readonly Row[] = [
  {
    name: 'health',
    target: '/health',
    status: 200,
    lines: [PLAIN, 'Content-Length: 2'],
    answer: 'OK',
  },
  {
    name: 'health by HEAD',
    target: '/health',
    method: 'HEAD',
    status: 200,
    lines: ['Content-Length: 2'],
    answer: '',
  },
  { name: 'slashes are merged before routing', target: '//health', status: 200, answer: 'OK' },
  {
    name: 'a status',
    target: '/status/503',
    status: 503,
    lines: ['Content-Length: 0'],
    answer: '',
  },
  { name: 'a status nobody knows', target: '/status/299', status: 299, answer: '' },
  { name: 'a status without body', target: '/status/204', status: 204, answer: '' },
  {
    name: 'a status with a query is a bad request',
    target: '/status/503?x',
    status: 400,
    answer: '',
  },
  { name: 'no status at all', target: '/status/', status: 400, answer: '' },
  { name: 'a status of four digits', target: '/status/2000', status: 400, answer: '' },
  {
    name: 'a subtree without slash',
    target: '/status?a',
    status: 307,
    lines: ['Location: /status/?a'],
  },
  {
    name: 'a path to clean up',
    target: '/a/../b?c=<',
    status: 307,
    lines: ['Location: /b?c=<'],
    answer: '<a href="/b?c=&lt;">Temporary Redirect</a>.\n\n',
  },
  {
    name: 'a path to clean up, posted',
    target: '/a/../b',
    method: 'POST',
    status: 307,
    answer: '',
  },
  { name: 'a path that is not one', target: '/%zz', status: 400, answer: '400 Bad Request' },
  { name: 'the server as a whole', target: '*', method: 'OPTIONS', status: 200, answer: '' },
  { name: 'the server as a whole, but read', target: '*', status: 400, answer: '' },
  { name: 'a short delay', target: '/?delay=1ms', status: 200 },
  { name: 'a negative delay is none', target: '/?delay=-1h', status: 200 },
  {
    name: 'a delay that is no duration',
    target: '/?delay=%3Cb%3E',
    status: 500,
    lines: JSON_LINES,
    answer: '{"message":"time: invalid duration \\"\\u003cb\\u003e\\""}',
  },
  { name: 'the first delay counts', target: '/?delay=1ms&delay=x', status: 200 },
  {
    name: 'a delay in a form, which goes before the query',
    target: '/?delay=1ms',
    method: 'POST',
    headers: [`${FORM}; charset=utf-8`, 'Content-Length: 7'],
    body: 'delay=x',
    status: 500,
    answer: '{"message":"time: invalid duration \\"x\\""}',
  },
  {
    name: 'GET has no form',
    target: '/',
    headers: [FORM, 'Content-Length: 7'],
    body: 'delay=x',
    status: 200,
  },
  {
    name: 'a delay in a multipart form',
    target: '/',
    method: 'POST',
    headers: ['Content-Type: multipart/form-data; boundary=b', 'Content-Length: 62'],
    body: '--b\r\nContent-Disposition: form-data; name="delay"\r\n\r\nx\r\n--b--\r\n',
    status: 500,
  },
  {
    name: 'an upgrade elsewhere is a request',
    target: '/',
    headers: ['Upgrade: websocket'],
    status: 200,
  },
];

for (const row of ROWS) {
  test(`HTTP: ${row.name}`, async (t) => {
    const pod = await startPod(t, { address: '127.244.250.10' });
    const answer = await request(pod.address, row.target, row);
    assert.equal(answer.status, row.status);
    for (const line of row.lines ?? [])
      assert.ok(answer.headers.includes(line), `${line} in ${answer.headers.join(' | ')}`);
    if (row.answer !== undefined) assert.equal(answer.body, row.answer);
  });
}

test('a delay is waited for', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const startedMs = performance.now();
  await request(pod.address, '/?delay=0.2s');
  // Timers may fire a millisecond early.
  assert.ok(performance.now() - startedMs >= 195);
});

test('an informational status goes before a 200', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const raw = 'GET /status/103 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  const { text } = await exchangeRaw(pod.address, 3000, raw);
  assert.match(text, /^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test('an impossible status breaks the connection off', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  assert.equal((await request(pod.address, '/status/000')).status, 0);
});

const SET_HEADERS: readonly [
  name: string,
  requested: readonly string[],
  lines: readonly string[],
][] = [
  ['nothing asked for', [], []],
  ['an empty header', ['X-Echo-Set-Header: '], []],
  ['one', ['X-Echo-Set-Header: Foo:bar'], ['Foo: bar']],
  ['several, with spaces', ['X-Echo-Set-Header: foo:bar, Baz: qux '], ['foo: bar', 'Baz: qux']],
  ['a name twice', ['X-Echo-Set-Header: A:1,A: 2 ,A:3'], ['A: 1,2,3']],
  ['in two lines', ['X-Echo-Set-Header: A:1', 'x-echo-set-header: A:2,B'], ['A: 1,2', 'B: ']],
  ['two spellings are two names', ['X-Echo-Set-Header: A:1,a:2'], ['A: 1', 'a: 2']],
  ['a value with colons', ['X-Echo-Set-Header: A:b:c'], ['A: b:c']],
  ['names that cannot be sent', ['X-Echo-Set-Header: x y:1,:v,,A:1'], ['A: 1']],
  [
    'framing is not up to the client',
    ['X-Echo-Set-Header: Content-Length:3,Transfer-Encoding:x,Trailer:y'],
    [],
  ],
];

for (const [name, requested, lines] of SET_HEADERS) {
  test(`X-Echo-Set-Header: ${name}`, async (t) => {
    const pod = await startPod(t, { address: '127.244.250.10' });
    const answer = await request(pod.address, '/', { headers: requested });
    const length = `Content-Length: ${answer.body.length}`;
    assert.deepEqual(answer.headers, [...lines, ...JSON_LINES, length, 'Connection: close']);
  });
}

test('X-Echo-Set-Header cannot change the content type under its own name', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const answer = await request(pod.address, '/', {
    headers: ['X-Echo-Set-Header: Content-Type:text/plain'],
  });
  assert.deepEqual(answer.headers.slice(0, 2), JSON_LINES);
});

test('ports and httpPort come from the environment', async (t) => {
  const pod = await startPod(t, {
    address: '127.244.250.10',
    env: { HTTP_PORT: '3002', H2C_PORT: '3003' },
  });
  const answer = await request(pod.address, '/', { port: 3002 });
  assert.equal(JSON.parse(answer.body).httpPort, '3002');
  assert.equal((await request(pod.address, '/', { port: 3003 })).status, 400);
});

test('h2c: prior knowledge is echoed, whatever the path', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const headers = {
    ':path': '/health?x',
    ':authority': 'h.example',
    'x-a': ['1', '2'],
    cookie: ['a=b', 'c=d'],
  };
  const answer = await requestHttp2(`http://${pod.address}:3001`, headers);
  const { path, host, proto, headers: seen, tls } = JSON.parse(answer.body.toString());
  assert.deepEqual(
    { path, host, proto, tls },
    { path: '/health?x', host: 'h.example', proto: 'HTTP/2.0', tls: undefined },
  );
  assert.deepEqual(seen, { Cookie: ['a=b; c=d'], 'X-A': ['1', '2'] });
  assert.equal(answer.headers['content-type'], 'application/json');
});

test('h2c: HTTP/1.1 is refused unless it mentions the upgrade', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const refused = await request(pod.address, '/', { port: 3001 });
  assert.deepEqual([refused.status, refused.body], [400, 'Expected h2c request']);
  const raw = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
  const echoed = parseAnswer((await exchangeRaw(pod.address, 3001, raw)).text);
  assert.deepEqual([echoed.status, JSON.parse(echoed.body).proto], [200, 'HTTP/1.1']);
});

test('h2c: headers asked for come in lower case, those of HTTP/1 connections not at all', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const headers = {
    ':path': '/',
    'x-echo-set-header': 'Foo:1,foo:2,Connection:close,Content-Type:x',
  };
  const answer = await requestHttp2(`http://${pod.address}:3001`, headers);
  assert.equal(answer.headers['foo'], '1, 2');
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.error, undefined);
});

test('h2c: an upload nobody reads is taken in', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const headers = { ':path': '/', ':method': 'POST' };
  const answer = await requestHttp2(`http://${pod.address}:3001`, headers, Buffer.alloc(1_000_000));
  assert.deepEqual([answer.headers[':status'], answer.error], [200, undefined]);
});

test('an upgrade behind an unanswered request gives the connection up', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const sleeping = 'GET /?delay=1h HTTP/1.1\r\nHost: h\r\n\r\n';
  const upgrade =
    'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  assert.equal((await exchangeRaw(pod.address, 3000, sleeping + upgrade)).text, '');
  assert.equal((await request(pod.address, '/health')).status, 200);
});

test('a form beyond the limit counts as no form', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const body = `a=${'x'.repeat(11 * 1024 * 1024)}&delay=x`;
  const headers = [FORM, `Content-Length: ${body.length}`];
  const answer = await request(pod.address, '/', { method: 'POST', headers, body });
  assert.equal(answer.status, 200);
});

test('two pods in one process know nothing of each other', async (t) => {
  const one = await startPod(t, { address: '127.244.250.10', env: { POD_NAME: 'one' } });
  const two = await startPod(t, { address: '127.244.250.11', env: { POD_NAME: 'two' } });
  const target = '/retry/x?uuid=u&succeedAfter=1&responseCode=503';
  assert.equal((await request(one.address, target)).status, 503);
  assert.equal((await request(two.address, target)).status, 503);
  assert.equal(JSON.parse((await request(two.address, target)).body).pod, 'two');
  assert.equal(one.log.filter((line) => line.startsWith('Echoing')).length, 0);
});

test('closing ends connections, also of requests under way, and frees the ports', async (t) => {
  const pod = await startPod(t, { address: '127.244.250.10' });
  const idle = net.connect(3000, pod.address);
  const ended = new Promise((resolve) => idle.on('error', () => {}).on('close', resolve));
  await new Promise((resolve) => idle.on('connect', resolve));
  const sleeping = request(pod.address, '/?delay=1h');
  const isLogged = (): boolean => pod.log.some((line) => line.includes('delay=1h'));
  while (!isLogged()) await new Promise((resolve) => setTimeout(resolve, 5));
  await pod.close();
  await pod.close();
  await ended;
  assert.equal((await sleeping).status, 0);
  await startPod(t, { address: '127.244.250.10' });
});
