// The streams of a connection that closed last, and which of them we reset ourselves: frames of those may
// still be on their way and are read over, frames of others are errors (RFC 9113 §5.1).

/** More than the resets a peer is allowed in a burst. */
const SLOTS = 256;

export class ClosedStreams {
  /** Stream ids; those we reset are negative. Made with the first stream that closes. */
  private ids: Int32Array | null = null;
  private next = 0;

  add(streamId: number, resetByUs: boolean): void {
    this.ids ??= new Int32Array(SLOTS);
    this.ids[this.next] = resetByUs ? -streamId : streamId;
    this.next = (this.next + 1) % SLOTS;
  }

  has(streamId: number): boolean {
    return this.ids !== null && (this.ids.includes(streamId) || this.ids.includes(-streamId));
  }

  wasResetByUs(streamId: number): boolean {
    return this.ids !== null && this.ids.includes(-streamId);
  }
}
