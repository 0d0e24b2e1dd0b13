// What the runtime and its echo thread say to each other. Plain data: it is copied between threads.

import type { LogName } from '../logs/paths.ts';
import type { Mount } from '../volumes/mounts.ts';
import type { ClusterDns } from './cluster-lookup.ts';

/** A pod's view of the world, for a server or a client in it. */
export interface EchoSurroundings {
  readonly address: string;
  readonly mounts: readonly Mount[];
  readonly dns?: ClusterDns;
}

export interface EchoStart extends EchoSurroundings {
  /** Of the container, unique for each of its starts. */
  readonly id: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly log: LogName;
}

/** The command `client` of the mesh tests' image, run in a pod with exec. */
export interface EchoClientStart extends EchoSurroundings {
  /** Unique for each run. */
  readonly run: number;
  readonly args: readonly string[];
}

export type ToEchoThread =
  | { readonly type: 'start'; readonly start: EchoStart }
  /** Ends a server. While it drains it goes on serving: clients learn of the end a moment later. */
  | { readonly type: 'stop'; readonly id: string; readonly drainMs: number }
  | { readonly type: 'client'; readonly start: EchoClientStart };

export type FromEchoThread =
  | { readonly type: 'started'; readonly id: string }
  | { readonly type: 'failed'; readonly id: string; readonly message: string }
  | { readonly type: 'stopped'; readonly id: string }
  | {
      readonly type: 'output';
      readonly run: number;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    }
  | { readonly type: 'exited'; readonly run: number; readonly exitCode: number }
  /** The disk refused a log. */
  | { readonly type: 'fault'; readonly message: string };
