// A Fairway of its own for a test: started as a user would start it, with a home of its own, and ended
// for certain.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..');
export const BIN = join(root, 'bin', 'fairway');

/** How long anything may take on a machine that is busy with other tests. */
export const PATIENCE_MS = 60_000;

export interface Gateways {
  readonly [name: string]: {
    readonly address: string;
    readonly listeners: Readonly<Record<string, { readonly url: string }>>;
  };
}

export interface Fairway {
  readonly process: ChildProcess;
  readonly gateways: Gateways;
  /** The URL of the first listener there is. */
  readonly url: string;
  /** Everything written to standard error so far. */
  stderr(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A folder that is gone when the test is; files by their names. */
export function folder(files: Readonly<Record<string, string>>): {
  readonly path: string;
  write(name: string, text: string): void;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'fairway-e2e-'));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The environment of a Fairway that must not see the user's own. */
export function ownEnvironment(home: string): NodeJS.ProcessEnv {
  return { ...process.env, FAIRWAY_HOME: home, NO_COLOR: '1' };
}

/** Starts `fairway up -o json ARGS` and waits until it says that it is ready. */
export async function startFairway(
  args: readonly string[],
  options: { readonly home: string; readonly stdin?: string },
): Promise<Fairway> {
  const child = spawn(BIN, ['up', '-o', 'json', ...args], {
    env: ownEnvironment(options.home),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.stdin ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await until(() => stdout.includes('\n') || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(`fairway ended with ${child.exitCode}: ${stderr}`);
  const gateways = JSON.parse(stdout) as Gateways;
  const urls = Object.values(gateways).flatMap((g) => Object.values(g.listeners));
  return {
    process: child,
    gateways,
    url: urls[0]?.url ?? '',
    stderr: () => stderr,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const late = delay(PATIENCE_MS, 'late' as const, { ref: false });
      const code = await Promise.race([exited, late]);
      if (code !== 'late') return code;
      child.kill('SIGKILL');
      throw new Error(`fairway did not end: ${stderr}`);
    },
  };
}

/** Waits until something is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what = 'the condition',
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(10);
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request by node:http, on a connection of its own. */
export function get(
  url: string,
  options: {
    readonly host?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...options.headers,
      ...(options.host === undefined ? {} : { host: options.host }),
    };
    const sent = request(
      url,
      { method: options.method ?? 'GET', headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.once('error', reject);
    sent.end(options.body);
  });
}
