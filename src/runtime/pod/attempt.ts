// One run of a container, from its preparation to its end: start it, run its hooks and probes, end it
// when asked. container.ts keeps what lasts from one run to the next.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '../../api/core/containers.ts';
import type { Probe } from '../../api/core/probes.ts';
import { echoProgram } from '../echo/image.ts';
import type { LogWriter } from '../logs/log-writer.ts';
import type { LogName } from '../logs/paths.ts';
import type { PlannedContainer } from '../plan/plan.ts';
import { runHook } from '../probes/ask.ts';
import type { AskContext } from '../probes/ask.ts';
import { Deadline } from '../probes/deadline.ts';
import type { ProbeKind } from '../probes/prober.ts';
import { StartError } from '../process/container-process.ts';
import type { Exit } from '../process/container-process.ts';
import { runContainerProbes } from './container-probes.ts';
import { runToEnd, startExec } from './exec.ts';
import type { ExecSession, ExecStart } from './exec.ts';
import { prepareLaunch } from './launch.ts';
import type { ContainerEnvironment, Launch, PodView } from './launch.ts';
import type { RuntimeServices } from './services.ts';
import { startProcessWorkload } from './workload.ts';
import type { Workload } from './workload.ts';

/** What kubelet waits at least between asking a container to end and ending it. */
const GRACE_MS_MIN = 2000;

/** A process that SIGKILL does not end hangs in the kernel; nobody can wait for it. */
const KILL_PATIENCE_MS = 10_000;

/** The exit code of a container that could not be started, as runtimes report it. */
const START_ERROR_CODE = 128;

/** The longest termination message, as in kubelet, and how much of the log may stand in for it. */
const MESSAGE_CHARS_MAX = 4096;
const LOG_MESSAGE_CHARS_MAX = 2048;

export interface AttemptOptions {
  readonly planned: PlannedContainer;
  readonly view: PodView;
  readonly services: RuntimeServices;
  readonly log: LogWriter;
  readonly logName: LogName;
  readonly listener: AttemptListener;
}

interface AttemptListener {
  /** It is about to be started; resolves when there is room for what it will write. */
  onLaunch(): Promise<void>;
  onRunning(startedAt: Date): void;
  /** Its startup probe has succeeded, or it has none. */
  onStarted(): void;
  onReady(ready: boolean, message: string | undefined): void;
  /** A probe has failed so often that it is ended. */
  onUnhealthy(probe: ProbeKind, message: string): void;
}

export type Outcome =
  | { readonly kind: 'blocked'; readonly reason: string; readonly message: string }
  /** It was told to end before it had begun. */
  | { readonly kind: 'cancelled' }
  | {
      readonly kind: 'ended';
      readonly exit: Exit;
      /** Completed, Error or StartError. */
      readonly reason: string;
      /** Its last words; may be empty. */
      readonly message: string;
      readonly startedAt: Date;
      readonly finishedAt: Date;
    };

export class Attempt {
  readonly id = randomBytes(32).toString('hex');
  readonly #options: AttemptOptions;
  /** Aborts when it has ended, or is to end before it has begun. */
  readonly #over = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  readonly #sessions = new Set<ExecSession>();
  #startedAt: Date;
  #environment: ContainerEnvironment | undefined;
  #workload: Workload | undefined;
  #stopping: Promise<void> | undefined;
  /** Ends the waiting of a stop in progress. */
  #hurry: () => void = () => {};

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#startedAt = options.services.now();
  }

  get #container(): Container {
    return this.#options.planned.container;
  }

  /** Runs it to its end. Never rejects. */
  async run(): Promise<Outcome> {
    const { services } = this.#options;
    let outcome: Outcome;
    try {
      const launch = await services.starts.run(() => this.#launch());
      outcome = launch ?? (await this.#supervise());
    } catch (error) {
      if (!(error instanceof StartError)) services.onError(error);
      const message = error instanceof Error ? error.message : String(error);
      outcome = this.#ended({ exitCode: START_ERROR_CODE }, 'StartError', message);
    }
    this.#over.abort();
    for (const session of this.#sessions) session.kill();
    if (this.#workload !== undefined) await services.processes.kill(this.id);
    this.#finished.resolve();
    return outcome;
  }

  /**
   * Asks it to end and ends it when the grace period is over. A second call can only shorten the
   * period of the first. Resolves when it has ended.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.#stopping === undefined) this.#stopping = this.#stop(graceMs);
    else void delay(graceMs, undefined, { ref: false }).then(() => this.#hurry());
    await this.#stopping;
  }

  /** Runs a further command in it. Rejects with a StartError when it is not running. */
  async exec(argv: readonly string[], options: ExecStart): Promise<ExecSession> {
    const environment = this.#environment;
    if (environment === undefined || this.#workload === undefined) {
      throw new StartError(`container ${this.#container.name} is not running`);
    }
    if (isEchoClient(this.#container.image, argv)) {
      const { mounts, dns } = environment;
      const surroundings = { address: this.#options.view.podIp, mounts, ...(dns && { dns }) };
      return this.#options.services.echo.runClient(argv, surroundings);
    }
    const { reaper } = this.#options.services;
    const session = await startExec(argv, environment, { ...options, reaper });
    this.#sessions.add(session);
    void session.exited.then(() => this.#sessions.delete(session));
    if (this.#over.signal.aborted) session.kill();
    return session;
  }

  /** Prepares and starts it; an outcome when that is already the end. */
  async #launch(): Promise<Outcome | undefined> {
    const { planned, view, services, listener } = this.#options;
    if (this.#over.signal.aborted) return { kind: 'cancelled' };
    const launch = await prepareLaunch(planned, view, services, this.id);
    if (launch.kind === 'blocked') return launch;
    if (this.#over.signal.aborted) return { kind: 'cancelled' };
    await listener.onLaunch();
    this.#environment = launch;
    this.#startedAt = services.now();
    this.#workload = await this.#startWorkload(launch);
    return undefined;
  }

  #startWorkload(launch: Exclude<Launch, { kind: 'blocked' }>): Promise<Workload> {
    const { view, services, log, logName } = this.#options;
    if (launch.kind === 'process') {
      const stopSignal = stopSignalOf(this.#container);
      return startProcessWorkload({ ...launch, stopSignal, log, reaper: services.reaper });
    }
    return services.echo.start({
      id: this.id,
      address: view.podIp,
      image: this.#container.image,
      args: launch.args,
      env: { HOSTNAME: launch.env['HOSTNAME'] ?? '', ...Object.fromEntries(launch.variables) },
      mounts: launch.mounts,
      log: logName,
      ...(launch.dns === undefined ? {} : { dns: launch.dns }),
    });
  }

  async #supervise(): Promise<Outcome> {
    const workload = this.#workload;
    if (workload === undefined) return { kind: 'cancelled' };
    if (this.#over.signal.aborted) workload.kill();
    this.#options.listener.onRunning(this.#startedAt);
    void this.#care().catch(this.#options.services.onError);
    const exit = await workload.exited;
    const reason = exit.exitCode === 0 ? 'Completed' : 'Error';
    return this.#ended(exit, reason, await this.#lastWords(exit));
  }

  #ended(exit: Exit, reason: string, message: string): Outcome {
    const finishedAt = this.#options.services.now();
    return { kind: 'ended', exit, reason, message, startedAt: this.#startedAt, finishedAt };
  }

  /** Runs the start hook, then the probes, for as long as it runs. */
  async #care(): Promise<void> {
    const { planned, view, listener, log } = this.#options;
    const { signal } = this.#over;
    const hook = this.#container.lifecycle?.postStart;
    if (hook !== undefined) {
      const result = await runHook(hook, { ...this.#askContext(), signal });
      if (signal.aborted) return;
      if (!result.ok) {
        log.line('stderr', `fairway: postStart hook failed: ${result.message}`);
        void this.stop(this.#graceMs());
        return;
      }
    }
    // An ordinary init container has no probes: it is to end, not to serve.
    if (planned.role === 'init') return;
    await runContainerProbes(
      {
        container: this.#container,
        podIp: view.podIp,
        awaitPort: planned.plan.kind === 'process',
        context: this.#askContext(),
        listener: {
          onStarted: () => listener.onStarted(),
          onReady: (ready, message) => listener.onReady(ready, message),
          onUnhealthy: (kind, probe, message) => this.#giveUp(kind, probe, message),
        },
      },
      signal,
    );
  }

  /** A probe has found it beyond hope: it ends, and the pod's policy starts it again. */
  #giveUp(kind: ProbeKind, probe: Probe, message: string): void {
    this.#options.listener.onUnhealthy(kind, message);
    this.#options.log.line('stderr', `fairway: ${kind} probe failed, restarting: ${message}`);
    const seconds = probe.terminationGracePeriodSeconds;
    void this.stop(seconds === undefined ? this.#graceMs() : seconds * 1000);
  }

  #graceMs(): number {
    return this.#options.view.pod.spec.terminationGracePeriodSeconds * 1000;
  }

  async #stop(graceMs: number): Promise<void> {
    const workload = this.#workload;
    const ended = this.#finished.promise;
    if (workload === undefined) {
      // Still being prepared: it ends itself when it sees the signal.
      this.#over.abort();
      await ended;
      return;
    }
    const deadline = performance.now() + graceMs;
    const hurried = new Promise<void>((resolve) => (this.#hurry = resolve));
    await Promise.race([ended, hurried, this.#preStop(graceMs)]);
    if (graceMs > 0) {
      workload.terminate();
      const restMs = Math.max(deadline - performance.now(), Math.min(graceMs, GRACE_MS_MIN));
      await waitAtMost(restMs, [ended, hurried]);
    }
    if (!this.#over.signal.aborted) workload.kill();
    if (!(await waitAtMost(KILL_PATIENCE_MS, [ended]))) {
      const { namespace, name } = this.#options.view.pod.metadata;
      const what = `${namespace}/${name}/${this.#container.name}`;
      this.#options.services.onError(new Error(`a process of container ${what} cannot be killed`));
    }
  }

  async #preStop(graceMs: number): Promise<void> {
    const hook = this.#container.lifecycle?.preStop;
    if (hook === undefined || graceMs <= 0) return;
    const deadline = new Deadline(graceMs, this.#over.signal);
    const result = await runHook(hook, { ...this.#askContext(), signal: deadline.signal });
    deadline.clear();
    if (!result.ok && !this.#over.signal.aborted) {
      this.#options.log.line('stderr', `fairway: preStop hook failed: ${result.message}`);
    }
  }

  #askContext(): Omit<AskContext, 'signal'> {
    return {
      container: this.#container,
      podIp: this.#options.view.podIp,
      exec: async (command, signal) => runToEnd(await this.exec(command, { stdin: false }), signal),
    };
  }

  /**
   * What the container said about its end: its termination message, else after an error the last lines
   * of its log. Kubelet does the latter only when asked to (terminationMessagePolicy); here the status
   * is where people look first.
   */
  async #lastWords(exit: Exit): Promise<string> {
    const { view, log } = this.#options;
    const path = view.volumes.terminationLog(this.#container);
    const written = await readFile(path, 'utf8').catch(() => '');
    if (written !== '') return written.slice(0, MESSAGE_CHARS_MAX);
    return exit.exitCode === 0 ? '' : log.tail().slice(-LOG_MESSAGE_CHARS_MAX);
  }
}

/** The one program besides its server that an echo image has: the mesh tests run it with exec. */
function isEchoClient(image: string, argv: readonly string[]): boolean {
  return echoProgram(image) === 'echo-advanced' && /(?:^|\/)client$/.test(argv[0] ?? '');
}

const SIGNAL_NAME = /^SIG[A-Z0-9]+$/;

function stopSignalOf(container: Container): NodeJS.Signals {
  const name = container.lifecycle?.stopSignal ?? '';
  return SIGNAL_NAME.test(name) ? (name as NodeJS.Signals) : 'SIGTERM';
}

/** True when one of the promises came in time. */
async function waitAtMost(ms: number, promises: readonly Promise<void>[]): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(ms, false, { signal: timer.signal }).catch(() => false);
  const inTime = await Promise.race([late, ...promises.map((each) => each.then(() => true))]);
  timer.abort();
  return inTime;
}
