// A further command in the environment of a running container: exec probes, lifecycle hooks and
// `kubectl exec`. It carries the container's marker, so it ends with the container.

import type { Readable, Writable } from 'node:stream';
import { startProcess } from '../process/container-process.ts';
import type { Exit } from '../process/container-process.ts';
import type { Reaper } from '../process/reaper.ts';
import type { ContainerEnvironment } from './launch.ts';

export interface ExecSession {
  /** Present when it was asked for. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<Exit>;
  /** Ends the command and all it started in its group. */
  kill(): void;
}

/** Starts a command. Mount paths in it are made real. Rejects with a StartError. */
export async function startExec(
  argv: readonly string[],
  environment: ContainerEnvironment,
  options: { readonly stdin: boolean; readonly reaper: Reaper },
): Promise<ExecSession> {
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
