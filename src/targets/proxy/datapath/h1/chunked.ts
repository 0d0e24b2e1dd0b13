// Chunked bodies (RFC 9112 7.1): a decoder that goes on wherever the bytes were cut. Strict: sizes are
// one to eight hexadecimal digits, line ends are CRLF, extensions are read past and dropped, trailers
// that could change what was already decided are dropped.
//
// Budget: 30 ns for each chunk and nothing for each byte of data. Allocates only trailers.

import { isDisguised } from '../../../../lib/disguised-name.ts';
import { isTrailerAllowed } from '../trailers.ts';
import type { Fields } from '../stream.ts';
import type { Limits } from '../limits.ts';

export const CHUNK_NEEDS_MORE = 0;
export const CHUNK_DONE = 1;
export const CHUNK_BAD = 2;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;

const CR = 0x0d;
const LF = 0x0a;
/** Eight digits are 4 GiB in one chunk: more is an attempt at an overflow somewhere. */
const SIZE_DIGITS_MAX = 8;
/** Names, perhaps with a value that is a token or quoted. Nobody uses them, but all must agree where they end. */
const EXTENSIONS =
  /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"))?)+$/;
const TRAILER_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;
/** Fields that say where a message ends, when it is too late to (RFC 9110 6.5.1): others may believe them. */
const FRAMING_TRAILER = /^(?:content-length|transfer-encoding):/im;

export class ChunkedDecoder {
  /** Where decoding stopped in the bytes of the last call: the first byte that is not the body's. */
  consumed = 0;
  /** Set once decoding is done and there were any. */
  trailers: Fields | null = null;
  readonly #limits: Limits;
  #state = SIZE;
  #left = 0;
  #digits = 0;
  /** Of the chunk whose line is being read, if it has any. */
  #extension = '';
  #trailerText = '';

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Decodes `bytes` from `from`; hands each run of data to `onData`. Gives one of the CHUNK_ codes. */
  decode(bytes: Buffer, from: number, onData: (data: Buffer) => void): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#state === DATA) {
        const take = Math.min(this.#left, bytes.length - at);
        onData(bytes.subarray(at, at + take));
        at += take;
        this.#left -= take;
        if (this.#left === 0) this.#state = DATA_CR;
      } else if (this.#state === TRAILERS) {
        const end = this.#takeTrailers(bytes, at);
        if (end < 0) return CHUNK_BAD;
        this.consumed = end;
        return this.#trailerText === '' ? CHUNK_DONE : CHUNK_NEEDS_MORE;
      } else if (!this.#step(bytes[at]!)) {
        return CHUNK_BAD;
      } else {
        at++;
      }
    }
    this.consumed = at;
    return CHUNK_NEEDS_MORE;
  }

  /** One byte of the lines around the data. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case SIZE:
        return this.#stepSize(byte);
      case EXTENSION:
        return this.#stepExtension(byte);
      case SIZE_LF:
        if (byte !== LF) return false;
        this.#digits = 0;
        this.#state = this.#left === 0 ? TRAILERS : DATA;
        return true;
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR;
      default:
        this.#state = SIZE;
        return byte === LF;
    }
  }

  #stepSize(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      return ++this.#digits <= SIZE_DIGITS_MAX;
    }
    if (this.#digits === 0) return false;
    if (byte === CR) {
      this.#state = SIZE_LF;
      return true;
    }
    // RFC 9112 allows blanks before the semicolon, and tells senders not to write them: refused.
    this.#state = EXTENSION;
    this.#extension = ';';
    return byte === 0x3b;
  }

  #stepExtension(byte: number): boolean {
    if (byte !== CR) {
      this.#extension += String.fromCharCode(byte);
      return this.#extension.length <= this.#limits.chunkLineBytesMax;
    }
    this.#state = SIZE_LF;
    return EXTENSIONS.test(this.#extension);
  }

  /** Gathers trailer lines up to the empty one. Gives the end in `bytes`, or -1 when they are bad. */
  #takeTrailers(bytes: Buffer, from: number): number {
    const before = this.#trailerText.length;
    this.#trailerText += bytes.toString('latin1', from);
    const text = this.#trailerText;
    const end = text.startsWith('\r\n') ? 2 : text.indexOf('\r\n\r\n') + 4;
    const complete = text.startsWith('\r\n') || end > 3;
    if ((complete ? end : text.length) > this.#limits.trailerBytesMax) return -1;
    if (!complete) return bytes.length;
    const lines = text.slice(0, end);
    if (!TRAILER_LINES.test(lines) || FRAMING_TRAILER.test(lines)) return -1;
    this.trailers = readTrailers(lines);
    this.#trailerText = '';
    return from + end - before;
  }
}

function readTrailers(lines: string): Fields | null {
  const fields: Fields = [];
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const name = line.slice(0, colon);
    if (!isTrailerAllowed(name.toLowerCase()) || isDisguised(name)) continue;
    fields.push(name, line.slice(colon + 1).trim());
  }
  return fields.length === 0 ? null : fields;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37;
  return -1;
}
