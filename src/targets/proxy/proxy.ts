// The proxy at work: starts the worker threads, sends them what changed between two programs, and says
// which addresses could not be opened. Runs in the control plane's thread and never sees a request.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { PathPolicy } from '../../lib/http-path.ts';
import type { Applied, Rejection, RunningTarget } from '../target.ts';
import { claimLocalhost, planBindings } from './bindings.ts';
import type { BindingRules } from './bindings.ts';
import type { Counters } from './datapath/counters.ts';
import type { Limits } from './datapath/limits.ts';
import { NO_OBSERVATION } from './datapath/observe/observer.ts';
import type { Observation } from './datapath/observe/observer.ts';
import type { TallyRead } from './datapath/tally.ts';
import type {
  BindFailure,
  Binding,
  ExternalRules,
  ForbiddenHost,
  RelayBinding,
} from './messages.ts';
import { diffPrograms, EMPTY_PROGRAM } from './patch.ts';
import { checkPort, explainFailure, TOO_MANY } from './port-check.ts';
import type { Place } from './port-check.ts';
import type { ProxyProgram, RelayProgram } from './program.ts';
import { Thread } from './thread.ts';

export interface ProxyOptions {
  readonly workers: number;
  readonly limits: Limits;
  readonly pathPolicy: PathPolicy;
  /** Whether clients may ask which rule took their request. */
  readonly explains: boolean;
  /** Absent: what is never outside is not, and the machine's own servers know the names. */
  readonly external?: ExternalRules;
  readonly bindings: BindingRules;
  /** What is told of requests; absent: nothing. */
  readonly observation?: Observation;
  /** Where a port of a Service (`namespace/name`) is served on the Service's own addresses. */
  readonly servedPort: (service: string, port: number) => number;
  /** Another Fairway of the same user has some of the ports, and is about to leave them to this one. */
  readonly takesOver?: boolean;
  /** Where node ports are served. */
  readonly nodePortAddresses: readonly string[];
  /** A worker has crashed and is being replaced; the others serve. */
  readonly onCrash?: (worker: number, error: unknown) => void;
  /** What `forbiddenHosts` says has changed. */
  readonly onForbidden?: () => void;
}

/** A client whose connection has been idle for longer sends nothing more on it, or sends it again. */
const LAST_REQUESTS_MS = 10_000;

const NOTHING_SAID: ExternalRules = { allow: [], deny: [], nameservers: [] };

/** What `apply` also tells: how each entry point is reached. */
export interface ProxyApplied extends Applied {
  readonly bindings: readonly Binding[];
  /** The longest time a worker served nothing while it changed programs. */
  readonly swapMs: number;
}

export class Proxy implements RunningTarget<ProxyProgram> {
  readonly #options: ProxyOptions;
  readonly #threads: Thread[];
  #program = EMPTY_PROGRAM;
  /** To localhost. */
  #claims: readonly string[] = [];
  #generation = 0;
  /** Of the last change of programs, the longest time a worker served nothing. */
  swapMs = 0;
  /** `address|port` of everything that is ours already. */
  #bound: ReadonlySet<string> = new Set();
  #last: Promise<unknown> = Promise.resolve();
  #sharesPorts: boolean;
  readonly #placesMax: number;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#sharesPorts = options.takesOver === true;
    const ticketKeys = new Uint8Array(randomBytes(48));
    const limits = settleLimits(options.limits, options.workers);
    this.#placesMax = limits.placesMax;
    this.#threads = Array.from({ length: options.workers }, (_, index) => {
      const { pathPolicy, explains, external = NOTHING_SAID } = options;
      const { observation = NO_OBSERVATION, onCrash = () => undefined } = options;
      const { onForbidden = () => undefined } = options;
      const own = { index, limits, pathPolicy, explains, external, observation, ticketKeys };
      return new Thread({ ...own, onCrash, onForbidden });
    });
  }

  /** Puts a program in force. Calls follow one another in order. */
  apply(program: ProxyProgram): Promise<ProxyApplied> {
    const applied = this.#last.then(() => this.#apply(program));
    this.#last = applied.catch(() => undefined);
    return applied;
  }

  /** The counters of each worker. */
  counters(): readonly Counters[] {
    return this.tallies().map(({ counters }) => counters);
  }

  /** All each worker has counted, as of now; asks no worker. */
  tallies(): readonly TallyRead[] {
    return this.#threads.map((thread) => thread.tally());
  }

  /** Hosts outside that requests are not sent to, because no address of theirs is outside; by backend. */
  forbiddenHosts(): readonly ForbiddenHost[] {
    // Each worker looks for itself, and one of them is enough to tell.
    const byBackend = new Map(this.#threads.flatMap((t) => t.forbidden.map((f) => [f.backend, f])));
    return [...byBackend.values()].toSorted((a, b) => (a.backend < b.backend ? -1 : 1));
  }

  /** Programs put in force. */
  get generation(): number {
    return this.#generation;
  }

  /** How often workers were replaced after a crash. */
  get restarts(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.restarts, 0);
  }

  /** Ends a worker as a crash would; it is replaced. */
  async killWorker(index: number): Promise<void> {
    await this.#threads[index]?.kill();
  }

  async stop(graceMs: number): Promise<void> {
    await this.#last;
    await Promise.all(this.#threads.map((thread) => thread.stop(graceMs, 0)));
  }

  /**
   * Leaves the ports to a proxy that listens on them already (`takesOver`): takes no new connections, and
   * tells those there are to end with their next answer. What has not ended after `graceMs` is cut.
   */
  async handOver(graceMs: number): Promise<void> {
    await this.#last;
    const lastRequestsMs = Math.min(graceMs, LAST_REQUESTS_MS);
    await Promise.all(this.#threads.map((thread) => thread.stop(graceMs, lastRequestsMs)));
  }

  /** The other one is gone: from now on, a port that somebody else has is one that cannot be opened. */
  tookOver(): void {
    this.#sharesPorts = false;
  }

  async #apply(program: ProxyProgram): Promise<ProxyApplied> {
    const generation = ++this.#generation;
    const patch = diffPrograms(this.#program, program);
    this.#claims = claimLocalhost(program, this.#claims);
    const planned = planBindings(program, this.#options.bindings, this.#claims);
    const { open, failures } = await this.#checkBindings(planned);
    const relays = this.#assignRelays(program.relays);
    this.#program = program;
    const answers = await Promise.all(
      this.#threads.map((thread, i) =>
        thread.apply({ generation, program, bindings: open, relays: relays[i]! }, patch),
      ),
    );
    const all = [...failures, ...uniqueFailures(answers.flatMap((a) => a.failures))];
    const swapMs = Math.max(...answers.map((a) => a.swapMs));
    this.swapMs = swapMs;
    const failed = new Set(all.map(placeOf));
    const bindings = open.filter((b) => !failed.has(placeOf(b)));
    this.#bound = new Set(bindings.map(placeOf));
    return { generation, bindings, swapMs, rejected: await Promise.all(all.map(toRejection)) };
  }

  /**
   * Looks whether new addresses are free. The workers share their ports, and sharing would let them
   * quietly share with another Fairway as well: so the first look is made without, unless that is wanted.
   */
  async #checkBindings(
    planned: readonly Binding[],
  ): Promise<{ open: readonly Binding[]; failures: readonly BindFailure[] }> {
    const failures: BindFailure[] = [];
    // What is served stays so: those that came last find no room.
    let room = this.#placesMax - planned.filter((b) => this.#bound.has(placeOf(b))).length;
    const checked = await Promise.all(
      planned.map(async (binding) => {
        if (this.#bound.has(placeOf(binding))) return true;
        const code = room-- > 0 ? await this.#check(binding) : TOO_MANY;
        if (code === null) return true;
        const { socket: id, address, port, transport } = binding;
        failures.push({ id, address, port, transport, code });
        return false;
      }),
    );
    return { open: planned.filter((_, i) => checked[i]), failures };
  }

  /** What is to be shared for a while is left to the workers: they share, or say that they cannot. */
  #check(binding: Binding): Promise<string | null> {
    return this.#sharesPorts ? Promise.resolve(null) : checkPort(binding);
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

/** Of descriptors, the share for connections of clients: each may need another to a backend. */
const DESCRIPTORS_SHARE = 0.4;
/** Each place that is listened on takes one in each worker. */
const PLACES_SHARE = 0.15;
/** Even where descriptors are few, some Gateways have to be served. */
const PLACES_MIN = 64;
const DESCRIPTORS_UNKNOWN = 1024;

/** Limits that are said to be as large as the machine allows, in numbers. */
function settleLimits(limits: Limits, workers: number): Limits {
  const { connectionsMax, placesMax, memoryBytesMax } = limits;
  const descriptors = descriptorsMax() / Math.max(workers, 1);
  const places = Math.max(Math.floor(descriptors * PLACES_SHARE), PLACES_MIN);
  return {
    ...limits,
    connectionsMax:
      connectionsMax === 0 ? Math.floor(descriptors * DESCRIPTORS_SHARE) : connectionsMax,
    placesMax: placesMax === 0 ? places : placesMax,
    memoryBytesMax: memoryBytesMax === 0 ? machineMemory() : memoryBytesMax,
  };
}

/** What this process may use: less than the machine has where a control group says so. */
function machineMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

function descriptorsMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? DESCRIPTORS_UNKNOWN : Number(soft);
  } catch {
    // There is no such file outside Linux.
    return DESCRIPTORS_UNKNOWN;
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
