// Which processes belong to which container, and the end of those that outlive it: a grandchild that
// made itself a daemon is in no group we know, but carries the container's marker. One walk through
// /proc serves all who ask while it has not begun.

import { setTimeout as delay } from 'node:timers/promises';
import { CONTAINER_VARIABLE } from './marker.ts';
import { processesWith } from './proc.ts';
import { signalProcess } from './signals.ts';

/** Questions of so long are answered by one walk: pods tend to become ready together. */
const GATHERING_MS = 250;

/** A process that forks while it is being killed can escape a walk, hardly several. */
const WALKS_MAX = 10;

export class ContainerProcesses {
  readonly #doomed = new Set<string>();
  #nextKill: Promise<void> | undefined;
  #lastKill: Promise<void> = Promise.resolve();
  #nextWalk: Promise<ReadonlyMap<number, string>> | undefined;
  #lastWalk: Promise<unknown> = Promise.resolve();

  /** Kills every process of a container, and returns when none is left that could be seen. */
  kill(containerId: string): Promise<void> {
    this.#doomed.add(containerId);
    if (this.#nextKill === undefined) {
      this.#nextKill = this.#lastKill.then(() => this.#killDoomed());
      this.#lastKill = this.#nextKill;
    }
    return this.#nextKill;
  }

  /** The processes of a container at some moment after the call. */
  async of(containerId: string): Promise<readonly number[]> {
    if (this.#nextWalk === undefined) {
      this.#nextWalk = this.#lastWalk.then(async () => {
        await delay(GATHERING_MS, undefined, { ref: false });
        this.#nextWalk = undefined;
        return processesWith(CONTAINER_VARIABLE);
      });
      this.#lastWalk = this.#nextWalk;
    }
    const all = await this.#nextWalk;
    return [...all].filter(([, id]) => id === containerId).map(([pid]) => pid);
  }

  async #killDoomed(): Promise<void> {
    this.#nextKill = undefined;
    const doomed = new Set(this.#doomed);
    this.#doomed.clear();
    for (let walk = 0; walk < WALKS_MAX; walk++) {
      let found = false;
      for (const [pid, id] of await processesWith(CONTAINER_VARIABLE)) {
        // Our own environment can carry a marker when Fairway itself runs in a pod of a Fairway.
        if (doomed.has(id) && pid !== process.pid) found = signalProcess(pid, 'SIGKILL') || found;
      }
      if (!found) return;
    }
  }
}
