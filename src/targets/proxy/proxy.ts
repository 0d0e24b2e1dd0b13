// The proxy at work: starts the worker threads, sends them what changed between two programs, and says
// which addresses could not be opened. Runs in the control plane's thread and never sees a request.

import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { PathPolicy } from '../../lib/http-path.ts';
import type { Applied, Rejection, RunningTarget } from '../target.ts';
import { planBindings } from './bindings.ts';
import type { BindingRules } from './bindings.ts';
import type { Counters } from './datapath/counters.ts';
import type { Limits } from './datapath/limits.ts';
import type {
  BindFailure,
  Binding,
  FromWorker,
  RelayBinding,
  ToWorker,
  WorkerInit,
} from './messages.ts';
import { diffPrograms, EMPTY_PROGRAM } from './patch.ts';
import { checkPort, explainFailure } from './port-check.ts';
import type { Place } from './port-check.ts';
import type { ProxyProgram, RelayProgram } from './program.ts';

export interface ProxyOptions {
  readonly workers: number;
  readonly limits: Limits;
  readonly pathPolicy: PathPolicy;
  /** Whether clients may ask which rule took their request. */
  readonly explains: boolean;
  readonly bindings: BindingRules;
  /** Where a port of a Service (`namespace/name`) is served on the Service's own addresses. */
  readonly servedPort: (service: string, port: number) => number;
  /** Where node ports are served. */
  readonly nodePortAddresses: readonly string[];
}

/** What `apply` also tells: how each entry point is reached. */
export interface ProxyApplied extends Applied {
  readonly bindings: readonly Binding[];
}

export class Proxy implements RunningTarget<ProxyProgram> {
  readonly #options: ProxyOptions;
  readonly #threads: Thread[];
  #program = EMPTY_PROGRAM;
  #generation = 0;
  /** `address|port` of everything that is ours already. */
  #bound: ReadonlySet<string> = new Set();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ProxyOptions) {
    this.#options = options;
    const ticketKeys = new Uint8Array(randomBytes(48));
    this.#threads = Array.from({ length: options.workers }, (_, index) => {
      const { limits, pathPolicy, explains } = options;
      return new Thread({ index, limits, pathPolicy, explains, ticketKeys });
    });
  }

  /** Puts a program in force. Calls follow one another in order. */
  apply(program: ProxyProgram): Promise<ProxyApplied> {
    const applied = this.#last.then(() => this.#apply(program));
    this.#last = applied.catch(() => undefined);
    return applied;
  }

  /** The counters of each worker. */
  counters(): Promise<readonly Counters[]> {
    return Promise.all(this.#threads.map((thread) => thread.counters()));
  }

  async stop(graceMs: number): Promise<void> {
    await this.#last;
    await Promise.all(this.#threads.map((thread) => thread.stop(graceMs)));
  }

  async #apply(program: ProxyProgram): Promise<ProxyApplied> {
    const generation = ++this.#generation;
    const patch = diffPrograms(this.#program, program);
    const planned = planBindings(program, this.#options.bindings);
    const { open, failures } = await this.#checkBindings(planned);
    const relays = this.#assignRelays(program.relays);
    this.#program = program;
    const answers = await Promise.all(
      this.#threads.map((thread, i) =>
        thread.apply({ kind: 'apply', generation, patch, bindings: open, relays: relays[i]! }),
      ),
    );
    const all = [...failures, ...uniqueFailures(answers.flat())];
    const failed = new Set(all.map(placeOf));
    const bindings = open.filter((b) => !failed.has(placeOf(b)));
    this.#bound = new Set(bindings.map(placeOf));
    return { generation, bindings, rejected: await Promise.all(all.map(toRejection)) };
  }

  /**
   * Looks whether new addresses are free. The workers share their ports, and sharing would let them
   * quietly share with another Fairway as well: so the first look is made without.
   */
  async #checkBindings(
    planned: readonly Binding[],
  ): Promise<{ open: readonly Binding[]; failures: readonly BindFailure[] }> {
    const failures: BindFailure[] = [];
    const checked = await Promise.all(
      planned.map(async (binding) => {
        if (this.#bound.has(placeOf(binding))) return true;
        const code = await checkPort(binding);
        if (code === null) return true;
        const { socket: id, address, port, transport } = binding;
        failures.push({ id, address, port, transport, code });
        return false;
      }),
    );
    return { open: planned.filter((_, i) => checked[i]), failures };
  }

  /** Each relay belongs to one worker, so that all its clients share one memory of affinity. */
  #assignRelays(relays: readonly RelayProgram[]): readonly (readonly RelayBinding[])[] {
    const assigned = this.#threads.map((): RelayBinding[] => []);
    for (const relay of relays) {
      const isNodePort = relay.address === '';
      const addresses = isNodePort ? this.#options.nodePortAddresses : [relay.address];
      const port = isNodePort ? relay.port : this.#options.servedPort(relay.service, relay.port);
      const mine = assigned[hash(relay.id) % assigned.length]!;
      for (const address of addresses) mine.push({ relay: relay.id, address, port });
    }
    return assigned;
  }
}

/** One worker thread, and the answers that are awaited from it. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting: ((message: FromWorker) => void)[] = [];

  constructor(init: WorkerInit) {
    this.#worker = new Worker(new URL('./datapath/worker.ts', import.meta.url), {
      workerData: init,
      name: `data path ${init.index}`,
      // Short-lived garbage dies young: fewer and shorter pauses (facts of bench/proxy.ts).
      resourceLimits: { maxYoungGenerationSizeMb: 48 },
    });
    this.#worker.on('message', (message: FromWorker) => this.#waiting.shift()?.(message));
  }

  async apply(message: Extract<ToWorker, { kind: 'apply' }>): Promise<readonly BindFailure[]> {
    const answer = await this.#ask(message);
    return answer.kind === 'applied' ? answer.failures : [];
  }

  async counters(): Promise<Counters> {
    const answer = await this.#ask({ kind: 'counters' });
    if (answer.kind !== 'counters') throw new Error('a worker answered out of order');
    return answer.counters;
  }

  async stop(graceMs: number): Promise<void> {
    await this.#ask({ kind: 'stop', graceMs });
    // Idle connections to backends are all that is left.
    await this.#worker.terminate();
  }

  /** Workers answer in the order they are asked. */
  #ask(message: ToWorker): Promise<FromWorker> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(message);
    });
  }
}

function placeOf({ address, port, transport }: Place): string {
  return `${address}|${port}|${transport}`;
}

/** Workers fail alike; one of them is enough to tell. */
function uniqueFailures(failures: readonly BindFailure[]): readonly BindFailure[] {
  const byPlace = new Map(failures.map((f) => [`${f.id}|${placeOf(f)}`, f]));
  return [...byPlace.values()];
}

async function toRejection(failure: BindFailure): Promise<Rejection> {
  const { message, hint } = await explainFailure(failure);
  return { id: failure.id, reason: 'PortUnavailable', message, hint };
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
