// One worker of the data path and whoever replaces it: a thread that crashes is gone with its
// connections, and another takes its place and its ports while the others go on serving.

import { Worker } from 'node:worker_threads';
import { newTallyMemory, readTally } from './datapath/tally.ts';
import type { TallyRead } from './datapath/tally.ts';
import type {
  Answer,
  BindFailure,
  Binding,
  ForbiddenHost,
  FromWorker,
  RelayBinding,
  ToWorker,
  WorkerInit,
} from './messages.ts';
import { diffPrograms, EMPTY_PROGRAM } from './patch.ts';
import type { Patch } from './patch.ts';
import type { ProxyProgram } from './program.ts';

export interface ThreadOptions extends Omit<WorkerInit, 'tally'> {
  /** The thread has crashed and is being replaced. */
  readonly onCrash: (index: number, error: unknown) => void;
  /** Which hosts are forbidden has changed. */
  readonly onForbidden: () => void;
}

/** What a worker is to run. */
export interface Wanted {
  readonly generation: number;
  readonly program: ProxyProgram;
  readonly bindings: readonly Binding[];
  /** Those of this worker. */
  readonly relays: readonly RelayBinding[];
}

export interface ThreadApplied {
  readonly failures: readonly BindFailure[];
  /** How long the worker served nothing while it changed programs. */
  readonly swapMs: number;
}

/** A thread that crashes again so soon is not replaced at once. */
const SOON_MS = 5_000;
const WAIT_MS_MIN = 100;
const WAIT_MS_MAX = 10_000;

export class Thread {
  readonly #options: ThreadOptions;
  readonly #tally = newTallyMemory();
  #wanted: Wanted | null = null;
  #running: Running;
  #stopping = false;
  #waitMs = 0;
  /** While the thread is being replaced: what becomes of it. */
  #replacement: Promise<ThreadApplied> | null = null;
  /** How often it was replaced. */
  restarts = 0;
  /** Hosts that have no address but such that are not outside. */
  forbidden: readonly ForbiddenHost[] = [];

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#running = this.#start();
  }

  /** Changes what runs; `patch` leads from what was wanted before to what is wanted now. */
  async apply(wanted: Wanted, patch: Patch): Promise<ThreadApplied> {
    this.#wanted = wanted;
    const { generation, bindings, relays } = wanted;
    if (this.#replacement !== null) return this.#replacement;
    const answer = await this.#running.ask({ kind: 'apply', generation, patch, bindings, relays });
    // It was given everything when it was replaced.
    if (answer === null) return this.#replacement ?? { failures: [], swapMs: 0 };
    return answer.kind === 'applied' ? answer : { failures: [], swapMs: 0 };
  }

  tally(): TallyRead {
    return readTally(this.#tally);
  }

  async stop(graceMs: number, lastRequestsMs: number): Promise<void> {
    this.#stopping = true;
    await this.#running.ask({ kind: 'stop', graceMs, lastRequestsMs });
    // Idle connections to backends are all that is left.
    await this.#running.end();
  }

  /** Ends the thread as a crash would. It is replaced. */
  async kill(): Promise<void> {
    await this.#running.end();
  }

  #start(): Running {
    const { onCrash, onForbidden, ...init } = this.#options;
    const take = (forbidden: readonly ForbiddenHost[]): void => {
      this.forbidden = forbidden;
      onForbidden();
    };
    const began = performance.now();
    return new Running({ ...init, tally: this.#tally }, take, (error) => {
      if (this.#stopping) return;
      // The thread that takes its place looks for itself.
      this.forbidden = [];
      this.restarts++;
      onCrash(this.#options.index, error);
      const isSoon = performance.now() - began < SOON_MS;
      this.#waitMs = isSoon ? Math.min(Math.max(this.#waitMs * 2, WAIT_MS_MIN), WAIT_MS_MAX) : 0;
      this.#replacement = this.#replace();
    });
  }

  async #replace(): Promise<ThreadApplied> {
    await new Promise((resolve) => setTimeout(resolve, this.#waitMs));
    let applied: ThreadApplied = { failures: [], swapMs: 0 };
    if (this.#stopping) return applied;
    this.#running = this.#start();
    // What is wanted may change while it starts.
    for (let before = EMPTY_PROGRAM, given: Wanted | null = null; given !== this.#wanted;) {
      given = this.#wanted;
      if (given === null) break;
      const { generation, program, bindings, relays } = given;
      const patch = diffPrograms(before, program);
      const answer = await this.#running.ask({
        kind: 'apply',
        generation,
        patch,
        bindings,
        relays,
      });
      // Crashed again: the next replacement begins anew.
      if (answer === null) return applied;
      if (answer.kind === 'applied') applied = answer;
      before = program;
    }
    this.#replacement = null;
    return applied;
  }
}

/** A thread from its start to its end, and the answers that are awaited from it. */
class Running {
  readonly #worker: Worker;
  readonly #waiting: ((message: Answer | null) => void)[] = [];
  #gone = false;

  constructor(
    init: WorkerInit,
    onForbidden: (forbidden: readonly ForbiddenHost[]) => void,
    onGone: (error: unknown) => void,
  ) {
    this.#worker = new Worker(new URL('./datapath/worker.ts', import.meta.url), {
      workerData: init,
      name: `data path ${init.index}`,
      // Short-lived garbage dies young: fewer and shorter pauses (facts of bench/proxy.ts).
      resourceLimits: { maxYoungGenerationSizeMb: 48 },
    });
    let cause: unknown = new Error('the thread ended');
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'hosts') onForbidden(message.forbidden);
      else this.#waiting.shift()?.(message);
    });
    this.#worker.on('error', (error) => (cause = error));
    this.#worker.on('exit', () => {
      this.#gone = true;
      onGone(cause);
      for (const tell of this.#waiting.splice(0)) tell(null);
    });
  }

  /** Workers answer in the order they are asked. Null when the thread is gone. */
  ask(message: ToWorker): Promise<Answer | null> {
    if (this.#gone) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(message);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
