// A server connection whose client is the test: requests in, responses out, windows, the graceful end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, Flag, FrameType, readUint32, UINT31_MAX } from './frames.ts';
import { BlockReader, TestServer } from './testing/harness.ts';
import {
  block,
  dataOf,
  frame,
  goawayCodes,
  HELLO,
  resets,
  settings,
  uint32,
} from './testing/wire.ts';
import type { WireFrame } from './testing/wire.ts';

const { DATA, HEADERS, WINDOW_UPDATE, PING, GOAWAY } = FrameType;
const WHOLE = Flag.END_STREAM | Flag.END_HEADERS;

const GET = block(
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'example.com'],
  [':path', '/a'],
);

const get = (streamId: number): Buffer => frame(HEADERS, WHOLE, streamId, GET);
const post = (streamId: number): Buffer => frame(HEADERS, Flag.END_HEADERS, streamId, GET);
const data = (streamId: number, bytes: number, flags = 0): Buffer =>
  frame(DATA, flags, streamId, Buffer.alloc(bytes, 'a'));

/** What kind of frames these are, with their flags. */
function kinds(frames: readonly WireFrame[]): string[] {
  const names = Object.entries(FrameType);
  return frames.map(({ type, flags, streamId }) => {
    const name = names.find(([, value]) => value === type)?.[0] ?? 'unknown';
    return `${name} ${streamId}${(flags & Flag.END_STREAM) === 0 ? '' : ' end'}`;
  });
}

/** The increments of the WINDOW_UPDATEs of a stream among these. */
function increments(frames: readonly WireFrame[], streamId: number): number[] {
  return frames
    .filter((each) => each.type === WINDOW_UPDATE && each.streamId === streamId)
    .map((each) => readUint32(each.payload, 0));
}

test('the server greets with its limits, at once, in one write', () => {
  const server = new TestServer({ streamsMax: 7, headBytesMax: 9000, streamWindowBytes: 50_000 });
  const frames = server.answers();
  assert.deepEqual(kinds(frames), ['SETTINGS 0', 'WINDOW_UPDATE 0']);
  assert.equal(
    frames[0]!.payload.toString('hex'),
    '000300000007' + '00040000c350' + '000600002328' + '000800000001',
  );
  assert.deepEqual(increments(frames, 0), [1024 * 1024 - 65_535]);
  assert.equal(server.transport.writes.length, 1);
});

test('a request reaches the exchange, with its end', () => {
  const server = TestServer.greeted();
  server.send(get(1));
  const [exchange] = server.exchanges;
  assert.equal(exchange?.head.target, '/a');
  assert.equal(exchange.hasBody, false);
  assert.deepEqual(exchange.recorder.events, ['end']);
});

test('a body reaches the exchange piece by piece, then its trailers', () => {
  const server = TestServer.greeted();
  server.send(post(1), data(1, 5));
  const { recorder, hasBody } = server.exchanges[0]!;
  assert.equal(hasBody, true);
  assert.equal(recorder.body.length, 5);
  server.send(data(1, 3), frame(HEADERS, WHOLE, 1, block(['x-sum', '8'])));
  assert.equal(recorder.body.length, 8);
  assert.deepEqual(recorder.trailers, ['x-sum', '8']);
});

test('all frames of a turn are one write', () => {
  const server = TestServer.greeted();
  server.send(...[1, 3, 5, 7].map(get));
  const before = server.transport.writes.length;
  for (const { stream } of server.exchanges) {
    stream.sendHead({ status: 200, fields: ['a', 'b'], contentLength: 2 }, false);
    stream.sendBody(Buffer.from('ok'));
    stream.sendEnd(null);
  }
  server.worker.endTurn();
  assert.equal(server.transport.writes.length, before + 1);
});

test('the end of a response goes out on its last frame', () => {
  const server = TestServer.greeted();
  server.send(get(1), get(3), get(5), get(7));
  const streams = server.exchanges.map(({ stream }) => stream);
  streams[0]!.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
  streams[1]!.sendHead({ status: 200, fields: [], contentLength: 2 }, false);
  streams[1]!.sendBody(Buffer.from('ok'));
  streams[1]!.sendEnd(null);
  streams[2]!.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  streams[2]!.sendEnd(null);
  streams[3]!.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  assert.deepEqual(kinds(server.answers()), [
    'HEADERS 1 end',
    'HEADERS 3',
    'DATA 3 end',
    'HEADERS 5 end',
    'HEADERS 7',
  ]);
  streams[3]!.sendEnd(null);
  assert.deepEqual(kinds(server.answers()), ['DATA 7 end']);
});

test('heads say status and length; interim responses and 204 have none', () => {
  const server = TestServer.greeted();
  server.send(get(1), get(3));
  const [first, second] = server.exchanges.map(({ stream }) => stream);
  first!.sendInterim(103, ['link', '</a>']);
  first!.sendHead({ status: 200, fields: ['Server', 'x'], contentLength: 2 }, false);
  second!.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
  const reader = new BlockReader();
  const heads = server.answers().map(({ payload }) => reader.read(payload));
  assert.deepEqual(heads, [
    [':status', '103', 'link', '</a>'],
    [':status', '200', 'content-length', '2', 'server', 'x'],
    [':status', '204'],
  ]);
});

test('an end right after an interim response is a frame of its own', () => {
  const server = TestServer.greeted();
  server.send(get(1));
  const { stream } = server.exchanges[0]!;
  stream.sendInterim(100, []);
  stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  stream.sendEnd(['grpc-status', '0']);
  assert.deepEqual(kinds(server.answers()), ['HEADERS 1', 'HEADERS 1', 'HEADERS 1 end']);
});

test('a head larger than a frame goes on in CONTINUATIONs', () => {
  const server = TestServer.greeted();
  server.send(get(1));
  const fields = Array.from({ length: 20 }, (_, at) => [
    `x-${at}`,
    `${'~'.repeat(2000)}${at}`,
  ]).flat();
  const { stream } = server.exchanges[0]!;
  stream.sendHead({ status: 200, fields, contentLength: -1 }, false);
  stream.sendEnd(null);
  const frames = server.answers();
  assert.deepEqual(kinds(frames), ['HEADERS 1', 'CONTINUATION 1', 'CONTINUATION 1', 'DATA 1 end']);
  const payload = Buffer.concat(frames.slice(0, 3).map((each) => each.payload));
  assert.deepEqual(new BlockReader().read(payload), [':status', '200', ...fields]);
  assert.deepEqual(
    frames.slice(0, 3).map((each) => each.flags & Flag.END_HEADERS),
    [0, 0, Flag.END_HEADERS],
  );
});

test('sending after the end is a bug that is found', () => {
  const server = TestServer.greeted();
  server.send(get(1));
  const { stream } = server.exchanges[0]!;
  stream.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
  assert.throws(() => stream.sendBody(Buffer.from('x')), { code: 'ERR_ASSERTION' });
  assert.throws(() => stream.sendEnd(null), { code: 'ERR_ASSERTION' });
  assert.throws(() => stream.sendHead({ status: 200, fields: [], contentLength: 0 }, true), {
    code: 'ERR_ASSERTION',
  });
});

test('a body beyond the stream window waits for it, byte for byte', () => {
  const server = TestServer.greeted();
  server.send(settings([4, 10]), get(1));
  const { stream, recorder } = server.exchanges[0]!;
  stream.sendHead({ status: 200, fields: [], contentLength: 25 }, false);
  assert.equal(stream.sendBody(Buffer.from('abcdefghijklmnopqrstuvwxy')), false);
  stream.sendEnd(null);
  assert.equal(dataOf(server.answers(), 1).toString(), 'abcdefghij');
  assert.equal(dataOf(server.send(frame(WINDOW_UPDATE, 0, 1, uint32(3))), 1).toString(), 'klm');
  const rest = server.send(frame(WINDOW_UPDATE, 0, 1, uint32(100)));
  assert.equal(dataOf(rest, 1).toString(), 'nopqrstuvwxy');
  assert.deepEqual(kinds(rest), ['DATA 1 end']);
  assert.equal(recorder.drains, 0);
});

test('when what waited is out, the sender is told', () => {
  const server = TestServer.greeted();
  server.send(settings([4, 10]), get(1));
  const { stream, recorder } = server.exchanges[0]!;
  stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  assert.equal(stream.sendBody(Buffer.alloc(10)), true);
  assert.equal(stream.sendBody(Buffer.alloc(1)), false);
  assert.equal(stream.sendBody(Buffer.alloc(1)), false);
  server.send(frame(WINDOW_UPDATE, 0, 1, uint32(1)));
  assert.equal(recorder.drains, 0);
  server.send(frame(WINDOW_UPDATE, 0, 1, uint32(1)));
  assert.equal(recorder.drains, 1);
  assert.equal(stream.sendBody(Buffer.alloc(1)), false);
});

test('SETTINGS change the windows of open streams, also to below nothing', () => {
  const server = TestServer.greeted();
  server.send(settings([4, 10]), get(1));
  const { stream } = server.exchanges[0]!;
  stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  stream.sendBody(Buffer.alloc(20));
  assert.equal(dataOf(server.answers(), 1).length, 10);
  // 10 are used: a window of 4 leaves -6.
  assert.equal(dataOf(server.send(settings([4, 4])), 1).length, 0);
  assert.equal(dataOf(server.send(frame(WINDOW_UPDATE, 0, 1, uint32(6))), 1).length, 0);
  assert.equal(dataOf(server.send(settings([4, 7])), 1).length, 3);
});

test('streams that wait for the connection window take turns', () => {
  const server = TestServer.greeted();
  server.send(settings([4, 1_000_000]), get(1), get(3));
  for (const { stream } of server.exchanges) {
    stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
    stream.sendBody(Buffer.alloc(100_000));
  }
  const opening = server.answers();
  assert.equal(dataOf(opening, 1).length, 65_535);
  const frames = server.send(frame(WINDOW_UPDATE, 0, 0, uint32(49_152)));
  assert.deepEqual(kinds(frames), ['DATA 1', 'DATA 3', 'DATA 1']);
});

test('while the transport is full, bodies wait and heads go on', () => {
  const server = TestServer.greeted();
  server.transport.highWaterMark = 1000;
  server.send(get(1), get(3));
  const [first, second] = server.exchanges;
  first!.stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  assert.equal(first!.stream.sendBody(Buffer.alloc(5000)), true);
  server.worker.endTurn();
  assert.equal(first!.stream.sendBody(Buffer.from('later')), false);
  second!.stream.sendHead({ status: 200, fields: [], contentLength: 0 }, true);
  assert.deepEqual(kinds(server.answers()), ['HEADERS 1', 'DATA 1', 'HEADERS 3 end']);
  assert.equal(dataOf(server.answers(), 1).toString(), 'later');
  assert.equal(first!.recorder.drains, 1);
});

test('a client that reads nothing is not read either, once enough is queued for it', () => {
  const server = TestServer.greeted({ bufferedBytesMax: 500 });
  server.transport.highWaterMark = 10;
  const ping = frame(PING, 0, 0, Buffer.alloc(8));
  for (let turn = 0; turn < 60 && !server.transport.paused; turn++) {
    server.connection.onTransportData(ping);
    server.worker.endTurn();
  }
  assert.equal(server.transport.paused, true);
  server.transport.take();
  assert.equal(server.transport.paused, false);
});

test('a window is opened again when half of it has been taken', () => {
  const server = TestServer.greeted({ streamWindowBytes: 20_000, connectionWindowBytes: 100_000 });
  assert.deepEqual(increments(server.send(post(1), data(1, 9999)), 1), []);
  assert.deepEqual(increments(server.send(data(1, 1)), 1), [10_000]);
  for (let turn = 0; turn < 3; turn++) {
    assert.deepEqual(increments(server.send(data(1, 10_000)), 0), []);
  }
  assert.deepEqual(increments(server.send(data(1, 10_000)), 0), [50_000]);
});

test('padding is given back to the windows at once', () => {
  const server = TestServer.greeted({ streamWindowBytes: 500 });
  server.send(post(1));
  const padded = frame(
    DATA,
    Flag.PADDED,
    1,
    Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]),
  );
  assert.deepEqual(increments(server.send(padded), 1), [256]);
});

test('a client that sends past its stream window is reset', () => {
  const server = TestServer.greeted({ streamWindowBytes: 1000 });
  const frames = server.send(post(1), data(1, 1001));
  assert.deepEqual(resets(frames), [[1, ErrorCode.FLOW_CONTROL_ERROR]]);
});

test('a client that has not seen our smaller window yet may fill the usual one', () => {
  const server = new TestServer({ streamWindowBytes: 1000 });
  server.send(HELLO.subarray(0, -9), post(1));
  const sent = Array.from({ length: 3 }, () => data(1, 16_000));
  assert.deepEqual(resets(server.send(...sent)), []);
  const frames = server.send(frame(FrameType.SETTINGS, Flag.ACK, 0), post(3), data(3, 1001));
  assert.deepEqual(resets(frames), [[3, ErrorCode.FLOW_CONTROL_ERROR]]);
});

test('a client that sends past the connection window is cut off', () => {
  const server = TestServer.greeted({ connectionWindowBytes: 65_535, streamWindowBytes: 100_000 });
  server.send(post(1));
  server.exchanges[0]!.stream.pause();
  const frames = server.send(...Array.from({ length: 5 }, () => data(1, 16_000)));
  assert.deepEqual(goawayCodes(frames), [ErrorCode.FLOW_CONTROL_ERROR]);
});

test('after pause nothing is passed on and no window is opened, until resume', () => {
  const server = TestServer.greeted({ streamWindowBytes: 20_000 });
  server.send(post(1));
  const { stream, recorder } = server.exchanges[0]!;
  stream.pause();
  assert.deepEqual(increments(server.send(data(1, 15_000), data(1, 5000, Flag.END_STREAM)), 1), []);
  assert.deepEqual(recorder.events, []);
  stream.resume();
  assert.deepEqual(recorder.events, ['body', 'end']);
  assert.equal(recorder.body.length, 20_000);
});

test('resume opens the window of a request that goes on', () => {
  const server = TestServer.greeted({ streamWindowBytes: 20_000 });
  server.send(post(1));
  const { stream } = server.exchanges[0]!;
  stream.pause();
  server.send(data(1, 15_000));
  stream.resume();
  const frames = server.answers();
  assert.equal(
    increments(frames, 1).reduce((sum, each) => sum + each, 0),
    15_000,
  );
});

test('a stream that is reset while it holds bytes gives them back to the connection', () => {
  const server = TestServer.greeted({ connectionWindowBytes: 65_535, streamWindowBytes: 60_000 });
  server.send(post(1));
  server.exchanges[0]!.stream.pause();
  server.send(...Array.from({ length: 3 }, () => data(1, 16_000)));
  const frames = server.send(frame(FrameType.RST_STREAM, 0, 1, uint32(8)));
  assert.deepEqual(increments(frames, 0), [48_000]);
  assert.equal(server.exchanges[0]!.recorder.reason, 'closed');
});

test('reset tells the client why', () => {
  const rows = [
    ['refused', ErrorCode.REFUSED_STREAM],
    ['limit', ErrorCode.ENHANCE_YOUR_CALM],
    ['timeout', ErrorCode.CANCEL],
    ['cancelled', ErrorCode.CANCEL],
    ['closed', ErrorCode.INTERNAL_ERROR],
    ['protocol', ErrorCode.INTERNAL_ERROR],
  ] as const;
  for (const [reason, code] of rows) {
    const server = TestServer.greeted();
    server.send(get(1));
    server.exchanges[0]!.stream.reset(reason);
    server.exchanges[0]!.stream.reset(reason);
    assert.deepEqual(resets(server.answers()), [[1, code]]);
    assert.equal(server.exchanges[0]!.recorder.reason, null);
  }
});

test('after a whole response a reset only stops the request', () => {
  const server = TestServer.greeted();
  server.send(post(1));
  const { stream } = server.exchanges[0]!;
  stream.sendHead({ status: 413, fields: [], contentLength: 0 }, true);
  stream.reset('cancelled');
  assert.deepEqual(resets(server.answers()), [[1, ErrorCode.NO_ERROR]]);
});

test('the end of the connection resets all streams, once', () => {
  for (const end of ['onTransportEnd', 'onTransportClose', 'destroy'] as const) {
    const server = TestServer.greeted();
    server.send(get(1), post(3));
    server.connection[end]();
    server.connection.onTransportClose();
    for (const { recorder } of server.exchanges)
      assert.equal(recorder.events.at(-1), 'reset closed');
    assert.equal(server.closed, true);
  }
});

test('drain announces the end, serves what was on its way, and ends after the last stream', () => {
  const server = TestServer.greeted();
  server.send(get(1));
  server.connection.drain();
  const announced = server.answers();
  assert.deepEqual(kinds(announced), ['GOAWAY 0', 'PING 0']);
  assert.equal(readUint32(announced[0]!.payload, 0), UINT31_MAX);
  server.send(get(3));
  assert.equal(server.exchanges.length, 2);
  const last = server.send(frame(PING, Flag.ACK, 0, announced[1]!.payload));
  assert.deepEqual(kinds(last), ['GOAWAY 0']);
  assert.equal(readUint32(last[0]!.payload, 0), 3);
  // Later streams are read over: the client knows that they are not served.
  assert.deepEqual(server.send(get(5), data(5, 0)), []);
  assert.equal(server.exchanges.length, 2);
  for (const { stream } of server.exchanges) {
    assert.equal(server.transport.ended, false);
    stream.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
  }
  assert.equal(server.transport.ended, true);
  assert.deepEqual(kinds(server.answers()), ['HEADERS 1 end', 'HEADERS 3 end']);
});

test('drain does not wait for ever for a client that answers no PING', () => {
  const server = TestServer.greeted();
  server.connection.drain();
  server.worker.pass(1000);
  assert.equal(server.transport.ended, false);
  server.worker.pass(1000);
  assert.deepEqual(goawayCodes(server.answers()), [ErrorCode.NO_ERROR, ErrorCode.NO_ERROR]);
  assert.equal(server.transport.ended, true);
});

test('after its end a connection waits a little for the client to close, then goes', () => {
  const server = TestServer.greeted();
  server.send(frame(PING, 0, 1, Buffer.alloc(8)));
  server.worker.pass(1000);
  assert.equal(server.transport.destroyed, false);
  server.worker.pass(1000);
  assert.equal(server.transport.destroyed, true);
  assert.equal(server.closed, true);
});

test('a connection without streams is drained after the keep-alive time', () => {
  const server = TestServer.greeted({ keepAliveTimeoutMs: 10_000 });
  server.worker.pass(9000);
  server.send(get(1));
  server.exchanges[0]!.stream.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
  server.worker.pass(9000);
  assert.deepEqual(goawayCodes(server.answers()), []);
  server.worker.pass(1000);
  const [goaway] = server.answers().filter((each) => each.type === GOAWAY);
  assert.equal(readUint32(goaway!.payload, 0), UINT31_MAX);
});

const TIMEOUTS: readonly (readonly [what: string, bytes: Buffer, code: number])[] = [
  ['no acknowledgement of our SETTINGS', HELLO.subarray(0, -9), ErrorCode.SETTINGS_TIMEOUT],
  ['a preface that stops', HELLO.subarray(0, 10), ErrorCode.SETTINGS_TIMEOUT],
  [
    'a frame that stops half way',
    Buffer.concat([HELLO, get(1).subarray(0, 20)]),
    ErrorCode.ENHANCE_YOUR_CALM,
  ],
  [
    'a header block that is never completed',
    Buffer.concat([HELLO, frame(HEADERS, 0, 1, GET)]),
    ErrorCode.ENHANCE_YOUR_CALM,
  ],
];

for (const [what, bytes, code] of TIMEOUTS) {
  test(`${what} ends the connection when its time is over`, () => {
    const server = new TestServer({ headTimeoutMs: 5000, handshakeTimeoutMs: 5000 });
    server.send(bytes);
    server.worker.pass(4000);
    assert.deepEqual(goawayCodes(server.answers()), []);
    server.worker.pass(1000);
    assert.deepEqual(goawayCodes(server.answers()), [code]);
    assert.equal(server.worker.counters.timeouts, 1);
  });
}

test('a header block drawn out over many CONTINUATIONs has one time for all', () => {
  const server = TestServer.greeted({ headTimeoutMs: 5000 });
  server.send(frame(HEADERS, 0, 1, GET));
  server.worker.pass(3000);
  server.send(frame(FrameType.CONTINUATION, 0, 1));
  server.worker.pass(2000);
  assert.deepEqual(goawayCodes(server.answers()), [ErrorCode.ENHANCE_YOUR_CALM]);
});

test('a request whose body stays away is reset; one that was paused by us is not', () => {
  const server = TestServer.greeted({ bodyIdleTimeoutMs: 5000 });
  server.send(post(1), post(3));
  server.exchanges[1]!.stream.pause();
  server.worker.pass(4000);
  server.send(data(1, 1));
  server.worker.pass(4000);
  assert.deepEqual(resets(server.answers()), []);
  server.worker.pass(1000);
  assert.deepEqual(resets(server.answers()), [[1, ErrorCode.CANCEL]]);
  assert.equal(server.exchanges[0]!.recorder.reason, 'timeout');
});

test('a conversation may be silent; a request left over after its response may not', () => {
  const server = TestServer.greeted({ bodyIdleTimeoutMs: 5000 });
  server.send(post(1));
  const { stream } = server.exchanges[0]!;
  stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  server.worker.pass(60_000);
  assert.deepEqual(resets(server.answers()), []);
  stream.sendEnd(null);
  server.worker.pass(5000);
  assert.deepEqual(resets(server.answers()), [[1, ErrorCode.NO_ERROR]]);
});

test('a client that opens no window for its response is reset', () => {
  const server = TestServer.greeted({ bodyIdleTimeoutMs: 5000 });
  server.send(settings([4, 0]), get(1));
  const { stream, recorder } = server.exchanges[0]!;
  stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  stream.sendBody(Buffer.alloc(10));
  server.worker.pass(3000);
  // Room on the connection is none on the stream: this is no sign of life.
  server.send(frame(WINDOW_UPDATE, 0, 0, uint32(10)));
  server.worker.pass(2000);
  assert.deepEqual(resets(server.answers()), [[1, ErrorCode.CANCEL]]);
  assert.equal(recorder.reason, 'timeout');
});

test('a client whose socket takes nothing is cut off', () => {
  const server = TestServer.greeted({ bodyIdleTimeoutMs: 5000 });
  server.transport.highWaterMark = 10;
  server.send(get(1));
  server.exchanges[0]!.stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  server.exchanges[0]!.stream.sendBody(Buffer.alloc(1000));
  server.worker.endTurn();
  server.worker.pass(1000);
  server.worker.pass(4000);
  assert.equal(server.transport.destroyed, false);
  server.worker.pass(1000);
  assert.equal(server.transport.destroyed, true);
  assert.equal(server.exchanges[0]!.recorder.reason, 'timeout');
});

test('extended CONNECT becomes a tunnel, answered 200', () => {
  const server = TestServer.greeted();
  const connect = block(
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', 'http'],
    [':authority', 'example.com'],
    [':path', '/chat'],
  );
  server.send(frame(HEADERS, Flag.END_HEADERS, 1, connect));
  const { stream, head, recorder } = server.exchanges[0]!;
  assert.equal(head.protocol, 'websocket');
  const fields = ['upgrade', 'websocket', 'connection', 'upgrade', 'sec-websocket-protocol', 'x'];
  stream.startTunnel({ status: 101, fields, contentLength: -1 });
  stream.sendBody(Buffer.from('to the client'));
  const frames = server.send(data(1, 4));
  const reader = new BlockReader();
  assert.deepEqual(reader.read(frames[0]!.payload), [
    ':status',
    '200',
    'sec-websocket-protocol',
    'x',
  ]);
  assert.equal(dataOf(frames, 1).toString(), 'to the client');
  assert.equal(recorder.body.length, 4);
  // A tunnel may be silent.
  server.worker.pass(600_000);
  assert.deepEqual(resets(server.answers()), []);
  server.send(data(1, 0, Flag.END_STREAM));
  stream.sendEnd(null);
  assert.deepEqual(kinds(server.answers()), ['DATA 1 end']);
  assert.deepEqual(recorder.events, ['body', 'end']);
});

test('a tunnel that was not asked for is a bug that is found', () => {
  const server = TestServer.greeted();
  server.send(get(1));
  const { stream } = server.exchanges[0]!;
  const head = { status: 101, fields: [], contentLength: -1 };
  assert.throws(() => stream.startTunnel(head), { code: 'ERR_ASSERTION' });
});
