// Turns header fields into a header block (RFC 7541) straight into an output buffer. What to index is
// learnt for each name: its first value, and later a value that comes twice in a row. So `date` and
// `content-type` become one byte, while ids and paths that are always new do not wash the table out.
// Hot: budget 30 ns for an indexed field, 150 ns for a literal. May allocate only what it learns of a new
// name. Guarded by bench/h2/.

import { BYTE_CLASS, NOT_VALUE } from '../byte-class.ts';
import { HUFFMAN_CODE } from './huffman-code.ts';
import { encodeHuffman } from './huffman.ts';
import { learnFieldName, learnOwnName, NamePolicy } from './name-state.ts';
import type { NameState } from './name-state.ts';
import type { SecretNames } from './secret-names.ts';
import { ENTRY_OVERHEAD_BYTES, STATIC_COUNT, TABLE_BYTES_MAX } from './static-table.ts';

/** Values of one name kept in the table at a time. */
const VALUES_MAX = 4;

/** Names remembered on a connection; further ones go out as literals. */
const NAMES_MAX = 256;

/** A larger entry would push half of the others out; it goes out as a literal. */
const ENTRY_BYTES_MAX = TABLE_BYTES_MAX / 2;

/** A cookie shorter than this could be guessed byte by byte (RFC 7541 §7.1.3). */
const GUESSABLE_CHARS = 20;

/** Slots for the sizes of all entries a table of TABLE_BYTES_MAX can have; a power of two. */
const SLOTS = TABLE_BYTES_MAX / ENTRY_OVERHEAD_BYTES;

/** What a field takes beyond name and value: its first byte and the lengths, six bytes each at most. */
const FIELD_OVERHEAD_BYTES = 16;

/** Two size updates at the start of a block. */
const UPDATES_BYTES = 12;

// First bits of the representations (RFC 7541 §6).
const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const SIZE_UPDATE = 0x20;
const NEVER_INDEXED = 0x10;
const WITHOUT_INDEXING = 0x00;

/** By byte: the bits its Huffman code takes, and its class bits above them. */
const STRING_INFO: Uint16Array = Uint16Array.from(
  { length: 256 },
  (_, byte) => HUFFMAN_CODE.lengths[byte]! | (BYTE_CLASS[byte]! << 8),
);
const BAD_VALUE = NOT_VALUE << 8;

/** The most bytes a block of these fields can take, without the pseudo-headers. */
export function blockBytesBound(fields: readonly string[]): number {
  let bytes = UPDATES_BYTES + fields.length * (FIELD_OVERHEAD_BYTES / 2);
  for (let at = 0; at < fields.length; at++) bytes += fields[at]!.length;
  return bytes;
}

/** The most bytes one field can take. */
export function fieldBytesBound(value: string): number {
  return FIELD_OVERHEAD_BYTES * 2 + value.length;
}

export class Encoder {
  /** Where the next byte goes. */
  position = 0;
  /** Fields left out because HTTP/2 must not carry them, or their value would break a message. */
  dropped = 0;
  private out: Buffer = Buffer.alloc(0);
  private readonly fieldNames = new Map<string, NameState>();
  private readonly ownNames = new Map<string, NameState>();
  private readonly secrets: SecretNames;
  /** Sizes of the table's entries by insertion; the peer keeps the entries themselves. */
  private readonly sizes = new Uint16Array(SLOTS);
  private inserted = 0;
  private evicted = 0;
  private tableBytes = 0;
  private tableBytesMax = TABLE_BYTES_MAX;
  /** Table size to announce with the next block, and the smallest on the way there; -1 for none. */
  private announcedBytesMax = -1;
  private smallestBytesMax = -1;

  constructor(secrets: SecretNames) {
    this.secrets = secrets;
  }

  /** Follows the peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(peerBytesMax: number): void {
    const bytesMax = Math.min(peerBytesMax, TABLE_BYTES_MAX);
    const current = this.announcedBytesMax < 0 ? this.tableBytesMax : this.announcedBytesMax;
    if (bytesMax === current) return;
    const smallest = this.smallestBytesMax < 0 ? this.tableBytesMax : this.smallestBytesMax;
    this.smallestBytesMax = Math.min(smallest, bytesMax);
    this.announcedBytesMax = bytesMax;
  }

  /** Begins a block at `position` of `out`; the caller has seen to the room (blockBytesBound). */
  begin(out: Buffer, position: number): void {
    this.out = out;
    this.position = position;
    if (this.announcedBytesMax < 0) return;
    if (this.smallestBytesMax < this.announcedBytesMax) this.updateSize(this.smallestBytesMax);
    this.updateSize(this.announcedBytesMax);
    this.announcedBytesMax = -1;
    this.smallestBytesMax = -1;
  }

  /** A field we write ourselves: a pseudo-header or content-length. */
  own(name: string, value: string): void {
    let state = this.ownNames.get(name);
    if (state === undefined) {
      state = learnOwnName(name);
      this.ownNames.set(name, state);
    }
    this.write(state, value);
  }

  /** Fields of a message, names in any case. */
  fields(fields: readonly string[]): void {
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const name = fields[at]!;
      let state = this.fieldNames.get(name);
      if (state === undefined) {
        state = learnFieldName(name);
        if (this.fieldNames.size < NAMES_MAX) this.fieldNames.set(name, state);
      }
      this.write(state, fields[at + 1]!);
    }
  }

  private write(state: NameState, value: string): void {
    if (state.policy !== NamePolicy.LEARN && this.writeByPolicy(state, value)) return;
    const values = state.values;
    for (let at = 0; at < values.length; at++) {
      if (values[at] !== value) continue;
      const place = state.places[at]!;
      if (place < 0) {
        this.integer(INDEXED, 0x7f, -place);
        return;
      }
      if (place >= this.evicted) {
        this.integer(INDEXED, 0x7f, this.indexOf(place));
        return;
      }
      // It was in the table once and comes again: worth a place, in the slot it had.
      this.writeLiteral(state, value, at);
      return;
    }
    const first = values.length === state.staticValues;
    if (first || value === state.candidate) {
      this.writeLiteral(state, value, this.freeSlot(state));
      return;
    }
    state.candidate = value;
    this.writeLiteral(state, value, -1);
  }

  /** True when the policy has decided on the field: written, or dropped. */
  private writeByPolicy(state: NameState, value: string): boolean {
    switch (state.policy) {
      case NamePolicy.NEVER:
        this.writeUnindexed(state, value, NEVER_INDEXED);
        return true;
      case NamePolicy.NEVER_WHEN_SHORT:
        if (value.length >= GUESSABLE_CHARS) return false;
        this.writeUnindexed(state, value, NEVER_INDEXED);
        return true;
      case NamePolicy.LITERAL:
        this.writeUnindexed(state, value, WITHOUT_INDEXING);
        return true;
      case NamePolicy.TRAILERS_ONLY:
        if (value === 'trailers') return false;
        this.dropped++;
        return true;
      default:
        this.dropped++;
        return true;
    }
  }

  /** The slot of `values` for one more value of this name: a new one, or the oldest. */
  private freeSlot(state: NameState): number {
    if (state.values.length < state.staticValues + VALUES_MAX) return state.values.length;
    const slot = state.staticValues + state.nextSlot;
    state.nextSlot = (state.nextSlot + 1) % VALUES_MAX;
    return slot;
  }

  /** Writes a literal; with `slot` not below 0 it is put into the table, if it is not too large. */
  private writeLiteral(state: NameState, value: string, slot: number): void {
    const entryBytes = state.lowerName.length + value.length + ENTRY_OVERHEAD_BYTES;
    const secret = this.secrets.has(state.lowerName);
    if (slot < 0 || secret || entryBytes > Math.min(ENTRY_BYTES_MAX, this.tableBytesMax)) {
      this.writeUnindexed(state, value, secret ? NEVER_INDEXED : WITHOUT_INDEXING);
      return;
    }
    const coded = valueLength(value);
    if (coded < 0) {
      this.dropped++;
      return;
    }
    this.nameOf(state, WITH_INDEXING, 0x3f);
    this.string(value, coded);
    state.values[slot] = value;
    state.places[slot] = this.inserted;
    state.lastInsertion = this.inserted;
    state.candidate = null;
    this.insert(entryBytes);
  }

  private writeUnindexed(state: NameState, value: string, firstBits: number): void {
    const coded = valueLength(value);
    if (coded < 0) {
      this.dropped++;
      return;
    }
    this.nameOf(state, firstBits, 0x0f);
    this.string(value, coded);
  }

  /** The name of a literal: by index where a table has it, else as a string. */
  private nameOf(state: NameState, firstBits: number, mask: number): void {
    if (state.staticIndex > 0) {
      this.integer(firstBits, mask, state.staticIndex);
    } else if (state.lastInsertion >= this.evicted) {
      this.integer(firstBits, mask, this.indexOf(state.lastInsertion));
    } else {
      this.out[this.position++] = firstBits;
      this.string(state.lowerName, valueLength(state.lowerName));
    }
  }

  private indexOf(insertion: number): number {
    return STATIC_COUNT + this.inserted - insertion;
  }

  private insert(entryBytes: number): void {
    this.evictTo(this.tableBytesMax - entryBytes);
    this.sizes[this.inserted & (SLOTS - 1)] = entryBytes;
    this.inserted++;
    this.tableBytes += entryBytes;
  }

  private evictTo(tableBytes: number): void {
    while (this.tableBytes > tableBytes) {
      this.tableBytes -= this.sizes[this.evicted & (SLOTS - 1)]!;
      this.evicted++;
    }
  }

  private updateSize(bytesMax: number): void {
    this.integer(SIZE_UPDATE, 0x1f, bytesMax);
    this.tableBytesMax = bytesMax;
    this.evictTo(bytesMax);
  }

  /** Writes a string of which valueLength is known: Huffman coded where that is shorter. */
  private string(text: string, coded: number): void {
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

  private integer(firstBits: number, mask: number, value: number): void {
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

/** Bytes of a string when Huffman coded; -1 when it must not be sent as a field value. */
function valueLength(text: string): number {
  let bits = 0;
  let seen = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff) return -1;
    const info = STRING_INFO[code]!;
    bits += info & 0xff;
    seen |= info;
  }
  return (seen & BAD_VALUE) === 0 ? (bits + 7) >>> 3 : -1;
}
