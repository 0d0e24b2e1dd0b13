// What all pods of a runtime share, made once by runtime.ts.

import type { EchoHost } from '../echo-thread/host.ts';
import type { BackoffTimes } from './backoff.ts';
import type { ContainerProcesses } from '../process/container-processes.ts';
import type { Reaper } from '../process/reaper.ts';
import type { Queue } from './queue.ts';

export interface RuntimeServices {
  readonly stateDir: string;
  readonly now: () => Date;
  /** The environment of Fairway itself, of which processes get a few variables. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** The value of FAIRWAY_OWNER for everything that is started. */
  readonly owner: string;
  /** The file Node.js processes load first. */
  readonly preload: string;
  /** Where the cluster's DNS answers and the domain it answers for. */
  readonly dns?: { readonly server: string; readonly domain: string };
  readonly reaper: Reaper;
  readonly processes: ContainerProcesses;
  readonly echo: EchoHost;
  /** Starts wait in line: each stops the event loop for some milliseconds. */
  readonly starts: Queue;
  readonly backoff: BackoffTimes;
  /** Faults of the machine (a full disk), which no pod can be told about. */
  readonly onError: (error: unknown) => void;
}
