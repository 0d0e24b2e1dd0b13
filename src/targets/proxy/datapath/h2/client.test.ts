// A client connection whose server is the test: requests out, responses in, and everything a backend may
// do that it should not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Limits } from '../limits.ts';
import type { RequestHead } from '../stream.ts';
import { H2ClientConnection } from './client.ts';
import { CLIENT_PREFACE, ErrorCode, Flag, FrameType, readUint32 } from './frames.ts';
import { BlockReader, Recorder, requestHead, TestWorker } from './testing/harness.ts';
import { MemoryTransport } from './testing/transports.ts';
import {
  block,
  dataOf,
  frame,
  goawayCodes,
  readWire,
  resets,
  settings,
  uint32,
} from './testing/wire.ts';
import type { WireFrame } from './testing/wire.ts';

const { DATA, HEADERS, WINDOW_UPDATE, RST_STREAM, GOAWAY, PING, PUSH_PROMISE } = FrameType;
const WHOLE = Flag.END_STREAM | Flag.END_HEADERS;

const OK = block([':status', '200']);
const ok = (streamId: number, flags: number = Flag.END_HEADERS): Buffer =>
  frame(HEADERS, flags, streamId, OK);
const data = (streamId: number, bytes: number, flags = 0): Buffer =>
  frame(DATA, flags, streamId, Buffer.alloc(bytes, 'a'));
const goaway = (lastStreamId: number, code = 0): Buffer =>
  frame(GOAWAY, 0, 0, uint32(lastStreamId, code));

class TestClient {
  readonly worker: TestWorker;
  readonly transport = new MemoryTransport();
  readonly connection: H2ClientConnection;
  readonly happened: string[] = [];

  constructor(limits: Partial<Limits> = {}) {
    this.worker = new TestWorker(limits);
    this.connection = new H2ClientConnection({
      transport: this.transport,
      shared: this.worker.shared,
      scheme: 'https',
      onAvailable: () => this.happened.push('available'),
      onClosed: () => this.happened.push('closed'),
    });
    this.transport.handler = this.connection;
  }

  /** A client whose server has greeted it with these settings; what it said itself is thrown away. */
  static greeted(
    entries: readonly (readonly [id: number, value: number])[] = [],
    limits: Partial<Limits> = {},
  ): TestClient {
    const client = new TestClient(limits);
    client.connection.onTransportData(settings(...entries));
    client.connection.onTransportData(frame(FrameType.SETTINGS, Flag.ACK, 0));
    client.worker.endTurn();
    client.transport.take();
    return client;
  }

  /** Sends bytes as the server and returns the frames the client answers with. */
  send(...parts: Buffer[]): WireFrame[] {
    for (const part of parts) this.connection.onTransportData(Buffer.from(part));
    return this.said();
  }

  said(): WireFrame[] {
    this.worker.endTurn();
    return readWire(this.transport.take());
  }

  /** Sends a request without a body and returns what is recorded of its response. */
  get(head: Partial<RequestHead> = {}): Recorder {
    const recorder = new Recorder();
    this.connection.request(requestHead(head), true, recorder);
    return recorder;
  }
}

test('the client greets with preface and SETTINGS, and may ask at once', () => {
  const client = new TestClient();
  assert.equal(client.connection.available, true);
  client.get();
  client.worker.endTurn();
  const bytes = client.transport.take();
  assert.equal(bytes.toString('latin1', 0, 24), CLIENT_PREFACE);
  const frames = readWire(bytes.subarray(24));
  assert.deepEqual(
    frames.map((each) => each.type),
    [FrameType.SETTINGS, WINDOW_UPDATE, HEADERS],
  );
  // No push, and windows and head size from the limits.
  assert.match(frames[0]!.payload.toString('hex'), /^000200000000/);
  assert.equal(client.transport.writes.length, 1);
});

test('a request goes out as pseudo-headers, length, expectation and fields', () => {
  const client = TestClient.greeted();
  const reader = new BlockReader();
  const recorder = new Recorder();
  const head = requestHead({
    method: 'POST',
    target: '/a?b',
    fields: ['X-A', '1', 'te', 'trailers', 'Connection', 'close'],
    contentLength: 3,
    expectContinue: true,
  });
  const sender = client.connection.request(head, false, recorder);
  sender.sendBody(Buffer.from('abc'));
  sender.sendEnd(null);
  const [headers, body] = client.said();
  assert.deepEqual(reader.read(headers!.payload), [
    ':method',
    'POST',
    ':scheme',
    'https',
    ':authority',
    'example.com',
    ':path',
    '/a?b',
    'content-length',
    '3',
    'expect',
    '100-continue',
    'x-a',
    '1',
    'te',
    'trailers',
  ]);
  assert.equal(body?.payload.toString(), 'abc');
  assert.equal(body.flags, Flag.END_STREAM);
});

const LENGTHS: readonly (readonly [what: string, head: Partial<RequestHead>, length?: string])[] = [
  ['a GET without a body', { contentLength: 0 }],
  ['a POST without a body', { method: 'POST', contentLength: 0 }, '0'],
  ['a PUT of known length', { method: 'PUT', contentLength: 5 }, '5'],
  ['a POST of unknown length', { method: 'POST', contentLength: -1 }],
];

for (const [what, head, length] of LENGTHS) {
  test(`${what} says ${length === undefined ? 'no length' : `a length of ${length}`}`, () => {
    const client = TestClient.greeted();
    client.connection.request(requestHead(head), (head.contentLength ?? 0) === 0, new Recorder());
    const fields = new BlockReader().read(client.said()[0]!.payload);
    const at = fields.indexOf('content-length');
    assert.equal(at < 0 ? undefined : fields[at + 1], length);
  });
}

test('a response is told as interim heads, head, body and trailers', () => {
  const client = TestClient.greeted();
  const recorder = client.get();
  client.send(
    frame(HEADERS, Flag.END_HEADERS, 1, block([':status', '103'], ['link', '</a>'])),
    frame(HEADERS, Flag.END_HEADERS, 1, block([':status', '200'], ['content-length', '5'])),
    data(1, 5),
    frame(HEADERS, WHOLE, 1, block(['grpc-status', '0'])),
  );
  assert.deepEqual(recorder.events, ['interim', 'head', 'body', 'end']);
  assert.deepEqual(recorder.interims, [{ status: 103, fields: ['link', '</a>'] }]);
  assert.deepEqual(recorder.heads, [{ status: 200, fields: [], contentLength: 5 }]);
  assert.deepEqual(recorder.trailers, ['grpc-status', '0']);
});

test('a response without a body ends with its head', () => {
  const client = TestClient.greeted();
  const recorder = client.get();
  client.send(ok(1, WHOLE));
  assert.deepEqual(recorder.events, ['head+end']);
});

test('a response to HEAD may say a length and have no body', () => {
  const client = TestClient.greeted();
  const recorder = client.get({ method: 'HEAD' });
  const head = block([':status', '200'], ['content-length', '5']);
  client.send(frame(HEADERS, Flag.END_HEADERS, 1, head), data(1, 0, Flag.END_STREAM));
  assert.deepEqual(recorder.events, ['head', 'end']);
  assert.equal(recorder.heads[0]!.contentLength, 5);
});

interface Row {
  readonly what: string;
  readonly bytes: readonly Buffer[];
  readonly method?: string;
  readonly goaway?: number;
  readonly reset?: number;
  readonly reason: string;
}

const WRONG: readonly Row[] = [
  {
    what: 'DATA before the head',
    bytes: [data(1, 1)],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a body for HEAD',
    method: 'HEAD',
    bytes: [ok(1), data(1, 1)],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a body for a 204',
    bytes: [frame(HEADERS, Flag.END_HEADERS, 1, block([':status', '204'])), data(1, 1)],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'more body than its length says',
    bytes: [
      frame(HEADERS, Flag.END_HEADERS, 1, block([':status', '200'], ['content-length', '1'])),
      data(1, 2),
    ],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'less body than its length says',
    bytes: [
      frame(HEADERS, Flag.END_HEADERS, 1, block([':status', '200'], ['content-length', '3'])),
      data(1, 2, Flag.END_STREAM),
    ],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a head without a status',
    bytes: [frame(HEADERS, WHOLE, 1, block(['x-a', '1']))],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a connection field',
    bytes: [frame(HEADERS, WHOLE, 1, block([':status', '200'], ['connection', 'close']))],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a second head without an end',
    bytes: [ok(1), ok(1)],
    reset: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a head past its limit',
    bytes: [frame(HEADERS, WHOLE, 1, block([':status', '200'], ['x-a', 'a'.repeat(5000)]))],
    reset: ErrorCode.ENHANCE_YOUR_CALM,
    reason: 'limit',
  },
  {
    what: 'trailers past their limit',
    bytes: [ok(1), frame(HEADERS, WHOLE, 1, block(['x-a', 'a'.repeat(2000)]))],
    reset: ErrorCode.ENHANCE_YOUR_CALM,
    reason: 'limit',
  },
  {
    what: 'a pushed stream',
    bytes: [frame(PUSH_PROMISE, Flag.END_HEADERS, 1, Buffer.concat([uint32(2), OK]))],
    goaway: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a head on an even stream',
    bytes: [ok(2)],
    goaway: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a head on a stream not asked for',
    bytes: [ok(3)],
    goaway: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'a GOAWAY that takes its promise back',
    bytes: [goaway(1), goaway(3)],
    goaway: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
  {
    what: 'ENABLE_PUSH of 1',
    bytes: [settings([2, 1])],
    goaway: ErrorCode.PROTOCOL_ERROR,
    reason: 'protocol',
  },
];

for (const { what, bytes, method = 'GET', goaway: ends, reset, reason } of WRONG) {
  test(`${what} is an error of the ${ends === undefined ? 'stream' : 'connection'}`, () => {
    const client = TestClient.greeted([], { headBytesMax: 4000, trailerBytesMax: 1000 });
    const recorder = client.get({ method });
    client.said();
    const frames = client.send(...bytes);
    assert.deepEqual(resets(frames), reset === undefined ? [] : [[1, reset]]);
    assert.deepEqual(goawayCodes(frames), ends === undefined ? [] : [ends]);
    assert.equal(recorder.reason, reason);
    assert.equal(client.connection.available, ends === undefined);
  });
}

test('a server that does not begin with SETTINGS is not spoken to', () => {
  const client = new TestClient();
  client.connection.onTransportData(frame(PING, 0, 0, Buffer.alloc(8)));
  client.worker.endTurn();
  const frames = readWire(client.transport.take().subarray(24));
  assert.deepEqual(goawayCodes(frames), [ErrorCode.PROTOCOL_ERROR]);
});

test('a refused stream may be sent again, a reset one may not', () => {
  const client = TestClient.greeted();
  const [refused, reset] = [client.get(), client.get()];
  client.send(
    frame(RST_STREAM, 0, 1, uint32(ErrorCode.REFUSED_STREAM)),
    frame(RST_STREAM, 0, 3, uint32(ErrorCode.INTERNAL_ERROR)),
  );
  assert.equal(refused.reason, 'refused');
  assert.equal(reset.reason, 'closed');
});

test('after GOAWAY the streams behind it are refused, the others finish, then the client closes', () => {
  const client = TestClient.greeted();
  const [first, second] = [client.get(), client.get()];
  client.send(goaway(1));
  assert.equal(second.reason, 'refused');
  assert.equal(client.connection.available, false);
  assert.equal(client.transport.ended, false);
  const frames = client.send(ok(1, WHOLE));
  assert.deepEqual(first.events, ['head+end']);
  assert.equal(client.transport.ended, true);
  assert.deepEqual(goawayCodes(frames), [ErrorCode.NO_ERROR]);
});

test('a graceful end in two steps refuses nothing with the first', () => {
  const client = TestClient.greeted();
  const recorder = client.get();
  client.send(goaway(0x7fff_ffff));
  assert.equal(recorder.reason, null);
  assert.equal(client.connection.available, false);
  client.send(goaway(1), ok(1, WHOLE));
  assert.deepEqual(recorder.events, ['head+end']);
});

test("the backend's stream limit is kept, and told when there is room again", () => {
  const client = TestClient.greeted([[3, 2]]);
  client.get();
  assert.equal(client.connection.available, true);
  client.get();
  assert.equal(client.connection.available, false);
  assert.throws(() => client.get(), { code: 'ERR_ASSERTION' });
  client.send(ok(1, WHOLE));
  assert.deepEqual(client.happened, ['available']);
  assert.equal(client.connection.available, true);
});

test('a raised stream limit makes room', () => {
  const client = TestClient.greeted([[3, 1]]);
  client.get();
  client.send(settings([3, 2]));
  assert.deepEqual(client.happened, ['available']);
});

test('drain lets running requests finish', () => {
  const client = TestClient.greeted();
  const recorder = client.get();
  client.connection.drain();
  assert.equal(client.connection.available, false);
  client.send(ok(1, WHOLE));
  assert.deepEqual(recorder.events, ['head+end']);
  assert.equal(client.transport.ended, true);
});

test('an idle connection drains at once, and by itself after the idle time', () => {
  const idle = TestClient.greeted();
  idle.connection.drain();
  assert.equal(idle.transport.ended, true);
  const old = TestClient.greeted([], { backendIdleTimeoutMs: 5000 });
  old.worker.pass(4000);
  assert.equal(old.connection.available, true);
  old.worker.pass(1000);
  assert.equal(old.connection.available, false);
  assert.equal(old.transport.ended, true);
});

test('destroy resets what runs and tells that the connection is gone, once', () => {
  const client = TestClient.greeted();
  const recorder = client.get();
  client.connection.destroy();
  client.connection.destroy();
  client.connection.onTransportClose();
  assert.deepEqual(recorder.events, ['reset closed']);
  assert.deepEqual(client.happened, ['closed']);
  assert.equal(client.transport.destroyed, true);
});

test('a reset of ours is CANCEL, and what still comes for the stream is read over', () => {
  const client = TestClient.greeted();
  const recorder = new Recorder();
  client.connection.request(requestHead(), true, recorder).reset('cancelled');
  assert.deepEqual(resets(client.said()), [[1, ErrorCode.CANCEL]]);
  const frames = client.send(ok(1), data(1, 5, Flag.END_STREAM));
  assert.deepEqual(goawayCodes(frames), []);
  assert.deepEqual(recorder.events, []);
});

test('a whole response is not harmed by a reset that stops the request', () => {
  const client = TestClient.greeted();
  const recorder = new Recorder();
  const sender = client.connection.request(
    requestHead({ method: 'POST', contentLength: -1 }),
    false,
    recorder,
  );
  client.send(ok(1), data(1, 5, Flag.END_STREAM), frame(RST_STREAM, 0, 1, uint32(0)));
  assert.deepEqual(recorder.events, ['head', 'body', 'end']);
  // What is sent from now on is wanted by nobody, and goes nowhere.
  assert.equal(sender.sendBody(Buffer.alloc(5)), true);
  sender.sendEnd(null);
  assert.deepEqual(client.said(), []);
});

test('a whole response that is held while paused outlives reset and connection', () => {
  const client = TestClient.greeted();
  const recorder = new Recorder();
  const head = requestHead({ method: 'POST', contentLength: -1 });
  const sender = client.connection.request(head, false, recorder);
  sender.pause();
  client.send(ok(1), data(1, 5, Flag.END_STREAM), frame(RST_STREAM, 0, 1, uint32(0)));
  client.connection.onTransportClose();
  sender.resume();
  assert.deepEqual(recorder.events, ['head', 'body', 'end']);
});

test('a request body waits for the window of the backend', () => {
  const client = TestClient.greeted([[4, 4]]);
  const recorder = new Recorder();
  const head = requestHead({ method: 'POST', contentLength: 6 });
  const sender = client.connection.request(head, false, recorder);
  assert.equal(sender.sendBody(Buffer.from('abcdef')), false);
  sender.sendEnd(['x-sum', '6']);
  assert.equal(dataOf(client.said(), 1).toString(), 'abcd');
  const frames = client.send(frame(WINDOW_UPDATE, 0, 1, uint32(2)));
  assert.equal(dataOf(frames, 1).toString(), 'ef');
  assert.deepEqual(new BlockReader().read(frames[1]!.payload), ['x-sum', '6']);
});

test('pause stops the windows of a response', () => {
  const client = TestClient.greeted([], { streamWindowBytes: 1000 });
  const recorder = new Recorder();
  const sender = client.connection.request(requestHead(), true, recorder);
  sender.pause();
  assert.deepEqual(
    client.send(ok(1), data(1, 1000)).map((each) => each.type),
    [HEADERS],
  );
  sender.resume();
  const [update] = client.said();
  assert.equal(readUint32(update!.payload, 0), 1000);
});

test('a backend that is silent for too long is given up', () => {
  const client = TestClient.greeted([], { backendResponseTimeoutMs: 5000 });
  const [silent, slow] = [client.get(), client.get()];
  client.worker.pass(4000);
  client.said();
  client.send(ok(3));
  client.worker.pass(1000);
  assert.equal(silent.reason, 'timeout');
  assert.equal(slow.reason, null);
  assert.deepEqual(resets(client.said()), [[1, ErrorCode.CANCEL]]);
  client.worker.pass(4000);
  assert.equal(slow.reason, 'timeout');
});

test('a backend that takes no body is given up', () => {
  const client = TestClient.greeted([[4, 0]], { bodyIdleTimeoutMs: 5000 });
  const recorder = new Recorder();
  const head = requestHead({ method: 'POST', contentLength: 6 });
  client.connection.request(head, false, recorder).sendBody(Buffer.from('abcdef'));
  client.worker.pass(5000);
  assert.equal(recorder.reason, 'timeout');
});

test('a request that is left over after its response is reset in the end', () => {
  const client = TestClient.greeted([], { bodyIdleTimeoutMs: 5000 });
  const recorder = new Recorder();
  client.connection.request(requestHead({ method: 'POST', contentLength: -1 }), false, recorder);
  client.said();
  client.send(ok(1, WHOLE));
  client.worker.pass(5000);
  assert.deepEqual(resets(client.said()), [[1, ErrorCode.CANCEL]]);
  assert.deepEqual(recorder.events, ['head+end']);
});

test('a tunnel needs a backend that takes tunnels', () => {
  const client = TestClient.greeted();
  assert.equal(client.connection.takesTunnels, false);
  assert.throws(() => client.get({ method: 'CONNECT', protocol: 'websocket' }), {
    code: 'ERR_ASSERTION',
  });
});

test('a tunnel is told as such when the backend agrees, as a response when it does not', () => {
  const client = TestClient.greeted([[8, 1]]);
  const head = requestHead({
    method: 'CONNECT',
    protocol: 'websocket',
    target: '/chat',
    contentLength: -1,
  });
  const [agreed, refused] = [new Recorder(), new Recorder()];
  const sender = client.connection.request(head, false, agreed);
  client.connection.request(head, false, refused);
  assert.deepEqual(new BlockReader().read(client.said()[0]!.payload).slice(-2), [
    ':protocol',
    'websocket',
  ]);
  client.send(ok(1), data(1, 4), frame(HEADERS, WHOLE, 3, block([':status', '403'])));
  assert.deepEqual(agreed.events, ['tunnel', 'body']);
  assert.deepEqual(refused.events, ['head+end']);
  sender.sendBody(Buffer.from('raw'));
  assert.equal(dataOf(client.said(), 1).toString(), 'raw');
  client.worker.pass(DEFAULT_LIMITS.backendResponseTimeoutMs);
  assert.equal(agreed.reason, null);
});

test('a response that ends before its request leaves the request running', () => {
  const client = TestClient.greeted();
  const recorder = new Recorder();
  const head = requestHead({ method: 'POST', contentLength: -1 });
  const sender = client.connection.request(head, false, recorder);
  client.send(ok(1, WHOLE));
  client.said();
  sender.sendBody(Buffer.from('abc'));
  sender.sendEnd(null);
  const frames = client.said();
  assert.equal(dataOf(frames, 1).toString(), 'abc');
  assert.equal(frames.at(-1)?.flags, Flag.END_STREAM);
});

test('interim responses without end are a flood', () => {
  const client = TestClient.greeted([], { controlFramesBurst: 10, controlFramesPerSecond: 1 });
  const recorder = client.get();
  const interim = frame(HEADERS, Flag.END_HEADERS, 1, block([':status', '103']));
  const frames = client.send(...Array.from({ length: 25 }, () => interim));
  assert.deepEqual(goawayCodes(frames), [ErrorCode.ENHANCE_YOUR_CALM]);
  assert.equal(recorder.reason, 'limit');
});
