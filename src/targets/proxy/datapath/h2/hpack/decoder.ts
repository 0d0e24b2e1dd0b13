// Turns a header block into a FieldList (RFC 7541 §3, §6) and keeps the dynamic table in step, also when
// the list is full or the block belongs to a stream nobody wants.
// Budget: 20 ns for an indexed field, 400 ns for a literal. May allocate the strings of literals and
// their table entries, nothing else. Guarded by bench/proxy.ts.

import { classesOf } from '../byte-class.ts';
import { fieldKind, nameKind } from '../field-kind.ts';
import type { FieldList } from '../field-list.ts';
import { DynamicTable } from './dynamic-table.ts';
import { decodeHuffman } from './huffman.ts';
import type { SecretNames } from './secret-names.ts';
import { STATIC_COUNT, STATIC_TABLE } from './static-table.ts';
import type { Entry } from './static-table.ts';

const NO_BYTES = Buffer.alloc(0);

/** Room that Huffman decoding of a block of this many bytes needs: the shortest code has five bits. */
export function scratchBytesFor(blockBytesMax: number): number {
  return Math.ceil((blockBytesMax * 8) / 5);
}

export class Decoder {
  private readonly table = new DynamicTable();
  private readonly scratch: Buffer;
  private readonly secrets: SecretNames;
  private bytes: Buffer = NO_BYTES;
  private at = 0;
  private end = 0;
  /** Class bits of the string read last. */
  private classes = 0;

  /** `scratch` holds scratchBytesFor the longest block; connections of a worker share it. */
  constructor(scratch: Buffer, secrets: SecretNames) {
    this.scratch = scratch;
    this.secrets = secrets;
  }

  /** Decodes bytes[start, end) to the end of `out`; false is a COMPRESSION_ERROR of the connection. */
  decode(bytes: Buffer, start: number, end: number, out: FieldList): boolean {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    const valid = this.sizeUpdates() && this.fields(out);
    this.bytes = NO_BYTES;
    return valid;
  }

  /** Size updates stand at the beginning of a block, nowhere else (RFC 7541 §4.2). */
  private sizeUpdates(): boolean {
    while (this.at < this.end && (this.bytes[this.at]! & 0xe0) === 0x20) {
      const sizeBytesMax = this.integer(0x1f);
      if (sizeBytesMax < 0 || !this.table.resize(sizeBytesMax)) return false;
    }
    return true;
  }

  private fields(out: FieldList): boolean {
    while (this.at < this.end) {
      const first = this.bytes[this.at]!;
      if (first >= 0x80) {
        const entry = this.entryAt(this.integer(0x7f));
        if (entry === undefined) return false;
        out.add(entry.name, entry.value, entry.kind);
      } else {
        const sizeUpdate = first >= 0x20 && first < 0x40;
        if (sizeUpdate || !this.literal(out, first)) return false;
      }
    }
    return true;
  }

  /** Reads a literal field: with indexing (01), without (0000) or never indexed (0001). */
  private literal(out: FieldList, first: number): boolean {
    const indexed = first >= 0x40;
    const index = this.integer(indexed ? 0x3f : 0x0f);
    let name: string | null;
    let ofName: number;
    if (index === 0) {
      name = this.text();
      if (name === null) return false;
      ofName = nameKind(name, this.classes);
    } else {
      const entry = this.entryAt(index);
      if (entry === undefined) return false;
      name = entry.name;
      ofName = entry.nameKind;
    }
    const value = this.text();
    if (value === null) return false;
    const kind = fieldKind(ofName, value, this.classes);
    out.add(name, value, kind);
    if (indexed) this.table.insert({ name, value, nameKind: ofName, kind });
    else if (first >= 0x10) this.secrets.add(name);
    return true;
  }

  private entryAt(index: number): Entry | undefined {
    return index <= STATIC_COUNT ? STATIC_TABLE[index] : this.table.at(index - STATIC_COUNT);
  }

  /**
   * Reads an integer whose first bits are under `mask`; -1 when it is cut off or takes more than four
   * further bytes, 2^28, which no length or index can be (RFC 7541 §5.1 lets us choose the limit).
   */
  private integer(mask: number): number {
    let value = this.bytes[this.at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.at >= this.end) return -1;
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** Reads a string and notes its classes; null when it is cut off or no valid Huffman string. */
  private text(): string | null {
    if (this.at >= this.end) return null;
    const huffman = this.bytes[this.at]! >= 0x80;
    const length = this.integer(0x7f);
    const start = this.at;
    const end = start + length;
    if (length < 0 || end > this.end) return null;
    this.at = end;
    if (!huffman) {
      this.classes = classesOf(this.bytes, start, end);
      return this.bytes.toString('latin1', start, end);
    }
    const decoded = decodeHuffman(this.bytes, start, end, this.scratch);
    if (decoded < 0) return null;
    this.classes = classesOf(this.scratch, 0, decoded);
    return this.scratch.toString('latin1', 0, decoded);
  }
}
