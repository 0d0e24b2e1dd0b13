// How a command ends that cannot do what it was asked: one line on what, one on what to do.

import { pathsFrom } from '../config/paths.ts';
import { FairwayError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';

/** Exit code of input that cannot be used at all. */
export const UNUSABLE = 2;

/** Exit code of a fault of the program itself. */
const BUG = 70;

/** Prints an error and gives the exit code. */
export function fail(thrown: unknown): number {
  const error = unwritableHome(thrown) ?? thrown;
  if (error instanceof FairwayError) {
    process.stderr.write(`fairway: ${lines(error.message)} (${error.code})\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${lines(error.hint)}\n`);
    return UNUSABLE;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`fairway: this is a bug: ${detail}\n`);
  return BUG;
}

/** What the system says of a folder of ours that it does not let us write, as an error of the world. */
function unwritableHome(error: unknown): FairwayError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', path = '', message } = error as NodeJS.ErrnoException;
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR'].includes(code)) return undefined;
  const { data, state } = pathsFrom(process.env);
  if (![data, state].some((folder) => path === folder || path.startsWith(`${folder}/`))) {
    return undefined;
  }
  return new FairwayError('FW_HOME_UNWRITABLE', `cannot write to ${path}: ${message}`, {
    cause: error,
    hint: 'set FAIRWAY_HOME, or XDG_STATE_HOME and XDG_DATA_HOME, to folders that can be written',
  });
}

/** Some messages have several lines, as what a parser says. */
function lines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
