// Services that are asked whether a request may go on, on real sockets: what they see, what the client
// gets, and that nothing goes on when they cannot be asked.

import assert from 'node:assert/strict';
import { createServer as createHttp } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connect, createServer as createTcp } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { AuthFilter } from '../../model/filter.ts';
import type { Proxy } from './proxy.ts';
import { ask, backendOf, modelOf, ORIGIN, serve, startProxy } from './testing/serve.ts';
import type { Got } from './testing/serve.ts';

const PLACE = { address: '127.80.201.2', port: 18091 };

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the backend and the HTTP service have seen. */
const backendSaw: Seen[] = [];
const serviceSaw: Seen[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

/** What the gRPC service answers; it keeps the message it was asked with. */
let checked: Message = new Map();
let checkPath = '';
let verdict: (writer: BinaryWriter) => void;
let grpcStatus = '0';

function listening(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

function recorder(
  seen: Seen[],
  reply: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  return createHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      reply(request, response);
    });
  });
}

/** Fields of a message by number: bytes as Buffers, numbers as numbers. */
type Message = Map<number, (Buffer | number)[]>;

function decode(bytes: Uint8Array): Message {
  const reader = new BinaryReader(bytes);
  const message: Message = new Map();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value =
      type === WireType.LengthDelimited ? Buffer.from(reader.bytes()) : Number(reader.int64());
    message.set(field, [...(message.get(field) ?? []), value]);
  }
  return message;
}

/** The message at the end of a path of field numbers. */
function at(message: Message, ...path: number[]): Message {
  return path.reduce((inner, field) => decode(inner.get(field)?.[0] as Buffer), message);
}

function text(message: Message, field: number): string {
  return String(message.get(field)?.[0] ?? '');
}

function pairs(message: Message, field: number): Record<string, string> {
  const entries = (message.get(field) ?? []).map((bytes) => {
    const pair = decode(bytes as Buffer);
    return [text(pair, 1), text(pair, 2)] as const;
  });
  return Object.fromEntries(entries);
}

function onCheck(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    checkPath = String(headers[':path']);
    checked = decode(Buffer.concat(chunks).subarray(5));
    const writer = new BinaryWriter();
    verdict(writer);
    const message = writer.finish();
    const frame = Buffer.alloc(5 + message.length);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, 5);
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus }));
    stream.end(frame);
  });
}

/** HeaderValueOption { 1 header { 1 key, 2 value }, 2 append } as a field of a message. */
function option(writer: BinaryWriter, field: number, key: string, value: string, append = false) {
  writer.tag(field, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(key);
  writer.tag(2, WireType.LengthDelimited).string(value);
  writer.join();
  if (append) {
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).bool(true).join();
  }
  writer.join();
}

const fine = (_: IncomingMessage, response: ServerResponse): void => void response.end('fine');

describe('a request that another service is asked about', () => {
  let proxy: Proxy;
  const servers: Server[] = [];
  const open = new Set<{ destroy(): void }>();

  before(async () => {
    const backend = recorder(backendSaw, (_, response) => response.end('from the backend'));
    const service = recorder(serviceSaw, (request, response) => answer(request, response));
    const calls = createHttp2();
    calls.on('stream', onCheck);
    calls.on('session', (session) => open.add(session));
    const silent = createTcp((socket) => void open.add(socket));
    const gone = createTcp();
    servers.push(backend, service, calls, silent);
    const ports = await Promise.all([backend, service, calls, silent, gone].map(listening));
    const [backendPort = 0, servicePort = 0, callsPort = 0, silentPort = 0, gonePort = 0] = ports;
    await new Promise((resolve) => gone.close(resolve));
    const http = (to: string, more: Partial<AuthFilter> = {}): AuthFilter => ({
      kind: 'auth',
      backend: to,
      question: {
        protocol: 'http',
        path: { kind: 'prefix', value: '/check' },
        sends: ['x-sent'],
        takes: ['x-user'],
        returns: 'all',
        allows: '200',
      },
      bodyBytesMax: 0,
      origin: ORIGIN,
      ...more,
    });
    const grpc = (more: Partial<AuthFilter> = {}): AuthFilter => ({
      kind: 'auth',
      backend: 'Service n/calls:9000/grpc',
      question: { protocol: 'grpc', sends: 'all' },
      bodyBytesMax: 0,
      origin: ORIGIN,
      ...more,
    });
    const rules = [
      { path: '/http', filters: [http('service')] },
      { path: '/body', filters: [http('service', { bodyBytesMax: 1000 })] },
      { path: '/gone', filters: [http('gone')] },
      { path: '/silent', filters: [http('silent')] },
      { path: '/grpc', filters: [grpc()] },
      { path: '/grpc-body', filters: [grpc({ bodyBytesMax: 1000 })] },
      { path: '/both', filters: [http('service'), grpc()] },
      {
        path: '/fixed',
        filters: [
          http('service', {
            question: {
              protocol: 'http',
              method: 'GET',
              host: 'login.example',
              path: { kind: 'fixed', value: '/auth?a=1' },
              sends: 'all',
              adds: [{ name: 'x-original-url', value: 'shop' }],
              takes: [],
              returns: ['www-authenticate'],
              allows: '2xx',
            },
          }),
        ],
      },
    ];
    proxy = startProxy({ limits: { authTimeoutMs: 300 } });
    await serve(
      proxy,
      modelOf(
        PLACE,
        rules.map((rule) => ({ ...rule, backend: 'backend' })),
        [
          backendOf('backend', 'http', [backendPort]),
          backendOf('service', 'http', [servicePort]),
          backendOf('Service n/calls:9000/grpc', 'h2c', [callsPort]),
          backendOf('silent', 'http', [silentPort]),
          backendOf('gone', 'http', [gonePort]),
        ],
      ),
    );
  });

  after(async () => {
    await proxy.stop(0);
    for (const one of open) one.destroy();
    for (const server of servers) server.close();
  });

  beforeEach(() => {
    backendSaw.length = 0;
    serviceSaw.length = 0;
    answer = fine;
    verdict = () => undefined;
    grpcStatus = '0';
  });

  it('is asked about with what the specification says, and no more', async () => {
    const headers = {
      host: 'shop.example',
      authorization: 'Bearer x',
      'x-sent': 'a',
      'x-unsent': 'b',
      cookie: 'c=d',
      'content-type': 'text/plain',
    };
    const got = await ask(PLACE, '/http/a?b=c', { method: 'POST', headers, body: 'words' });
    assert.equal(got.body, 'from the backend');
    const [seen] = serviceSaw;
    assert.equal(seen?.method, 'POST');
    assert.equal(seen.url, '/check/http/a?b=c');
    assert.equal(seen.body, '');
    const { connection: _, ...sent } = seen.headers;
    assert.deepEqual(sent, {
      host: 'shop.example',
      authorization: 'Bearer x',
      'x-sent': 'a',
      'content-length': '0',
    });
    assert.equal(backendSaw[0]?.body, 'words');
  });

  it('tells the service of a GET that it has no body', async () => {
    await ask(PLACE, '/http');
    assert.equal(serviceSaw[0]?.headers['content-length'], '0');
  });

  it('sends the body to both, in one piece or in chunks', async () => {
    const body = 'x'.repeat(1000);
    await ask(PLACE, '/body', { method: 'POST', body, headers: { 'content-length': '1000' } });
    await ask(PLACE, '/body', {
      method: 'POST',
      body,
      headers: { 'transfer-encoding': 'chunked' },
    });
    assert.deepEqual(
      serviceSaw.map((seen) => [seen.body, seen.headers['content-length']]),
      [
        [body, '1000'],
        [body, '1000'],
      ],
    );
    assert.deepEqual(
      backendSaw.map((seen) => seen.body),
      [body, body],
    );
  });

  it('is refused when its body is longer than may be asked about', async () => {
    const body = 'x'.repeat(1001);
    for (const [name, value] of [
      ['content-length', '1001'],
      ['transfer-encoding', 'chunked'],
    ] as const) {
      const headers = { [name]: value };
      const got = await ask(PLACE, '/body', { method: 'POST', body, headers });
      assert.equal(got.status, 413);
    }
    assert.equal(serviceSaw.length + backendSaw.length, 0);
  });

  it('is asked about when the client waits to be told to go on', async () => {
    const got = await new Promise<string>((resolve, reject) => {
      const socket = connect(PLACE.port, PLACE.address);
      let all = '';
      socket.on('error', reject);
      socket.on('data', (bytes: Buffer) => {
        const isFirst = all === '';
        all += bytes.toString();
        if (isFirst) socket.write('words');
      });
      socket.on('close', () => resolve(all));
      socket.write(
        'POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n',
      );
    });
    assert.match(got, /^HTTP\/1\.1 100 .*from the backend/s);
    assert.equal(serviceSaw[0]?.body, 'words');
    assert.equal(backendSaw[0]?.body, 'words');
  });

  it('is refused with the answer of the service: status, headers and body', async () => {
    answer = (_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic', 'content-type': 'text/x' });
      response.end('who are you?');
    };
    const got = await ask(PLACE, '/http', { method: 'POST', body: 'words' });
    assert.equal(got.status, 401);
    assert.equal(got.headers['www-authenticate'], 'Basic');
    assert.equal(got.headers['content-type'], 'text/x');
    assert.equal(got.body, 'who are you?');
    assert.equal(backendSaw.length, 0);
  });

  it('is refused with a long answer', async () => {
    const long = 'y'.repeat(3_000_000);
    answer = (_, response) => void response.writeHead(403).end(long);
    assert.equal((await ask(PLACE, '/http')).body, long);
  });

  it('is refused without a body that the method has none of', async () => {
    answer = (_, response) => void response.writeHead(401).end('who are you?');
    const got = await ask(PLACE, '/fixed', { method: 'HEAD' });
    assert.equal(got.status, 401);
    assert.equal(got.body, '');
    assert.equal(serviceSaw[0]?.method, 'GET');
  });

  it('can be asked about as a filter says', async () => {
    answer = (_, response) =>
      void response.writeHead(401, { 'www-authenticate': 'Basic', 'x-inner': 'b' }).end();
    const got = await ask(PLACE, '/fixed/x', { headers: { 'x-a': 'b', 'x-original-url': 'c' } });
    const [seen] = serviceSaw;
    assert.equal(seen?.url, '/auth?a=1');
    assert.equal(seen.headers.host, 'login.example');
    assert.equal(seen.headers['x-a'], 'b');
    assert.equal(seen.headers['x-original-url'], 'shop');
    assert.equal(got.headers['www-authenticate'], 'Basic');
    assert.equal(got.headers['x-inner'], undefined);
    answer = (_, response) => void response.writeHead(204).end();
    assert.equal((await ask(PLACE, '/fixed')).status, 200);
  });

  it('cannot say of itself what the service may say', async () => {
    await ask(PLACE, '/http', { headers: { 'X-User': 'root' } });
    answer = (_, response) => void response.writeHead(200, { 'X-User': 'ann' }).end();
    // Some backends cannot tell X_User from X-User.
    await ask(PLACE, '/http', { headers: { 'X-User': 'root', X_User: 'root', X_Other: 'kept' } });
    assert.deepEqual(
      backendSaw.map((seen) => seen.headers['x-user']),
      [undefined, 'ann'],
    );
    assert.equal(backendSaw[1]?.headers['x_user'], undefined);
    assert.equal(backendSaw[1]?.headers['x_other'], 'kept');
  });

  it('is refused when nobody answers', async () => {
    for (const path of ['/gone', '/silent']) {
      const got = await ask(PLACE, path, { method: 'POST', body: 'words' });
      assert.equal(got.status, 403, path);
    }
    answer = (request) => void request.socket.destroy();
    assert.equal((await ask(PLACE, '/http')).status, 403);
    assert.equal(backendSaw.length, 0);
  });

  it('is not sent on for a client that has gone', async () => {
    const asked = new Promise<ServerResponse>((resolve) => {
      answer = (_, response) => resolve(response);
    });
    const socket = connect(PLACE.port, PLACE.address);
    socket.write('GET /http HTTP/1.1\r\nhost: a\r\n\r\n');
    const response = await asked;
    const closed = new Promise((resolve) => response.once('close', resolve));
    socket.destroy();
    // The service is told.
    await closed;
    assert.equal(backendSaw.length, 0);
  });

  it('is asked about in gRPC with everything that is known of it', async () => {
    const headers = { host: 'shop.example', 'x-a': 'b', 'content-type': 'text/plain' };
    const got = await ask(PLACE, '/grpc-body/a?b=c', { method: 'POST', headers, body: 'words' });
    assert.equal(got.body, 'from the backend');
    assert.equal(checkPath, '/envoy.service.auth.v3.Authorization/Check');
    assert.equal(text(at(checked, 1, 1, 1, 1), 2), '127.0.0.1');
    const http = at(checked, 1, 4, 2);
    assert.equal(text(http, 2), 'POST');
    assert.equal(text(http, 4), '/grpc-body/a?b=c');
    assert.equal(text(http, 5), 'shop.example');
    assert.equal(text(http, 6), 'http');
    assert.equal(text(http, 12), 'words');
    assert.equal(http.get(9)?.[0], 5);
    const sent = pairs(http, 3);
    assert.equal(sent['x-a'], 'b');
    assert.equal(sent['content-type'], 'text/plain');
    assert.equal(sent['x-forwarded-for'], '127.0.0.1');
    const seconds = Number(at(checked, 1, 4, 1).get(1)?.[0]);
    assert.ok(Math.abs(seconds - Date.now() / 1000) < 600);
    assert.equal(backendSaw[0]?.body, 'words');
  });

  it('is changed as a gRPC service says', async () => {
    verdict = (writer) => {
      writer.tag(3, WireType.LengthDelimited).fork();
      option(writer, 2, 'X-User', 'ann');
      option(writer, 2, 'x-list', 'two', true);
      option(writer, 2, 'x-bad\r\nname', 'x');
      option(writer, 2, 'x-split', 'a\r\nx-evil: b');
      option(writer, 2, 'content-length', '3');
      writer.tag(5, WireType.LengthDelimited).string('X-Secret');
      option(writer, 6, 'x-answered', 'yes');
      writer.tag(7, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string('added');
      writer.tag(2, WireType.LengthDelimited).string('1 2').join();
      writer.tag(8, WireType.LengthDelimited).string('gone');
      writer.join();
    };
    const aliases = { x_user: 'root', x_secret: 's', x_other: 'kept' };
    const headers = { 'x-user': 'root', 'x-list': 'one', 'x-secret': 's', ...aliases };
    const got: Got = await ask(PLACE, '/grpc?gone=1&kept=2', { headers });
    assert.equal(got.headers['x-answered'], 'yes');
    const [seen] = backendSaw;
    assert.equal(seen?.headers['x-user'], 'ann');
    assert.equal(seen.headers['x-list'], 'one, two');
    assert.equal(seen.headers['x-secret'], undefined);
    assert.equal(seen.headers['x_user'], undefined);
    assert.equal(seen.headers['x_secret'], undefined);
    assert.equal(seen.headers['x_other'], 'kept');
    assert.equal(seen.headers['x-split'], undefined);
    assert.equal(seen.headers['x-evil'], undefined);
    assert.equal(seen.headers['content-length'], undefined);
    assert.equal(seen.url, '/grpc?kept=2&added=1+2');
  });

  it('is refused as a gRPC service says', async () => {
    verdict = (writer) => {
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).int32(7).join();
      writer.tag(2, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).int32(401).join();
      option(writer, 2, 'www-authenticate', 'Bearer');
      writer.tag(3, WireType.LengthDelimited).string('no token').join();
    };
    const got = await ask(PLACE, '/grpc');
    assert.equal(got.status, 401);
    assert.equal(got.headers['www-authenticate'], 'Bearer');
    assert.equal(got.body, 'no token');
    verdict = (writer) => {
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).int32(16).join();
    };
    assert.equal((await ask(PLACE, '/grpc')).status, 403);
    assert.equal(backendSaw.length, 0);
  });

  it('is refused when a gRPC service does not answer as it should', async () => {
    grpcStatus = '14';
    assert.equal((await ask(PLACE, '/grpc')).status, 403);
    grpcStatus = '0';
    verdict = (writer) => void writer.tag(1, WireType.LengthDelimited).uint32(99);
    assert.equal((await ask(PLACE, '/grpc')).status, 403);
    assert.equal(backendSaw.length, 0);
  });

  it('must be let on by every service', async () => {
    assert.equal((await ask(PLACE, '/both')).status, 200);
    verdict = (writer) => {
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).int32(7).join();
    };
    assert.equal((await ask(PLACE, '/both')).status, 403);
    assert.equal(backendSaw.length, 1);
  });
});
