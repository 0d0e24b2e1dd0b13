// What costs a client little and us much: each has a limit, and past it the connection ends with
// ENHANCE_YOUR_CALM. Honest use of the same frames must not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, Flag, FrameType } from './frames.ts';
import { TestServer } from './testing/harness.ts';
import { block, frame, goawayCodes, resets, settings, uint32 } from './testing/wire.ts';

const LIMITS = {
  resetsBurst: 20,
  resetsPerSecond: 5,
  controlFramesBurst: 50,
  controlFramesPerSecond: 10,
};

const GET = block(
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'example.com'],
  [':path', '/'],
);
const WHOLE = Flag.END_STREAM | Flag.END_HEADERS;

function repeat(count: number, make: (index: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
}

const FLOODS: readonly (readonly [what: string, bytes: Buffer])[] = [
  [
    'rapid reset (CVE-2023-44487)',
    repeat(21, (index) =>
      Buffer.concat([
        frame(FrameType.HEADERS, WHOLE, index * 2 + 1, GET),
        frame(FrameType.RST_STREAM, 0, index * 2 + 1, uint32(ErrorCode.CANCEL)),
      ]),
    ),
  ],
  [
    'making us reset by windows of 0 (CVE-2025-8671)',
    repeat(21, (index) =>
      Buffer.concat([
        frame(FrameType.HEADERS, WHOLE, index * 2 + 1, GET),
        frame(FrameType.WINDOW_UPDATE, 0, index * 2 + 1, uint32(0)),
      ]),
    ),
  ],
  [
    'malformed requests',
    repeat(21, (index) => frame(FrameType.HEADERS, WHOLE, index * 2 + 1, block(['X', 'y']))),
  ],
  [
    'requests we answer ourselves',
    repeat(21, (index) =>
      frame(
        FrameType.HEADERS,
        Flag.END_HEADERS,
        index * 2 + 1,
        block([':method', 'CONNECT'], [':authority', 'a:1']),
      ),
    ),
  ],
  ['PINGs', repeat(51, () => frame(FrameType.PING, 0, 0, Buffer.alloc(8)))],
  ['PING answers', repeat(51, () => frame(FrameType.PING, Flag.ACK, 0, Buffer.alloc(8)))],
  ['SETTINGS', repeat(51, () => settings())],
  ['PRIORITY', repeat(51, () => frame(FrameType.PRIORITY, 0, 1, Buffer.alloc(5)))],
  ['unknown frames', repeat(51, () => frame(0xee, 0, 0))],
  ['WINDOW_UPDATEs', repeat(51, () => frame(FrameType.WINDOW_UPDATE, 0, 0, uint32(1)))],
  [
    'empty DATA',
    Buffer.concat([
      frame(FrameType.HEADERS, Flag.END_HEADERS, 1, GET),
      repeat(51, () => frame(FrameType.DATA, 0, 1)),
    ]),
  ],
  [
    'DATA that is all padding',
    Buffer.concat([
      frame(FrameType.HEADERS, Flag.END_HEADERS, 1, GET),
      repeat(51, () => frame(FrameType.DATA, Flag.PADDED, 1, Buffer.from([0]))),
    ]),
  ],
  [
    'a header block of too many frames (CVE-2024-27983)',
    Buffer.concat([
      frame(FrameType.HEADERS, Flag.END_STREAM, 1, GET),
      repeat(8, () => frame(FrameType.CONTINUATION, 0, 1)),
    ]),
  ],
  [
    'a header block of too many bytes',
    Buffer.concat([
      frame(FrameType.HEADERS, Flag.END_STREAM, 1, GET),
      repeat(3, () => frame(FrameType.CONTINUATION, 0, 1, Buffer.alloc(16_000, 0x82))),
    ]),
  ],
];

for (const [what, bytes] of FLOODS) {
  test(`${what} ends the connection`, () => {
    const server = TestServer.greeted(LIMITS);
    assert.deepEqual(goawayCodes(server.send(bytes)), [ErrorCode.ENHANCE_YOUR_CALM]);
    assert.equal(server.worker.counters.floodGoaways, 1);
    assert.equal(server.transport.ended, true);
  });
}

test('all exchanges of a flooding client are told, each once', () => {
  const server = TestServer.greeted(LIMITS);
  server.send(FLOODS[0]![1]);
  assert.deepEqual(
    server.exchanges.map(({ recorder }) => recorder.events.filter((each) => each !== 'end')),
    server.exchanges.map(() => ['reset closed']),
  );
});

test('resets within the rate are served for as long as one likes', () => {
  const server = TestServer.greeted(LIMITS);
  for (let second = 0; second < 30; second++) {
    for (let turn = 0; turn < 5; turn++) {
      const streamId = (second * 5 + turn) * 2 + 1;
      const frames = server.send(
        frame(FrameType.HEADERS, WHOLE, streamId, GET),
        frame(FrameType.RST_STREAM, 0, streamId, uint32(ErrorCode.CANCEL)),
      );
      assert.deepEqual(goawayCodes(frames), []);
    }
    server.worker.pass(1000);
  }
});

test('a client that answers each response with PINGs and window updates is no flood', () => {
  const server = TestServer.greeted(LIMITS);
  const body = Buffer.alloc(2000, 'a');
  for (let turn = 0; turn < 200; turn++) {
    const streamId = turn * 2 + 1;
    server.send(frame(FrameType.HEADERS, WHOLE, streamId, GET));
    const { stream } = server.exchanges.at(-1)!;
    stream.sendHead({ status: 200, fields: [], contentLength: body.length }, false);
    assert.equal(stream.sendBody(body), true);
    stream.sendEnd(null);
    const frames = server.send(
      frame(FrameType.WINDOW_UPDATE, 0, 0, uint32(body.length)),
      frame(FrameType.WINDOW_UPDATE, 0, streamId, uint32(body.length)),
      frame(FrameType.PING, 0, 0, Buffer.alloc(8)),
    );
    assert.deepEqual(goawayCodes(frames), []);
  }
});

test('small messages in flight on a stream we reset are no flood', () => {
  const server = TestServer.greeted(LIMITS);
  server.send(frame(FrameType.HEADERS, Flag.END_HEADERS, 1, GET));
  server.exchanges[0]!.stream.reset('cancelled');
  const message = frame(FrameType.DATA, 0, 1, Buffer.alloc(20));
  assert.deepEqual(goawayCodes(server.send(repeat(500, () => message))), []);
});

test('empty DATA or trailers without end on a stream we reset are a flood', () => {
  for (const bytes of [
    frame(FrameType.DATA, 0, 1),
    frame(FrameType.HEADERS, WHOLE, 1, block(['x-a', '1'])),
  ]) {
    const server = TestServer.greeted(LIMITS);
    server.send(frame(FrameType.HEADERS, Flag.END_HEADERS, 1, GET));
    server.exchanges[0]!.stream.reset('cancelled');
    const codes = goawayCodes(server.send(repeat(500, () => bytes)));
    assert.deepEqual(codes, [ErrorCode.ENHANCE_YOUR_CALM]);
  }
});

test('a body drawn out of us byte by byte through a tiny window is a flood', () => {
  const server = TestServer.greeted(LIMITS);
  server.send(settings([4, 0]), frame(FrameType.HEADERS, WHOLE, 1, GET));
  const { stream } = server.exchanges[0]!;
  stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
  assert.equal(stream.sendBody(Buffer.alloc(60_000)), false);
  const codes = goawayCodes(
    server.send(repeat(100, () => frame(FrameType.WINDOW_UPDATE, 0, 1, uint32(1)))),
  );
  assert.deepEqual(codes, [ErrorCode.ENHANCE_YOUR_CALM]);
});

test('streams beyond the limit are refused, those within it served', () => {
  const server = TestServer.greeted({ streamsMax: 2 });
  const frames = server.send(
    repeat(3, (index) => frame(FrameType.HEADERS, WHOLE, index * 2 + 1, GET)),
  );
  assert.deepEqual(resets(frames), [[5, ErrorCode.REFUSED_STREAM]]);
  server.exchanges[0]!.stream.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
  assert.deepEqual(resets(server.send(frame(FrameType.HEADERS, WHOLE, 7, GET))), []);
  assert.equal(server.exchanges.length, 3);
});
