// echo-basic's gRPC mode, call by call on the wire, and the files its reflection hands out.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { bytesField, readFields, readString, type WireField } from '../grpc/protobuf.ts';
import { makeCertificates, missingOpenssl } from '../testing/certificates.ts';
import { requestHttp2, startPod, type Http2Answer } from '../testing/pods.ts';

const ADDRESS = '127.244.250.15';
const SERVICE = 'gateway_api_conformance.echo_basic.grpcecho.GrpcEcho';
const ENV = {
  GRPC_ECHO_SERVER: '1',
  NAMESPACE: 'ns',
  INGRESS_NAME: 'ing',
  SERVICE_NAME: 'svc',
  POD_NAME: 'pod-1',
};

/** Messages with gRPC's prefix: not compressed, four bytes of length. */
function frames(...messages: readonly Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      return [prefix, message];
    }),
  );
}

function unframe(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    messages.push(body.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

const EMPTY = frames(Buffer.alloc(0));

function call(
  method: string,
  headers: OutgoingHttpHeaders = {},
  body: Buffer = EMPTY,
): Promise<Http2Answer> {
  return requestHttp2(
    `http://${ADDRESS}:3000`,
    {
      ':method': 'POST',
      ':path': `/${SERVICE}/${method}`,
      ':authority': 'auth.example',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    },
    body,
  );
}

function startGrpc(t: TestContext) {
  return startPod(t, { address: ADDRESS, env: ENV });
}

/** The fields of the message at a path of field numbers, taking the first of repeated ones. */
function inside(message: Buffer, ...path: readonly number[]): readonly WireField[] {
  let fields = readFields(message) ?? [];
  for (const number of path) {
    const value = fields.find((field) => field.number === number)?.value;
    fields = Buffer.isBuffer(value) ? (readFields(value) ?? []) : [];
  }
  return fields;
}

for (const method of ['Echo', 'EchoTwo']) {
  test(`${method} tells method, headers, authority and pod`, async (t) => {
    const pod = await startGrpc(t);
    const answer = await call(method, {
      'x-a': ['1', '2'],
      'y-bin': Buffer.from('abc').toString('base64'),
    });
    assert.deepEqual(answer.trailers['grpc-status'], '0');
    assert.equal(answer.headers['content-type'], 'application/grpc');
    const [message = Buffer.alloc(0)] = unframe(answer.body);
    const assertions = inside(message, 1);
    assert.equal(readString(assertions, 1), `/${SERVICE}/${method}`);
    assert.equal(readString(assertions, 3), 'auth.example');
    const headers = assertions
      .filter((field) => field.number === 2)
      .map((field) => readFields(Buffer.from(field.value as Buffer)) ?? [])
      .map((fields) => `${readString(fields, 1)}=${readString(fields, 2)}`);
    assert.deepEqual(headers.toSorted(), [
      ':authority=auth.example',
      'content-type=application/grpc',
      'x-a=1',
      'x-a=2',
      'y-bin=abc',
    ]);
    const context = inside(message, 1, 4);
    assert.deepEqual(
      [1, 2, 3, 4].map((number) => readString(context, number)),
      ['ns', 'ing', 'svc', 'pod-1'],
    );
    assert.ok(!assertions.some((field) => field.number === 5));
    assert.ok(pod.log.includes('Received over plaintext: '));
  });
}

interface Row {
  readonly name: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer;
  readonly httpStatus?: number;
  readonly code: number;
  readonly message: string;
}

const FAILURES: readonly Row[] = [
  {
    name: 'EchoThree',
    headers: { ':path': `/${SERVICE}/EchoThree` },
    code: 12,
    message: 'method EchoThree not implemented',
  },
  {
    name: 'an unknown method',
    headers: { ':path': `/${SERVICE}/Nope` },
    code: 12,
    message: `unknown method Nope for service ${SERVICE}`,
  },
  {
    name: 'an unknown service',
    headers: { ':path': '/a.B/C' },
    code: 12,
    message: 'unknown service a.B',
  },
  {
    name: 'no method at all',
    headers: { ':path': '/x' },
    code: 12,
    message: 'malformed method name: "/x"',
  },
  {
    name: 'another content type',
    headers: { 'content-type': 'text/plain' },
    httpStatus: 415,
    code: 3,
    message: 'invalid gRPC request content-type "text/plain"',
  },
  {
    name: 'another HTTP method',
    headers: { ':method': 'PUT' },
    httpStatus: 405,
    code: 13,
    message: 'Received a HEADERS frame with :method "PUT" which should be POST',
  },
  {
    name: 'a compression the server does not have',
    headers: { 'grpc-encoding': 'gzip' },
    code: 12,
    message: 'grpc: Decompressor is not installed for grpc-encoding "gzip"',
  },
  {
    name: 'a compressed message without a compression',
    body: Buffer.from([1, 0, 0, 0, 0]),
    code: 13,
    message: 'grpc: compressed flag set with identity or empty encoding',
  },
  {
    name: 'a message beyond 4 MiB',
    body: Buffer.from([0, 0x10, 0, 0, 0]),
    code: 8,
    message: 'grpc: received message larger than max (268435456 vs. 4194304)',
  },
  {
    name: 'bytes that are no message',
    body: frames(Buffer.from([0xff])),
    code: 13,
    message: 'grpc: error unmarshalling request: proto: cannot parse invalid wire-format data',
  },
  { name: 'no message', body: Buffer.alloc(0), code: 2, message: 'EOF' },
  {
    name: 'half a message',
    body: Buffer.from([0, 0, 0, 0, 9, 1]),
    code: 13,
    message: 'unexpected EOF',
  },
  {
    name: 'a header that is no UTF-8',
    headers: { 'x-a': '\u00ff' },
    code: 13,
    message: 'grpc: error while marshaling: string field contains invalid UTF-8',
  },
];

for (const { name, headers, body, httpStatus = 200, code, message } of FAILURES) {
  test(`a call fails: ${name}`, async (t) => {
    await startGrpc(t);
    const answer = await call('Echo', headers, body);
    assert.equal(answer.headers[':status'], httpStatus);
    assert.equal(answer.headers['grpc-status'], String(code));
    assert.equal(decodeURIComponent(String(answer.headers['grpc-message'])), message);
    assert.equal(answer.body.length, 0);
  });
}

test('Host stands in for :authority and is dropped beside it', async (t) => {
  await startGrpc(t);
  const both = unframe((await call('Echo', { host: 'host.example' })).body)[0] ?? Buffer.alloc(0);
  assert.equal(readString(inside(both, 1), 3), 'auth.example');
  assert.ok(!both.includes('host.example'));
});

const skip = missingOpenssl() ?? false;

test('over TLS the connection is described, too', { skip }, async (t) => {
  const certificates = makeCertificates();
  const pod = await startPod(t, {
    address: ADDRESS,
    // With two underscores, unlike the HTTP mode.
    env: { ...ENV, TLS_SERVER_CERT: '/c', TLS_SERVER_PRIV_KEY: '/k' },
    files: { '/c': certificates.server.cert, '/k': certificates.server.key },
  });
  const headers = {
    ':method': 'POST',
    ':path': `/${SERVICE}/Echo`,
    'content-type': 'application/grpc',
  };
  const trusted = { ca: certificates.ca.cert, servername: 'echo.example' };
  const answer = await requestHttp2(`https://${ADDRESS}:8443`, headers, EMPTY, trusted);
  const facts = inside(unframe(answer.body)[0] ?? Buffer.alloc(0), 1, 5);
  assert.deepEqual(
    [1, 2, 3, 4].map((number) => readString(facts, number)),
    ['TLSv1.3', 'h2', 'echo.example', 'TLS_AES_128_GCM_SHA256'],
  );
  assert.ok(pod.log.includes('Received over TLS: '));
});

/** Asks one reflection stream several questions; gives the answers as fields. */
async function reflect(
  version: string,
  ...questions: readonly Buffer[]
): Promise<(readonly WireField[])[]> {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const answer = await call('', { ':path': path }, frames(...questions));
  assert.equal(answer.trailers['grpc-status'], '0');
  return unframe(answer.body).map((message) => readFields(message) ?? []);
}

function bytesOf(fields: readonly WireField[], number: number): Buffer {
  const value = fields.find((field) => field.number === number)?.value;
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

for (const version of ['v1', 'v1alpha']) {
  test(`reflection ${version} lists the services by name`, async (t) => {
    await startGrpc(t);
    const [answer = []] = await reflect(version, bytesField(7, '*'));
    const services = (readFields(bytesOf(answer, 6)) ?? []).map(
      (field) => readFields(field.value as Buffer) ?? [],
    );
    assert.deepEqual(
      services.map((fields) => readString(fields, 1)),
      [SERVICE, 'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'],
    );
  });

  test(`reflection ${version} finds a file by its name and by what is in it, several times on one stream`, async (t) => {
    await startGrpc(t);
    const symbols = [
      SERVICE,
      `${SERVICE}.Echo`,
      SERVICE.replace('GrpcEcho', 'Header'),
      SERVICE.replace('GrpcEcho', 'Header.key'),
    ];
    const questions = [
      bytesField(3, 'grpcecho.proto'),
      ...symbols.map((symbol) => bytesField(4, symbol)),
    ];
    const answers = await reflect(version, ...questions);
    assert.equal(answers.length, questions.length);
    const files = answers.map((answer) => sha256(bytesOf(readFields(bytesOf(answer, 4)) ?? [], 1)));
    assert.deepEqual([...new Set(files)], [FILES['grpcecho.proto']]);
  });
}

/** Digests of the descriptors the real server (echo-basic of Gateway API v1.6.1, grpc-go 1.81.1) hands out. */
const FILES: Readonly<Record<string, string>> = {
  'grpcecho.proto': 'd8a3e31f3d4b7b510e07fff0396e7bb4967feef1729090e7c9145794785b3f14',
  'grpc/reflection/v1/reflection.proto':
    '11250b71733b2a325589ae0fab5e1647d42173b0f379a9139827275c5740213e',
  'grpc/reflection/v1alpha/reflection.proto':
    '0c3472bf85c2212b222b71b2e0310f309fbec550af014c6b26ce588978caa0b5',
};

for (const [name, digest] of Object.entries(FILES)) {
  test(`the descriptor of ${name} is the real one, byte for byte`, async (t) => {
    await startGrpc(t);
    const [answer = []] = await reflect('v1', bytesField(3, name));
    assert.equal(sha256(bytesOf(readFields(bytesOf(answer, 4)) ?? [], 1)), digest);
  });
}

test('reflection says what it does not know', async (t) => {
  await startGrpc(t);
  const known = SERVICE.replace('GrpcEcho', 'Header');
  const questions = [
    bytesField(3, 'nope.proto'),
    bytesField(4, 'a.B'),
    bytesField(6, 'a.B'),
    bytesField(6, known),
  ];
  const answers = await reflect('v1', ...questions);
  const errors = answers.map((answer) => readFields(bytesOf(answer, 7)) ?? []);
  assert.deepEqual(
    errors.map((error) => error.find((field) => field.number === 1)?.value),
    [5, 5, 5, undefined],
  );
});

test('a reflection request without question ends the stream', async (t) => {
  await startGrpc(t);
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const answer = await call('', { ':path': path }, frames(bytesField(1, 'host')));
  assert.equal(answer.headers['grpc-status'], '3');
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
