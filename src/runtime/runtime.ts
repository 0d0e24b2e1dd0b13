// Fairway's kubelet: runs the pods of a snapshot as local processes, each at an address of its own
// (127.244.x.y), and writes back what became of them. No containers, no root: plan/ says what runs in
// place of an image, env/ and volumes/ what it sees, process/ how it is started and surely ended,
// probes/ whether it is well, pod/ what follows from all that, logs/ what it said.

import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../api/finding.ts';
import { ConfigMap } from '../api/core/config-map.ts';
import { Node } from '../api/core/node.ts';
import { Pod } from '../api/core/pod.ts';
import { Secret } from '../api/core/secret.ts';
import { deepEqual } from '../lib/equal.ts';
import { FairwayError } from '../lib/errors.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { ObjectWrite } from '../store/write.ts';
import { allocatePodAddresses, podKey } from './addresses.ts';
import { manifestDirectory } from './plan/directory.ts';
import { planPod } from './plan/plan.ts';
import { BACKOFF_TIMES } from './pod/backoff.ts';
import type { BackoffTimes } from './pod/backoff.ts';
import { EchoHost } from './echo-thread/host.ts';
import type { ExecSession } from './pod/exec.ts';
import { Observer } from './pod/observer.ts';
import { PodRunner } from './pod/pod.ts';
import { Queue } from './pod/queue.ts';
import type { RuntimeServices } from './pod/services.ts';
import { placementOf } from './pod/sources.ts';
import { sameWork } from './pod/work.ts';
import { deletionOf, noAddress } from './pod/writes.ts';
import type { ProbeKind } from './probes/prober.ts';
import { StartError } from './process/container-process.ts';
import { ContainerProcesses } from './process/container-processes.ts';
import { killOrphans, ownerMarker } from './process/marker.ts';
import { Reaper } from './process/reaper.ts';
import { cleanStateDir, createStateDir } from './state-dir.ts';
import type { ImageMapping, Locate } from './types.ts';

export interface PodRuntimeOptions {
  /** The range of pod addresses, as 127.244.0.0/16. A /32 is one address that all pods share. */
  readonly podCidr: string;
  /** The node this is: pods of other nodes are theirs, unless there is no such node. */
  readonly nodeName: string;
  /** A folder for this runtime alone; created with mode 0700. */
  readonly stateDir: string;
  /** What to run in place of which images. */
  readonly images: readonly ImageMapping[];
  readonly locate: Locate;
  /** Takes writes to the store: status and deletion of pods. */
  readonly write: (writes: readonly ObjectWrite[]) => void;
  readonly now?: () => Date;
  /** Called with all findings about running pods whenever they change. */
  readonly onFindings?: (findings: readonly Finding[]) => void;
  /** A probe has found a container unready, or beyond hope. */
  readonly onProbeFailure?: (pod: Pod, failure: ProbeFailure) => void;
  /** Faults of the machine, as a full disk; thrown away when absent. */
  readonly onError?: (error: unknown) => void;
  /** Ports of Services below this one are served at other numbers, which pods are told; 0 for none. */
  readonly firstOpenPort?: number;
  /** Where programs in pods ask for cluster names (`127.96.0.10:53`) and the domain of those names. */
  readonly dns?: { readonly server: string; readonly domain: string };
  /** The environment of Fairway, from which processes get a few variables. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder of pods that were written in no file. */
  readonly workingDir?: string;
  readonly backoff?: BackoffTimes;
}

export interface ProbeFailure {
  readonly container: string;
  readonly probe: ProbeKind;
  readonly message: string;
  /** The container is ended for it, and started again. */
  readonly restarts: boolean;
}

export interface ExecOptions {
  readonly namespace: string;
  readonly pod: string;
  /** The first container when absent. */
  readonly container?: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  /** Runs it in a terminal, where this machine has script(1) of util-linux. */
  readonly tty?: boolean;
}

export interface PodRuntime {
  /**
   * Makes the pods of the snapshot run, as far as they do not yet and are on this node, or on one that
   * there is not: a manifest from elsewhere may name one. Returns at once.
   */
  sync(snapshot: Snapshot): void;
  /**
   * Starts a command in a running container. Rejects with a FairwayError (FW_POD_NOT_RUNNING,
   * FW_CONTAINER_UNKNOWN, FW_EXEC_FAILED) when it cannot.
   */
  exec(options: ExecOptions): Promise<ExecSession>;
  /** Ends all pods in good order, within their grace periods and at most `graceMsMax`. */
  stop(graceMsMax?: number): Promise<void>;
}

/** Status writes are collected for so long: a pod that starts changes several times in a moment. */
const STATUS_DELAY_MS = 10;

/** How long pods may take to end when Fairway ends. */
const STOP_GRACE_MS_MAX = 10_000;

/** Starts at the same time; each forks. */
const STARTS_MAX = 8;

/** Creates a runtime. Throws when its folder cannot be created or the address range is none. */
export function createPodRuntime(options: PodRuntimeOptions): PodRuntime {
  allocatePodAddresses([], options.podCidr);
  createStateDir(options.stateDir);
  return new Runtime(options);
}

interface Managed {
  readonly uid: string;
  readonly key: string;
  readonly podIp: string;
  readonly runner: PodRunner;
  /** The status last written. */
  written: unknown;
  /** The grace period of an end that is under way. */
  graceMs: number;
}

class Runtime implements PodRuntime {
  readonly #options: PodRuntimeOptions;
  readonly #services: RuntimeServices;
  readonly #pods = new Map<string, Managed>();
  /** How often the containers of a pod had been started that is being started anew, by uid. */
  readonly #starts = new Map<string, ReadonlyMap<string, number>>();
  readonly #observer: Observer;
  readonly #changed = new Set<Managed>();
  readonly #begun: Promise<void>;
  #snapshot: Snapshot | undefined;
  #seen: readonly unknown[] = [];
  #objectsChanged = false;
  #isBegun = false;
  #isStopping = false;
  #isSyncing = false;
  #syncAgain = false;
  #flush: NodeJS.Timeout | undefined;

  constructor(options: PodRuntimeOptions) {
    this.#options = options;
    const onError = options.onError ?? (() => {});
    const owner = ownerMarker();
    this.#services = {
      stateDir: options.stateDir,
      now: options.now ?? (() => new Date()),
      hostEnv: options.env ?? process.env,
      owner,
      preload: fileURLToPath(new URL('./process/preload.cjs', import.meta.url)),
      ...(options.dns === undefined ? {} : { dns: options.dns }),
      reaper: new Reaper(owner),
      processes: new ContainerProcesses(),
      echo: new EchoHost(onError),
      starts: new Queue(STARTS_MAX),
      backoff: options.backoff ?? BACKOFF_TIMES,
      onError,
    };
    this.#observer = new Observer(this.#services.processes, (findings) => {
      if (!this.#isStopping) options.onFindings?.(findings);
    });
    this.#begun = this.#begin(owner);
  }

  /** Before the first pod: what an earlier Fairway left must be gone, as it may hold our ports. */
  async #begin(owner: string): Promise<void> {
    try {
      await killOrphans();
      await cleanStateDir(this.#options.stateDir, owner, this.#services.now());
    } catch (error) {
      this.#services.onError(error);
    }
    this.#isBegun = true;
    this.#resync();
  }

  sync(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    const seen = [snapshot.table(Pod), snapshot.table(Secret), snapshot.table(ConfigMap)];
    const same = seen.map((table, i) => table === this.#seen[i]);
    if (!same.includes(false)) return;
    this.#seen = seen;
    this.#objectsChanged ||= same[1] === false || same[2] === false;
    this.#resync();
  }

  /** Our own writes may bring us back here at once: that is then done after this round. */
  #resync(): void {
    if (!this.#isBegun || this.#isStopping) return;
    this.#syncAgain = true;
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    try {
      while (this.#syncAgain && this.#snapshot !== undefined) {
        this.#syncAgain = false;
        this.#write(this.#syncOnce(this.#snapshot));
      }
    } finally {
      this.#isSyncing = false;
    }
  }

  #syncOnce(snapshot: Snapshot): readonly ObjectWrite[] {
    const pods = snapshot.list(Pod);
    const uids = new Set(pods.map((pod) => pod.metadata.uid));
    for (const managed of this.#pods.values()) {
      if (!uids.has(managed.uid)) this.#end(managed, 0);
    }
    const objectsChanged = this.#objectsChanged;
    this.#objectsChanged = false;
    const writes: ObjectWrite[] = [];
    const fresh: Pod[] = [];
    for (const pod of pods) {
      const managed = this.#pods.get(pod.metadata.uid ?? '');
      if (managed !== undefined) {
        if (objectsChanged || managed.runner.pod !== pod) this.#updateOne(managed, pod);
      } else if (pod.metadata.deletionTimestamp !== undefined) writes.push(...deletionOf(pod));
      else if (this.#canStart(pod, snapshot)) fresh.push(pod);
    }
    if (fresh.length > 0) writes.push(...this.#startAll(fresh, pods, snapshot));
    return writes;
  }

  /**
   * Not before it is on a node: until then, to delete it takes no time for it to end. And not while a
   * pod of the same name is still ending: they share their logs.
   */
  #canStart(pod: Pod, snapshot: Snapshot): boolean {
    const { phase } = pod.status;
    if (phase === 'Succeeded' || phase === 'Failed') return false;
    const { nodeName = '' } = pod.spec;
    if (nodeName === '') return false;
    if (nodeName !== this.#options.nodeName && snapshot.get(Node, '', nodeName) !== undefined) {
      return false;
    }
    const key = podKey(pod);
    return ![...this.#pods.values()].some((managed) => managed.key === key);
  }

  #updateOne(managed: Managed, pod: Pod): void {
    const { runner } = managed;
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    const ownSeconds = pod.spec.terminationGracePeriodSeconds;
    if (deletionTimestamp !== undefined) {
      runner.update(pod);
      this.#end(managed, (deletionGracePeriodSeconds ?? ownSeconds) * 1000);
    } else if (runner.isStopping || sameWork(runner.pod, pod)) {
      runner.update(pod);
    } else {
      // The same pod with other containers: files can say so, the API cannot. It begins anew.
      this.#starts.set(managed.uid, runner.starts);
      this.#end(managed, ownSeconds * 1000, true);
    }
  }

  #startAll(
    fresh: readonly Pod[],
    pods: readonly Pod[],
    snapshot: Snapshot,
  ): readonly ObjectWrite[] {
    const held = new Map(
      [...this.#pods.values()]
        .filter(({ runner }) => !runner.isFinished)
        .map(({ uid, podIp }) => [uid, podIp]),
    );
    const addresses = allocatePodAddresses(pods, this.#options.podCidr, held);
    const writes: ObjectWrite[] = [];
    for (const pod of fresh) {
      const podIp = addresses.get(podKey(pod));
      if (podIp === undefined) {
        writes.push(...noAddress(pod, this.#options.podCidr));
        continue;
      }
      try {
        this.#startOne(pod, podIp, snapshot);
      } catch (error) {
        // One bad pod must not keep the others from running.
        this.#services.onError(error);
      }
    }
    return writes;
  }

  #startOne(pod: Pod, podIp: string, snapshot: Snapshot): void {
    const { uid = '' } = pod.metadata;
    const { images, locate, workingDir } = this.#options;
    const directory = manifestDirectory(pod, locate) ?? workingDir ?? process.cwd();
    const starts = this.#starts.get(uid);
    this.#starts.delete(uid);
    const tell = (container: string, probe: ProbeKind, message: string, restarts: boolean): void =>
      this.#options.onProbeFailure?.(runner.pod, { container, probe, message, restarts });
    const runner = new PodRunner({
      pod,
      snapshot: () => this.#snapshot ?? snapshot,
      placement: placementOf(podIp, this.#options.firstOpenPort),
      directory,
      plan: planPod(pod, { images, directory, isDirectory }),
      services: this.#services,
      listener: {
        onChange: () => this.#onChange(uid),
        onReadiness: (report) => {
          const { container, ready, message = '' } = report;
          if (!ready) tell(container.name, 'readiness', message, false);
          void this.#observer.report(runner.pod, podIp, report);
        },
        onUnhealthy: ({ name }, probe, message) => tell(name, probe, message, true),
        onGone: (containerId) => this.#observer.forget(containerId),
      },
      ...(starts === undefined ? {} : { starts }),
    });
    const managed: Managed = {
      uid,
      key: podKey(pod),
      podIp,
      runner,
      written: undefined,
      graceMs: Infinity,
    };
    this.#pods.set(uid, managed);
    this.#onChange(uid);
  }

  /** Ends a pod; when that is done, it is deleted if it was to be, and others may have its place. */
  #end(managed: Managed, graceMs: number, again = false): void {
    const { runner, uid } = managed;
    // Told again, it could only have less time.
    if (graceMs >= managed.graceMs) return;
    managed.graceMs = graceMs;
    const first = !runner.isStopping;
    const stopped = runner.stop(graceMs, again);
    if (!first) return;
    void stopped
      .catch((error: unknown) => this.#services.onError(error))
      .then(() => {
        this.#pods.delete(uid);
        if (this.#isStopping) return;
        this.#changed.add(managed);
        this.#flushStatus();
        const stored = this.#stored(managed);
        if (stored === undefined) this.#starts.delete(uid);
        else if (stored.metadata.deletionTimestamp !== undefined) this.#write(deletionOf(stored));
        this.#resync();
      });
  }

  /** The pod as it is in the store, unless another one has its name by now. */
  #stored({ uid, runner }: Managed): Pod | undefined {
    const { namespace = '', name = '' } = runner.pod.metadata;
    const stored = this.#snapshot?.get(Pod, namespace, name);
    return stored?.metadata.uid === uid ? stored : undefined;
  }

  #onChange(uid: string): void {
    const managed = this.#pods.get(uid);
    if (managed === undefined || this.#isStopping) return;
    this.#changed.add(managed);
    this.#flush ??= setTimeout(() => this.#flushStatus(), STATUS_DELAY_MS);
  }

  #flushStatus(): void {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    if (this.#isStopping) return;
    const writes: ObjectWrite[] = [];
    for (const managed of this.#changed) {
      if (this.#stored(managed) === undefined) continue;
      const status = managed.runner.status();
      if (deepEqual(status, managed.written)) continue;
      managed.written = status;
      const { namespace = '', name = '' } = managed.runner.pod.metadata;
      writes.push({ op: 'status', kind: Pod, namespace, name, status });
    }
    this.#changed.clear();
    this.#write(writes);
  }

  #write(writes: readonly ObjectWrite[]): void {
    if (writes.length > 0 && !this.#isStopping) this.#options.write(writes);
  }

  async exec(options: ExecOptions): Promise<ExecSession> {
    const { namespace, pod, command, stdin, tty = false } = options;
    const managed = [...this.#pods.values()].find(({ key }) => key === `${namespace}/${pod}`);
    if (managed === undefined) {
      throw new FairwayError('FW_POD_NOT_RUNNING', `pod ${namespace}/${pod} is not running here`);
    }
    const name = options.container ?? managed.runner.pod.spec.containers[0]?.name ?? '';
    const container = managed.runner.container(name);
    if (container === undefined) {
      throw new FairwayError(
        'FW_CONTAINER_UNKNOWN',
        `container ${name} is not valid for pod ${pod}`,
      );
    }
    try {
      return await container.exec(command, { stdin, tty });
    } catch (cause) {
      if (!(cause instanceof StartError)) throw cause;
      throw new FairwayError('FW_EXEC_FAILED', cause.message, { cause });
    }
  }

  async stop(graceMsMax: number = STOP_GRACE_MS_MAX): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#flush);
    await this.#begun;
    await Promise.all(
      Array.from(this.#pods.values(), ({ runner }) => {
        const ownMs = runner.pod.spec.terminationGracePeriodSeconds * 1000;
        return runner.stop(Math.min(ownMs, graceMsMax));
      }),
    );
    await this.#services.echo.close();
    await this.#services.reaper.close();
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
