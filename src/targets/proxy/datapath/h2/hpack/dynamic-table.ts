// The dynamic table of an HPACK decoder (RFC 7541 §2.3.2): a ring of entries, the newest at index 1.
// Allocates nothing after its ring; entries that fall out are let go at once, because a peer could
// otherwise keep 128 large ones alive.
//
// Budget: one write for a field that enters, none for one that leaves. Allocates nothing beyond its
// slots. Guarded by bench/proxy.ts.

import { ENTRY_OVERHEAD_BYTES, TABLE_BYTES_MAX } from './static-table.ts';
import type { Entry } from './static-table.ts';

/** No table of TABLE_BYTES_MAX holds more entries than this; a power of two. */
const SLOTS = TABLE_BYTES_MAX / ENTRY_OVERHEAD_BYTES;

export class DynamicTable {
  /** Filled from the beginning and then round and round; short-lived connections never fill it. */
  private readonly slots: (Entry | undefined)[] = [];
  /** Entries ever put in; the newest is at slot `inserted - 1`. */
  private inserted = 0;
  private count = 0;
  private sizeBytes = 0;
  private sizeBytesMax = TABLE_BYTES_MAX;

  /** The entry at a dynamic index from 1; undefined when there is none. */
  at(index: number): Entry | undefined {
    if (index < 1 || index > this.count) return undefined;
    return this.slots[(this.inserted - index) & (SLOTS - 1)];
  }

  /** Puts an entry in front; one larger than the table empties it (RFC 7541 §4.4). */
  insert(entry: Entry): void {
    const entryBytes = sizeOf(entry);
    this.evictTo(this.sizeBytesMax - entryBytes);
    if (entryBytes > this.sizeBytesMax) return;
    this.slots[this.inserted & (SLOTS - 1)] = entry;
    this.inserted++;
    this.count++;
    this.sizeBytes += entryBytes;
  }

  /** Follows a size update; false when it asks for more than we allowed. */
  resize(sizeBytesMax: number): boolean {
    if (sizeBytesMax > TABLE_BYTES_MAX) return false;
    this.sizeBytesMax = sizeBytesMax;
    this.evictTo(sizeBytesMax);
    return true;
  }

  private evictTo(sizeBytes: number): void {
    while (this.count > 0 && this.sizeBytes > sizeBytes) {
      const slot = (this.inserted - this.count) & (SLOTS - 1);
      this.sizeBytes -= sizeOf(this.slots[slot]!);
      this.slots[slot] = undefined;
      this.count--;
    }
  }
}

function sizeOf(entry: Entry): number {
  return entry.name.length + entry.value.length + ENTRY_OVERHEAD_BYTES;
}
