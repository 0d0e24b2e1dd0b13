// The streams of a remote command (exec, attach), whichever protocol they came over.

import type { Readable, Writable } from 'node:stream';
import type { Status } from '../status.ts';
import type { TerminalSize } from './resize.ts';

/** What a client asks for in the query of `pods/exec` and `pods/attach`. */
export interface CommandOptions {
  /** Empty for attach. */
  readonly command: readonly string[];
  /** Undefined when the client leaves the choice to us. */
  readonly container: string | undefined;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface CommandStreams {
  /** The streams that were asked for. */
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Sizes of the client's terminal, as they come. */
  readonly onResize: (listener: (size: TerminalSize) => void) => void;
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
  /** Sends what was written, then the outcome, and ends the connection. */
  readonly finish: (outcome: Status) => Promise<void>;
}

/** Reads the query of `pods/exec` or `pods/attach`; the text says what is wrong with it. */
export function parseCommandOptions(
  query: URLSearchParams,
):
  | { readonly ok: true; readonly options: CommandOptions }
  | { readonly ok: false; readonly message: string } {
  const flags = new Map<string, boolean>();
  for (const name of ['stdin', 'stdout', 'stderr', 'tty']) {
    const text = query.get(name);
    const value = text === null ? false : parseBool(text);
    if (value === undefined) return { ok: false, message: `${name}: ${text} is not true or false` };
    flags.set(name, value);
  }
  const tty = flags.get('tty') === true;
  const container = query.get('container') ?? '';
  const options: CommandOptions = {
    command: query.getAll('command'),
    container: container === '' ? undefined : container,
    stdin: flags.get('stdin') === true,
    stdout: flags.get('stdout') === true,
    // A terminal has one output.
    stderr: flags.get('stderr') === true && !tty,
    tty,
  };
  if (!options.stdin && !options.stdout && !options.stderr) {
    return { ok: false, message: 'you must specify at least 1 of stdin, stdout, stderr' };
  }
  return { ok: true, options };
}

/** As Kubernetes reads booleans in queries: a name without value is true. */
export function parseBool(text: string): boolean | undefined {
  if (['', '1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined;
}
