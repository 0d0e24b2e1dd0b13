// Turns header fields into a header block (RFC 7541) straight into an output buffer. What to index is
// learnt for each name: its first value, and later a value that comes twice in a row. So `date` and
// `content-type` become one byte, while ids and paths that are always new do not wash the table out.
// Budget: 30 ns for an indexed field, 200 ns for a literal. May allocate only what it learns of a new
// name. Guarded by bench/proxy.ts.

import { BlockWriter, UNSENDABLE } from './block-writer.ts';
import {
  keepSecret,
  learnFieldName,
  learnOwnName,
  NamePolicy,
  NO_CANDIDATE,
} from './name-state.ts';
import type { NameState } from './name-state.ts';
import type { SecretNames } from './secret-names.ts';
import { SentTable } from './sent-table.ts';
import { ENTRY_OVERHEAD_BYTES, TABLE_BYTES_MAX } from './static-table.ts';

/** Values of one name kept in the table at a time. */
const VALUES_MAX = 4;

/** What is remembered of names and values on a connection; past it all is forgotten and learnt anew. */
const NAMES_MAX = 256;
const REMEMBERED_CHARS_MAX = 64 * 1024;

/** A larger entry would push half of the others out; it goes out as a literal. */
const ENTRY_BYTES_MAX = TABLE_BYTES_MAX / 2;

/** A cookie shorter than this could be guessed byte by byte (RFC 7541 §7.1.3). */
const GUESSABLE_CHARS = 20;

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

/** No slot is known for a value. */
const UNKNOWN_SLOT = -1;

/** Where fields are counted that HTTP/2 must not carry, or whose value would break a message. */
export interface DropCounter {
  fieldsDropped: number;
}

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

export class Encoder extends BlockWriter {
  private readonly table = new SentTable();
  private readonly fieldNames = new Map<string, NameState>();
  private readonly ownNames = new Map<string, NameState>();
  private readonly secrets: SecretNames;
  private readonly counters: DropCounter;
  private rememberedChars = 0;
  private secretsSeen = 0;
  /** Table size to announce with the next block, and the smallest on the way there; -1 for none. */
  private announcedBytesMax = -1;
  private smallestBytesMax = -1;

  constructor(secrets: SecretNames, counters: DropCounter) {
    super();
    this.secrets = secrets;
    this.counters = counters;
  }

  /** Follows the peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(peerBytesMax: number): void {
    const bytesMax = Math.min(peerBytesMax, TABLE_BYTES_MAX);
    const current = this.announcedBytesMax < 0 ? this.table.sizeBytesMax : this.announcedBytesMax;
    if (bytesMax === current) return;
    const smallest = this.smallestBytesMax < 0 ? this.table.sizeBytesMax : this.smallestBytesMax;
    this.smallestBytesMax = Math.min(smallest, bytesMax);
    this.announcedBytesMax = bytesMax;
  }

  /** Begins a block at `position` of `out`; the caller has seen to the room (blockBytesBound). */
  begin(out: Buffer, position: number): void {
    this.out = out;
    this.position = position;
    if (this.secretsSeen !== this.secrets.version) this.followSecrets();
    if (this.fieldNames.size > NAMES_MAX || this.rememberedChars > REMEMBERED_CHARS_MAX) {
      // The peer's table keeps its entries; we only forget that they are there.
      this.fieldNames.clear();
      this.rememberedChars = 0;
    }
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
        if (this.secrets.has(state.lowerName)) keepSecret(state);
        this.rememberName(name, state);
      }
      this.write(state, fields[at + 1]!);
    }
  }

  private rememberName(name: string, state: NameState): void {
    const kept = copyOf(name);
    // They differ when the name is no Latin-1, and so not one that is sent.
    if (kept !== name) return;
    this.fieldNames.set(kept, state);
    this.rememberedChars += kept.length;
  }

  /** Names that were marked as secret meanwhile are never indexed from now on. */
  private followSecrets(): void {
    this.secretsSeen = this.secrets.version;
    for (const state of this.fieldNames.values()) {
      if (this.secrets.has(state.lowerName)) keepSecret(state);
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
      if (this.table.holds(place)) {
        this.integer(INDEXED, 0x7f, this.table.indexOf(place));
        return;
      }
      // It was in the table once and comes again: worth a place, in the slot it had.
      this.writeLiteral(state, value, at);
      return;
    }
    this.writeLiteral(state, value, UNKNOWN_SLOT);
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
        this.counters.fieldsDropped++;
        return true;
      default:
        this.counters.fieldsDropped++;
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

  /** Writes a literal, and puts it into the table if its value had a slot or has earned one. */
  private writeLiteral(state: NameState, value: string, slot: number): void {
    const entryBytes = state.lowerName.length + value.length + ENTRY_OVERHEAD_BYTES;
    const coded = this.measure(value);
    const fits = entryBytes <= Math.min(ENTRY_BYTES_MAX, this.table.sizeBytesMax);
    if (!fits || (slot === UNKNOWN_SLOT && !this.earnsSlot(state))) {
      state.candidate = this.measuredHash;
      this.writeMeasured(state, value, coded, WITHOUT_INDEXING);
    } else if (this.writeMeasured(state, value, coded, WITH_INDEXING)) {
      this.remember(state, value, slot === UNKNOWN_SLOT ? this.freeSlot(state) : slot);
      this.table.insert(entryBytes);
    }
  }

  private writeUnindexed(state: NameState, value: string, firstBits: number): void {
    this.writeMeasured(state, value, this.measure(value), firstBits);
  }

  /** Writes a literal of which `coded` is the measure; false when its value must not be sent. */
  private writeMeasured(
    state: NameState,
    value: string,
    coded: number,
    firstBits: number,
  ): boolean {
    if (coded === UNSENDABLE) {
      this.counters.fieldsDropped++;
      return false;
    }
    this.nameOf(state, firstBits);
    this.string(value, coded);
    return true;
  }

  /** The first value of a name, or one that comes twice in a row. */
  private earnsSlot(state: NameState): boolean {
    return state.values.length === state.staticValues || state.candidate === this.measuredHash;
  }

  private remember(state: NameState, value: string, slot: number): void {
    const before = state.values[slot];
    this.rememberedChars += value.length - (before === undefined ? 0 : before.length);
    state.values[slot] = copyOf(value);
    state.places[slot] = this.table.inserted;
    state.lastInsertion = this.table.inserted;
    state.candidate = NO_CANDIDATE;
  }

  /** The name of a literal: by index where a table has it, else as a string. */
  private nameOf(state: NameState, firstBits: number): void {
    const mask = firstBits === WITH_INDEXING ? 0x3f : 0x0f;
    if (state.staticIndex > 0) {
      this.integer(firstBits, mask, state.staticIndex);
    } else if (this.table.holds(state.lastInsertion)) {
      this.integer(firstBits, mask, this.table.indexOf(state.lastInsertion));
    } else {
      this.out[this.position++] = firstBits;
      this.string(state.lowerName, this.measure(state.lowerName));
    }
  }

  private updateSize(bytesMax: number): void {
    this.integer(SIZE_UPDATE, 0x1f, bytesMax);
    this.table.resize(bytesMax);
  }
}

/**
 * The text in memory of its own: what the HTTP/1.1 parser cuts out of a head would keep the whole head
 * alive with it. Only for what is remembered, so it may cost something.
 */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
