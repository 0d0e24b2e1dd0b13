// npm test: every *.test.ts, each file in a process of its own, and a short account at the end. Prints
// what failed and why, and what was skipped and why; nothing is skipped silently.
//
//   npm test                        everything
//   npm test -- src/store test/e2e  only what is below these paths

import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { run } from 'node:test';
import { inspect } from 'node:util';
import type { TestEvent } from 'node:test/reporters';

const root = new URL('..', import.meta.url).pathname;
const wanted = process.argv.slice(2);
const under = (file: string): boolean =>
  wanted.length === 0 || wanted.some((path) => file.startsWith(path.replace(/^\.\//, '')));

const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root }).filter(under);
if (files.length === 0) {
  process.stdout.write(`no test files below ${wanted.join(' ')}\n`);
  process.exit(1);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** A suite counts by its tests; one that is skipped has none, and a file that does not load is one failure. */
function isCounted(data: { details: { type?: string }; skip?: string | boolean }): boolean {
  return data.details.type !== 'suite' || data.skip !== undefined;
}

function report(event: TestEvent): void {
  if (event.type === 'test:pass' && isCounted(event.data)) {
    const { skip, name, file } = event.data;
    if (skip === undefined) counts.passed++;
    else {
      counts.skipped++;
      const where = file === undefined ? '' : ` (${relative(root, file)})`;
      print(`skipped: ${name}: ${skip === true ? 'no reason given' : skip}${where}`);
    }
  } else if (event.type === 'test:fail' && isCounted(event.data)) {
    counts.failed++;
    const { name, file = '', line, details } = event.data;
    print(`\nFAILED: ${name} (${relative(root, file)}:${line ?? 1})`);
    const { cause } = details.error as { cause?: unknown };
    print(
      cut(
        cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause ?? details.error),
      ),
    );
  } else if (event.type === 'test:stderr' && counts.failed > 0) {
    process.stderr.write(event.data.message);
  }
}

/** A counterexample may be a megabyte; its beginning and its end say enough. */
function cut(text: string): string {
  const charsMax = 4000;
  return text.length <= charsMax
    ? text
    : `${text.slice(0, charsMax / 2)}\n… ${text.length - charsMax} characters …\n${text.slice(-charsMax / 2)}`;
}

const started = performance.now();
const stream = run({
  files: files.map((file) => `${root}${file}`),
  concurrency: availableParallelism(),
  timeout: 180_000,
});
for await (const event of stream as unknown as AsyncIterable<TestEvent>) report(event);

const seconds = ((performance.now() - started) / 1000).toFixed(1);
print(
  `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${files.length} files, ${seconds} s`,
);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
