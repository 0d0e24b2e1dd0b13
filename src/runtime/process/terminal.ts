// A terminal for a command: a pseudoterminal cannot be opened from Node.js, so script(1) of util-linux
// opens it and copies between it and its own input and output.
//
//   Fairway ─pipes─ script ─pseudoterminal─ command (leader of a session of its own)

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from './container-process.ts';
import { findExecutable } from './executable.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The first size comes at once; script may not have opened the terminal yet. */
const TRIES = 20;
const TRY_INTERVAL_MS = 50;

/**
 * The command that runs `argv` in a terminal. Rejects with a StartError when there is no such program,
 * or no script(1) that can do it: BSD's takes other options, and older ones show no input.
 */
export async function terminalCommand(
  argv: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Promise<readonly string[]> {
  const [name = ''] = argv;
  const program = await findExecutable(name, cwd, env['PATH']);
  // Said here: script would start a shell, which says it in other words.
  if (!program.ok) throw new StartError(program.message);
  const script = await findExecutable('script', '/', process.env['PATH']);
  if (!script.ok || !(await help(script.path)).includes('--echo')) {
    throw new StartError(
      'a terminal (-t) needs script(1) of util-linux 2.36 or later, which this machine does not ' +
        'have: leave out -t, or install it (Debian: bsdutils, Fedora: util-linux-script)',
    );
  }
  const line = `exec ${argv.map(quoted).join(' ')}`;
  // script runs the line with $SHELL, which may be any shell; the command gets its own value back.
  const shell = env['SHELL'];
  const restore = shell === undefined ? 'unset SHELL' : `export SHELL=${quoted(shell)}`;
  return [
    '/usr/bin/env',
    'SHELL=/bin/sh',
    script.path,
    '--quiet',
    '--return',
    '--flush',
    '--echo',
    'always',
    '--command',
    `${restore}; ${line}`,
    '/dev/null',
  ];
}

/** The leader of the session in a script's terminal, which is also the number of its first group. */
export function sessionOf(script: number): number | undefined {
  try {
    const [first = ''] = readFileSync(`/proc/${script}/task/${script}/children`, 'latin1').split(
      ' ',
    );
    return /^\d+$/.test(first) ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

/** Sets the size of the terminal; the kernel tells who runs in it. Does nothing when it is gone. */
export async function resizeTerminal(script: number, size: TerminalSize): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    const session = sessionOf(script);
    const device =
      session === undefined
        ? undefined
        : await readlink(`/proc/${session}/fd/0`).catch(() => undefined);
    if (device !== undefined && /^\/dev\/(?:pts\/\d+|ttyp?\w+)$/.test(device)) {
      await run('stty', ['-F', device, 'cols', String(size.columns), 'rows', String(size.rows)]);
      return;
    }
    await delay(TRY_INTERVAL_MS, undefined, { ref: false });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function help(path: string): Promise<string> {
  return run(path, ['--help']);
}

/** What a program prints; nothing when it cannot be run. */
function run(path: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}
