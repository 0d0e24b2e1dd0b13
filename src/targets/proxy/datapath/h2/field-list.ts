// The fields of one decoded header block, in order, with their kinds: filled by the HPACK decoder, read by
// the head builders, then filled again. One serves all connections of a worker, because decoding and
// reading happen in one go. It holds the limits: what passes them is not kept, but decoding goes on.
// Hot: allocates nothing once made.
//
// Budget: three writes for each field. Allocates nothing. Guarded by bench/proxy.ts.

import { Kind } from './field-kind.ts';
import { ENTRY_OVERHEAD_BYTES } from './hpack/static-table.ts';

/** Each pseudo-header once, and one more to be found malformed. */
const PSEUDO_MAX = 7;

export class FieldList {
  readonly names: string[];
  readonly values: string[];
  readonly kinds: Uint8Array;
  count = 0;
  /** A limit was passed: the list is not complete. */
  overflowed = false;
  private regularCount = 0;
  private sizeBytes = 0;
  private sizeBytesMax = 0;
  private readonly fieldsMax: number;

  constructor(fieldsMax: number) {
    const slots = fieldsMax + PSEUDO_MAX;
    this.names = Array.from({ length: slots }, () => '');
    this.values = Array.from({ length: slots }, () => '');
    this.kinds = new Uint8Array(slots);
    this.fieldsMax = fieldsMax;
  }

  /** Empties the list; `sizeBytesMax` counts as SETTINGS_MAX_HEADER_LIST_SIZE does, 32 for each field. */
  reset(sizeBytesMax: number): void {
    this.count = 0;
    this.regularCount = 0;
    this.sizeBytes = 0;
    this.sizeBytesMax = sizeBytesMax;
    this.overflowed = false;
  }

  add(name: string, value: string, kind: number): void {
    this.sizeBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    if (kind < Kind.METHOD || kind > Kind.STATUS) this.regularCount++;
    const full = this.count === this.kinds.length;
    if (full || this.sizeBytes > this.sizeBytesMax || this.regularCount > this.fieldsMax) {
      this.overflowed = true;
      return;
    }
    this.names[this.count] = name;
    this.values[this.count] = value;
    this.kinds[this.count] = kind;
    this.count++;
  }
}
