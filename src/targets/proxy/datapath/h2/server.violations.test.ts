// Bytes no client should send, and the error each must earn: a connection error (GOAWAY), a reset of the
// stream, an answer of our own, or nothing at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, Flag, FrameType, UINT31_MAX } from './frames.ts';
import { BlockReader, TestServer } from './testing/harness.ts';
import {
  block,
  frame,
  goawayCodes,
  HELLO,
  plainString,
  resets,
  settings,
  uint32,
} from './testing/wire.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE } = FrameType;
const { PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;
const { END_STREAM, END_HEADERS, PADDED } = Flag;
const WHOLE = END_STREAM | END_HEADERS;

type Pair = readonly [name: string, value: string];

const GET: readonly Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'example.com'],
  [':path', '/'],
];
const POST: readonly Pair[] = [[':method', 'POST'], ...GET.slice(1)];

const headers = (streamId: number, flags: number, fields: readonly Pair[]): Buffer =>
  frame(HEADERS, flags, streamId, block(...fields));
const get = (streamId: number, ...more: Pair[]): Buffer =>
  headers(streamId, WHOLE, [...GET, ...more]);
const post = (streamId: number, ...more: Pair[]): Buffer =>
  headers(streamId, END_HEADERS, [...POST, ...more]);
const data = (streamId: number, bytes: number, flags = 0): Buffer =>
  frame(DATA, flags, streamId, Buffer.alloc(bytes, 'a'));

interface Row {
  readonly what: string;
  readonly bytes: readonly Buffer[];
  /** The code of the GOAWAY, or the streams reset and their codes; nothing for no error. */
  readonly goaway?: number;
  readonly reset?: readonly (readonly [streamId: number, code: number])[];
}

const CONNECTION_ERRORS: readonly Row[] = [
  {
    what: 'DATA on the connection',
    bytes: [frame(DATA, 0, 0, Buffer.alloc(1))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'DATA on a stream that was never opened',
    bytes: [data(1, 1)],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'HEADERS on an even stream',
    bytes: [get(2)],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'HEADERS on a stream that was skipped',
    bytes: [get(5), get(3)],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a frame larger than we allow',
    bytes: [frame(DATA, 0, 1, Buffer.alloc(16_385))],
    goaway: ErrorCode.FRAME_SIZE_ERROR,
  },
  {
    what: 'a CONTINUATION without HEADERS',
    bytes: [frame(CONTINUATION, END_HEADERS, 1)],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a CONTINUATION on another stream',
    bytes: [frame(HEADERS, END_STREAM, 1, block(...GET)), frame(CONTINUATION, END_HEADERS, 3)],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a PING inside a header block',
    bytes: [frame(HEADERS, END_STREAM, 1, block(...GET)), frame(PING, 0, 0, Buffer.alloc(8))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'DATA inside a header block',
    bytes: [frame(HEADERS, 0, 1, block(...GET)), data(1, 1)],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'HEADERS inside a header block',
    bytes: [frame(HEADERS, 0, 1, block(...GET)), get(1)],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'padding longer than the HEADERS it is in',
    bytes: [frame(HEADERS, WHOLE | PADDED, 1, Buffer.from([5, 0x82, 0x84]))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'HEADERS too short for the padding length it announces',
    bytes: [frame(HEADERS, WHOLE | PADDED, 1)],
    goaway: ErrorCode.FRAME_SIZE_ERROR,
  },
  {
    what: 'HEADERS too short for the priority it announces',
    bytes: [frame(HEADERS, WHOLE | Flag.PRIORITY, 1, Buffer.alloc(4))],
    goaway: ErrorCode.FRAME_SIZE_ERROR,
  },
  {
    what: 'a header block that is no HPACK',
    bytes: [frame(HEADERS, WHOLE, 1, Buffer.from([0x80]))],
    goaway: ErrorCode.COMPRESSION_ERROR,
  },
  {
    what: 'trailers that are no HPACK',
    bytes: [post(1), frame(HEADERS, WHOLE, 1, Buffer.from([0xff]))],
    goaway: ErrorCode.COMPRESSION_ERROR,
  },
  {
    what: 'a PRIORITY on the connection',
    bytes: [frame(PRIORITY, 0, 0, Buffer.alloc(5))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a PRIORITY of a stream on itself',
    bytes: [frame(PRIORITY, 0, 1, Buffer.concat([uint32(1), Buffer.alloc(1)]))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a RST_STREAM on a stream that was never opened',
    bytes: [frame(RST_STREAM, 0, 1, uint32(ErrorCode.CANCEL))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a WINDOW_UPDATE on a stream that was never opened',
    bytes: [frame(WINDOW_UPDATE, 0, 1, uint32(1))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a WINDOW_UPDATE of 0 on the connection',
    bytes: [frame(WINDOW_UPDATE, 0, 0, uint32(0))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a connection window opened too far',
    bytes: [frame(WINDOW_UPDATE, 0, 0, uint32(UINT31_MAX))],
    goaway: ErrorCode.FLOW_CONTROL_ERROR,
  },
  {
    what: 'PUSH_PROMISE from a client',
    bytes: [get(1), frame(PUSH_PROMISE, END_HEADERS, 1, uint32(2))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'SETTINGS that are no multiple of six bytes',
    bytes: [frame(SETTINGS, 0, 0, Buffer.alloc(7))],
    goaway: ErrorCode.FRAME_SIZE_ERROR,
  },
  {
    what: 'ENABLE_PUSH of 2',
    bytes: [settings([2, 2])],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'an initial window past 2^31 - 1',
    bytes: [settings([4, 0x8000_0000])],
    goaway: ErrorCode.FLOW_CONTROL_ERROR,
  },
  {
    what: 'an initial window that makes an open stream too large',
    bytes: [
      post(1),
      frame(WINDOW_UPDATE, 0, 1, uint32(UINT31_MAX - 65_535)),
      settings([4, 65_536]),
    ],
    goaway: ErrorCode.FLOW_CONTROL_ERROR,
  },
  {
    what: 'a maximum frame size below the smallest',
    bytes: [settings([5, 16_383])],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'a maximum frame size above the largest',
    bytes: [settings([5, 0x100_0000])],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'ENABLE_CONNECT_PROTOCOL of 2',
    bytes: [settings([8, 2])],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'ENABLE_CONNECT_PROTOCOL taken back',
    bytes: [settings([8, 1]), settings([8, 0])],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'padding as long as the DATA it is in',
    bytes: [post(1), frame(DATA, PADDED, 1, Buffer.from([1]))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
  {
    what: 'DATA on a stream the client has reset',
    bytes: [post(1), frame(RST_STREAM, 0, 1, uint32(8)), data(1, 1)],
    goaway: ErrorCode.STREAM_CLOSED,
  },
  {
    what: 'HEADERS on a stream the client has reset',
    bytes: [post(1), frame(RST_STREAM, 0, 1, uint32(8)), get(1)],
    goaway: ErrorCode.STREAM_CLOSED,
  },
  {
    what: 'a GOAWAY on a stream',
    bytes: [frame(GOAWAY, 0, 1, Buffer.alloc(8))],
    goaway: ErrorCode.PROTOCOL_ERROR,
  },
];

const STREAM_ERRORS: readonly Row[] = [
  {
    what: 'DATA after the end of a request',
    bytes: [get(1), data(1, 1)],
    reset: [[1, ErrorCode.STREAM_CLOSED]],
  },
  {
    what: 'HEADERS after the end of a request',
    bytes: [get(1), get(1)],
    reset: [[1, ErrorCode.STREAM_CLOSED]],
  },
  {
    what: 'trailers that do not end the stream',
    bytes: [post(1), headers(1, END_HEADERS, [['x-a', '1']])],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  {
    what: 'trailers with a pseudo-header',
    bytes: [post(1), headers(1, WHOLE, [[':path', '/']])],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  {
    what: 'more DATA than content-length says',
    bytes: [post(1, ['content-length', '3']), data(1, 4)],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  {
    what: 'less DATA than content-length says',
    bytes: [post(1, ['content-length', '3']), data(1, 2, END_STREAM)],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  {
    what: 'less DATA than content-length says, before trailers',
    bytes: [post(1, ['content-length', '3']), data(1, 2), headers(1, WHOLE, [['x-a', '1']])],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  {
    what: 'a length on a request that ends with its head',
    bytes: [get(1, ['content-length', '3'])],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  {
    what: 'a WINDOW_UPDATE of 0 on a stream',
    bytes: [post(1), frame(WINDOW_UPDATE, 0, 1, uint32(0))],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  {
    what: 'a stream window opened too far',
    bytes: [post(1), frame(WINDOW_UPDATE, 0, 1, uint32(UINT31_MAX))],
    reset: [[1, ErrorCode.FLOW_CONTROL_ERROR]],
  },
  {
    what: 'HEADERS of a stream that depends on itself',
    bytes: [
      frame(
        HEADERS,
        WHOLE | Flag.PRIORITY,
        1,
        Buffer.concat([uint32(1), Buffer.alloc(1), block(...GET)]),
      ),
    ],
    reset: [[1, ErrorCode.PROTOCOL_ERROR]],
  },
  { what: 'an upper case name', bytes: [get(1, ['X-A', '1'])], reset: [[1, 1]] },
  { what: 'a line break in a value', bytes: [get(1, ['x-a', '1\r\nx: y'])], reset: [[1, 1]] },
  { what: 'a NUL in a value', bytes: [get(1, ['x-a', '1\0'])], reset: [[1, 1]] },
  { what: 'a blank before a value', bytes: [get(1, ['x-a', ' 1'])], reset: [[1, 1]] },
  { what: 'a blank in the path', bytes: [get(1, [':path', '/ HTTP/1.1'])], reset: [[1, 1]] },
  {
    what: 'transfer-encoding',
    bytes: [post(1, ['transfer-encoding', 'chunked'])],
    reset: [[1, 1]],
  },
  { what: 'te other than trailers', bytes: [get(1, ['te', 'gzip'])], reset: [[1, 1]] },
  { what: 'another host', bytes: [get(1, ['host', 'other.example'])], reset: [[1, 1]] },
  { what: 'no :path', bytes: [headers(1, WHOLE, GET.slice(0, 3))], reset: [[1, 1]] },
];

const ALLOWED: readonly Row[] = [
  { what: 'a PRIORITY on a stream not yet open', bytes: [frame(PRIORITY, 0, 1, Buffer.alloc(5))] },
  { what: 'an unknown frame', bytes: [frame(0xee, 0xff, 7, Buffer.alloc(9))] },
  { what: 'unknown settings', bytes: [settings([0xffff, 7])] },
  { what: 'unknown flags on a PING', bytes: [frame(PING, 0xfe, 0, Buffer.alloc(8))] },
  { what: 'a GOAWAY with debug data', bytes: [frame(GOAWAY, 0, 0, Buffer.alloc(30))] },
  { what: 'a SETTINGS acknowledgement too many', bytes: [frame(SETTINGS, Flag.ACK, 0)] },
  { what: 'a PING answer nobody asked for', bytes: [frame(PING, Flag.ACK, 0, Buffer.alloc(8))] },
  {
    what: 'a header block in several frames, some of them empty',
    bytes: [
      frame(HEADERS, END_STREAM, 1, block(...GET).subarray(0, 3)),
      frame(CONTINUATION, 0, 1),
      frame(CONTINUATION, 0, 1, block(...GET).subarray(3, 20)),
      frame(CONTINUATION, END_HEADERS, 1, block(...GET).subarray(20)),
    ],
  },
  {
    what: 'HEADERS with padding and priority',
    bytes: [
      frame(
        HEADERS,
        WHOLE | PADDED | Flag.PRIORITY,
        1,
        Buffer.concat([
          Buffer.from([3]),
          uint32(0),
          Buffer.alloc(1),
          block(...GET),
          Buffer.alloc(3),
        ]),
      ),
    ],
  },
  {
    what: 'WINDOW_UPDATE and RST_STREAM on a stream that has ended',
    bytes: [
      post(1),
      frame(RST_STREAM, 0, 1, uint32(8)),
      frame(WINDOW_UPDATE, 0, 1, uint32(1)),
      frame(RST_STREAM, 0, 1, uint32(8)),
    ],
  },
];

for (const { what, bytes, goaway, reset } of [...CONNECTION_ERRORS, ...STREAM_ERRORS, ...ALLOWED]) {
  const earns = goaway === undefined ? (reset === undefined ? 'is allowed' : 'resets') : 'ends all';
  test(`${what} ${earns}`, () => {
    const server = TestServer.greeted();
    const frames = server.send(...bytes);
    assert.deepEqual(goawayCodes(frames), goaway === undefined ? [] : [goaway]);
    assert.deepEqual(resets(frames), reset ?? []);
    assert.equal(server.transport.ended, goaway !== undefined);
    const { counters } = server.worker;
    assert.equal(counters.protocolErrors, goaway === undefined ? 0 : 1);
    assert.equal(counters.streamErrors, reset === undefined ? 0 : 1);
  });
}

for (const { what, bytes, reset } of STREAM_ERRORS) {
  test(`after ${what} the connection serves on`, () => {
    const server = TestServer.greeted();
    server.send(...bytes);
    const before = server.exchanges.length;
    assert.deepEqual(resets(server.send(get(101))), []);
    assert.equal(server.exchanges.length, before + 1);
    // Where the request had reached the exchange, it has heard of the reset.
    const [failed] = server.exchanges;
    if (before > 0) assert.equal(failed?.recorder.reason, 'protocol');
    assert.equal(reset?.length, 1);
  });
}

test('frames of a stream we have reset are read over, and their DATA is given back to the window', () => {
  const server = TestServer.greeted({ connectionWindowBytes: 65_535 });
  server.send(post(1, ['content-length', '1']), data(1, 2));
  const frames = server.send(
    ...Array.from({ length: 3 }, () => data(1, 16_384)),
    headers(1, WHOLE, [['x-a', '1']]),
    frame(WINDOW_UPDATE, 0, 1, uint32(1)),
    frame(RST_STREAM, 0, 1, uint32(8)),
  );
  assert.deepEqual(goawayCodes(frames), []);
  const updates = frames.filter((each) => each.type === WINDOW_UPDATE);
  assert.deepEqual(
    updates.map((each) => each.streamId),
    [0],
  );
});

test('header blocks of streams we refuse keep the tables in step', () => {
  const server = TestServer.greeted({ streamsMax: 1 });
  const indexed = Buffer.concat([Buffer.from([0x40]), plainString('x-a'), plainString('1')]);
  server.send(post(1));
  const refused = frame(HEADERS, WHOLE, 3, Buffer.concat([block(...GET), indexed]));
  assert.deepEqual(resets(server.send(refused)), [[3, ErrorCode.REFUSED_STREAM]]);
  server.send(frame(RST_STREAM, 0, 1, uint32(8)));
  server.send(frame(HEADERS, WHOLE, 5, Buffer.concat([block(...GET), Buffer.from([0xbe])])));
  assert.deepEqual(server.exchanges.at(-1)?.head.fields, ['x-a', '1']);
  assert.equal(server.worker.counters.streamsRefused, 1);
});

const ANSWERED: readonly (readonly [what: string, status: string, fields: readonly Pair[]])[] = [
  [
    'a plain CONNECT',
    '405',
    [
      [':method', 'CONNECT'],
      [':authority', 'example.com:443'],
    ],
  ],
  ['a target that is too long', '414', [...GET.slice(0, 3), [':path', `/${'a'.repeat(9000)}`]]],
  ['an expectation we do not know', '417', [...GET, ['expect', 'a miracle']]],
  ['too many fields', '431', [...GET, ...Array.from({ length: 101 }, (): Pair => ['x-a', '1'])]],
  [
    'a head that is too large',
    '431',
    [...GET, ['x-a', 'a'.repeat(8000)], ['x-b', 'b'.repeat(8000)]],
  ],
];

for (const [what, status, fields] of ANSWERED) {
  for (const endStream of [true, false]) {
    test(`${what} is answered ${status}${endStream ? '' : ', and its body is stopped'}`, () => {
      const server = TestServer.greeted({ headBytesMax: 16_000 });
      const flags = END_HEADERS | (endStream ? END_STREAM : 0);
      const frames = server.send(frame(HEADERS, flags, 1, block(...fields)));
      const [head] = frames.filter((each) => each.type === HEADERS);
      assert.equal(head?.flags, WHOLE);
      assert.equal(new BlockReader().read(head.payload)[1], status);
      assert.deepEqual(resets(frames), endStream ? [] : [[1, ErrorCode.NO_ERROR]]);
      assert.equal(server.exchanges.length, 0);
      assert.equal(server.worker.counters.requestsRefused, 1);
    });
  }
}

const PREFACES: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['an HTTP/1.1 request', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
  ['a preface with one wrong byte', Buffer.concat([HELLO.subarray(0, 23), Buffer.from('!')])],
  ['no SETTINGS after the preface', Buffer.concat([HELLO.subarray(0, 24), get(1)])],
  [
    'an acknowledgement before the first SETTINGS',
    Buffer.concat([HELLO.subarray(0, 24), frame(SETTINGS, Flag.ACK, 0)]),
  ],
  ['DATA before the first SETTINGS', Buffer.concat([HELLO.subarray(0, 24), data(1, 1)])],
];

for (const [what, bytes] of PREFACES) {
  test(`${what} ends the connection`, () => {
    const server = new TestServer();
    assert.deepEqual(goawayCodes(server.send(bytes)), [ErrorCode.PROTOCOL_ERROR]);
    assert.equal(server.transport.ended, true);
  });
}

test('nothing is read after an error', () => {
  const server = TestServer.greeted();
  server.send(frame(PING, 0, 1, Buffer.alloc(8)), get(1));
  assert.equal(server.exchanges.length, 0);
});
