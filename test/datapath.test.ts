// Whoever opens a file of the data path reads first what it may cost: a budget and what it allocates, or
// that it is not hot; and the benchmark that is named exists.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '..');
const files = globSync('src/targets/proxy/datapath/**/*.ts', { cwd: root }).filter(
  (file) => !/\.test\.ts$|\/testing(?:\/|\.ts$)/.test(file),
);

/** The comment a file begins with. */
function opening(file: string): string {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith('//')),
    )
    .join('\n');
}

it('each file of the data path begins with its budget', () => {
  assert.ok(files.length > 50);
  const silent = files.filter((file) => !/Budget:|Not (?:as )?hot/i.test(opening(file)));
  assert.deepEqual(silent, []);
});

it('the benchmarks that files name exist', () => {
  const named = files.flatMap((file) => opening(file).match(/bench\/[\w./-]*\w/g) ?? []);
  assert.deepEqual(
    [...new Set(named)].filter((bench) => !existsSync(join(root, bench))),
    [],
  );
});
