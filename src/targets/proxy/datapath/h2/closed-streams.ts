// The streams of a connection that closed last, and which of them we reset ourselves: frames of those may
// still be on their way and are read over, frames of others are errors (RFC 9113 §5.1).
//
// Budget: one write for each stream. Allocates nothing. Guarded by bench/proxy.ts.

/** More than the resets a peer is allowed in a burst. */
const RESET_MAX = 256;

/** Of streams that ended in order we only want to name the error well: STREAM_CLOSED. */
const ENDED_MAX = 32;

/** The ids that were added last, round and round. */
class LastIds {
  private readonly ids: number[] = [];
  private next = 0;
  private readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  add(streamId: number): void {
    this.ids[this.next] = streamId;
    this.next = (this.next + 1) % this.count;
  }

  has(streamId: number): boolean {
    return this.ids.includes(streamId);
  }
}

export class ClosedStreams {
  private readonly resetByUs = new LastIds(RESET_MAX);
  private readonly ended = new LastIds(ENDED_MAX);

  add(streamId: number, resetByUs: boolean): void {
    if (resetByUs) this.resetByUs.add(streamId);
    else this.ended.add(streamId);
  }

  has(streamId: number): boolean {
    return this.ended.has(streamId) || this.resetByUs.has(streamId);
  }

  wasResetByUs(streamId: number): boolean {
    return this.resetByUs.has(streamId);
  }
}
