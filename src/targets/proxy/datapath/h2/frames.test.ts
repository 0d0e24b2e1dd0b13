import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ErrorCode,
  Flag,
  frameHeaderFault,
  FrameType,
  readUint31,
  readUint32,
  UINT31_MAX,
  writeFrameHeader,
} from './frames.ts';

test('a frame header is written as nine bytes', () => {
  const out = Buffer.alloc(9);
  writeFrameHeader(out, 0, 0x012345, FrameType.HEADERS, Flag.END_HEADERS, UINT31_MAX);
  assert.equal(out.toString('hex'), '01234501047fffffff');
});

test('the reserved bit of a stream id is ignored, that of a setting is not', () => {
  const bytes = Buffer.from('ffffffff', 'hex');
  assert.equal(readUint31(bytes, 0), UINT31_MAX);
  assert.equal(readUint32(bytes, 0), 0xffff_ffff);
});

const { NO_ERROR, PROTOCOL_ERROR, FRAME_SIZE_ERROR } = ErrorCode;

const FAULTS: readonly (readonly [
  what: string,
  type: number,
  flags: number,
  streamId: number,
  length: number,
  fault: number,
])[] = [
  ['a full frame', FrameType.DATA, 0, 1, 16_384, NO_ERROR],
  ['a frame larger than we allow', FrameType.DATA, 0, 1, 16_385, FRAME_SIZE_ERROR],
  ['an unknown frame larger than we allow', 0xee, 0, 0, 16_385, FRAME_SIZE_ERROR],
  ['DATA on the connection', FrameType.DATA, 0, 0, 1, PROTOCOL_ERROR],
  ['HEADERS on the connection', FrameType.HEADERS, 0, 0, 1, PROTOCOL_ERROR],
  ['CONTINUATION on the connection', FrameType.CONTINUATION, 0, 0, 1, PROTOCOL_ERROR],
  ['PRIORITY on the connection', FrameType.PRIORITY, 0, 0, 5, PROTOCOL_ERROR],
  ['a short PRIORITY', FrameType.PRIORITY, 0, 1, 4, FRAME_SIZE_ERROR],
  ['RST_STREAM on the connection', FrameType.RST_STREAM, 0, 0, 4, PROTOCOL_ERROR],
  ['a short RST_STREAM', FrameType.RST_STREAM, 0, 1, 3, FRAME_SIZE_ERROR],
  ['SETTINGS on a stream', FrameType.SETTINGS, 0, 1, 6, PROTOCOL_ERROR],
  ['SETTINGS with half an entry', FrameType.SETTINGS, 0, 0, 9, FRAME_SIZE_ERROR],
  ['empty SETTINGS', FrameType.SETTINGS, 0, 0, 0, NO_ERROR],
  ['an acknowledgement with entries', FrameType.SETTINGS, Flag.ACK, 0, 6, FRAME_SIZE_ERROR],
  ['PUSH_PROMISE', FrameType.PUSH_PROMISE, 0, 1, 4, PROTOCOL_ERROR],
  ['PING on a stream', FrameType.PING, 0, 1, 8, PROTOCOL_ERROR],
  ['a long PING', FrameType.PING, 0, 0, 9, FRAME_SIZE_ERROR],
  ['GOAWAY on a stream', FrameType.GOAWAY, 0, 1, 8, PROTOCOL_ERROR],
  ['a short GOAWAY', FrameType.GOAWAY, 0, 0, 7, FRAME_SIZE_ERROR],
  ['GOAWAY with debug data', FrameType.GOAWAY, 0, 0, 20, NO_ERROR],
  ['WINDOW_UPDATE on the connection', FrameType.WINDOW_UPDATE, 0, 0, 4, NO_ERROR],
  ['a short WINDOW_UPDATE', FrameType.WINDOW_UPDATE, 0, 1, 3, FRAME_SIZE_ERROR],
  ['an unknown frame', 0xee, 0xff, 0, 5, NO_ERROR],
];

for (const [what, type, flags, streamId, length, fault] of FAULTS) {
  test(`${what} is ${fault === NO_ERROR ? 'taken' : `error ${fault}`}`, () => {
    assert.equal(frameHeaderFault(type, flags, streamId, length), fault);
  });
}
