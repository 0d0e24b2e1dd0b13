// Runs a command of the system with a text to read, and gives what it says.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { FairwayError } from './errors.ts';

/** Runs a command with a text to read; gives what it says, and null for `problem` when it went well. */
export type CommandRunner = (
  command: readonly string[],
  input: string,
) => Promise<{ readonly output: string; readonly problem: string | null }>;

/** Of what a command complains about, no more than this is kept. */
const COMPLAINT_CHARS_MAX = 2000;

/** The longest that a command of the system is waited for: the largest rulesets take seconds. */
export const COMMAND_MS_MAX = 120_000;

/** Kills a command that has not ended after a while, and tells; who waits for it must not wait for ever. */
export function killAfter(
  child: ChildProcess,
  { name, limitMs }: { readonly name: string; readonly limitMs: number },
  tell: (error: FairwayError) => void,
): void {
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    // Somebody it has started may hold them open.
    for (const stream of child.stdio) stream?.destroy();
    const message = `${name} was killed: it has not ended within ${limitMs / 1000} s`;
    const hint = 'it is tried again; look who holds its lock, or the machine up';
    tell(new FairwayError('FW_COMMAND_HANGS', message, { hint }));
  }, limitMs);
  child.once('close', () => clearTimeout(timer));
  child.once('error', () => clearTimeout(timer));
}

/**
 * Runs a command of the system. A command that cannot be started is a problem like others; rejects with
 * FW_COMMAND_HANGS when it does not end in time.
 */
export function runCommand(
  [program = '', ...args]: readonly string[],
  input: string,
  limitMs = COMMAND_MS_MAX,
): Promise<{ output: string; problem: string | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    killAfter(child, { name: program, limitMs }, reject);
    const output: string[] = [];
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < COMPLAINT_CHARS_MAX) said += text;
    });
    child.once('error', (error) => resolve({ output: '', problem: error.message }));
    child.once('close', (code, signal) => {
      const end = signal === null ? `status ${code}` : `ended by ${signal}`;
      const problem = code === 0 ? null : said.trim() || `${program}: ${end}`;
      resolve({ output: output.join(''), problem });
    });
    // It may end before it has read everything; its status says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
