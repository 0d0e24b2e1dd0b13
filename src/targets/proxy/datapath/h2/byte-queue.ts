// Bytes that wait, in order, in few and growing pieces: a peer that sends its body one byte at a time to a
// stream nobody reads must not cost a buffer for each byte. Made only while somebody is slow.
//
// Budget: one copy of each byte that must wait. Allocates that copy. Guarded by bench/proxy.ts.

const FIRST_BYTES = 1024;
const PIECE_BYTES_MAX = 64 * 1024;

export class ByteQueue {
  length = 0;
  private readonly pieces: Buffer[] = [];
  /** Bytes taken from the first piece, and bytes filled of the last. */
  private taken = 0;
  private filled = 0;

  /** Copies bytes[start, end) to the end of the queue. */
  push(bytes: Buffer, start: number, end: number): void {
    this.length += end - start;
    const last = this.pieces.at(-1);
    let from = start;
    if (last !== undefined) {
      const room = bytes.copy(last, this.filled, from, end);
      this.filled += room;
      from += room;
    }
    if (from === end) return;
    const doubled = last === undefined ? FIRST_BYTES : Math.min(last.length * 2, PIECE_BYTES_MAX);
    const piece = Buffer.allocUnsafe(Math.max(doubled, end - from));
    this.filled = bytes.copy(piece, 0, from, end);
    this.pieces.push(piece);
  }

  /** The first bytes, as many as lie together; empty when the queue is. */
  front(): Buffer {
    const first = this.pieces[0];
    if (first === undefined) return Buffer.alloc(0);
    return first.subarray(this.taken, this.pieces.length === 1 ? this.filled : first.length);
  }

  /** Takes bytes off the front; no more than `front` gave. */
  take(bytes: number): void {
    this.length -= bytes;
    this.taken += bytes;
    if (this.length === 0 || this.taken === this.pieces[0]!.length) {
      this.pieces.shift();
      this.taken = 0;
      if (this.pieces.length === 0) this.filled = 0;
    }
  }
}
