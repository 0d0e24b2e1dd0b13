// The loop of `fairway node`: objects → model → what this node's kernel has to do → the kernel. Changes
// that come close together are one round, and rounds keep a distance. What somebody else has deleted is
// put back.

import { Node } from '../api/core/node.ts';
import type { Finding } from '../api/finding.ts';
import type { Controller } from '../controllers/controller.ts';
import { reconcileAll } from '../controllers/reconcile.ts';
import { lowerPackets } from '../lower/packets.ts';
import type { PacketView } from '../lower/packets.ts';
import type { Model } from '../model/model.ts';
import type { NodeFacts } from '../model/node.ts';
import type { Resolver } from '../resolve/resolve.ts';
import type { Source } from '../sources/source.ts';
import type { Store } from '../store/store.ts';
import type { Rejection } from '../targets/target.ts';
import { staleFlows } from './conntrack.ts';
import { NodeMetrics } from './node-metrics.ts';
import type { NoLocalEndpoints } from './node-metrics.ts';

/** What carries packets on this node. */
export interface NodeTarget {
  readonly mode: string;
  apply(
    view: PacketView,
    model: Model,
  ): Promise<{
    readonly rejected: readonly Rejection[];
    readonly sync: 'full' | 'partial';
  }>;
  /** The next program is to be written whole. */
  resync(): void;
  /** Whether the rules are still there. */
  isInPlace(): Promise<boolean>;
}

export interface NodeLoopOptions {
  readonly store: Store;
  readonly sources: readonly Source[];
  readonly controllers: readonly Controller[];
  readonly resolve: Resolver;
  readonly facts: NodeFacts;
  readonly target: NodeTarget;
  /** Rounds begin at least this far apart. */
  readonly minSyncMs: number;
  /** How often it is looked whether the rules are still there, and a failed round is tried again. */
  readonly syncMs: number;
  readonly forget: (flow: readonly string[]) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface NodeReport {
  readonly view: PacketView;
  readonly findings: readonly Finding[];
  readonly rejected: readonly Rejection[];
  readonly sync: 'full' | 'partial';
  readonly tookMs: number;
}

/** Everything is written anew this often, whatever there seems to be. */
const FULL_SYNC_MS = 3_600_000;
const ZONE_LABEL = 'topology.kubernetes.io/zone';
const DELETION_TAINT = 'ToBeDeletedByClusterAutoscaler';

export class NodeLoop {
  readonly metrics: NodeMetrics;
  readonly #options: NodeLoopOptions;
  readonly #listeners = new Set<(report: NodeReport) => void>();
  readonly #stop = new AbortController();
  #facts: NodeFacts;
  #view: PacketView | undefined;
  #report: NodeReport | undefined;
  #dirtySinceMs: number | undefined;
  #lastSyncMs = 0;
  #lastFullMs = 0;
  #hasFailed = false;
  #timer: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: NodeLoopOptions) {
    this.#options = options;
    this.#facts = options.facts;
    this.metrics = new NodeMetrics(options.target.mode);
  }

  get report(): NodeReport | undefined {
    return this.#report;
  }

  subscribe(listener: (report: NodeReport) => void): void {
    this.#listeners.add(listener);
  }

  /** Loads every source and puts what they deliver in force. Rejects when that fails. */
  async start(): Promise<void> {
    const { store, sources, syncMs } = this.#options;
    await Promise.all(
      sources.map((source) =>
        source.start(({ writes }) => void store.write(writes), this.#stop.signal),
      ),
    );
    await this.#round();
    store.subscribe(() => this.#schedule());
    this.#watch = setInterval(() => void this.#look(), syncMs);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    await this.#running;
  }

  /** Whether a change has waited for longer than two periods. Taints are not looked at. */
  isLive(): boolean {
    const since = this.#dirtySinceMs;
    return since === undefined || performance.now() - since < 2 * this.#options.syncMs;
  }

  /** The same, and the node is not about to be deleted. */
  isHealthy(): boolean {
    const node = this.#options.store.snapshot().get(Node, '', this.#facts.name);
    const taints =
      (node?.spec as { taints?: readonly { key?: string }[] } | undefined)?.taints ?? [];
    return this.isLive() && !taints.some(({ key }) => key === DELETION_TAINT);
  }

  #schedule(): void {
    this.metrics.queued(Date.now() / 1000);
    this.#dirtySinceMs ??= performance.now();
    if (this.#timer !== undefined || this.#running !== undefined) return;
    const waitMs = Math.max(0, this.#lastSyncMs + this.#options.minSyncMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#round()
        .catch((error: unknown) => this.#options.onError(error))
        .finally(() => {
          this.#running = undefined;
          // What came meanwhile; what failed waits for the period.
          if (this.#dirtySinceMs !== undefined && !this.#stop.signal.aborted) this.#schedule();
        });
    }, waitMs);
  }

  async #look(): Promise<void> {
    if (this.#running !== undefined) return;
    const isDue = performance.now() - this.#lastFullMs > FULL_SYNC_MS;
    try {
      const isWell = !isDue && !this.#hasFailed && this.#report?.rejected.length === 0;
      if (isWell && (await this.#options.target.isInPlace())) return;
    } catch (error) {
      this.#options.onError(error);
    }
    this.#options.target.resync();
    this.#schedule();
  }

  async #round(): Promise<void> {
    const { store, controllers, resolve, target, forget } = this.#options;
    const startedMs = performance.now();
    this.#dirtySinceMs = undefined;
    this.#lastSyncMs = startedMs;
    reconcileAll(controllers, store, new Date());
    const snapshot = store.snapshot();
    const { model, findings } = resolve(snapshot);
    const zone = snapshot.get(Node, '', this.#facts.name)?.metadata.labels?.[ZONE_LABEL];
    if (zone !== undefined && zone !== this.#facts.zone) this.#facts = { ...this.#facts, zone };
    const view = lowerPackets(model, this.#facts);
    try {
      const { rejected, sync } = await target.apply(view, model);
      for (const flow of staleFlows(this.#view, view, this.#facts.addresses)) await forget(flow);
      this.#view = view;
      this.#hasFailed = false;
      const tookMs = performance.now() - startedMs;
      if (sync === 'full') this.#lastFullMs = startedMs;
      this.metrics.synced(
        { kind: sync, seconds: tookMs / 1000, at: Date.now() / 1000 },
        noLocal(view),
      );
      this.#report = { view, findings, rejected, sync, tookMs };
      for (const listener of this.#listeners) listener(this.#report);
    } catch (error) {
      this.metrics.failed();
      this.#hasFailed = true;
      target.resync();
      throw error;
    }
  }
}

function noLocal({ families }: PacketView): NoLocalEndpoints {
  const frontends = families.flatMap(({ ports }) => ports.flatMap((port) => port.frontends));
  const dropped = frontends.filter(({ treatment }) => treatment.outside.to === 'drop');
  return {
    internal: dropped.filter(({ kind }) => kind === 'clusterIP').length,
    external: dropped.filter(({ kind }) => kind !== 'clusterIP').length,
  };
}
