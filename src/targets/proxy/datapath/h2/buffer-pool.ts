// Output buffers shared by the connections of a worker: a connection holds one only between its first
// frame of a turn and the write at the end of it, so idle connections hold none.
//
// Budget: a push or a pop. Allocates a buffer when the pool is empty. Guarded by bench/proxy.ts.

/** A 64 KiB read of a body in four DATA frames, and 4 KiB of heads before it: one write. */
export const OUTPUT_BUFFER_BYTES: number = 68 * 1024;

/** Buffers kept for reuse; as many connections can have output in one turn without an allocation. */
const KEPT_MAX = 64;

export class BufferPool {
  private readonly kept: Buffer[] = [];

  take(): Buffer {
    return this.kept.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BUFFER_BYTES);
  }

  /** Takes a buffer back; whoever gives it must be sure that nobody reads it any more. */
  give(buffer: Buffer): void {
    if (this.kept.length < KEPT_MAX) this.kept.push(buffer);
  }
}
