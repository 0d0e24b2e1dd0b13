// The loop of `fairway node`: objects → model → what this node's kernel has to do → the kernel. Changes
// that come close together are one round, and rounds keep a distance. What somebody else has deleted is
// put back.

import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Finding } from '../api/finding.ts';
import type { Controller } from '../controllers/controller.ts';
import { reconcileAll } from '../controllers/reconcile.ts';
import type { Family } from '../lib/cidr.ts';
import { lowerPackets } from '../lower/packets.ts';
import type { PacketView } from '../lower/packets.ts';
import type { Model } from '../model/model.ts';
import type { NodeFacts } from '../model/node.ts';
import type { Resolver } from '../resolve/resolve.ts';
import type { Source } from '../sources/source.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Change, Store } from '../store/store.ts';
import type { Rejection } from '../targets/target.ts';
import { concernsUdp, listArguments, staleFlows } from './conntrack.ts';
import { NodeMetrics } from './node-metrics.ts';
import type { Changes, FamilySync } from './node-metrics.ts';

/** What carries packets on this node. */
export interface NodeTarget {
  readonly mode: string;
  apply(
    view: PacketView,
    model: Model,
  ): Promise<{
    readonly rejected: readonly Rejection[];
    readonly sync: 'full' | 'partial';
    /** Of iptables: how many rules there are. */
    readonly rules?: ReadonlyMap<Family, NonNullable<FamilySync['rules']>>;
    /** Of nftables: where something that is not needed could not be deleted. */
    readonly uncleaned?: readonly Family[];
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
  /** Runs `conntrack`; gives what it says. Absent where there is none, or where nothing is to be forgotten. */
  readonly conntrack?: (args: readonly string[]) => Promise<string>;
  /** What else there is to say about the objects, once controllers have come to rest on them. */
  readonly findings?: (snapshot: Snapshot) => readonly Finding[];
  /** Looks once at what sources have, before anything is changed; what it throws ends the start. */
  readonly checkStart?: (snapshot: Snapshot, findings: readonly Finding[]) => void;
  /** The networks of pods are those of the Node object, when that has some. */
  readonly podCidrsOfNode?: boolean;
  readonly onError: (error: unknown) => void;
}

export interface NodeReport {
  readonly view: PacketView;
  /** Worked out when somebody asks. */
  readonly findings: () => readonly Finding[];
  readonly rejected: readonly Rejection[];
  readonly sync: 'full' | 'partial';
  readonly tookMs: number;
}

/** Everything is written anew this often, whatever there seems to be. */
const FULL_SYNC_MS = 3_600_000;
const ZONE_LABEL = 'topology.kubernetes.io/zone';
const DELETION_TAINT = 'ToBeDeletedByClusterAutoscaler';

const TRIGGER_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';
const NO_CHANGES: Changes = { services: 0, endpoints: 0, triggers: [] };

export class NodeLoop {
  readonly metrics: NodeMetrics;
  readonly #options: NodeLoopOptions;
  readonly #listeners = new Set<(report: NodeReport) => void>();
  readonly #stop = new AbortController();
  readonly #sourceFindings = new Map<string, readonly Finding[]>();
  readonly #startedSeconds = Date.now() / 1000;
  #facts: NodeFacts;
  #view: PacketView | undefined;
  #report: NodeReport | undefined;
  #dirtySinceMs: number | undefined;
  /** Since when there is a change whose rounds have all failed. */
  #failingSinceMs: number | undefined;
  /** Of what is not in force yet. */
  #changes: Changes = NO_CHANGES;
  #isReconciling = false;
  #succeededAt = 0;
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

  /** When the last round succeeded, in milliseconds since the epoch. */
  get lastSyncMs(): number {
    return this.#succeededAt;
  }

  subscribe(listener: (report: NodeReport) => void): void {
    this.#listeners.add(listener);
  }

  /** Loads every source and puts what they deliver in force. Rejects when that fails. */
  async start(): Promise<void> {
    const { store, sources, syncMs } = this.#options;
    store.subscribe((changes) => this.#note(changes));
    await Promise.all(
      sources.map((source) =>
        source.start(({ writes, findings }) => {
          this.#sourceFindings.set(source.name, findings);
          store.write(writes);
          if (this.#report !== undefined) this.#schedule();
        }, this.#stop.signal),
      ),
    );
    if (this.#stop.signal.aborted) return;
    this.#options.checkStart?.(store.snapshot(), [...this.#sourceFindings.values()].flat());
    await this.#round();
    // What came during the first round.
    if (this.#dirtySinceMs !== undefined) this.#schedule();
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
    const since = this.#failingSinceMs ?? this.#dirtySinceMs;
    return since === undefined || performance.now() - since < 2 * this.#options.syncMs;
  }

  /** The same, and the node is not about to be deleted. */
  isHealthy(): boolean {
    return this.isLive() && this.isEligible();
  }

  /** Whether load balancers may send to the node: not when it is about to be deleted. */
  isEligible(): boolean {
    const node = this.#options.store.snapshot().get(Node, '', this.#facts.name);
    const taints =
      (node?.spec as { taints?: readonly { key?: string }[] } | undefined)?.taints ?? [];
    return !taints.some(({ key }) => key === DELETION_TAINT);
  }

  /** Counts what changed. What controllers write in a round is put in force by that round. */
  #note(changes: readonly Change[]): void {
    const ofKind = (kind: string): readonly Change[] => changes.filter((c) => c.kind.kind === kind);
    const slices = ofKind(EndpointSlice.kind);
    const triggers = slices
      .map(
        ({ after }) => Date.parse(after?.metadata.annotations?.[TRIGGER_ANNOTATION] ?? '') / 1000,
      )
      // Before we began nobody waited for us.
      .filter((seconds) => seconds > this.#startedSeconds);
    const now = {
      services: ofKind(Service.kind).length,
      endpoints: slices.length,
      triggers,
    };
    this.metrics.changed(now, Date.now() / 1000);
    this.#changes = {
      services: this.#changes.services + now.services,
      endpoints: this.#changes.endpoints + now.endpoints,
      triggers: [...this.#changes.triggers, ...triggers],
    };
    if (this.#isReconciling) return;
    this.#dirtySinceMs ??= performance.now();
    if (this.#report !== undefined) this.#schedule();
  }

  #schedule(): void {
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
    const { store, controllers, resolve, target } = this.#options;
    const startedMs = performance.now();
    this.#lastSyncMs = startedMs;
    this.#isReconciling = true;
    try {
      reconcileAll(controllers, store, new Date());
    } finally {
      this.#isReconciling = false;
    }
    const dirtySinceMs = this.#dirtySinceMs ?? startedMs;
    this.#dirtySinceMs = undefined;
    const snapshot = store.snapshot();
    const changes = this.#changes;
    const { model, findings } = resolve(snapshot);
    this.#learn(snapshot);
    const view = lowerPackets(model, this.#facts);
    try {
      const { rejected, sync, rules, uncleaned = [] } = await target.apply(view, model);
      for (const family of uncleaned) this.metrics.cleanupFailed(family);
      await this.#forget(view);
      this.#view = view;
      this.#hasFailed = false;
      this.#failingSinceMs = undefined;
      const tookMs = performance.now() - startedMs;
      if (sync === 'full') this.#lastFullMs = startedMs;
      const families = familySyncs(view, rules);
      this.#succeededAt = Date.now();
      const at = this.#succeededAt / 1000;
      this.metrics.synced({ kind: sync, seconds: tookMs / 1000, at, families }, changes);
      this.#changes = since(changes, this.#changes);
      const all = (): readonly Finding[] => [
        ...[...this.#sourceFindings.values()].flat(),
        ...findings,
        ...(this.#options.findings?.(snapshot) ?? []),
      ];
      this.#report = { view, findings: all, rejected, sync, tookMs };
      for (const listener of this.#listeners) listener(this.#report);
    } catch (error) {
      this.metrics.failed(this.#view === undefined || this.#hasFailed ? 'full' : 'partial');
      this.#hasFailed = true;
      this.#failingSinceMs ??= dirtySinceMs;
      target.resync();
      throw error;
    }
  }

  /** What the Node object says of this node, where nothing else was said. */
  #learn(snapshot: Snapshot): void {
    const node = snapshot.get(Node, '', this.#facts.name);
    if (node === undefined) return;
    const zone = node.metadata.labels?.[ZONE_LABEL] ?? this.#facts.zone;
    const { podCIDRs = [] } = node.spec as { readonly podCIDRs?: readonly string[] };
    const podCidrs =
      this.#options.podCidrsOfNode === true && podCIDRs.length > 0
        ? podCIDRs
        : this.#facts.podCidrs;
    // The same facts are the same object: what was lowered for them is known by it.
    if (zone === this.#facts.zone && podCidrs.join() === this.#facts.podCidrs.join()) return;
    this.#facts = { ...this.#facts, zone, podCidrs };
  }

  async #forget(view: PacketView): Promise<void> {
    const { conntrack } = this.#options;
    if (conntrack === undefined) return;
    for (const after of view.families) {
      const { family } = after;
      const before = this.#view?.families.find((f) => f.family === family);
      if (!concernsUdp(before, after)) continue;
      const startedMs = performance.now();
      const listed = await conntrack(listArguments(family));
      const stale = staleFlows(after, listed, this.#facts.addresses);
      let flows = 0;
      // It says each flow that it has deleted, one a line.
      for (const flow of stale) flows += (await conntrack(flow)).match(/^udp /gm)?.length ?? 0;
      const seconds = (performance.now() - startedMs) / 1000;
      this.metrics.forgot(family, { flows, seconds });
    }
  }
}

/** What came after some of the changes were taken. */
function since(taken: Changes, all: Changes): Changes {
  return {
    services: all.services - taken.services,
    endpoints: all.endpoints - taken.endpoints,
    triggers: all.triggers.slice(taken.triggers.length),
  };
}

function familySyncs(
  { families }: PacketView,
  rules?: ReadonlyMap<Family, NonNullable<FamilySync['rules']>>,
): readonly FamilySync[] {
  return families.map(({ family, ports }) => {
    const noLocal = { internal: 0, external: 0 };
    for (const { frontends } of ports) {
      for (const { kind, treatment } of frontends) {
        if (treatment.outside.to !== 'drop') continue;
        noLocal[kind === 'clusterIP' ? 'internal' : 'external']++;
      }
    }
    const counted = rules?.get(family);
    return { family, noLocal, ...(counted === undefined ? {} : { rules: counted }) };
  });
}
