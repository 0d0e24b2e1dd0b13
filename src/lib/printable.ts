// Text of others → text that a terminal shows and does not obey: manifests and programs may hold escape
// sequences, and characters that make a line read in another order than it is written.

/** Control characters, line breaks of Unicode, and those that turn the direction of writing. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The text with such characters written as JSON writes them: `\u001b[31m`, `\n`. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (char) => {
    const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
    return known ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
