// The real kubectl for a test, pointed at a Fairway's API, with a home of its own. Nothing is installed:
// where there is no kubectl, tests say so and are skipped.

import { execFile, spawn, spawnSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PATIENCE_MS, until } from './fairway.ts';

/** Why tests with kubectl cannot run; false when they can. */
export const NO_KUBECTL: string | false =
  spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0
    ? false
    : 'kubectl is not installed';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Words of a command: as text split at spaces, or one by one. */
export type Words = string | readonly string[];

export interface Kubectl {
  /** Runs it to its end, whatever that is. */
  run(words: Words, stdin?: string, env?: NodeJS.ProcessEnv): Promise<Outcome>;
  /** What it prints, without the last line end. Rejects when it fails. */
  ok(words: Words, stdin?: string, env?: NodeJS.ProcessEnv): Promise<string>;
  /** What it complains. Rejects when it does not fail. */
  fails(words: Words, stdin?: string): Promise<string>;
  /** An object, parsed. */
  json<T = Loose>(words: Words): Promise<T>;
  /** Starts one that does not end by itself. */
  follow(words: Words, env?: NodeJS.ProcessEnv): Following;
}

export interface Following {
  lines(): readonly string[];
  /** Resolves with its exit code when it ends by itself. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** JSON of which a test knows what is in it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;

/** The kubeconfig a Fairway with that home has written last: each start may have another place. */
export async function kubeconfigIn(home: string): Promise<string> {
  const find = (): string | undefined =>
    globSync(join(home, 'state', '*', 'kubeconfig')).toSorted(
      (a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs,
    )[0];
  await until(() => find() !== undefined, 'a kubeconfig');
  return find() as string;
}

/** Where the API is and what lets one in, read from a kubeconfig of ours. */
export function accessIn(kubeconfig: string): {
  readonly url: string;
  readonly token: string;
  readonly ca: string;
} {
  const text = readFileSync(kubeconfig, 'utf8');
  const field = (name: string): string => new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? '';
  return {
    url: field('server'),
    token: field('token'),
    ca: Buffer.from(field('certificate-authority-data'), 'base64').toString(),
  };
}

export function kubectlFor(kubeconfig: string, home: string): Kubectl {
  const environment = { ...process.env, KUBECONFIG: kubeconfig, HOME: home };
  const run: Kubectl['run'] = (words, stdin = '', env = {}) =>
    new Promise((resolve) => {
      const child = execFile(
        'kubectl',
        split(words),
        { env: { ...environment, ...env }, timeout: PATIENCE_MS, maxBuffer: 1 << 28 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, stdout, stderr });
        },
      );
      // It may end without having read everything.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(stdin);
    });
  const ok: Kubectl['ok'] = async (words, stdin, env) => {
    const { code, stdout, stderr } = await run(words, stdin, env);
    if (code !== 0) throw new Error(`kubectl ${split(words).join(' ')}: ${code}: ${stderr}`);
    return stdout.trimEnd();
  };
  return {
    run,
    ok,
    fails: async (words, stdin) => {
      const { code, stdout, stderr } = await run(words, stdin);
      if (code === 0) throw new Error(`kubectl ${split(words).join(' ')} did not fail: ${stdout}`);
      return stderr.trimEnd();
    },
    json: async (words) => JSON.parse(await ok([...split(words), '-o', 'json'])) as Loose,
    follow: (words, env = {}) => {
      const child = spawn('kubectl', split(words), {
        env: { ...environment, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      return {
        lines: () => text.split('\n').slice(0, -1),
        ended,
        stop: async () => {
          child.kill();
          await ended;
        },
      };
    },
  };
}

/** The same kubectl in a namespace. */
export function within(kubectl: Kubectl, namespace: string): Kubectl {
  const inside = (words: Words): readonly string[] => ['-n', namespace, ...split(words)];
  return {
    run: (words, stdin, env) => kubectl.run(inside(words), stdin, env),
    ok: (words, stdin, env) => kubectl.ok(inside(words), stdin, env),
    fails: (words, stdin) => kubectl.fails(inside(words), stdin),
    json: (words) => kubectl.json(inside(words)),
    follow: (words, env) => kubectl.follow(inside(words), env),
  };
}

function split(words: Words): readonly string[] {
  return typeof words === 'string' ? words.split(' ') : words;
}
