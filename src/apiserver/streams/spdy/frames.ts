// SPDY/3.1 frames ↔ bytes. Control frames are handed over whole, data as it arrives: a data frame may
// announce 16 MiB, and nothing of it is kept here.
//
//   control  1|version:15  type:16  flags:8 length:24  payload
//   data     0|stream:31            flags:8 length:24  payload

import { SpdyError } from './error.ts';

export const FRAME = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const FLAG_FIN = 0x01;

/** Status codes of RST_STREAM. */
export const RESET = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

/** Status codes of GOAWAY. */
export const GO_AWAY = { ok: 0, protocolError: 1 } as const;

const VERSION = 3;
const HEADER_BYTES = 8;
const STREAM_MASK = 0x7fff_ffff;

export interface FrameListener {
  onControl(type: number, flags: number, payload: Buffer): void;
  /** A part of a data frame, perhaps an empty one; `fin` with the last part of the stream's last. */
  onData(streamId: number, part: Buffer, fin: boolean): void;
}

export class FrameParser {
  readonly #listener: FrameListener;
  readonly #controlBytesMax: number;
  /** The beginning of a frame header, or of a control frame. */
  #rest: Buffer = Buffer.alloc(0);
  /** The data frame in work. */
  #data: { readonly streamId: number; readonly fin: boolean; missing: number } | undefined;

  constructor(listener: FrameListener, controlBytesMax: number) {
    this.#listener = listener;
    this.#controlBytesMax = controlBytesMax;
  }

  /** Takes what has arrived. Throws a SpdyError, after which nothing more can be read. */
  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (true) {
      const taken = this.#data === undefined ? this.#header(bytes) : this.#part(bytes);
      if (taken === 0) break;
      bytes = bytes.subarray(taken);
    }
    // A copy: the chunk it lies in may be large.
    this.#rest = bytes.length === 0 ? bytes : Buffer.from(bytes);
  }

  #header(bytes: Buffer): number {
    if (bytes.length < HEADER_BYTES) return 0;
    const first = bytes.readUInt32BE(0);
    const flags = bytes.readUInt8(4);
    const length = bytes.readUIntBE(5, 3);
    if (first >>> 31 === 0) {
      if (first === 0) throw new SpdyError('data for stream 0');
      this.#data = { streamId: first, fin: (flags & FLAG_FIN) !== 0, missing: length };
      if (length === 0) this.#part(Buffer.alloc(0));
      return HEADER_BYTES;
    }
    if (((first >>> 16) & 0x7fff) !== VERSION) throw new SpdyError('not SPDY version 3');
    if (length > this.#controlBytesMax) throw new SpdyError('control frame is too large');
    const end = HEADER_BYTES + length;
    if (bytes.length < end) return 0;
    this.#listener.onControl(first & 0xffff, flags, bytes.subarray(HEADER_BYTES, end));
    return end;
  }

  #part(bytes: Buffer): number {
    const data = this.#data;
    if (data === undefined) return 0;
    const part = bytes.subarray(0, data.missing);
    if (part.length === 0 && data.missing > 0) return 0;
    data.missing -= part.length;
    const last = data.missing === 0;
    if (last) this.#data = undefined;
    this.#listener.onData(data.streamId, part, last && data.fin);
    return part.length;
  }
}

/** A control frame. */
export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

/** A control frame whose payload is 32-bit numbers: RST_STREAM, PING, GOAWAY, WINDOW_UPDATE. */
export function numbersFrame(type: number, ...numbers: readonly number[]): Buffer {
  const payload = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) payload.writeUInt32BE(number, i * 4);
  return controlFrame(type, 0, payload);
}

export function dataFrame(streamId: number, payload: Buffer, fin: boolean): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(fin ? FLAG_FIN : 0, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

/** The stream a control frame is about, at `offset` of its payload. */
export function streamIdOf(payload: Buffer, offset = 0): number {
  if (payload.length < offset + 4) throw new SpdyError('control frame ends too early');
  return payload.readUInt32BE(offset) & STREAM_MASK;
}
