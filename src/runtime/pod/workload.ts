// What runs in a container, as its supervisor sees it: a process or an echo server.

import { startProcess } from '../process/container-process.ts';
import type { Exit } from '../process/container-process.ts';
import type { LogWriter } from '../logs/log-writer.ts';
import type { Reaper } from '../process/reaper.ts';

export interface Workload {
  /** Resolves when it has ended, however. */
  readonly exited: Promise<Exit>;
  /** Asks it to end. */
  terminate(): void;
  /** Ends it. */
  kill(): void;
}

export interface ProcessWorkload {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stopSignal: NodeJS.Signals;
  readonly log: LogWriter;
  readonly reaper: Reaper;
}

/** Starts a local process whose output goes to the log. Rejects with a StartError. */
export async function startProcessWorkload(options: ProcessWorkload): Promise<Workload> {
  const { argv, cwd, env, log, reaper } = options;
  const child = await startProcess({ argv, cwd, env, stdin: 'ignore', reaper });
  log.attach(child.stdout, 'stdout');
  log.attach(child.stderr, 'stderr');
  return {
    exited: child.exited,
    terminate: () => child.signal(options.stopSignal),
    kill: () => child.signal('SIGKILL'),
  };
}
