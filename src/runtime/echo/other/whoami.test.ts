// traefik/whoami: the text and JSON descriptions, and the little endpoints beside them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangeRaw, request, requestHttp2, startPod } from '../testing/pods.ts';

const ADDRESS = '127.244.250.23';
const POD = {
  address: ADDRESS,
  image: 'traefik/whoami:v1.11',
  args: ['--port=8080'],
  env: { HOSTNAME: 'whoami-1' },
};

test('who it is, then the request with Host and User-Agent first', async (t) => {
  await startPod(t, POD);
  const headers = ['x-b: 2', 'User-Agent: me', 'X-A: 1', 'X-B: 3', 'Content-Length: 4'];
  const answer = await request(ADDRESS, '/p?x=1', {
    port: 8080,
    method: 'POST',
    headers,
    body: 'body',
  });
  assert.match(answer.body, /^RemoteAddr: 127\.[\d.]+:\d+$/m);
  assert.equal(
    answer.body.replace(/^RemoteAddr: .*\n/m, ''),
    `Hostname: whoami-1\nIP: ${ADDRESS}\n` +
      'POST /p?x=1 HTTP/1.1\r\nHost: echo.example\r\nUser-Agent: me\r\nContent-Length: 4\r\n' +
      'Connection: close\r\nX-A: 1\r\nX-B: 2\r\nX-B: 3\r\n\r\nbody',
  );
});

test('its name and its environment, if asked', async (t) => {
  await startPod(t, {
    ...POD,
    args: [],
    env: { WHOAMI_PORT_NUMBER: '8080', WHOAMI_NAME: 'me', A: 'b' },
  });
  const answer = await request(ADDRESS, '/?env=true&wait=1ms', { port: 8080 });
  assert.match(answer.body, /^Name: me\n/);
  assert.match(answer.body, /WHOAMI_NAME=me\nA=b\n$/);
});

test('the same as JSON', async (t) => {
  await startPod(t, { ...POD, args: ['--port', '8080', '--name', 'me'] });
  const answer = await request(ADDRESS, '/api?x', { port: 8080, headers: ['X-A: 1', 'x-a: 2'] });
  const { remoteAddr, ...rest } = JSON.parse(answer.body);
  assert.match(remoteAddr, /^127\.[\d.]+:\d+$/);
  assert.deepEqual(rest, {
    hostname: 'whoami-1',
    ip: [ADDRESS],
    headers: { Connection: ['close'], 'X-A': ['1', '2'] },
    url: '/api?x',
    host: 'echo.example',
    method: 'GET',
    name: 'me',
  });
});

test('the port speaks HTTP/2 without TLS, too', async (t) => {
  await startPod(t, POD);
  const answer = await requestHttp2(`http://${ADDRESS}:8080`, { ':path': '/bench' });
  assert.equal(String(answer.body), '1');
});

test('/bench keeps the connection unless the client does not', async (t) => {
  await startPod(t, POD);
  const get = 'GET /bench HTTP/1.1\r\nHost: h\r\n';
  const { text } = await exchangeRaw(ADDRESS, 8080, `${get}\r\n${get}Connection: close\r\n\r\n`);
  assert.equal(text.match(/\r\n\r\n1/g)?.length, 2);
});

test('the status of /health is set by POST', async (t) => {
  const pod = await startPod(t, POD);
  const set = (body: string) =>
    request(ADDRESS, '/health', {
      port: 8080,
      method: 'POST',
      headers: [`Content-Length: ${body.length}`],
      body,
    });
  assert.equal((await request(ADDRESS, '/health', { port: 8080 })).status, 200);
  assert.equal((await set('503')).status, 200);
  assert.equal((await request(ADDRESS, '/health', { port: 8080 })).status, 503);
  assert.ok(pod.log.includes('Update health check status code [503]'));
  assert.equal((await set('x')).status, 400);
});

const DATA: readonly [query: string, body: string][] = [
  ['size=10', '|ABCDEFGH|'],
  ['size=2', '||'],
  ['size=1', ''],
  ['', ''],
  ['size=-1', ''],
];

for (const [query, body] of DATA) {
  test(`/data?${query}`, async (t) => {
    await startPod(t, POD);
    assert.equal((await request(ADDRESS, `/data?${query}`, { port: 8080 })).body, body);
  });
}

test('/data has units and a limit', async (t) => {
  await startPod(t, POD);
  assert.equal((await request(ADDRESS, '/data?size=3&unit=kb', { port: 8080 })).body.length, 3_072);
  assert.match(
    (await request(ADDRESS, '/data?size=1&unit=TB', { port: 8080 })).body,
    /not produced here/,
  );
});

test('/echo is a WebSocket that asks for no Origin', async (t) => {
  await startPod(t, POD);
  const head = [
    'GET /echo HTTP/1.1',
    'Host: h',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  // A text frame and a closing frame, masked with zeros.
  const frames = '\u0081\u0082\0\0\0\0hi\u0088\u0080\0\0\0\0';
  const { text } = await exchangeRaw(ADDRESS, 8080, `${head.join('\r\n')}\r\n\r\n${frames}`);
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), '\u0081\u0002hi\u0088\u0000');
});

test('--verbose logs every request', async (t) => {
  const pod = await startPod(t, { ...POD, args: [...POD.args, '--verbose'] });
  await request(ADDRESS, '/p?q', { port: 8080 });
  const time = String.raw`\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000`;
  assert.match(
    pod.log.at(-1) ?? '',
    new RegExp(` 127\\.[\\d.]+:\\d+ - - \\[${time}\\] "GET /p HTTP/1\\.1" - -$`),
  );
});
