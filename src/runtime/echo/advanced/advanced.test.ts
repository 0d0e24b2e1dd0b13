// echo-advanced as the mesh conformance manifests start it: all ports, and the lines clients look for.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { bytesField, readFields, readString } from '../grpc/protobuf.ts';
import { makeCertificates, missingOpenssl } from '../testing/certificates.ts';
import {
  exchangeRaw,
  parseAnswer,
  request,
  requestHttp2,
  startPod,
  type TestPodOptions,
} from '../testing/pods.ts';

const ADDRESS = '127.244.250.19';
const MESH_ARGS = [
  '--tcp=9090',
  '--port=8080',
  '--grpc=7070',
  '--port=8443',
  '--tls=8443',
  '--crt=/cert.crt',
  '--key=/cert.key',
];
const POD: TestPodOptions = {
  address: ADDRESS,
  image: 'registry.k8s.io/gateway-api/echo-advanced:v1.5.1',
  args: MESH_ARGS,
  env: { HOSTNAME: 'echo-v1-7c9d-x2x4p' },
};

test('HTTP/1.1: one line per fact and per header value, headers by name', async (t) => {
  await startPod(t, POD);
  const answer = await request(ADDRESS, '/a//b?x=1', {
    port: 8080,
    headers: ['x-b: 2', 'X-A: 1', 'x-b: 3'],
  });
  assert.deepEqual(answer.body.split('\n').slice(0, -1), [
    'ServiceVersion=',
    'ServicePort=8080',
    'Host=echo.example',
    'URL=/a//b?x=1',
    'Method=GET',
    'Proto=HTTP/1.1',
    'IP=127.0.0.1',
    'RequestHeader=Connection:close',
    'RequestHeader=X-A:1',
    'RequestHeader=X-B:2',
    'RequestHeader=X-B:3',
    'Hostname=echo-v1-7c9d-x2x4p',
  ]);
});

test('the same port speaks HTTP/2 by prior knowledge', async (t) => {
  await startPod(t, POD);
  const answer = await requestHttp2(`http://${ADDRESS}:8080`, {
    ':path': '/',
    ':authority': 'foo.example',
  });
  const lines = String(answer.body).split('\n');
  assert.ok(lines.includes('Proto=HTTP/2.0'));
  assert.ok(lines.includes('Host=foo.example'));
});

test('a preface that comes in pieces is still HTTP/2, and one that only begins like it is not', async (t) => {
  await startPod(t, POD);
  const socket = net.connect(8080, ADDRESS);
  t.after(() => socket.destroy());
  socket.write('PRI * HTTP/2.0\r\n');
  await new Promise((resolve) => setTimeout(resolve, 20));
  // The end of the preface and an empty SETTINGS frame; the server's own SETTINGS (type 4) must come back.
  socket.write(
    Buffer.concat([Buffer.from('\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
  );
  const first: Buffer = await new Promise((resolve) => socket.once('data', resolve));
  assert.equal(first[3], 4);
  const { text } = await exchangeRaw(ADDRESS, 8080, 'PRIVATE / HTTP/1.1\r\n\r\n');
  assert.equal(parseAnswer(text).status, 400);
});

interface Row {
  readonly name: string;
  readonly query: string;
  readonly status: number;
  readonly lines?: readonly string[];
  readonly body?: RegExp;
}

const PLAIN = 'Content-Type: text/plain; charset=utf-8';
const ROWS: readonly Row[] = [
  { name: 'a status of its own', query: 'codes=418', status: 418, lines: [PLAIN] },
  { name: 'a status with all the weight', query: 'codes=200:0,503:7', status: 503 },
  { name: 'a status without body', query: 'codes=204', status: 204, body: /^$/ },
  {
    name: 'headers of its own',
    query: 'headers=foo:bar,Baz:q',
    status: 200,
    lines: ['foo: bar', 'Baz: q'],
  },
  {
    name: 'codes that are no numbers',
    query: 'codes=abc',
    status: 200,
    lines: ['Content-Type: application/text'],
    body: /^codes error: strconv\.Atoi: parsing "abc": invalid syntax\nServiceVersion=/,
  },
  {
    name: 'codes out of range',
    query: 'codes=600',
    status: 200,
    body: /^codes error: invalid HTTP response code 600\n/,
  },
  {
    name: 'too many colons',
    query: 'codes=1:2:3',
    status: 200,
    body: /^codes error: invalid "1:2:3" \(want code/,
  },
  {
    name: 'a header without value',
    query: 'headers=foo',
    status: 200,
    body: /^response headers error: invalid "foo" /,
  },
  {
    name: 'a bad delay',
    query: 'delay=z',
    status: 200,
    body: /^error delaying response error: time: invalid duration "z"\n/,
  },
];

for (const { name, query, status, lines = [], body = /^ServiceVersion=/ } of ROWS) {
  test(`asked for ${name}`, async (t) => {
    await startPod(t, POD);
    const answer = await request(ADDRESS, `/?${query}`, { port: 8080 });
    assert.equal(answer.status, status);
    for (const line of lines) assert.ok(answer.headers.includes(line), line);
    assert.match(answer.body, body);
  });
}

test('codes are chosen in proportion', async (t) => {
  await startPod(t, POD);
  const statuses = new Set<number>();
  // Each of the two is missed with a probability of 2^-100.
  for (let at = 0; at < 100 && statuses.size < 2; at += 1) {
    statuses.add((await request(ADDRESS, '/?codes=200:1,500:1', { port: 8080 })).status);
  }
  assert.deepEqual(statuses, new Set([200, 500]));
});

test('gRPC: Echo answers with the same kind of lines', async (t) => {
  await startPod(t, { ...POD, args: [...MESH_ARGS, '--version=v1', '--cluster', 'c1'] });
  const message = bytesField(1, 'hi');
  const headers = {
    ':method': 'POST',
    ':path': '/proto.EchoTestService/Echo',
    ':authority': 'foo.example',
    'content-type': 'application/grpc',
    'x-a': '1',
  };
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  const answer = await requestHttp2(`http://${ADDRESS}:7070`, headers, body);
  assert.deepEqual(
    readString(readFields(answer.body.subarray(5)) ?? [], 1)
      .split('\n')
      .slice(0, -1),
    [
      'Host=foo.example',
      'RequestHeader=:authority:foo.example',
      'RequestHeader=content-type:application/grpc',
      'RequestHeader=x-a:1',
      'StatusCode=200',
      'ServiceVersion=v1',
      'ServicePort=7070',
      'Cluster=c1',
      'IP=127.0.0.1',
      'Proto=GRPC',
      'Echo=hi',
      'Hostname=echo-v1-7c9d-x2x4p',
    ],
  );
});

const HEALTH: readonly [
  name: string,
  method: string,
  service: string,
  status: string,
  answer: number[],
][] = [
  ['the server is serving', 'Check', '', '0', [0, 0, 0, 0, 2, 8, 1]],
  ['a service nobody registered', 'Check', 'x', '5', []],
];

for (const [name, method, service, status, expected] of HEALTH) {
  test(`gRPC health: ${name}`, async (t) => {
    await startPod(t, POD);
    const message = bytesField(1, service);
    const headers = {
      ':method': 'POST',
      ':path': `/grpc.health.v1.Health/${method}`,
      'content-type': 'application/grpc',
    };
    const body = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
    const answer = await requestHttp2(`http://${ADDRESS}:7070`, headers, body);
    assert.equal(answer.trailers['grpc-status'] ?? answer.headers['grpc-status'], status);
    assert.deepEqual([...answer.body], expected);
  });
}

const TCP_LINES = [
  'StatusCode=200',
  'ServiceVersion=',
  'ServicePort=9090',
  'IP=127.0.0.1',
  'Proto=TCP',
  `Hostname=${POD.env?.['HOSTNAME']}`,
];

test('TCP: facts first, then what was sent', async (t) => {
  await startPod(t, POD);
  const socket = net.connect({ host: ADDRESS, port: 9090, allowHalfOpen: true });
  let received = '';
  socket.on('data', (chunk) => (received += String(chunk)));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write('hello');
  while (!received.endsWith('hello')) await new Promise((resolve) => socket.once('data', resolve));
  socket.end(' world');
  await closed;
  assert.equal(received, `${TCP_LINES.join('\n')}\nhello world`);
});

test('TCP: a client that only ends gets the facts, too', async (t) => {
  await startPod(t, POD);
  const socket = net.connect({ host: ADDRESS, port: 9090, allowHalfOpen: true });
  let received = '';
  socket.on('data', (chunk) => (received += String(chunk)));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.end();
  await closed;
  assert.equal(received, `${TCP_LINES.join('\n')}\n`);
});

test('TCP: a server-first port speaks first and waits with the rest', async (t) => {
  await startPod(t, { ...POD, args: [...MESH_ARGS, '--server-first=9090'] });
  const socket = net.connect(9090, ADDRESS);
  t.after(() => socket.destroy());
  const first = await new Promise((resolve) => socket.once('data', resolve));
  assert.equal(String(first), 'server-first-protocol\n');
});

test('UDP: facts only', async (t) => {
  await startPod(t, { ...POD, args: [...MESH_ARGS, '--udp=9091'] });
  const socket = dgram.createSocket('udp4');
  t.after(() => socket.close());
  const answer: Buffer = await new Promise((resolve) => {
    socket.once('message', resolve);
    socket.send('hello', 9091, ADDRESS);
  });
  assert.equal(String(answer), `${TCP_LINES.join('\n').replace('9090', '9091')}\n`);
});

/** The lines of one GET over TLS. */
function getOverTls(options: tls.ConnectionOptions): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = tls.connect({
      host: ADDRESS,
      port: 8443,
      rejectUnauthorized: false,
      ...options,
    });
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject).on('close', () => resolve(parseAnswer(text).body.split('\n')));
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  });
}

test('HTTPS with the image’s own certificate: a self-signed one stands in', async (t) => {
  await startPod(t, POD);
  const lines = await getOverTls({ servername: 'sni.example', ALPNProtocols: ['http/1.1'] });
  assert.ok(lines.includes('Alpn=http/1.1'));
  assert.ok(lines.includes('Sni=sni.example'));
  assert.ok(lines.includes('ServicePort=8443'));
});

test('a certificate of its own that is missing is an error', async (t) => {
  const args = MESH_ARGS.map((arg) => arg.replace('/cert.crt', '/mine/tls.crt'));
  await assert.rejects(
    startPod(t, { ...POD, args }),
    /^EchoStartError: failed to read certificate \/mine\/tls\.crt: ENOENT/,
  );
});

test(
  'mutual TLS shows the client and refuses strangers',
  { skip: missingOpenssl() ?? false },
  async (t) => {
    const { ca, server, client, stranger } = makeCertificates();
    await startPod(t, {
      ...POD,
      args: [...MESH_ARGS, '--mtls=8443', '--ca=/ca.crt', '--disable-alpn'],
      files: { '/cert.crt': server.cert, '/cert.key': server.key, '/ca.crt': ca.cert },
    });
    const lines = await getOverTls({
      cert: client.cert,
      key: client.key,
      ALPNProtocols: ['http/1.1'],
    });
    assert.ok(lines.includes('ClientCertSubject=CN=client,O=Fairway'));
    assert.ok(lines.includes('ClientCertSerialNumber=4711'));
    assert.ok(!lines.some((line) => line.startsWith('Alpn=')));
    // With or without an alert: all that counts is that no answer comes.
    for (const identity of [{ cert: stranger.cert, key: stranger.key }, {}]) {
      assert.deepEqual(await getOverTls(identity).catch(() => ['']), ['']);
    }
  },
);

test('ports out of reach and metrics are mentioned in the log', async (t) => {
  const pod = await startPod(t, {
    ...POD,
    args: ['--port=8080', '--port=8081', '--bind-localhost=8081', '--metrics=15014'],
  });
  assert.ok(pod.log.some((line) => line.includes('port 8081 is not opened')));
  assert.ok(pod.log.some((line) => line.includes('metrics are not served')));
  await assert.rejects(
    new Promise((_resolve, reject) => net.connect(8081, ADDRESS).on('error', reject)),
  );
});
