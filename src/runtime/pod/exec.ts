// A further command in the environment of a running container: exec probes, lifecycle hooks and
// `kubectl exec`. It carries the container's marker, so it ends with the container.

import type { Readable, Writable } from 'node:stream';
import { startProcess } from '../process/container-process.ts';
import type { Exit } from '../process/container-process.ts';
import type { Reaper } from '../process/reaper.ts';
import { signalGroup } from '../process/signals.ts';
import { resizeTerminal, sessionOf, terminalCommand } from '../process/terminal.ts';
import type { TerminalSize } from '../process/terminal.ts';
import type { ContainerEnvironment } from './launch.ts';

export interface ExecSession {
  /** Present when it was asked for. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<Exit>;
  /** Ends the command and all it started in its group. */
  kill(): void;
  /** Tells the command the size of its terminal. Present when it has one. */
  readonly resize?: (size: TerminalSize) => void;
}

export interface ExecStart {
  readonly stdin: boolean;
  /** Runs it in a terminal of its own, whose output is all on stdout. */
  readonly tty?: boolean;
}

/** Starts a command. Mount paths in it are made real. Rejects with a StartError. */
export async function startExec(
  argv: readonly string[],
  environment: ContainerEnvironment,
  options: ExecStart & { readonly reaper: Reaper },
): Promise<ExecSession> {
  if (options.tty === true) return startInTerminal(argv, environment, options);
  const { env, cwd, rewrite } = environment;
  const child = await startProcess({
    argv: argv.map(rewrite),
    env,
    cwd,
    stdin: options.stdin ? 'pipe' : 'ignore',
    reaper: options.reaper,
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: child.exited,
    kill: () => child.signal('SIGKILL'),
  };
}

/** The command is in a session of its own below the process that holds its terminal. */
async function startInTerminal(
  argv: readonly string[],
  { env, cwd, rewrite }: ContainerEnvironment,
  { stdin, reaper }: ExecStart & { readonly reaper: Reaper },
): Promise<ExecSession> {
  const command = await terminalCommand(argv.map(rewrite), { env, cwd });
  // Its input stays open without a client's: an end of it would be typed as Ctrl-D.
  const child = await startProcess({ argv: command, env, cwd, stdin: 'pipe', reaper });
  return {
    stdin: stdin ? child.stdin : undefined,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: child.exited,
    kill: () => {
      const session = sessionOf(child.pid);
      child.signal('SIGKILL');
      if (session !== undefined) signalGroup(session, 'SIGKILL');
    },
    resize: (size) => void resizeTerminal(child.pid, size),
  };
}

/** What is kept of a probe's output, for its message. */
const OUTPUT_BYTES_MAX = 10 * 1024;

/** Runs a command to its end, or until the signal aborts; rejects then, or when it cannot be started. */
export async function runToEnd(
  session: ExecSession,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (const stream of [session.stdout, session.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      if (bytes < OUTPUT_BYTES_MAX) chunks.push(chunk.subarray(0, OUTPUT_BYTES_MAX - bytes));
      bytes += chunk.length;
    });
  }
  const kill = (): void => session.kill();
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  const { exitCode } = await session.exited;
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  return { exitCode, output: Buffer.concat(chunks).toString('utf8') };
}
