// Writing to the terminal: plain text where there is none or colour is not wanted (NO_COLOR).

import { styleText } from 'node:util';

/**
 * Whoever reads what we print may stop reading (`… | head -1`): that is no error, and a server serves on.
 */
export function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** One line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

type Style = Parameters<typeof styleText>[0];

/** The text in a style, if the terminal of standard output shows any. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
