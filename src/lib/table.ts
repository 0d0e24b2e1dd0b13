// Columns of text as kubectl prints them: left-aligned, three blanks apart, headings in capitals.

import { printable } from './printable.ts';

const GAP = 3;

/** Lines of a table, heading first. An empty cell shows as `<none>`. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const all = [
    headings,
    ...rows.map((row) => row.map((cell) => (cell === '' ? '<none>' : printable(cell)))),
  ];
  const widths = headings.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd((widths[i] ?? 0) + GAP))
      .join('')
      .trimEnd(),
  );
}
