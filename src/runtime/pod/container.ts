// One container of a pod over all its runs (attempt.ts): what Pod.status says of it, its log, and how
// long it waits before it is started again. Whether it is started again is the pod's to decide (pod.ts).

import type { ContainerState } from '../../api/core/container-status.ts';
import type { Container } from '../../api/core/containers.ts';
import { LogWriter } from '../logs/log-writer.ts';
import type { LogName } from '../logs/paths.ts';
import type { PlannedContainer } from '../plan/plan.ts';
import type { ProbeKind } from '../probes/prober.ts';
import { StartError } from '../process/container-process.ts';
import { Attempt } from './attempt.ts';
import type { Outcome } from './attempt.ts';
import { Backoff } from './backoff.ts';
import type { ExecSession, ExecStart } from './exec.ts';
import type { PodView } from './launch.ts';
import type { RuntimeServices } from './services.ts';
import { timestamp } from './status.ts';
import type { ContainerFacts } from './status.ts';

export interface ReadinessReport {
  readonly container: Container;
  readonly containerId: string;
  readonly ready: boolean;
  /** Why it is not ready, or is so in spite of a doubt. */
  readonly message?: string | undefined;
}

/** What a container tells its pod. */
export interface ContainerListener {
  /** Anything in its facts has changed. */
  onChange(): void;
  /** It was found out whether it is ready. */
  onReadiness(report: ReadinessReport): void;
  /** A probe has failed so often that the container is ended, and started again. */
  onUnhealthy(container: Container, probe: ProbeKind, message: string): void;
  /** The container of that ID has ended: what was reported of it is over. */
  onGone(containerId: string): void;
}

export interface ContainerRunnerOptions {
  readonly planned: PlannedContainer;
  readonly view: PodView;
  readonly services: RuntimeServices;
  readonly listener: ContainerListener;
  /** How often it was started before, when the pod begins anew. */
  readonly starts: number;
}

export class ContainerRunner {
  readonly planned: PlannedContainer;
  readonly #view: PodView;
  readonly #services: RuntimeServices;
  readonly #listener: ContainerListener;
  readonly #logName: LogName;
  readonly #log: LogWriter;
  readonly #backoff: Backoff;
  #state: ContainerState;
  #lastState: ContainerState = {};
  #ready = false;
  #started = false;
  #done = false;
  #blocked = false;
  #starts: number;
  #containerId: string | undefined;
  #attempt: Attempt | undefined;
  #restart: NodeJS.Timeout | undefined;
  #ranMs = 0;

  constructor({ planned, view, services, listener, starts }: ContainerRunnerOptions) {
    this.planned = planned;
    this.#view = view;
    this.#services = services;
    this.#listener = listener;
    this.#starts = starts;
    const { namespace = '', name = '' } = view.pod.metadata;
    const { stateDir, now, onError, backoff } = services;
    this.#logName = { stateDir, namespace, pod: name, container: planned.container.name };
    this.#log = new LogWriter({ name: this.#logName, now, onError });
    this.#backoff = new Backoff(backoff);
    const waits = planned.role === 'main' && (view.pod.spec.initContainers ?? []).length > 0;
    this.#state = { waiting: { reason: waits ? 'PodInitializing' : 'ContainerCreating' } };
  }

  get container(): Container {
    return this.planned.container;
  }

  /** It is being started, runs, or is being stopped. */
  get isActive(): boolean {
    return this.#attempt !== undefined;
  }

  /** It waits for its next start. */
  get isScheduled(): boolean {
    return this.#restart !== undefined;
  }

  /** It cannot be started as things are; `retry` tries again. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  get isDone(): boolean {
    return this.#done;
  }

  get isStarted(): boolean {
    return this.#started;
  }

  /** The exit code of its last run; undefined while it runs or never ran. */
  get exitCode(): number | undefined {
    return this.#state.terminated?.exitCode;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  get facts(): ContainerFacts {
    const { name, image } = this.container;
    return {
      name,
      role: this.planned.role,
      image,
      imageId: this.planned.plan.kind === 'echo' ? `fairway://echo/${image}` : '',
      state: this.#state,
      lastState: this.#lastState,
      started: this.#started,
      ready: this.#ready,
      done: this.#done,
      restartCount: Math.max(0, this.#starts - 1),
      ...(this.#containerId === undefined ? {} : { containerId: idOf(this.#containerId) }),
    };
  }

  /** Why it waits, before its first start. */
  setWaiting(reason: string, message: string): void {
    if (this.isActive || this.#containerId !== undefined) return;
    const { waiting } = this.#state;
    if (waiting?.reason === reason && waiting.message === message) return;
    this.#set({ waiting: { reason, message } });
  }

  /** What kept it from being started may have changed. */
  retry(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#listener.onChange();
  }

  /** Starts it now, unless it is started already. */
  start(): void {
    if (this.isActive || this.#done) return;
    this.#unschedule();
    const attempt = new Attempt({
      planned: this.planned,
      view: this.#view,
      services: this.#services,
      log: this.#log,
      logName: this.#logName,
      listener: {
        onLaunch: async () => {
          if (this.#starts > 0) await this.#log.startOver();
          this.#starts++;
          this.#containerId = attempt.id;
        },
        onRunning: (startedAt) => this.#set({ running: { startedAt: timestamp(startedAt) } }),
        onStarted: () => this.#mark(attempt, { started: true }),
        onReady: (ready, message) => {
          this.#mark(attempt, { ready });
          const { container } = this;
          this.#listener.onReadiness({ container, containerId: attempt.id, ready, message });
        },
        onUnhealthy: (probe, message) => this.#listener.onUnhealthy(this.container, probe, message),
      },
    });
    this.#attempt = attempt;
    void attempt.run().then((outcome) => this.#settle(attempt, outcome));
  }

  /** Starts it again after the wait that its runs have earned it. */
  restartLater(): void {
    if (this.isActive || this.isScheduled) return;
    const waitMs = this.#backoff.next(this.#ranMs);
    const { terminated } = this.#state;
    if (terminated !== undefined) this.#lastState = { terminated };
    const { namespace, name, uid } = this.#view.pod.metadata;
    const backOff =
      `back-off ${waitMs / 1000}s restarting failed ` +
      `container=${this.container.name} pod=${name}_${namespace}(${uid})`;
    this.#set({
      waiting:
        terminated?.reason === 'StartError'
          ? { reason: 'RunContainerError', message: terminated.message ?? '' }
          : { reason: 'CrashLoopBackOff', message: backOff },
    });
    this.#restart = setTimeout(() => this.start(), waitMs);
  }

  /** It will not be started again. */
  finish(): void {
    this.#unschedule();
    if (this.#done) return;
    this.#done = true;
    this.#listener.onChange();
  }

  /** Ends it (see Attempt.stop), and does not start it again by itself. */
  async stop(graceMs: number): Promise<void> {
    this.#unschedule();
    await this.#attempt?.stop(graceMs);
  }

  /** Closes the log when nothing will be written any more. */
  async close(): Promise<void> {
    await this.#log.close();
  }

  /** Runs a further command in the container. Rejects with a StartError when it is not running. */
  async exec(argv: readonly string[], options: ExecStart): Promise<ExecSession> {
    if (this.#attempt === undefined) {
      throw new StartError(`container ${this.container.name} is not running`);
    }
    return this.#attempt.exec(argv, options);
  }

  #settle(attempt: Attempt, outcome: Outcome): void {
    this.#attempt = undefined;
    this.#ready = false;
    this.#started = false;
    this.#listener.onGone(attempt.id);
    switch (outcome.kind) {
      case 'cancelled':
        this.#listener.onChange();
        return;
      case 'blocked':
        this.#blocked = true;
        this.#set({ waiting: { reason: outcome.reason, message: outcome.message } });
        return;
      case 'ended': {
        const { exit, reason, message, startedAt, finishedAt } = outcome;
        this.#ranMs = finishedAt.getTime() - startedAt.getTime();
        this.#set({
          terminated: {
            ...exit,
            reason,
            ...(message === '' ? {} : { message }),
            startedAt: timestamp(startedAt),
            finishedAt: timestamp(finishedAt),
            containerID: idOf(attempt.id),
          },
        });
      }
    }
  }

  #mark(attempt: Attempt, marks: { started?: boolean; ready?: boolean }): void {
    if (this.#attempt !== attempt) return;
    this.#started = marks.started ?? this.#started;
    this.#ready = marks.ready ?? this.#ready;
    this.#listener.onChange();
  }

  #set(state: ContainerState): void {
    this.#state = state;
    this.#listener.onChange();
  }

  #unschedule(): void {
    clearTimeout(this.#restart);
    this.#restart = undefined;
  }
}

function idOf(id: string): string {
  return `fairway://${id}`;
}
