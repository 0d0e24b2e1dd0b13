// The contract of a source: a way objects get in. A source reads, admits and reports; it never decides
// what objects mean.

import type { Finding, Position } from '../api/finding.ts';
import type { ObjectWrite } from '../store/write.ts';
import type { SourceRef } from '../store/table.ts';

/** What a source has to say: changes since last time, and all its findings as they are now. */
export interface SourceUpdate {
  readonly writes: readonly ObjectWrite[];
  readonly findings: readonly Finding[];
}

export interface Source {
  /** Unique among the sources of a process; it marks the objects (SourceRef.source). */
  readonly name: string;
  /**
   * Delivers everything there is in a first update, then resolves; goes on delivering changes until
   * the signal aborts. Rejects only when nothing can be read at all.
   */
  start(deliver: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void>;
  /** The place of a field of an object this source delivered; of the object when it has no such field. */
  locate(ref: SourceRef, field: string): Position | undefined;
}
