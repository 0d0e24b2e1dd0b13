// Our server against node:http2's client, and our client against node:http2's server, over real sockets.
// nghttp2 is below node:http2: an independent implementation of everything here.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Clock } from '../clock.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Limits } from '../limits.ts';
import type { Receiver, RequestHandler, ServerStream } from '../stream.ts';
import { H2ClientConnection } from './client.ts';
import { H2ServerConnection } from './server.ts';
import { H2Shared, newH2Counters } from './shared.ts';
import type { H2Counters } from './shared.ts';
import { Recorder, requestHead } from './testing/harness.ts';
import { SocketTransport } from './testing/transports.ts';

function newShared(limits: Partial<Limits> = {}): H2Shared {
  return new H2Shared({
    limits: { ...DEFAULT_LIMITS, ...limits },
    clock: new Clock(),
    counters: newH2Counters(),
  });
}

/** Our server on a port of its own, and a node:http2 client connected to it; both end with the test. */
async function ourServer(
  t: TestContext,
  onRequest: RequestHandler,
  options: {
    readonly limits?: Partial<Limits>;
    readonly settings?: http2.Settings;
  } = {},
): Promise<{
  session: http2.ClientHttp2Session;
  connections: H2ServerConnection[];
  counters: H2Counters;
}> {
  const shared = newShared(options.limits);
  const connections: H2ServerConnection[] = [];
  const server = net.createServer((socket) => {
    const transport = new SocketTransport(socket);
    const onClosed = (): void => undefined;
    const connection = new H2ServerConnection({
      transport,
      shared,
      scheme: 'http',
      onRequest,
      onClosed,
    });
    transport.attach(connection);
    connections.push(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const session = http2.connect(`http://127.0.0.1:${port}`, { settings: options.settings ?? {} });
  session.on('error', () => undefined);
  t.after(() => {
    session.destroy();
    for (const connection of connections) connection.destroy();
    server.close();
  });
  return { session, connections, counters: shared.counters };
}

/** A node:http2 server, and our client connected to it; both end with the test. */
async function ourClient(
  t: TestContext,
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  options: { readonly limits?: Partial<Limits>; readonly settings?: http2.Settings } = {},
): Promise<{
  client: H2ClientConnection;
  sessions: http2.ServerHttp2Session[];
  closed: Promise<void>;
}> {
  const server = http2.createServer({ settings: options.settings ?? {} });
  const sessions: http2.ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = net.connect(port, '127.0.0.1');
  const transport = new SocketTransport(socket);
  const closing = Promise.withResolvers<void>();
  const client = new H2ClientConnection({
    transport,
    shared: newShared(options.limits),
    scheme: 'http',
    onClosed: () => closing.resolve(),
  });
  transport.attach(client);
  t.after(() => {
    client.destroy();
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { client, sessions, closed: closing.promise };
}

/** A recorder that can be waited for. */
class Awaited extends Recorder {
  private readonly done = Promise.withResolvers<this>();

  get over(): Promise<this> {
    return this.done.promise;
  }

  override onEnd(trailers: string[] | null): void {
    super.onEnd(trailers);
    this.done.resolve(this);
  }

  override onHead(
    head: { status: number; fields: string[]; contentLength: number },
    end: boolean,
  ): void {
    super.onHead(head, end);
    if (end) this.done.resolve(this);
  }

  override onReset(reason: Parameters<Receiver['onReset']>[0]): void {
    super.onReset(reason);
    this.done.resolve(this);
  }
}

/** Sends back what comes in, with backpressure both ways, and the trailers. */
function echo(stream: ServerStream): Receiver {
  stream.sendHead({ status: 200, fields: ['X-Echo', '1'], contentLength: -1 }, false);
  return {
    onBody: (bytes) => {
      if (!stream.sendBody(bytes)) stream.pause();
    },
    onEnd: (trailers) => stream.sendEnd(trailers),
    onReset: () => undefined,
    onDrain: () => stream.resume(),
  };
}

/** A body whose bytes tell their place. */
function bodyOf(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) body.writeUInt32BE(at, at);
  return body;
}

const SIZES = [0, 1, 100, 16_383, 16_384, 16_385, 65_535, 65_536, 200_000, 3_000_000];

for (const bytes of SIZES) {
  test(`node:http2 gets back the ${bytes} bytes it sends our server`, async (t) => {
    const { session } = await ourServer(t, echo);
    const body = bodyOf(bytes);
    const stream = session.request({ ':method': 'POST', ':path': '/echo' }, { endStream: false });
    stream.end(body);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    assert.ok(Buffer.concat(chunks).equals(body));
  });

  test(`our client gets back the ${bytes} bytes it sends node:http2`, async (t) => {
    const { client } = await ourClient(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const body = bodyOf(bytes);
    const recorder = new Awaited();
    const head = requestHead({ method: 'POST', contentLength: bytes });
    const sender = client.request(head, false, recorder);
    // Taken in pieces as the window opens: what is refused once is waited for.
    let at = 0;
    const push = (): void => {
      while (at < bytes) {
        const end = Math.min(bytes, at + 60_000);
        const flows = sender.sendBody(body.subarray(at, end));
        at = end;
        if (!flows) return;
      }
      sender.sendEnd(null);
      at = Infinity;
    };
    recorder.onDrain = () => {
      if (at !== Infinity) push();
    };
    push();
    await recorder.over;
    assert.equal(recorder.reason, null);
    assert.ok(recorder.body.equals(body));
  });
}

test('many streams at once, each with its own body, on one connection', async (t) => {
  const { session, counters } = await ourServer(t, echo);
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const stream = session.request({ ':method': 'POST' }, { endStream: false });
      stream.end(`${index} `.repeat(5000));
      return text(stream);
    }),
  );
  answers.forEach((answer, index) => assert.equal(answer, `${index} `.repeat(5000)));
  assert.equal(counters.streamsOpened, 100);
});

test('many requests at once from our client', async (t) => {
  const { client } = await ourClient(t, (stream, headers) => {
    stream.respond({ ':status': 200, 'x-path': headers[':path'] });
    stream.end(`${headers[':path']} `.repeat(3000));
  });
  const recorders = Array.from({ length: 80 }, (_, index) => {
    const recorder = new Awaited();
    client.request(requestHead({ target: `/${index}` }), true, recorder);
    return recorder;
  });
  for (const [index, recorder] of recorders.entries()) {
    await recorder.over;
    assert.deepEqual(recorder.heads[0]!.fields.slice(0, 2), ['x-path', `/${index}`]);
    assert.equal(recorder.body.toString(), `/${index} `.repeat(3000));
  }
});

test('trailers go both ways, through our server', async (t) => {
  const { session } = await ourServer(t, echo);
  const stream = session.request(
    { ':method': 'POST', te: 'trailers' },
    { waitForTrailers: true, endStream: false },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5' }));
  stream.end('hello');
  const [[trailers], answer] = await Promise.all([once(stream, 'trailers'), text(stream)]);
  assert.equal(answer, 'hello');
  assert.equal(trailers['x-sum'], '5');
});

test('trailers and interim responses come through our client', async (t) => {
  const { client } = await ourClient(t, (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end('hello');
  });
  const recorder = new Awaited();
  client.request(requestHead(), true, recorder);
  await recorder.over;
  assert.equal(recorder.interims[0]?.status, 103);
  assert.equal(recorder.body.toString(), 'hello');
  assert.deepEqual(recorder.trailers, ['grpc-status', '0']);
});

test('headers of all kinds survive the tables of both sides over many requests', async (t) => {
  const { session } = await ourServer(t, (stream, head) => {
    stream.sendHead({ status: 200, fields: head.fields, contentLength: 0 }, true);
    return new Recorder();
  });
  for (let turn = 0; turn < 60; turn++) {
    const headers = {
      'x-always': 'the same',
      'x-new': `turn ${turn}`,
      'x-turns': `value ${turn % 3}`,
      [`x-name-${turn % 40}`]: 'v'.repeat((turn * 97) % 900),
      cookie: `session=${'s'.repeat(turn)}`,
      authorization: 'Bearer secret',
      'x-latin': 'caf\xe9',
      accept: '*/*',
    };
    const stream = session.request(headers);
    const [answer] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    stream.resume();
    for (const [name, value] of Object.entries(headers)) assert.equal(answer[name], value, name);
  }
});

test("a client's reset reaches the exchange, and the connection serves on", async (t) => {
  const reset = Promise.withResolvers<Awaited>();
  const { session, counters } = await ourServer(t, (stream, head) => {
    if (head.target !== '/slow') return echo(stream);
    const recorder = new Awaited();
    reset.resolve(recorder);
    return recorder;
  });
  const slow = session.request({ ':path': '/slow' });
  slow.on('error', () => undefined);
  const recorder = await reset.promise;
  slow.close(http2.constants.NGHTTP2_CANCEL);
  await recorder.over;
  while (recorder.reason === null) await new Promise((resolve) => setTimeout(resolve, 5));
  const next = session.request({ ':method': 'POST' }, { endStream: false });
  next.end('still here');
  assert.equal(await text(next), 'still here');
  assert.equal(recorder.reason, 'closed');
  assert.equal(counters.resetsReceived, 1);
});

test("a backend's reset half way through the body reaches the receiver", async (t) => {
  const { client } = await ourClient(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.write('half', () => stream.destroy(new Error('half way')));
  });
  const recorder = new Awaited();
  client.request(requestHead(), true, recorder);
  await recorder.over;
  assert.equal(recorder.reason, 'closed');
  assert.equal(client.available, true);
});

test('a client that does not read is waited for, and gets everything in the end', async (t) => {
  const body = bodyOf(1_000_000);
  let sent = 0;
  const { session } = await ourServer(t, (stream) => {
    stream.sendHead({ status: 200, fields: [], contentLength: body.length }, false);
    const push = (): void => {
      while (sent < body.length) {
        const end = Math.min(body.length, sent + 50_000);
        const flows = stream.sendBody(body.subarray(sent, end));
        sent = end;
        if (!flows) return;
      }
      stream.sendEnd(null);
    };
    push();
    const recorder = new Recorder();
    recorder.onDrain = push;
    return recorder;
  });
  const stream = session.request({});
  await once(stream, 'response');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(sent <= 65_535 + 50_000, `sent ${sent} to a client that reads nothing`);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(body));
});

test('SETTINGS that change in the middle of a body are followed', async (t) => {
  const body = bodyOf(400_000);
  const { session } = await ourServer(t, echo, { settings: { initialWindowSize: 1000 } });
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  stream.end(body);
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (chunks.length % 5 === 0 && chunks.length < 60) {
      session.settings({
        initialWindowSize: chunks.length % 10 === 0 ? 500 : 5000,
        headerTableSize: chunks.length % 10 === 0 ? 0 : 4096,
      });
    }
  });
  await once(stream, 'end');
  assert.ok(Buffer.concat(chunks).equals(body));
});

test('a drained server finishes what runs and node:http2 closes without an error', async (t) => {
  let open: ServerStream | null = null;
  const { session, connections } = await ourServer(t, (stream) => {
    open = stream;
    return new Recorder();
  });
  const stream = session.request({});
  stream.setEncoding('utf8');
  while (open === null) await new Promise((resolve) => setTimeout(resolve, 5));
  connections[0]!.drain();
  await once(session, 'goaway');
  const served: ServerStream = open;
  served.sendHead({ status: 200, fields: [], contentLength: 4 }, false);
  served.sendBody(Buffer.from('done'));
  served.sendEnd(null);
  assert.equal(await text(stream), 'done');
  if (!session.closed) await once(session, 'close');
});

test('a GOAWAY of the backend lets running requests finish', async (t) => {
  const waiting: http2.ServerHttp2Stream[] = [];
  const { client, sessions, closed } = await ourClient(t, (stream) => waiting.push(stream));
  const recorder = new Awaited();
  client.request(requestHead(), true, recorder);
  while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  sessions[0]!.close();
  while (client.available) await new Promise((resolve) => setTimeout(resolve, 5));
  waiting[0]!.respond({ ':status': 200 });
  waiting[0]!.end('done');
  await recorder.over;
  assert.equal(recorder.body.toString(), 'done');
  await closed;
});

test('a backend that goes away resets what runs', async (t) => {
  const { client, sessions } = await ourClient(t, () => sessions[0]!.destroy());
  const recorder = new Awaited();
  client.request(requestHead(), true, recorder);
  await recorder.over;
  assert.equal(recorder.reason, 'closed');
});

test("the backend's stream limit is learnt from its SETTINGS", async (t) => {
  const { client } = await ourClient(t, (stream) => stream.respond({ ':status': 200 }), {
    settings: { maxConcurrentStreams: 3 },
  });
  const recorder = new Awaited();
  client.request(requestHead({ method: 'HEAD' }), true, recorder);
  await recorder.over;
  for (let count = 0; count < 3; count++) {
    assert.equal(client.available, true);
    client.request(requestHead(), true, new Awaited());
  }
  assert.equal(client.available, false);
});

test('extended CONNECT: a tunnel of node:http2 through our server', async (t) => {
  const { session } = await ourServer(t, (stream, head) => {
    assert.equal(head.protocol, 'websocket');
    stream.startTunnel({ status: 101, fields: [], contentLength: -1 });
    return {
      onBody: (bytes) => void stream.sendBody(bytes),
      onEnd: () => stream.sendEnd(null),
      onReset: () => undefined,
      onDrain: () => undefined,
    };
  });
  await once(session, 'remoteSettings');
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  const stream = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' },
    { endStream: false },
  );
  stream.end('ping');
  assert.equal(await text(stream), 'ping');
});

test('extended CONNECT: a tunnel of our client to node:http2', async (t) => {
  const { client } = await ourClient(
    t,
    (stream, headers) => {
      stream.respond({ ':status': 200, 'x-protocol': headers[':protocol'] });
      stream.pipe(stream);
    },
    { settings: { enableConnectProtocol: true } },
  );
  while (!client.takesTunnels) await new Promise((resolve) => setTimeout(resolve, 5));
  const recorder = new Awaited();
  const head = requestHead({ method: 'CONNECT', protocol: 'websocket', contentLength: -1 });
  const sender = client.request(head, false, recorder);
  sender.sendBody(Buffer.from('ping'));
  sender.sendEnd(null);
  await recorder.over;
  assert.deepEqual(recorder.events, ['tunnel', 'body', 'end']);
  assert.equal(recorder.body.toString(), 'ping');
});
