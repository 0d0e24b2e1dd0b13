import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Clock } from '../clock.ts';
import { FrameReader } from './frame-reader.ts';
import type { FrameSink } from './frame-reader.ts';
import { ErrorCode, Flag, FrameType } from './frames.ts';
import { frame } from './testing/wire.ts';

/** Writes down what a reader finds; the pieces of a DATA frame are joined. */
class Found implements FrameSink {
  readonly events: string[] = [];
  readonly clock = new Clock();
  readonly reader = new FrameReader(this, this.clock);
  private body = '';

  onDataFrame(flags: number, streamId: number, length: number): void {
    this.events.push(`data flags ${flags} stream ${streamId} length ${length}`);
    this.body = '';
  }

  onDataPadding(paddingBytes: number, bodyBytes: number): void {
    this.events.push(`padding ${paddingBytes} body ${bodyBytes}`);
  }

  onDataBytes(bytes: Buffer, start: number, end: number): void {
    this.body += bytes.toString('hex', start, end);
  }

  onDataFrameEnd(): void {
    this.events.push(`body ${this.body}`);
  }

  onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const payload = bytes.toString('hex', start, end);
    this.events.push(`type ${type} flags ${flags} stream ${streamId} payload ${payload}`);
  }

  onFrameFault(code: number): void {
    this.events.push(`fault ${code}`);
  }
}

/** Reads bytes cut into pieces of these sizes, in turn; each piece is overwritten when it has been read. */
function readInPieces(bytes: Buffer, sizes: readonly number[]): string[] {
  const found = new Found();
  let at = 0;
  for (let step = 0; at < bytes.length; step++) {
    const size = sizes[step % sizes.length]!;
    const piece = Buffer.from(bytes.subarray(at, at + size));
    found.reader.read(piece, 0);
    piece.fill(0xa5);
    at += size;
  }
  return found.events;
}

test('frames are passed on in order, with their payloads', () => {
  const bytes = Buffer.concat([
    frame(FrameType.SETTINGS, 0, 0),
    frame(FrameType.HEADERS, 5, 1, Buffer.from('828684', 'hex')),
    frame(FrameType.DATA, 1, 3, Buffer.from('0102', 'hex')),
  ]);
  assert.deepEqual(readInPieces(bytes, [1000]), [
    'type 4 flags 0 stream 0 payload ',
    'type 1 flags 5 stream 1 payload 828684',
    'data flags 1 stream 3 length 2',
    'body 0102',
  ]);
});

test('padding of DATA is told apart from its body', () => {
  const bytes = frame(FrameType.DATA, Flag.PADDED, 1, Buffer.from('02aabb0000', 'hex'));
  assert.deepEqual(readInPieces(bytes, [1000]), [
    'data flags 8 stream 1 length 5',
    'padding 3 body 2',
    'body aabb',
  ]);
});

test('DATA that is all padding has an empty body', () => {
  const bytes = frame(FrameType.DATA, Flag.PADDED, 1, Buffer.from('020000', 'hex'));
  assert.deepEqual(readInPieces(bytes, [1]).slice(1), ['padding 3 body 0', 'body ']);
});

test('padding as long as the payload is an error', () => {
  const bytes = frame(FrameType.DATA, Flag.PADDED, 1, Buffer.from('03aabb', 'hex'));
  assert.equal(readInPieces(bytes, [1000]).at(-1), `fault ${ErrorCode.PROTOCOL_ERROR}`);
});

test('padded DATA without room for the padding length is an error', () => {
  const bytes = frame(FrameType.DATA, Flag.PADDED, 1);
  assert.equal(readInPieces(bytes, [1000]).at(-1), `fault ${ErrorCode.FRAME_SIZE_ERROR}`);
});

test('nothing is read after a fault', () => {
  const bytes = Buffer.concat([frame(FrameType.PING, 0, 0), frame(FrameType.SETTINGS, 0, 0)]);
  assert.deepEqual(readInPieces(bytes, [3]), [`fault ${ErrorCode.FRAME_SIZE_ERROR}`]);
});

test('a frame that is not whole is known by when it began', () => {
  const found = new Found();
  found.clock.nowMs = 7;
  const bytes = frame(FrameType.PING, 0, 0, Buffer.alloc(8));
  found.reader.read(bytes.subarray(0, 3), 0);
  found.clock.nowMs = 9;
  found.reader.read(bytes.subarray(3, 12), 0);
  assert.equal(found.reader.partialSinceMs, 7);
  found.reader.read(bytes.subarray(12), 0);
  assert.equal(found.reader.partialSinceMs, 0);
  assert.equal(found.events.length, 1);
});

const PAYLOAD = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const PADDED_PAYLOAD = fc
  .tuple(fc.nat({ max: 255 }), PAYLOAD)
  .map(([padding, body]) => Buffer.concat([Buffer.from([padding]), body, Buffer.alloc(padding)]));
const STREAM = fc.integer({ min: 1, max: 9 });
const FRAMES = fc.oneof(
  fc.tuple(STREAM, PAYLOAD).map(([id, payload]) => frame(FrameType.DATA, 0, id, payload)),
  fc.tuple(STREAM, PADDED_PAYLOAD).map(([id, payload]) => frame(FrameType.DATA, 9, id, payload)),
  fc.tuple(STREAM, PAYLOAD).map(([id, payload]) => frame(FrameType.HEADERS, 4, id, payload)),
  fc.constant(frame(FrameType.PING, 0, 0, Buffer.alloc(8, 7))),
  fc.constant(frame(FrameType.SETTINGS, Flag.ACK, 0)),
  fc.constant(frame(FrameType.PING, 0, 0, Buffer.alloc(3))),
);

test('any cut of the bytes gives the same frames', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(FRAMES, { maxLength: 12 }), sizes, (frames, cuts) => {
      const bytes = Buffer.concat(frames);
      assert.deepEqual(readInPieces(bytes, cuts), readInPieces(bytes, [bytes.length + 1]));
    }),
    { numRuns: 300 },
  );
});
