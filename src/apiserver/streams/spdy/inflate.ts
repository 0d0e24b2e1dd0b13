// zlib blocks of SPDY header frames → bytes. All blocks of a connection are one zlib stream (RFC 1950,
// RFC 1951), so its window lives as long as the connection. Written here because frames have to be
// handled in order and bounded: Node's zlib keeps a stream's state only in its asynchronous form.

import { DICTIONARY_ID, HEADER_DICTIONARY } from './dictionary.ts';
import { SpdyError } from './error.ts';

const WINDOW_BYTES = 32 * 1024;
const CODE_BITS_MAX = 15;
const END_OF_BLOCK = 256;

/** Base values and extra bits of length symbols 257–285 and of distance symbols (RFC 1951, 3.2.5). */
const LENGTHS = ranges(
  [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5],
  3,
);
const DISTANCES = ranges(
  [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
  ],
  1,
);
/** The longest match has a symbol of its own. */
const LENGTH_MAX_SYMBOL = 28;
const LENGTH_MAX = 258;

/** The order in which lengths of the code for code lengths come. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

interface Range {
  readonly base: number;
  readonly bits: number;
}

/** A canonical Huffman code: how many codes each length has, and the symbols in order of their codes. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

const FIXED_LITERALS = codeOf(
  Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = codeOf(Array.from({ length: 30 }, () => 5));

export class HeaderInflater {
  readonly #bytesMax: number;
  #started = false;
  #ended = false;
  #window: Buffer = HEADER_DICTIONARY;

  /** `bytesMax` bounds what one block may become. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The bytes of one header block. Throws a SpdyError, after which the stream cannot be read on. */
  inflate(block: Buffer): Buffer {
    const out = new Output(this.#window, this.#bytesMax);
    const bits = new BitReader(this.#started ? block : withoutZlibHeader(block));
    this.#started = true;
    while (!bits.isAtEnd) {
      if (this.#ended) throw new SpdyError('header block goes on after the end of its zlib stream');
      this.#ended = bits.take(1) === 1;
      readBlock(bits, out);
    }
    this.#window = out.window();
    return out.bytes();
  }
}

/** RFC 1950, 2.2: deflate, with the dictionary of SPDY. */
function withoutZlibHeader(block: Buffer): Buffer {
  const head = block.length < 6 ? 0 : block.readUInt16BE(0);
  const isZlib = (head & 0x0f00) === 0x0800 && head >> 12 <= 7 && head % 31 === 0 && head !== 0;
  if (!isZlib || (head & 0x20) === 0 || block.readUInt32BE(2) !== DICTIONARY_ID) {
    throw new SpdyError('header block is not compressed with the dictionary of SPDY/3');
  }
  return block.subarray(6);
}

function readBlock(bits: BitReader, out: Output): void {
  const type = bits.take(2);
  if (type === 0) {
    bits.align();
    const length = bits.take(16);
    if (length !== (bits.take(16) ^ 0xffff)) throw new SpdyError('damaged stored block in headers');
    out.append(bits.bytes(length));
  } else if (type === 1) {
    readSymbols(bits, out, FIXED_LITERALS, FIXED_DISTANCES);
  } else if (type === 2) {
    const [literals, distances] = readCodes(bits);
    readSymbols(bits, out, literals, distances);
  } else {
    throw new SpdyError('unknown kind of compressed block in headers');
  }
}

/** RFC 1951, 3.2.7. */
function readCodes(bits: BitReader): readonly [Code, Code] {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const orders = bits.take(4) + 4;
  const order = LENGTH_ORDER.map(() => 0);
  for (let i = 0; i < orders; i++) order[LENGTH_ORDER[i] ?? 0] = bits.take(3);
  const lengthCode = codeOf(order);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = bits.symbol(lengthCode);
    if (symbol < 16) {
      lengths.push(symbol);
      continue;
    }
    const previous = lengths.at(-1);
    if (symbol === 16 && previous === undefined) throw new SpdyError('code lengths repeat nothing');
    const [value, times] =
      symbol === 16
        ? [previous ?? 0, 3 + bits.take(2)]
        : [0, symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)];
    for (let i = 0; i < times; i++) lengths.push(value);
  }
  if (lengths.length > literals + distances) throw new SpdyError('too many code lengths');
  return [codeOf(lengths.slice(0, literals)), codeOf(lengths.slice(literals))];
}

function readSymbols(bits: BitReader, out: Output, literals: Code, distances: Code): void {
  while (true) {
    const symbol = bits.symbol(literals);
    if (symbol < END_OF_BLOCK) {
      out.byte(symbol);
    } else if (symbol === END_OF_BLOCK) {
      return;
    } else {
      const length =
        symbol - 257 === LENGTH_MAX_SYMBOL ? LENGTH_MAX : valueOf(bits, LENGTHS, symbol - 257);
      out.copy(length, valueOf(bits, DISTANCES, bits.symbol(distances)));
    }
  }
}

function valueOf(bits: BitReader, table: readonly Range[], symbol: number): number {
  const range = table[symbol];
  if (range === undefined) throw new SpdyError('unknown symbol in compressed headers');
  return range.base + bits.take(range.bits);
}

function ranges(bits: readonly number[], first: number): readonly Range[] {
  let base = first;
  return bits.map((each) => {
    const range = { base, bits: each };
    base += 1 << each;
    return range;
  });
}

function codeOf(lengths: readonly number[]): Code {
  const counts = new Uint16Array(CODE_BITS_MAX + 1);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  let free = 1;
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    free = free * 2 - (counts[length] ?? 0);
    if (free < 0) throw new SpdyError('impossible code in compressed headers');
  }
  const symbols: number[] = [];
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    for (const [symbol, each] of lengths.entries()) if (each === length) symbols.push(symbol);
  }
  return { counts, symbols: Uint16Array.from(symbols) };
}

class BitReader {
  readonly #bytes: Buffer;
  #at = 0;
  #bit = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Blocks end with a flush to a whole byte; what is left after the last of them is nothing. */
  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value |= this.#next() << i;
    return value;
  }

  align(): void {
    if (this.#bit === 0) return;
    this.#bit = 0;
    this.#at++;
  }

  bytes(length: number): Buffer {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new SpdyError('header block ends too early');
    this.#at += length;
    return bytes;
  }

  symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= CODE_BITS_MAX; length++) {
      code |= this.#next();
      const count = counts[length] ?? 0;
      if (code - count < first) return symbols[index + code - first] ?? END_OF_BLOCK;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new SpdyError('unknown code in compressed headers');
  }

  #next(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new SpdyError('header block ends too early');
    const bit = (byte >> this.#bit) & 1;
    this.#bit = (this.#bit + 1) & 7;
    if (this.#bit === 0) this.#at++;
    return bit;
  }
}

/** What was inflated, after what came before it: matches may reach back into that. */
class Output {
  readonly #buffer: Buffer;
  readonly #start: number;
  #end: number;

  constructor(before: Buffer, bytesMax: number) {
    this.#buffer = Buffer.allocUnsafe(before.length + bytesMax);
    before.copy(this.#buffer);
    this.#start = before.length;
    this.#end = before.length;
  }

  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#end++] = value;
  }

  append(bytes: Buffer): void {
    this.#room(bytes.length);
    bytes.copy(this.#buffer, this.#end);
    this.#end += bytes.length;
  }

  copy(length: number, distance: number): void {
    if (distance > this.#end) throw new SpdyError('compressed headers refer to nothing');
    this.#room(length);
    // Byte by byte: a match may overlap itself.
    for (let i = 0; i < length; i++, this.#end++) {
      this.#buffer[this.#end] = this.#buffer[this.#end - distance] ?? 0;
    }
  }

  bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  window(): Buffer {
    return Buffer.from(this.#buffer.subarray(Math.max(0, this.#end - WINDOW_BYTES), this.#end));
  }

  #room(length: number): void {
    if (this.#end + length > this.#buffer.length) throw new SpdyError('headers are too large');
  }
}
