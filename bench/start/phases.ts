// Loaded into Fairway before its own first line (node --import) to note when things happen, by what
// Node.js itself tells: nothing of it is in the product. Appends a line `name milliseconds what` for each
// to the file FAIRWAY_BENCH_PHASES names. Pods and worker threads have it loaded as well, and it keeps
// silent there.

import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['FAIRWAY_BENCH_PHASES'];
const isFairway = process.argv[1]?.endsWith('/src/cli/main.ts') === true;

function note(name: string, atMs: number, what = ''): void {
  appendFileSync(file!, `${name} ${performance.timeOrigin + atMs} ${what}\n`);
}

if (file !== undefined && isFairway && isMainThread) {
  note('node', performance.nodeTiming.bootstrapComplete);
  subscribe('tracing:net.server.listen:asyncStart', () => note('listen', performance.now()));
  subscribe('worker_threads', () => note('thread', performance.now()));
  subscribe('child_process', (message) => {
    const atMs = performance.now();
    // What is started is not yet known when this is told.
    const { process: child } = message as { process: ChildProcess };
    setImmediate(() => note('process', atMs, child.spawnfile));
  });
}
