// What an echo program is given by the runtime and what it gives back.

import type { LookupFunction } from 'node:net';
import { EchoStartError } from './errors.ts';

/** One pod with an echo image. Everything the program may look at is in here; it never reads the process. */
export interface EchoPod {
  /** The pod's own address; every port is opened on it, and outgoing connections start from it. */
  readonly address: string;
  readonly image: string;
  /** The container's `args`, without the program name. */
  readonly args: readonly string[];
  /** The container's environment. HOSTNAME is the pod's name, as in a container; POD_NAME is taken if it is absent. */
  readonly env: Readonly<Record<string, string>>;
  /** Called with one line of the container's log, without line break. */
  readonly log: (line: string) => void;
  /** Content of a file as the container sees it. Rejects if it is not there. */
  readonly readFile: (path: string) => Promise<Buffer>;
  /** Resolves names for the few programs that dial out (agnhost's `/dial`); the system's resolver if absent. */
  readonly lookup?: LookupFunction;
}

export interface RunningEcho {
  /** Stops accepting, ends every connection and timer, resolves when all ports are free. May be called again. */
  close(): Promise<void>;
}

/** What `os.Hostname()` would say in the container. */
export function hostname(pod: EchoPod): string {
  return pod.env['HOSTNAME'] ?? pod.env['POD_NAME'] ?? '';
}

const PORT_MAX = 65_535;

/** A TCP or UDP port written in decimal. Throws EchoStartError naming `source` (a flag or variable). */
export function parsePort(text: string, source: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 1 && port <= PORT_MAX)) {
    throw new EchoStartError(
      'FW_ECHO_CONFIG',
      `${source}: "${text}" is not a port (1 to ${PORT_MAX})`,
    );
  }
  return port;
}

/** The port in an environment variable, or the program's default when the variable is unset or empty. */
export function portFromEnv(pod: EchoPod, variable: string, fallback: number): number {
  const text = pod.env[variable];
  return text ? parsePort(text, variable) : fallback;
}
