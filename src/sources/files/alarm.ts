// Something to wait for that can ring early: the heart of a loop that acts on events and on time.

export class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  /** Ends the wait that is going on, or the next one. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits until it rings, the time is over (without one: for ever), or the signal aborts. */
  async wait(timeoutMs: number | undefined, signal: AbortSignal): Promise<'rung' | 'timeout'> {
    if (!this.#rung && !signal.aborted) await this.#sleep(timeoutMs, signal);
    const rung = this.#rung;
    this.#rung = false;
    return rung ? 'rung' : 'timeout';
  }

  async #sleep(timeoutMs: number | undefined, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs);
    signal.addEventListener('abort', wake, { once: true });
    this.#wake = wake;
    await promise;
    this.#wake = undefined;
    signal.removeEventListener('abort', wake);
    clearTimeout(timer);
  }
}
