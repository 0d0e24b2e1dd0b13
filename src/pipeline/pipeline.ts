// The loop, read this first. Whenever objects change:
//
//   snapshot → controllers → snapshot → resolve → lower → compile → apply → status
//
// One round at a time; changes that come during a round are one more round. Nothing in here decides
// anything: it only hands results on, and keeps the last good ones when a step fails. (Next on the tour:
// ../resolve/resolve.ts.)

import type { Finding } from '../api/finding.ts';
import type { LocalCa } from '../certificates/local-ca.ts';
import { reconcileAll } from '../controllers/reconcile.ts';
import type { Controller } from '../controllers/controller.ts';
import { createLowerer } from '../lower/view.ts';
import type { View } from '../lower/view.ts';
import type { Model } from '../model/model.ts';
import type { Resolver } from '../resolve/resolve.ts';
import { unservedFindings, withUnserved } from '../resolve/status/rejections.ts';
import type { PodRuntime } from '../runtime/runtime.ts';
import type { Source } from '../sources/source.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import { createProxyCompiler } from '../targets/proxy/compile.ts';
import type { Binding } from '../targets/proxy/messages.ts';
import type { Proxy } from '../targets/proxy/proxy.ts';
import { createMovedPortFinder, createStaticFinder } from './findings.ts';
import { forbiddenHostFindings } from './forbidden-hosts.ts';
import { HiddenObjects } from './hidden.ts';
import { tellRefused } from './refused.ts';
import { createStatusWriter, statusWrites } from './status.ts';

export interface PipelineOptions {
  readonly store: Store;
  readonly sources: readonly Source[];
  readonly controllers: readonly Controller[];
  readonly resolve: Resolver;
  /** The node this process is. */
  readonly node: string;
  /** Ports below this number are served at others; 0 when all can be opened. */
  readonly firstOpenPort: number;
  readonly proxy: Proxy;
  /** Null when no pods are to be run. */
  readonly runtime: PodRuntime | null;
  readonly localCa: LocalCa;
  readonly findPodFaults: (snapshot: Snapshot) => readonly Finding[];
  /** A bug, or a fault of the machine: told, and the last good program stays. */
  readonly onError: (error: unknown) => void;
}

/** What is in force after a round. */
export interface Report {
  readonly revision: number;
  readonly snapshot: Snapshot;
  readonly model: Model;
  /** Of objects and files; those of running pods come from the runtime. */
  readonly findings: readonly Finding[];
  readonly bindings: readonly Binding[];
  /** As in the options. */
  readonly firstOpenPort: number;
  /** Objects that sources have changed since the last report. */
  readonly sourceChanges: number;
  /** From the first change of the round to the moment every worker had the program. */
  readonly tookMs: number;
}

/**
 * What writes objects shares the thread with rounds: after each it has the thread for so many times as
 * long as the round had it. Many changes that come together are so taken up by few rounds.
 */
const PAUSE_TIMES = 4;
const PAUSE_MS_MAX = 2_000;
/** The first rounds take long because all is new, and pods that start wait for them: no pauses. */
const COLD_ROUNDS = 16;

/** After so long, what could not be opened is tried again: whoever had it may be gone. */
const RETRY_MS = 3000;

/** Timers of Node.js hold no more than this; a later wish is wished again. */
const WAKE_MS_MAX = 2 ** 31 - 1;

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #listeners = new Set<(report: Report) => void>();
  readonly #hidden: HiddenObjects;
  readonly #sourceFindings = new Map<string, readonly Finding[]>();
  readonly #lower: (model: Model) => View;
  readonly #compile = createProxyCompiler();
  readonly #findStatic = createStaticFinder();
  readonly #findMovedPorts: (snapshot: Snapshot) => readonly Finding[];
  readonly #routeStatuses = createStatusWriter();
  readonly #stop = new AbortController();
  #report: Report | undefined;
  #sourceChanges = 0;
  #dirtySinceMs: number | undefined;
  #running: Promise<void> | undefined;
  #wake: NodeJS.Timeout | undefined;
  /** A source has changed something since the round began. */
  #isUrgent = false;
  #rounds = 0;
  /** For how long the round has had the thread, waiting for others not counted. */
  #busyMs = 0;
  /** Ends the pause between two rounds, if there is one. */
  #hurry: (() => void) | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#hidden = new HiddenObjects(options.store);
    this.#findMovedPorts = createMovedPortFinder(options.firstOpenPort);
    this.#lower = createLowerer(options.node);
  }

  /** What is in force; undefined before the first round. */
  get report(): Report | undefined {
    return this.#report;
  }

  /** Calls `listener` after every round. */
  subscribe(listener: (report: Report) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Loads every source and puts what they deliver in force. Rejects when a source cannot be read. */
  async start(): Promise<void> {
    const { store, sources } = this.#options;
    store.subscribe((changes) => {
      // Events tell of what was: nothing follows from them.
      if (changes.some(({ kind }) => kind.kind !== 'Event')) this.#schedule();
    });
    await Promise.all(
      sources.map((source) =>
        source.start((update) => {
          this.#sourceFindings.set(source.name, update.findings);
          const changes = store.write(this.#hidden.take(update.writes));
          this.#sourceChanges += changes.length;
          // What a source has to say may have changed without any object.
          if (changes.length === 0) this.#schedule();
          // Somebody has saved a file, and waits for it.
          this.#isUrgent = true;
          this.#hurry?.();
        }, this.#stop.signal),
      ),
    );
    this.#schedule();
    await this.idle();
  }

  /** Resolves when everything that has changed is in force. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Something that is told along with reports has changed, though no object has. */
  refresh(): void {
    this.#schedule();
  }

  /** Stops listening to the sources and finishes the round under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#wake);
    this.#hurry?.();
    clearTimeout(this.#retry);
    await this.idle();
  }

  #schedule(): void {
    this.#dirtySinceMs ??= performance.now();
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What changes in one turn is one round.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#dirtySinceMs !== undefined && !this.#stop.signal.aborted) {
      const sinceMs = this.#dirtySinceMs;
      this.#dirtySinceMs = undefined;
      this.#isUrgent = false;
      this.#busyMs = 0;
      try {
        await this.#round(sinceMs);
      } catch (error) {
        this.#options.onError(error);
      }
      await this.#pause(this.#busyMs);
    }
    this.#running = undefined;
  }

  /** Leaves the thread to those who write, as long as no source has anything new. */
  async #pause(roundMs: number): Promise<void> {
    if (this.#rounds++ < COLD_ROUNDS) return;
    if (this.#isUrgent || this.#dirtySinceMs === undefined) return;
    const pauseMs = Math.min(roundMs * PAUSE_TIMES, PAUSE_MS_MAX);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#hurry = undefined;
  }

  async #round(sinceMs: number): Promise<void> {
    const { store, controllers, resolve, proxy, runtime, localCa } = this.#options;
    const { firstOpenPort } = this.#options;
    const now = new Date();
    let startedMs = performance.now();
    const sourceChanges = this.#sourceChanges;
    this.#sourceChanges = 0;
    const { wakeAtMs } = reconcileAll(controllers, store, now);
    this.#wakeAt(wakeAtMs);
    runtime?.sync(store.snapshot());
    const snapshot = store.snapshot();
    const resolution = resolve(snapshot);
    const { model } = resolution;
    const program = this.#compile(this.#lower(model));
    this.#busyMs += performance.now() - startedMs;
    const applied = await proxy.apply(program);
    startedMs = performance.now();
    const tookMs = startedMs - sinceMs;
    this.#retryIf(applied.rejected.length > 0);
    const statuses = withUnserved(resolution.statuses, model.entryPoints, applied.rejected);
    store.write([
      ...statusWrites(store.snapshot(), statuses, now),
      ...this.#routeStatuses(store.snapshot(), resolution.routeStatuses, now),
    ]);
    const ofSources = [...[...this.#sourceFindings.values()].flat(), ...this.#hidden.findings()];
    this.#publish({
      revision: snapshot.revision,
      snapshot: store.snapshot(),
      model,
      findings: [
        ...ofSources,
        ...tellRefused(ofSources, resolution.findings),
        ...this.#findStatic(snapshot),
        ...this.#findMovedPorts(snapshot),
        ...(runtime === null ? [] : this.#options.findPodFaults(snapshot)),
        ...unservedFindings(model, applied.rejected),
        ...forbiddenHostFindings(model, proxy.forbiddenHosts()),
      ],
      bindings: applied.bindings,
      firstOpenPort,
      sourceChanges,
      tookMs,
    });
    this.#busyMs += performance.now() - startedMs;
    // Last, as it may take a while: until then, only the listeners that wait for it are not served.
    store.write(await localCa.issueMissing(store.snapshot()));
  }

  /** Some things come true by time alone, as that a pod has been ready for long enough. */
  #wakeAt(timeMs: number | undefined): void {
    clearTimeout(this.#wake);
    if (timeMs === undefined || this.#stop.signal.aborted) return;
    const delayMs = Math.max(1, timeMs - Date.now());
    this.#wake = setTimeout(() => this.#schedule(), Math.min(delayMs, WAKE_MS_MAX));
  }

  #retryIf(isNeeded: boolean): void {
    clearTimeout(this.#retry);
    if (!isNeeded || this.#stop.signal.aborted) return;
    this.#retry = setTimeout(() => this.#schedule(), RETRY_MS);
  }

  #publish(report: Report): void {
    this.#report = report;
    for (const listener of this.#listeners) listener(report);
  }
}
