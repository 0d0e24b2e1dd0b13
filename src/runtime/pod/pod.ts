// One pod from its first container to its last: mounts its volumes, starts its containers in order,
// starts those again that its policy wants running, and ends all of them. Every step follows from how
// things are now (`#reconcile`), not from what happened, so no event can come at a wrong moment.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/core/pod.ts';
import type { PodStatus } from '../../api/core/pod-status.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { HOST_ADDRESS } from '../addresses.ts';
import type { Placement } from '../env/fields.ts';
import type { VariableSources } from '../env/variables.ts';
import { podLogDirectory } from '../logs/paths.ts';
import type { PlannedContainer } from '../plan/plan.ts';
import { MountError, PodVolumes } from '../volumes/pod-volumes.ts';
import { ContainerRunner } from './container.ts';
import type { ContainerListener } from './container.ts';
import type { PodView } from './launch.ts';
import { restarts } from './restart.ts';
import type { RuntimeServices } from './services.ts';
import { podSources, referencedObjects } from './sources.ts';
import { podStatus } from './status.ts';

/** How often a pod that waits for something is tried again when no object changes. */
const RETRY_INTERVAL_MS = 5000;

export interface PodRunnerOptions {
  readonly pod: Pod;
  /** The objects as they are now. */
  readonly snapshot: () => Snapshot;
  readonly placement: Placement;
  /** The folder of its manifest. */
  readonly directory: string;
  readonly plan: readonly PlannedContainer[];
  readonly services: RuntimeServices;
  /** Hears of changes of the pod, and of its containers. */
  readonly listener: ContainerListener;
  /** How often its containers were started before, by name, when it takes another one's place. */
  readonly starts?: ReadonlyMap<string, number>;
}

export class PodRunner implements PodView {
  readonly directory: string;
  readonly volumes: PodVolumes;
  readonly #services: RuntimeServices;
  readonly #placement: Placement;
  readonly #listener: ContainerListener;
  readonly #containers: readonly ContainerRunner[];
  readonly #startTime: Date;
  #pod: Pod;
  /** What `status` last gave: the times of conditions go on from there. */
  #status: PodStatus | undefined;
  readonly #snapshot: () => Snapshot;
  #references: readonly unknown[] = [];
  #mounted = false;
  #initialized = false;
  #ended: { reason: string; message: string } | undefined;
  #stopping: Promise<void> | undefined;
  #refreshing: Promise<void> = Promise.resolve();
  #reconciling = false;
  #finished = false;
  #retry: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: PodRunnerOptions) {
    const { pod, services } = options;
    this.directory = options.directory;
    this.#pod = pod;
    this.#snapshot = options.snapshot;
    this.#placement = options.placement;
    this.#services = services;
    this.#listener = options.listener;
    this.#startTime = services.now();
    this.volumes = new PodVolumes({
      directory: join(services.stateDir, 'pods', safeUid(pod)),
      claimsDirectory: join(services.stateDir, 'claims'),
    });
    this.#containers = options.plan.map(
      (planned) =>
        new ContainerRunner({
          planned,
          view: this,
          services,
          listener: {
            onChange: () => this.#changed(),
            onReadiness: (report) => this.#listener.onReadiness(report),
            onUnhealthy: (...failure) => this.#listener.onUnhealthy(...failure),
            onGone: (containerId) => this.#listener.onGone(containerId),
          },
          starts: options.starts?.get(planned.container.name) ?? 0,
        }),
    );
    this.#refreshing = this.#begin(options.starts === undefined);
  }

  get pod(): Pod {
    return this.#pod;
  }

  get podIp(): string {
    return this.#placement.podIp;
  }

  get sources(): VariableSources {
    return podSources(this.#pod, this.#snapshot(), this.#placement);
  }

  /** How often each container was started. */
  get starts(): ReadonlyMap<string, number> {
    return new Map(this.#containers.map(({ container, starts }) => [container.name, starts]));
  }

  /** All its work is done and nothing of it runs: its address is free. */
  get isFinished(): boolean {
    return this.#finished && this.#containers.every((each) => each.isDone && !each.isActive);
  }

  /** It has been told to end, and will not start anything any more. */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  container(name: string): ContainerRunner | undefined {
    return this.#containers.find((each) => each.container.name === name);
  }

  /** Takes over a newer pod (of the same containers), and what changed in the objects it names. */
  update(pod: Pod): void {
    const samePod = pod === this.#pod;
    this.#pod = pod;
    const references = referencedObjects(pod, this.#snapshot());
    const same = samePod && sameItems(references, this.#references);
    this.#references = references;
    if (!same && !this.isStopping) this.#refresh();
    // A readiness gate is a condition that somebody else writes.
    if (!samePod) this.#listener.onChange();
  }

  /** The status as it should be stored. */
  status(): PodStatus {
    this.#status = podStatus(
      {
        pod: this.#pod,
        podIp: this.#placement.podIp,
        hostIp: HOST_ADDRESS,
        startTime: this.#startTime,
        now: this.#services.now(),
        readyToStart: this.#mounted,
        initialized: this.#initialized,
        containers: this.#containers.map((each) => each.facts),
        ...(this.#ended === undefined ? {} : { ended: this.#ended }),
      },
      this.#status,
    );
    return this.#status;
  }

  /**
   * Ends all containers: ordinary ones first, sidecars after them, in reverse order, within one grace
   * period. May be called again with a shorter one. Resolves when nothing runs and nothing is mounted.
   * With `again` another runner takes over afterwards: the pod has not ended, it is only not ready.
   */
  async stop(graceMs: number, again = false): Promise<void> {
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    if (this.#stopping === undefined) this.#stopping = this.#stop(graceMs, again);
    else for (const each of this.#containers) if (each.isActive) void each.stop(graceMs);
    await this.#stopping;
  }

  async #stop(graceMs: number, again: boolean): Promise<void> {
    await this.#stopContainers(graceMs);
    if (!again) for (const each of this.#containers) each.finish();
    await this.#cleanUp();
  }

  async #stopContainers(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs;
    const first = this.#containers.filter(({ planned }) => planned.role !== 'sidecar');
    await Promise.all(first.map((each) => each.stop(graceMs)));
    for (const each of this.#containers.toReversed()) {
      if (each.planned.role !== 'sidecar') continue;
      await each.stop(Math.max(0, deadline - performance.now()));
    }
  }

  async #cleanUp(): Promise<void> {
    await this.#refreshing.catch(() => {});
    await Promise.all(this.#containers.map((each) => each.close()));
    try {
      await this.volumes.remove();
    } catch (error) {
      this.#services.onError(error);
    }
  }

  /** The logs of an earlier pod of this name are not this one's. */
  async #begin(fresh: boolean): Promise<void> {
    const { namespace = '', name = '' } = this.#pod.metadata;
    const { stateDir } = this.#services;
    if (fresh) {
      const logs = podLogDirectory({ stateDir, namespace, pod: name });
      await rm(logs, { recursive: true, force: true }).catch(this.#services.onError);
    }
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    if (seconds !== undefined && !this.isStopping) {
      this.#deadline = setTimeout(() => this.#exceed(), seconds * 1000);
    }
    this.#references = referencedObjects(this.#pod, this.#snapshot());
    await this.#mount();
  }

  /** Brings files up to date and tries again what was waiting for them. */
  #refresh(): void {
    this.#refreshing = this.#refreshing.then(() => (this.isStopping ? undefined : this.#mount()));
  }

  async #mount(): Promise<void> {
    clearTimeout(this.#retry);
    let failure: string | undefined;
    try {
      await this.volumes.update(this.#pod, this.sources);
      this.#mounted = true;
    } catch (error) {
      if (!(error instanceof MountError)) this.#services.onError(error);
      failure = error instanceof Error ? error.message : String(error);
    }
    for (const each of this.#containers) {
      if (failure !== undefined && !this.#mounted) each.setWaiting('ContainerCreating', failure);
      each.retry();
    }
    this.#changed();
  }

  #changed(): void {
    this.#listener.onChange();
    if (this.#reconciling) return;
    this.#reconciling = true;
    queueMicrotask(() => {
      this.#reconciling = false;
      this.#reconcile();
    });
  }

  #reconcile(): void {
    if (this.isStopping || this.#finished) return;
    this.#retryLater();
    if (!this.#mounted) return;
    if (this.#initialize()) {
      const main = this.#containers.filter(({ planned }) => planned.role === 'main');
      for (const each of main) this.#drive(each);
      if (main.every((each) => each.isDone)) this.#finish();
    }
  }

  /** Starts what comes before the ordinary containers; true when all of it has been done. */
  #initialize(): boolean {
    for (const each of this.#containers) {
      if (each.planned.role === 'main') continue;
      if (each.planned.role === 'init' && this.#initialized) continue;
      this.#drive(each);
      if (this.#initialized) continue;
      if (each.planned.role === 'sidecar') {
        if (!each.isStarted) return false;
        continue;
      }
      if (!each.isDone) return false;
      if (each.exitCode !== 0) {
        // The pod has failed: nothing after this init container ever starts.
        this.#finish();
        return false;
      }
    }
    this.#initialized = true;
    return true;
  }

  /** Starts a container, again or for the first time, or gives it up. */
  #drive(each: ContainerRunner): void {
    if (each.isActive || each.isScheduled || each.isDone || each.isBlocked) return;
    const { exitCode, container, planned } = each;
    if (exitCode === undefined) each.start();
    else if (restarts(this.#pod, container, planned.role, exitCode)) each.restartLater();
    else each.finish();
  }

  /** All work is done: sidecars end too, and nothing stays mounted. */
  #finish(): void {
    this.#finished = true;
    clearTimeout(this.#deadline);
    const graceMs = this.#pod.spec.terminationGracePeriodSeconds * 1000;
    void this.#stop(graceMs, false);
  }

  #exceed(): void {
    if (this.isStopping || this.#finished) return;
    this.#ended = {
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    };
    this.#finish();
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    if (this.#mounted && !this.#containers.some((each) => each.isBlocked)) return;
    this.#retry = setTimeout(() => this.#refresh(), RETRY_INTERVAL_MS);
  }
}

/** UIDs become folders; those of other systems could be anything. */
function safeUid(pod: Pod): string {
  const uid = pod.metadata.uid ?? '';
  if (/^[A-Za-z0-9-]+$/.test(uid)) return uid;
  throw new RangeError(`not a UID: ${JSON.stringify(uid)}`);
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
