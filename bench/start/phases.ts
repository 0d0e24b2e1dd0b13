// Loaded into Fairway before its own first line (node --import) to note when things happen, by what
// Node.js itself tells: nothing of it is in the product. Appends a line `name milliseconds` for each to
// the file FAIRWAY_BENCH_PHASES names. Pods of the same environment have it loaded as well, and it keeps
// silent there; so it does in worker threads.

import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['FAIRWAY_BENCH_PHASES'];
const isFairway = process.argv[1]?.endsWith('/src/cli/main.ts') === true;

function note(name: string, atMs = performance.now()): void {
  appendFileSync(file!, `${name} ${performance.timeOrigin + atMs}\n`);
}

/** Notes the first time only. */
function noteFirst(channel: string, name: string): void {
  let isFirst = true;
  subscribe(channel, () => {
    if (isFirst) note(name);
    isFirst = false;
  });
}

if (file !== undefined && isFairway && isMainThread) {
  note('node', performance.nodeTiming.bootstrapComplete);
  // The lock on its addresses is the first thing an instance takes.
  noteFirst('tracing:net.server.listen:asyncStart', 'modules');
  noteFirst('worker_threads', 'worker');
  noteFirst('child_process', 'pod');
}
