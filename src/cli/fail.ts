// How a command ends that cannot do what it was asked: one line on what, one on what to do.

import { FairwayError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';

/** Exit code of input that cannot be used at all. */
export const UNUSABLE = 2;

/** Prints an error and gives the exit code. */
export function fail(error: unknown): number {
  if (error instanceof FairwayError) {
    process.stderr.write(`fairway: ${lines(error.message)} (${error.code})\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${lines(error.hint)}\n`);
    return UNUSABLE;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`fairway: this is a bug: ${detail}\n`);
  return 70;
}

/** Some messages have several lines, as what a parser says. */
function lines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
