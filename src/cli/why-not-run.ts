// Why a program could not be started, and what to do about it: the system's words are about the program,
// the interpreter of a script or its permissions, without saying which.

import { statSync } from 'node:fs';

export interface NotRun {
  readonly reason: string;
  readonly hint: string;
}

export function whyNotRun(program: string, error: NodeJS.ErrnoException): NotRun {
  const stats = program.includes('/') ? statSync(program, { throwIfNoEntry: false }) : undefined;
  switch (error.code) {
    case 'ENOENT':
      if (stats !== undefined) {
        const hint =
          'its first line (#!) names a program that is not there: install it, or correct it';
        return { reason: 'its interpreter does not exist', hint };
      }
      return {
        reason: 'no such command',
        hint: program.includes('/')
          ? 'the path is relative to the folder fairway was started in'
          : 'install it, or give its path, as ./run-tests',
      };
    case 'EACCES':
      return stats?.isDirectory() === true
        ? { reason: 'it is a folder', hint: 'give the program in it' }
        : { reason: 'it is not executable', hint: `make it so: chmod +x ${program}` };
    case 'ENOEXEC':
      return {
        reason: 'it is neither a program nor a script',
        hint: 'let its first line say what runs it, as #!/bin/sh',
      };
    default:
      return {
        reason: error.message,
        hint: 'run it without fairway to see whether it works there',
      };
  }
}
