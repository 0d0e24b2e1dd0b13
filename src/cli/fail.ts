// How a command ends that cannot do what it was asked: one line on what, one on what to do.

import { FairwayError } from '../lib/errors.ts';

/** Exit code of input that cannot be used at all. */
export const UNUSABLE = 2;

/** Prints an error and gives the exit code. */
export function fail(error: unknown): number {
  if (error instanceof FairwayError) {
    process.stderr.write(`fairway: ${error.message} (${error.code})\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
    return UNUSABLE;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`fairway: this is a bug: ${detail}\n`);
  return 70;
}
