// fairway up: serve what files and folders say, until interrupted or until a command has run.

import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import type { Finding } from '../api/finding.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import type { Report } from '../pipeline/pipeline.ts';
import { FairwayError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { OWNER_VARIABLE, ownerMarker } from '../runtime/process/marker.ts';
import { Reaper } from '../runtime/process/reaper.ts';
import { fail, UNUSABLE } from './fail.ts';
import { FindingLog } from './finding-log.ts';
import { countFindings, formatFindings } from './findings.ts';
import { startInstance } from './instance.ts';
import type { ApiSettings, Instance } from './instance.ts';
import { formatOverview } from './overview.ts';
import { notReady } from './readiness.ts';
import { filesSource, loadSettings, withObservation, workerCount } from './settings.ts';
import type { CommonFlags } from './settings.ts';
import { findPredecessor, LEAVE_SIGNAL } from './take-over.ts';
import type { Predecessor } from './take-over.ts';
import { print } from './terminal.ts';
import { gatewaysJson } from './urls.ts';
import { isUnusable } from './usable.ts';
import { whyNotRun } from './why-not-run.ts';

/** As `main.ts` reads them. */
export interface UpFlags extends CommonFlags {
  readonly workers?: string;
  readonly accessLog?: string;
  readonly accessLogFormat?: 'json' | 'common';
  readonly metricsPort?: string;
  readonly pods: boolean;
  readonly watch: boolean;
  readonly readyTimeout: string;
  /** True without a process. */
  readonly takeOver?: string | true;
  readonly api: boolean;
  readonly apiPort?: string;
  readonly data?: string;
  readonly fresh?: boolean;
  readonly output?: 'json';
}

/** Exit code when COMMAND was not run because things did not get ready. */
const NOT_READY = 3;
/** The longest time to wait for readiness: a day. */
const READY_SECONDS_MAX = 86_400;
/** The tables are printed after this long even if something is still starting. */
const SHOW_AFTER_MS = 3000;

/** Serves; gives the exit code of COMMAND, or 0 when interrupted. */
export async function up(
  paths: readonly string[],
  flags: UpFlags,
  command: readonly string[],
): Promise<number> {
  const configuration = withObservation(await loadSettings(flags), flags);
  readyTimeoutMs(flags);
  const predecessor = await predecessorOf(flags, command);
  const instance = await startInstance({
    configuration,
    sources: paths.length === 0 ? [] : [filesSource(paths, flags, flags.watch)],
    workers: workerCount(configuration, flags.workers),
    pods: flags.pods && configuration.pods.enabled,
    paths,
    api: flags.api ? apiSettings(flags, command.length > 0) : null,
    predecessor,
    onError: (error) => void fail(error),
  });
  const interrupted = untilInterrupted();
  const asked = untilAskedToLeave(instance, flags, command);
  try {
    if (predecessor !== null && !(await succeed(instance, flags, interrupted))) return NOT_READY;
    if (command.length > 0) return await runCommand(command, instance, flags, interrupted);
    if (flags.output === 'json') await announceJson(instance, flags, interrupted);
    else await announce(paths, instance, interrupted);
    if ((await Promise.race([interrupted, asked])) === 'leave') {
      if (flags.output !== 'json')
        print('Another Fairway serves here now: what is under way finishes.');
      await Promise.race([instance.handOver(), interrupted]);
      return 0;
    }
    if (flags.output !== 'json') print('Stopping: requests under way finish, then pods end.');
    return 0;
  } finally {
    await instance.stop();
  }
}

/** Pods, objects written through the API, and a command belong to one process: they cannot be handed over. */
function keepsToItself({ pods, api }: UpFlags, command: readonly string[]): boolean {
  return pods || api || command.length > 0;
}

async function predecessorOf(
  flags: UpFlags,
  command: readonly string[],
): Promise<Predecessor | null> {
  const { takeOver } = flags;
  if (takeOver === undefined) return null;
  if (keepsToItself(flags, command)) {
    throw new FairwayError('FW_USAGE', '--take-over needs --no-pods and --no-api, and no COMMAND', {
      hint: 'pods, commands and what is written through the API belong to one process',
    });
  }
  if (takeOver !== true && !/^[1-9][0-9]{0,9}$/.test(takeOver)) {
    throw new FairwayError('FW_USAGE', `--take-over ${takeOver} is not a process`, {
      hint: 'give the number of the process, or none where only one Fairway runs',
    });
  }
  return findPredecessor(takeOver === true ? null : Number(takeOver));
}

/** Takes the predecessor's place; false when things do not get ready, and it goes on serving. */
async function succeed(
  instance: Instance,
  flags: UpFlags,
  interrupted: Promise<void>,
): Promise<boolean> {
  const waiting = await untilReady(instance, readyTimeoutMs(flags), interrupted);
  for (const line of waiting) process.stderr.write(`fairway: not ready: ${printable(line)}\n`);
  if (waiting.length > 0) return false;
  await instance.takeOver();
  return true;
}

/** Resolves when a successor asks for the ports; one that cannot be served is told so. */
function untilAskedToLeave(
  instance: Instance,
  flags: UpFlags,
  command: readonly string[],
): Promise<'leave'> {
  return new Promise((resolve) => {
    process.on(LEAVE_SIGNAL, () => {
      if (instance.runtime === null && !keepsToItself({ ...flags, pods: false }, command)) {
        resolve('leave');
        return;
      }
      process.stderr.write(
        'fairway: another Fairway asks for these addresses, but pods, a command or the API need them\n',
      );
    });
  });
}

/** While a command runs, nothing is kept: the next run is to find what this one found. */
function apiSettings({ apiPort, data, fresh }: UpFlags, runsCommand: boolean): ApiSettings {
  const port = apiPort === undefined ? null : Number(apiPort);
  if (port !== null && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new FairwayError('FW_USAGE', `--api-port ${apiPort} is not a port`, {
      hint: 'give a number from 0 to 65535; 0 takes any that is free',
    });
  }
  return {
    port,
    directory: data ?? null,
    isTemporary: fresh === true || (runsCommand && data === undefined),
  };
}

/** Resolves at the first signal to end; the second one ends at once. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve();
      });
    }
  });
}

/** Resolves with what is still not ready: nothing, or what is left when time is up. */
function untilReady(
  { pipeline, runtime }: Instance,
  timeoutMs: number,
  interrupted: Promise<void>,
): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const look = (): readonly string[] => {
      const { report } = pipeline;
      return report === undefined
        ? ['nothing is served yet']
        : notReady(report.snapshot, runtime !== null);
    };
    const done = (): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve(look());
    };
    const timer = setTimeout(done, timeoutMs);
    const unsubscribe = pipeline.subscribe(() => {
      if (look().length === 0) done();
    });
    void interrupted.finally(done);
    if (look().length === 0) done();
  });
}

async function announce(
  paths: readonly string[],
  instance: Instance,
  interrupted: Promise<void>,
): Promise<void> {
  const { runtime, pipeline } = instance;
  if (runtime !== null) {
    print(
      `Commands of pods run on this machine as user ${userInfo().username} (--no-pods runs none).`,
    );
  }
  const waiting = await untilReady(instance, SHOW_AFTER_MS, interrupted);
  const seconds = (performance.now() / 1000).toFixed(2);
  const { report } = pipeline;
  if (report === undefined) return;
  print('');
  for (const line of formatOverview(report)) print(line);
  printFindings(report, instance);
  for (const line of waiting) print(`waiting for ${printable(line)}`);
  const { restored } = instance;
  const api = await instance.api;
  if (api !== null) {
    print(`Kubernetes API at ${api.url}: export KUBECONFIG=${api.kubeconfigPath}`);
    if (restored > 0) print(`${restored} objects written through it before are here again.`);
  }
  if (instance.metricsUrl !== null) print(`Metrics at ${instance.metricsUrl}`);
  const state = waiting.length === 0 ? 'Ready' : 'Serving what is ready';
  const followed = paths.length === 0 ? '' : `; following ${paths.join(' ')}`;
  print(`${state} after ${seconds} s${followed}. Press Ctrl-C to stop.`);
  followChanges(report, instance);
}

function printFindings(report: Report, instance: Instance): void {
  const findings = [...report.findings, ...instance.podFindings()];
  if (findings.length === 0) return;
  for (const line of formatFindings(findings, instance.locate)) print(line);
  print(countFindings(findings));
  print('');
}

/** Prints what changes: what took effect and how fast, findings that came and went. */
function followChanges(first: Report, instance: Instance): void {
  const log = new FindingLog();
  log.update(allFindings(first, instance), performance.now());
  let timer: NodeJS.Timeout | undefined;
  const look = (report: Report): void => {
    const nowMs = performance.now();
    const { fresh, settled, dueMs } = log.update(allFindings(report, instance), nowMs);
    clearTimeout(timer);
    if (dueMs !== undefined) {
      timer = setTimeout(() => look(instance.pipeline.report ?? report), dueMs - nowMs + 1);
      timer.unref();
    }
    for (const line of formatFindings(fresh, instance.locate)) print(line);
    if (settled > 0) print(`${settled} ${settled === 1 ? 'finding is' : 'findings are'} settled.`);
  };
  instance.pipeline.subscribe((report) => {
    const { sourceChanges, tookMs } = report;
    if (sourceChanges > 0) {
      const objects = sourceChanges === 1 ? 'object' : 'objects';
      print(`${sourceChanges} ${objects} changed, in force after ${Math.ceil(tookMs)} ms.`);
    }
    look(report);
  });
}

function allFindings(report: Report, instance: Instance): readonly Finding[] {
  return [...report.findings, ...instance.podFindings()];
}

async function announceJson(
  instance: Instance,
  flags: UpFlags,
  interrupted: Promise<void>,
): Promise<void> {
  const waiting = await untilReady(instance, readyTimeoutMs(flags), interrupted);
  await instance.api;
  for (const line of waiting) process.stderr.write(`fairway: not ready: ${printable(line)}\n`);
  print(JSON.stringify(gatewaysOf(instance)));
}

function gatewaysOf({ pipeline }: Instance): Record<string, unknown> {
  const { report } = pipeline;
  return report === undefined ? {} : gatewaysJson(report.snapshot.list(Gateway), report.bindings);
}

async function runCommand(
  command: readonly string[],
  instance: Instance,
  flags: UpFlags,
  interrupted: Promise<void>,
): Promise<number> {
  const waiting = await untilReady(instance, readyTimeoutMs(flags), interrupted);
  const { report } = instance.pipeline;
  if (report !== undefined) {
    const findings = [...report.findings, ...instance.podFindings()];
    for (const line of formatFindings(findings, instance.locate)) process.stderr.write(`${line}\n`);
    if (isUnusable(report.snapshot, findings)) return UNUSABLE;
  }
  if (waiting.length > 0) {
    for (const line of waiting) process.stderr.write(`fairway: not ready: ${printable(line)}\n`);
    return NOT_READY;
  }
  // Pods have a watcher that ends what is marked, should Fairway be killed; without pods it is ours.
  const reaper = instance.runtime === null ? new Reaper(ownerMarker()) : null;
  try {
    return await spawnCommand(command, await environment(instance), interrupted);
  } finally {
    await reaper?.close();
  }
}

function readyTimeoutMs(flags: UpFlags): number {
  const seconds = Number(flags.readyTimeout);
  const isTime = seconds > 0 && seconds <= READY_SECONDS_MAX;
  if (flags.readyTimeout.trim() !== '' && isTime) return seconds * 1000;
  throw new FairwayError('FW_USAGE', `--ready-timeout ${flags.readyTimeout} is not a time`, {
    hint: `give seconds, more than 0 and at most ${READY_SECONDS_MAX}`,
  });
}

/** What COMMAND is told. */
async function environment(instance: Instance): Promise<Record<string, string>> {
  const gateways = gatewaysOf(instance);
  const urls = Object.values(gateways).flatMap((gateway) =>
    Object.values((gateway as { listeners: Record<string, { url: string }> }).listeners),
  );
  const first = urls.find(({ url }) => url.startsWith('http://')) ?? urls[0];
  const { caPath } = instance;
  const api = await instance.api;
  return {
    [OWNER_VARIABLE]: ownerMarker(),
    ...(api === null ? {} : { KUBECONFIG: api.kubeconfigPath }),
    FAIRWAY_GATEWAYS: JSON.stringify(gateways),
    ...(first === undefined ? {} : { FAIRWAY_URL: first.url }),
    // Node.js trusts what is named here; other programs take it as an option.
    ...(caPath === null ? {} : { FAIRWAY_CA: caPath, NODE_EXTRA_CA_CERTS: caPath }),
  };
}

function spawnCommand(
  [program = '', ...args]: readonly string[],
  env: Record<string, string>,
  interrupted: Promise<void>,
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    void interrupted.then(() => child.kill('SIGTERM'));
    child.once('error', (error: NodeJS.ErrnoException) => {
      const { reason, hint } = whyNotRun(program, error);
      process.stderr.write(`fairway: cannot run ${program}: ${reason}\n  ${hint}\n`);
      resolve(error.code === 'ENOENT' ? 127 : 126);
    });
    child.once('exit', (code, signal) =>
      resolve(code ?? (signal === null ? 1 : 128 + signalNumber(signal))),
    );
  });
}

function signalNumber(signal: NodeJS.Signals): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGKILL: 9,
    SIGTERM: 15,
  };
  return numbers[signal] ?? 1;
}
