// Runs a command of the system with a text to read, and gives what it says.

import { spawn } from 'node:child_process';

/** Runs a command with a text to read; gives what it says, and null for `problem` when it went well. */
export type CommandRunner = (
  command: readonly string[],
  input: string,
) => Promise<{ readonly output: string; readonly problem: string | null }>;

/** Of what a command complains about, no more than this is kept. */
const COMPLAINT_CHARS_MAX = 2000;

/** Runs a command of the system. A command that cannot be started is a problem like others. */
export function runCommand(
  [program = '', ...args]: readonly string[],
  input: string,
): Promise<{ output: string; problem: string | null }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
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
