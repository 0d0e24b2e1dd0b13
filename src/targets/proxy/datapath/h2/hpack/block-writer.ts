// The primitive types of HPACK on the writing side (RFC 7541 §5): integers and strings, into a buffer with
// room made by the caller. Hot: allocates nothing.
//
// Budget: one write for each byte. Allocates nothing. Guarded by bench/proxy.ts.

import { BYTE_CLASS, NOT_VALUE } from '../byte-class.ts';
import { HUFFMAN_CODE } from './huffman-code.ts';
import { encodeHuffman } from './huffman.ts';

/** By byte: the bits its Huffman code takes, and its class bits above them. */
const STRING_INFO: Uint16Array = Uint16Array.from(
  { length: 256 },
  (_, byte) => HUFFMAN_CODE.lengths[byte]! | (BYTE_CLASS[byte]! << 8),
);
const BAD_VALUE = NOT_VALUE << 8;

/** What `measure` says of a string that must not be sent as a field value. */
export const UNSENDABLE = -1;

export class BlockWriter {
  /** Where the next byte goes. */
  position = 0;
  protected out: Buffer = Buffer.alloc(0);
  /** Hash of the string that was measured last; not below 0. */
  protected measuredHash = 0;

  /** Writes a string of which `coded` is the measure: Huffman coded where that is shorter. */
  protected string(text: string, coded: number): void {
    if (coded < text.length) {
      this.integer(0x80, 0x7f, coded);
      this.position = encodeHuffman(text, this.out, this.position);
      return;
    }
    this.integer(0, 0x7f, text.length);
    const out = this.out;
    let to = this.position;
    for (let at = 0; at < text.length; at++) out[to++] = text.charCodeAt(at);
    this.position = to;
  }

  /** Bytes of a string when Huffman coded, or UNSENDABLE. Notes its hash on the way. */
  protected measure(text: string): number {
    let bits = 0;
    let seen = 0;
    let hash = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0xff) return UNSENDABLE;
      const info = STRING_INFO[code]!;
      bits += info & 0xff;
      seen |= info;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    this.measuredHash = hash & 0x7fff_ffff;
    return (seen & BAD_VALUE) === 0 ? (bits + 7) >>> 3 : UNSENDABLE;
  }

  /** Writes an integer under `mask` of a first byte whose other bits are given. */
  protected integer(firstBits: number, mask: number, value: number): void {
    const out = this.out;
    if (value < mask) {
      out[this.position++] = firstBits | value;
      return;
    }
    out[this.position++] = firstBits | mask;
    let left = value - mask;
    while (left >= 0x80) {
      out[this.position++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    out[this.position++] = left;
  }
}
