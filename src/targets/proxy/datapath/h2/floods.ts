// Counts what costs a peer little and us much: resets and control frames, against token buckets
// (CVE-2023-44487, CVE-2025-8671, CVE-2019-9511 to 9518). Tokens come back with the clock's tick, so that
// counting needs no time of its own. Hot: allocates nothing.
//
// Budget: one subtraction for each frame counted. Guarded by bench/proxy.ts.

import type { Limits } from '../limits.ts';

/** Control frames a peer may send for each DATA frame or response we sent: window updates, probing PINGs. */
const CREDIT_PER_WORK = 10;

export class TokenBucket {
  private readonly burst: number;
  private readonly perSecond: number;
  private tokens: number;
  private refilledAtMs: number;

  constructor(burst: number, perSecond: number, nowMs: number) {
    this.burst = burst;
    this.perSecond = perSecond;
    this.tokens = burst;
    this.refilledAtMs = nowMs;
  }

  /** False when there is none left. */
  take(): boolean {
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  refill(nowMs: number): void {
    const added = ((nowMs - this.refilledAtMs) / 1000) * this.perSecond;
    this.tokens = Math.min(this.burst, this.tokens + added);
    this.refilledAtMs = nowMs;
  }
}

export class Floods {
  private readonly resets: TokenBucket;
  private readonly control: TokenBucket;
  private readonly creditMax: number;
  private credit = 0;

  constructor(limits: Limits, nowMs: number) {
    this.resets = new TokenBucket(limits.resetsBurst, limits.resetsPerSecond, nowMs);
    this.control = new TokenBucket(limits.controlFramesBurst, limits.controlFramesPerSecond, nowMs);
    this.creditMax = limits.controlFramesBurst;
  }

  refill(nowMs: number): void {
    this.resets.refill(nowMs);
    this.control.refill(nowMs);
  }

  /** Counts a stream that was reset by the peer, or by us for its fault. False: too many. */
  reset(): boolean {
    return this.resets.take();
  }

  /** Counts a frame that no honest peer sends often: SETTINGS, empty DATA. False: too many. */
  controlFrame(): boolean {
    return this.control.take();
  }

  /**
   * Counts a frame that honest peers send in proportion to what they get: WINDOW_UPDATE and PING, which
   * gRPC sends with every read to measure the path. False: too many.
   */
  answeringFrame(): boolean {
    if (this.credit === 0) return this.control.take();
    this.credit--;
    return true;
  }

  /** We sent something of size, or took a request: the peer may answer it with control frames. */
  work(): void {
    this.credit = Math.min(this.credit + CREDIT_PER_WORK, this.creditMax);
  }
}
