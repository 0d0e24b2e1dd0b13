// Gathers the connections that have something to write and writes for all of them at the end of the
// event-loop turn. This is where HTTP/2 wins: what many backends answered in one turn leaves as one write
// for each client. setImmediate and not a microtask, because it comes after all sockets of the turn.
//
// Budget: one push for each connection and turn. Allocates nothing. Guarded by bench/proxy.ts.

/** What has output to write at the end of the turn. */
export interface Flushable {
  flushNow(): void;
}

export class FlushQueue {
  private waiting: Flushable[] = [];
  private spare: Flushable[] = [];
  private scheduled = false;
  private readonly schedule: (run: () => void) => void;
  private readonly run = (): void => this.flushAll();

  constructor(schedule: (run: () => void) => void) {
    this.schedule = schedule;
  }

  /** The caller adds itself once until it is flushed. */
  add(output: Flushable): void {
    this.waiting.push(output);
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(this.run);
  }

  private flushAll(): void {
    const outputs = this.waiting;
    this.waiting = this.spare;
    this.scheduled = false;
    for (let at = 0; at < outputs.length; at++) outputs[at]!.flushNow();
    outputs.length = 0;
    this.spare = outputs;
  }
}
