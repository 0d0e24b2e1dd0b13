// Writing to the terminal: plain text where there is none or colour is not wanted (NO_COLOR).

import { styleText } from 'node:util';

/** One line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

type Style = Parameters<typeof styleText>[0];

/** The text in a style, if the terminal of standard output shows any. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
