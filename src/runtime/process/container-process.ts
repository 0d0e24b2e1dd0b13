// Starts a command as a process group of its own and tells how it ended. The group is under the
// reaper's watch from its first moment; whatever is left of it dies with its leader, as everything in
// a container dies with its first process.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { findExecutable } from './executable.ts';
import type { Reaper } from './reaper.ts';
import { signalGroup } from './signals.ts';

/** How a process ended: by itself with an exit code, or by a signal. */
export interface Exit {
  /** 128 + signal when a signal ended it, as shells and container runtimes count. */
  readonly exitCode: number;
  readonly signal?: number;
}

/** Why a command could not be started at all; the message is for the container's status. */
export class StartError extends Error {}

export interface ProcessStart {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: 'ignore' | 'pipe';
  readonly reaper: Reaper;
}

export interface ContainerProcess {
  /** Also the number of its group. */
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process has ended, its group is gone and its output was read. */
  readonly exited: Promise<Exit>;
  /** Sends a signal to the whole group. */
  signal(signal: NodeJS.Signals): void;
}

/**
 * How long output may still be read after the end: a process that left the group can hold the other
 * end of the pipe for ever.
 */
const OUTPUT_GRACE_MS = 500;

/** Starts a process. Rejects with a StartError when there is nothing to start. */
export async function startProcess(start: ProcessStart): Promise<ContainerProcess> {
  const [name = '', ...args] = start.argv;
  const executable = await findExecutable(name, start.cwd, start.env['PATH']);
  if (!executable.ok) throw new StartError(executable.message);
  const child = spawnOrThrow(name, executable.path, args, start);
  const { pid, stdout, stderr } = child;
  if (pid === undefined || stdout === null || stderr === null) {
    throw new StartError(`exec: ${JSON.stringify(name)}: ${await spawnFailure(child)}`);
  }
  start.reaper.add(pid);
  // Whoever kills it does not wait for its last words.
  const killed = { value: false };
  return {
    pid,
    stdin: child.stdin ?? undefined,
    stdout,
    stderr,
    exited: ended(child, pid, start.reaper, killed),
    signal: (signal) => {
      killed.value ||= signal === 'SIGKILL';
      signalGroup(pid, signal);
    },
  };
}

function spawnOrThrow(
  name: string,
  path: string,
  args: readonly string[],
  { cwd, env, stdin }: ProcessStart,
): ChildProcess {
  try {
    return spawn(path, args, {
      cwd,
      env,
      // Programs that look at their own name see what the manifest says.
      argv0: name,
      detached: true,
      stdio: [stdin, 'pipe', 'pipe'],
    });
  } catch (error) {
    // An argument or variable with a NUL byte, or more of them than the system takes.
    throw new StartError(`exec: ${JSON.stringify(name)}: ${(error as Error).message}`);
  }
}

function spawnFailure(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => child.once('error', (error) => resolve(error.message)));
}

async function ended(
  child: ChildProcess,
  pid: number,
  reaper: Reaper,
  killed: { readonly value: boolean },
): Promise<Exit> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // Errors after the start come from signals to a process that has just ended.
  child.on('error', () => {});
  const exit = await new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve(toExit(code, signal)));
  });
  signalGroup(pid, 'SIGKILL');
  reaper.remove(pid);
  // What is read already and not taken yet has a reader who is slow: that is not the end's fault.
  while (!(await within(OUTPUT_GRACE_MS, closed)) && hasUnread(child) && !killed.value) continue;
  child.stdout?.destroy();
  child.stderr?.destroy();
  return exit;
}

function hasUnread({ stdout, stderr }: ChildProcess): boolean {
  return [stdout, stderr].some(
    (each) => each !== null && !each.destroyed && each.readableLength > 0,
  );
}

/** True when the promise came in time. */
async function within(ms: number, promise: Promise<void>): Promise<boolean> {
  const patience = new AbortController();
  const late = delay(ms, false, { signal: patience.signal }).catch(() => false);
  const inTime = await Promise.race([late, promise.then(() => true)]);
  patience.abort();
  return inTime;
}

function toExit(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (signal === null) return { exitCode: code ?? 0 };
  const number = constants.signals[signal];
  return { exitCode: 128 + number, signal: number };
}
