// Frames as bytes, for tests that speak HTTP/2 by hand: written from parts, and read back into parts.

import { CLIENT_PREFACE, FRAME_HEADER_BYTES, FrameType, readUint31 } from '../frames.ts';
import { readUint32, writeFrameHeader, writeUint32 } from '../frames.ts';

export interface WireFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Writes a frame; nothing is checked, so that wrong ones can be written too. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId);
  payload.copy(bytes, FRAME_HEADER_BYTES);
  return bytes;
}

/** A 32-bit number as a payload. */
export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => writeUint32(bytes, index * 4, value));
  return bytes;
}

/** A SETTINGS frame. */
export function settings(...entries: (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.concat(
    entries.map(([id, value]) => Buffer.concat([Buffer.from([id >>> 8, id]), uint32(value)])),
  );
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

/** What a client says first: preface, empty SETTINGS, and the acknowledgement of the server's. */
export const HELLO: Buffer = Buffer.concat([
  Buffer.from(CLIENT_PREFACE, 'latin1'),
  settings(),
  frame(FrameType.SETTINGS, 1, 0),
]);

/** A header block of plain literals: no table, no Huffman code; names and values are not checked. */
export function block(...fields: (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) =>
      Buffer.concat([Buffer.from([0]), plainString(name), plainString(value)]),
    ),
  );
}

/** A string literal without Huffman coding. */
export function plainString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length = [Math.min(bytes.length, 0x7f)];
  for (let left = bytes.length - 0x7f; left >= 0; left = left < 0x80 ? -1 : left >>> 7) {
    length.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** Cuts bytes into frames; they must end with a whole one. */
export function readWire(bytes: Buffer): WireFrame[] {
  const frames: WireFrame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    const end = at + FRAME_HEADER_BYTES + length;
    if (end > bytes.length) throw new Error('the bytes end inside a frame');
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      streamId: readUint31(bytes, at + 5),
      payload: Buffer.from(bytes.subarray(at + FRAME_HEADER_BYTES, end)),
    });
    at = end;
  }
  return frames;
}

/** The error codes of the GOAWAY frames among these. */
export function goawayCodes(frames: readonly WireFrame[]): number[] {
  return frames
    .filter((each) => each.type === FrameType.GOAWAY)
    .map((each) => readUint32(each.payload, 4));
}

/** Stream and error code of the RST_STREAM frames among these. */
export function resets(frames: readonly WireFrame[]): [streamId: number, code: number][] {
  return frames
    .filter((each) => each.type === FrameType.RST_STREAM)
    .map((each) => [each.streamId, readUint32(each.payload, 0)]);
}

/** The DATA of a stream among these, joined. */
export function dataOf(frames: readonly WireFrame[], streamId: number): Buffer {
  const parts = frames.filter((each) => each.type === FrameType.DATA && each.streamId === streamId);
  return Buffer.concat(parts.map((each) => each.payload));
}
