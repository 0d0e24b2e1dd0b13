// A folder and the processes that work in it, for one benchmark: both are gone when it has ended,
// whether it is done, has failed or was interrupted.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface RunOptions {
  /** The cores it may run on, as taskset takes them; any when absent. */
  readonly cores?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** It is ended after this long, and counts as failed. */
  readonly limitMs?: number;
}

/** A process that runs until it is ended. */
export interface Running {
  readonly pid: number;
  /** What it has written to standard output so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Ends it, by SIGTERM and, if it does not mind, by SIGKILL. */
  readonly stop: () => Promise<void>;
  /** Ends it by SIGKILL, without waiting. */
  readonly kill: () => void;
}

const STOP_MS = 15_000;

export class Scratch {
  readonly path: string;
  readonly #running = new Set<Running>();
  /** The last resort: an end of this process that waits for nothing. */
  readonly #onExit = (): void => {
    for (const running of this.#running) running.kill();
    rmSync(this.path, { recursive: true, force: true });
  };

  /** `signal` ends what runs as soon as it is aborted. */
  constructor(signal: AbortSignal) {
    this.path = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
    process.on('exit', this.#onExit);
    signal.addEventListener('abort', () => void this.#stopAll());
  }

  /** The path of a file in the folder, which may not be there yet. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file, with the folders above it, and gives its path. */
  write(name: string, content: string | Buffer): string {
    const path = this.file(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Starts a process. */
  start(command: readonly string[], options: RunOptions = {}): Running {
    const [program = '', ...args] = pinned(command, options.cores);
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = follow(child);
    this.#running.add(running);
    void running.exited.then(() => this.#running.delete(running));
    return running;
  }

  /** Runs a process to its end and gives what it wrote to standard output. Throws when it fails. */
  async run(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const running = this.start(command, options);
    const { limitMs = 60_000 } = options;
    const done = new AbortController();
    const late = delay(limitMs, 'late' as const, { signal: done.signal }).catch(() => null);
    const code = await Promise.race([running.exited, late]);
    done.abort();
    if (code === 0) return running.stdout();
    await running.stop();
    const why = code === 'late' ? `not done after ${limitMs} ms` : `exit code ${code}`;
    throw new Error(`${command.join(' ')}: ${why}\n${running.stderr()}`);
  }

  /** Ends everything and removes the folder. */
  async remove(): Promise<void> {
    await this.#stopAll();
    process.off('exit', this.#onExit);
    rmSync(this.path, { recursive: true, force: true });
  }

  async #stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()));
  }
}

function pinned(command: readonly string[], cores: string | undefined): readonly string[] {
  return cores === undefined ? command : ['taskset', '-c', cores, ...command];
}

function follow(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // 'close' and not 'exit': by then everything it wrote has been read.
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      stderr += error.message;
      resolve(127);
    });
    child.once('close', (code) => resolve(code));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? -1,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    stop,
    kill: () => void child.kill('SIGKILL'),
  };
}
