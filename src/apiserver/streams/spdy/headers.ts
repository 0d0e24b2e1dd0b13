// SPDY/3.1 name/value header blocks, compressed, ↔ headers. One codec for each connection and direction:
// the blocks of a connection are one zlib stream.

import { DICTIONARY_ID } from './dictionary.ts';
import { SpdyError } from './error.ts';
import { HeaderInflater } from './inflate.ts';

/** Lower-case names. A header that came several times has its values joined by commas. */
export type SpdyHeaders = ReadonlyMap<string, string>;

export interface HeaderLimits {
  readonly headerBytesMax: number;
  readonly headersMax: number;
}

export class HeaderDecoder {
  readonly #inflater: HeaderInflater;
  readonly #limits: HeaderLimits;

  constructor(limits: HeaderLimits) {
    this.#limits = limits;
    this.#inflater = new HeaderInflater(limits.headerBytesMax);
  }

  /** Reads one block. Throws a SpdyError, after which no further block can be read. */
  decode(block: Buffer): SpdyHeaders {
    const bytes = this.#inflater.inflate(block);
    const headers = new Map<string, string>();
    let at = 0;
    const number = (): number => {
      if (at + 4 > bytes.length) throw new SpdyError('header block ends too early');
      const value = bytes.readUInt32BE(at);
      at += 4;
      return value;
    };
    const text = (): string => {
      const length = number();
      if (at + length > bytes.length) throw new SpdyError('header block ends too early');
      at += length;
      return bytes.toString('latin1', at - length, at);
    };
    const count = number();
    if (count > this.#limits.headersMax) throw new SpdyError('too many headers');
    for (let i = 0; i < count; i++) {
      const name = text().toLowerCase();
      if (name === '' || headers.has(name)) throw new SpdyError('empty or repeated header name');
      headers.set(name, text().split('\0').join(','));
    }
    if (at !== bytes.length) throw new SpdyError('header block holds more than its headers');
    return headers;
  }
}

/** Deflate, 32 KiB window, a dictionary, and a checksum over these two bytes. */
const ZLIB_HEADER = 0x78bb;
/** A stored block that is not the last one, and the empty one that readers take as a flush. */
const STORED = 0x00;
const FLUSH = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]);

/**
 * Writes header blocks as stored blocks, uncompressed: ours are a few bytes, and so no state has to be
 * kept beyond whether the stream has begun.
 */
export class HeaderEncoder {
  #started = false;

  encode(headers: SpdyHeaders): Buffer {
    const parts: Buffer[] = [uint32(headers.size)];
    for (const [name, value] of headers) {
      for (const text of [name.toLowerCase(), value]) {
        const bytes = Buffer.from(text, 'latin1');
        parts.push(uint32(bytes.length), bytes);
      }
    }
    const content = Buffer.concat(parts);
    const stored = Buffer.alloc(5);
    stored[0] = STORED;
    stored.writeUInt16LE(content.length, 1);
    stored.writeUInt16LE(content.length ^ 0xffff, 3);
    const begin = Buffer.alloc(this.#started ? 0 : 6);
    if (!this.#started) {
      begin.writeUInt16BE(ZLIB_HEADER, 0);
      begin.writeUInt32BE(DICTIONARY_ID, 2);
    }
    this.#started = true;
    return Buffer.concat([begin, stored, content, FLUSH]);
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
