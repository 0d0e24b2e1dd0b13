// The dynamic table as its encoder must know it: which insertions are still there, and at which index. The
// entries themselves are with the peer. Hot: allocates nothing.
//
// Budget: one look into a Map for each field. Allocates an entry for a field that is new. Guarded
// by bench/proxy.ts.

import { ENTRY_OVERHEAD_BYTES, STATIC_COUNT, TABLE_BYTES_MAX } from './static-table.ts';

/** Slots for the sizes of all entries a table of TABLE_BYTES_MAX can have; a power of two. */
const SLOTS = TABLE_BYTES_MAX / ENTRY_OVERHEAD_BYTES;

export class SentTable {
  sizeBytesMax = TABLE_BYTES_MAX;
  /** Insertions so far: the number the next one gets. */
  inserted = 0;
  private evicted = 0;
  private sizeBytes = 0;
  /** Sizes by insertion, round and round. */
  private readonly sizes: number[] = [];

  /** Whether an insertion is still in the table; -1 never was. */
  holds(insertion: number): boolean {
    return insertion >= this.evicted;
  }

  /** The index of an insertion that is still in the table. */
  indexOf(insertion: number): number {
    return STATIC_COUNT + this.inserted - insertion;
  }

  /** Puts in an entry no larger than the table. */
  insert(entryBytes: number): void {
    this.evictTo(this.sizeBytesMax - entryBytes);
    this.sizes[this.inserted & (SLOTS - 1)] = entryBytes;
    this.inserted++;
    this.sizeBytes += entryBytes;
  }

  resize(sizeBytesMax: number): void {
    this.sizeBytesMax = sizeBytesMax;
    this.evictTo(sizeBytesMax);
  }

  private evictTo(sizeBytes: number): void {
    while (this.sizeBytes > sizeBytes) {
      this.sizeBytes -= this.sizes[this.evicted & (SLOTS - 1)]!;
      this.evicted++;
    }
  }
}
