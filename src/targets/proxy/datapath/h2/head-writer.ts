// Writes heads and trailers as HEADERS frames: encoded straight into the output buffer where they fit in one
// frame, else encoded apart and cut into CONTINUATIONs. Hot: allocates nothing for a head of one frame.
//
// Budget: 0.5 µs for a head of 10 fields that were sent before. Guarded by bench/proxy.ts.

import { LENGTH_UNKNOWN } from '../stream.ts';
import type { Fields, RequestHead, ResponseHead } from '../stream.ts';
import {
  Flag,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameType,
  writeFrameHeader,
} from './frames.ts';
import { blockBytesBound, fieldBytesBound } from './hpack/encoder.ts';
import type { Encoder } from './hpack/encoder.ts';
import type { Output } from './output.ts';

/** Room for :status and content-length, or for :method, :scheme, content-length and expect. */
const OWN_FIELDS_BYTES = 256;

const NO_BYTES = Buffer.alloc(0);

/** Where a HEADERS frame stands in the output, so that END_STREAM can still be set on it. */
export class HeadWriter {
  /** Of the frame written last; -1 when it was cut into several. */
  frameAt = -1;
  private readonly output: Output;
  private readonly encoder: Encoder;
  /** Where the block is being written: in the output buffer, or in one of its own. */
  private block: Buffer = NO_BYTES;
  private blockStart = 0;
  private apart = false;

  constructor(output: Output, encoder: Encoder) {
    this.output = output;
    this.encoder = encoder;
  }

  request(streamId: number, head: RequestHead, scheme: string, end: boolean): void {
    const { encoder } = this;
    const paths = fieldBytesBound(head.target) + fieldBytesBound(head.authority);
    const names = fieldBytesBound(head.method) + fieldBytesBound(head.protocol);
    this.begin(blockBytesBound(head.fields) + paths + names + OWN_FIELDS_BYTES);
    encoder.own(':method', head.protocol === '' ? head.method : 'CONNECT');
    encoder.own(':scheme', scheme);
    // An HTTP/1.0 client may have named no host; an empty one would be malformed.
    if (head.authority !== '') encoder.own(':authority', head.authority);
    encoder.own(':path', head.target);
    if (head.protocol !== '') encoder.own(':protocol', head.protocol);
    if (head.contentLength > 0 || (head.contentLength === 0 && saysEmpty(head.method))) {
      encoder.own('content-length', String(head.contentLength));
    }
    if (head.expectContinue) encoder.own('expect', '100-continue');
    encoder.fields(head.fields);
    this.finish(streamId, end ? Flag.END_STREAM : Flag.NONE);
  }

  response(streamId: number, head: ResponseHead, end: boolean): void {
    const { encoder } = this;
    this.begin(blockBytesBound(head.fields) + OWN_FIELDS_BYTES);
    encoder.own(':status', String(head.status));
    if (head.contentLength !== LENGTH_UNKNOWN && head.status !== 204 && head.status >= 200) {
      encoder.own('content-length', String(head.contentLength));
    }
    encoder.fields(head.fields);
    this.finish(streamId, end ? Flag.END_STREAM : Flag.NONE);
  }

  trailers(streamId: number, fields: Fields): void {
    this.begin(blockBytesBound(fields));
    this.encoder.fields(fields);
    this.finish(streamId, Flag.END_STREAM);
  }

  private begin(bytesBound: number): void {
    this.apart = bytesBound > FRAME_BYTES_MAX;
    if (this.apart) {
      this.block = Buffer.allocUnsafe(bytesBound);
      this.blockStart = 0;
    } else {
      this.block = this.output.reserve(FRAME_HEADER_BYTES + bytesBound);
      this.blockStart = this.output.position + FRAME_HEADER_BYTES;
    }
    this.encoder.begin(this.block, this.blockStart);
  }

  private finish(streamId: number, streamFlags: number): void {
    const { block } = this;
    const end = this.encoder.position;
    this.block = NO_BYTES;
    if (this.apart) {
      this.writeApart(streamId, streamFlags, block.subarray(0, end));
      return;
    }
    this.frameAt = this.blockStart - FRAME_HEADER_BYTES;
    const flags = streamFlags | Flag.END_HEADERS;
    const length = end - this.blockStart;
    writeFrameHeader(block, this.frameAt, length, FrameType.HEADERS, flags, streamId);
    this.output.position = end;
  }

  private writeApart(streamId: number, streamFlags: number, block: Buffer): void {
    this.frameAt = -1;
    let type: number = FrameType.HEADERS;
    let flags = streamFlags;
    let at = 0;
    do {
      const length = Math.min(block.length - at, FRAME_BYTES_MAX);
      if (at + length === block.length) flags |= Flag.END_HEADERS;
      const buffer = this.output.frame(length, type, flags, streamId);
      block.copy(buffer, this.output.position, at, at + length);
      this.output.position += length;
      at += length;
      type = FrameType.CONTINUATION;
      flags = Flag.NONE;
    } while (at < block.length);
  }
}

/** Of these a server may want to read that the body is empty; of others END_STREAM says enough. */
function saysEmpty(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}
