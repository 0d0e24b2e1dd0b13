// agnhost's netexec and serve-hostname over real sockets.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import { test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { exchangeRaw, request, startPod, type TestPod } from '../testing/pods.ts';

const ADDRESS = '127.244.250.24';
const OTHER = '127.244.250.25';
const IMAGE = 'registry.k8s.io/e2e-test-images/agnhost:2.53';

function startNetexec(
  t: TestContext,
  args: readonly string[] = [],
  address = ADDRESS,
  name = 'netexec-1',
): Promise<TestPod> {
  return startPod(t, {
    address,
    image: IMAGE,
    args: ['netexec', ...args],
    env: { HOSTNAME: name },
    lookup: (_host, options, callback) => {
      if (options.all === true) callback(null, [{ address: OTHER, family: 4 }]);
      else callback(null, OTHER, 4);
    },
  });
}

interface Row {
  readonly target: string;
  readonly status?: number;
  readonly body?: string | RegExp;
  readonly headers?: readonly string[];
  readonly lines?: readonly string[];
}

const ROWS: readonly Row[] = [
  { target: '/', body: /^NOW: \d{4}-/ },
  { target: '/whatever', body: /^NOW: / },
  { target: '/hostname', body: 'netexec-1' },
  { target: '/hostName', body: 'netexec-1' },
  { target: '/clientip', body: /^127\.[\d.]+:\d+$/ },
  { target: '/serverport', body: '8080' },
  { target: '/healthz', body: '' },
  { target: '/readyz', body: 'ok' },
  { target: '/echo?msg=a%20b', body: 'a b' },
  { target: '/echo?msg=x&code=418', status: 418, body: 'x' },
  {
    target: '/echo?msg=x&code=z',
    body: 'argument \'code\' must be an integer or empty, got "z"\n',
  },
  { target: '/header?key=x-a', headers: ['X-A: 1', 'X-A: 2'], body: '1' },
  { target: '/header', headers: ['X-A: <'], body: '{"Connection":["close"],"X-A":["\\u003c"]}' },
  { target: '/redirect?location=/echo%3Fmsg=x', status: 302, lines: ['Location: /echo?msg=x'] },
  { target: '/redirect?location=/x&code=307', status: 307, lines: ['Location: /x'] },
  { target: '/shell?cmd=id', status: 501, body: /not a container/ },
  { target: '/exit?code=1', status: 501 },
  { target: '/shutdown', status: 501 },
  { target: '/dial?host=x&port=1', status: 400, body: 'request parameter not specified.\n' },
  {
    target: '/dial?host=x&port=1&request=r&tries=x',
    status: 400,
    body: 'tries parameter is invalid.\n',
  },
  {
    target: '/dial?host=x&port=1&request=r&protocol=sctp',
    status: 400,
    body: 'unsupported protocol. sctp\n',
  },
];

for (const { target, status = 200, body, headers = [], lines = [] } of ROWS) {
  test(`netexec: ${target}`, async (t) => {
    await startNetexec(t);
    const answer = await request(ADDRESS, target, { port: 8080, headers });
    assert.equal(answer.status, status);
    if (typeof body === 'string') assert.equal(answer.body, body);
    if (body instanceof RegExp) assert.match(answer.body, body);
    for (const line of lines) assert.ok(answer.headers.includes(line), answer.headers.join(' | '));
  });
}

test('netexec without its UDP server is never healthy, as the real one', async (t) => {
  await startNetexec(t, ['--udp-port=-1', '--http-port', '8083']);
  assert.equal((await request(ADDRESS, '/healthz', { port: 8083 })).status, 412);
  assert.equal((await request(ADDRESS, '/hostname', { port: 8083 })).body, 'netexec-1');
});

test('netexec --http-override answers everything alike', async (t) => {
  await startNetexec(t, ['--http-override=/echo?msg=same']);
  assert.equal((await request(ADDRESS, '/hostname', { port: 8080 })).body, 'same');
});

function ask(t: TestContext, message: string, port = 8081): Promise<string> {
  const socket = dgram.createSocket('udp4');
  t.after(() => socket.close());
  return new Promise((resolve) => {
    socket.on('message', (answer) => resolve(String(answer)));
    socket.send(message, port, ADDRESS);
  });
}

const COMMANDS: readonly [command: string, answer: RegExp][] = [
  ['hostname', /^netexec-1$/],
  [' HostName\n', /^netexec-1$/],
  ['echo Hello There', /^hello there$/],
  ['clientip', /^127\.[\d.]+:\d+$/],
];

for (const [command, answer] of COMMANDS) {
  test(`netexec over UDP: ${JSON.stringify(command)}`, async (t) => {
    await startNetexec(t);
    assert.match(await ask(t, command), answer);
  });
}

test('an unknown UDP command is only logged', async (t) => {
  const pod = await startNetexec(t);
  const socket = dgram.createSocket('udp4');
  t.after(() => socket.close());
  socket.send('nope', 8081, ADDRESS);
  while (!pod.log.some((line) => line.includes('Unknown UDP command received from'))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test('/dial sends requests from this pod and collects who answered', async (t) => {
  await startNetexec(t);
  await startNetexec(t, [], OTHER, 'netexec-2');
  const dial = (query: string) => request(ADDRESS, `/dial?${query}`, { port: 8080 });
  const http = await dial(`host=service.ns&port=8080&request=hostname&tries=3`);
  assert.deepEqual(JSON.parse(http.body), { responses: ['netexec-2', 'netexec-2', 'netexec-2'] });
  const source = await dial(`host=${OTHER}&port=8080&request=clientip`);
  assert.match(
    JSON.parse(source.body).responses[0],
    new RegExp(`^${ADDRESS.replaceAll('.', '\\.')}:\\d+$`),
  );
  const udp = await dial('host=service.ns&port=8081&request=hostname&protocol=udp');
  assert.deepEqual(JSON.parse(udp.body), { responses: ['netexec-2'] });
});

test('/dial reports what it cannot reach', async (t) => {
  await startNetexec(t);
  for (const protocol of ['http', 'udp']) {
    const answer = await request(
      ADDRESS,
      `/dial?host=${OTHER}&port=9&request=x&protocol=${protocol}&tries=2`,
      { port: 8080 },
    );
    const { responses, errors } = JSON.parse(answer.body);
    assert.equal(responses, undefined);
    assert.equal(errors.length, 2);
    assert.match(errors[0], /ECONNREFUSED/);
  }
});

test('netexec over TLS with the image’s own certificate', async (t) => {
  await startNetexec(t, [
    '--tls-cert-file=/localhost.crt',
    '--tls-private-key-file=/localhost.key',
  ]);
  const text = await new Promise<string>((resolve, reject) => {
    let received = '';
    const socket = tls.connect({ host: ADDRESS, port: 8080, rejectUnauthorized: false });
    socket.on('data', (chunk) => (received += String(chunk)));
    socket.on('error', reject).on('close', () => resolve(received));
    socket.write('GET /hostname HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  });
  assert.match(text, /\r\n\r\nnetexec-1$/);
});

test('serve-hostname says its name over HTTP', async (t) => {
  const pod = await startPod(t, {
    address: ADDRESS,
    image: IMAGE,
    args: ['serve-hostname'],
    env: { HOSTNAME: 'host-1' },
  });
  assert.equal((await request(ADDRESS, '/x', { port: 9376 })).body, 'host-1');
  assert.match(pod.log.at(-1) ?? '', /HTTP request from 127\.[\d.]+:\d+$/);
});

test('serve-hostname says its name over TCP and UDP', async (t) => {
  const args = ['serve-hostname', '--http=false', '--tcp', '--udp', '--port=9000'];
  await startPod(t, { address: ADDRESS, image: IMAGE, args, env: { HOSTNAME: 'host-1' } });
  assert.equal((await exchangeRaw(ADDRESS, 9000, '')).text, 'host-1');
  assert.equal(await ask(t, 'x', 9000), 'host-1');
});

test('agnhost without a command pauses: nothing listens', async (t) => {
  await startPod(t, { address: ADDRESS, image: IMAGE });
  await assert.rejects(
    new Promise((_resolve, reject) => net.connect(8080, ADDRESS).on('error', reject)),
  );
});
