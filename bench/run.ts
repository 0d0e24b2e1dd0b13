// npm run bench: measures, prints tables, and keeps the numbers in bench/results. Each benchmark is a
// file of its own and says in its first lines what it measures and how.
//
//   npm run bench                          all of them; about half an hour
//   npm run bench -- lookup head           only these
//   npm run bench -- proxy --quick         a look in a minute; keeps no result
//   npm run bench -- proxy --row tiny      only this row; keeps no result

import { parseArgs } from 'node:util';
import type { Benchmark, Context } from './support/benchmark.ts';
import { formatTable, writeResult } from './support/report.ts';
import { Scratch } from './support/scratch.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  lookup: async () => (await import('./lookup.ts')).lookup,
  head: async () => (await import('./head.ts')).head,
  start: async () => (await import('./start.ts')).start,
  save: async () => (await import('./save.ts')).saving,
  api: async () => (await import('./api.ts')).api,
  change: async () => (await import('./change.ts')).change,
  gateway: async () => (await import('./gateway.ts')).gatewayApi,
  kernel: async () => (await import('./kernel.ts')).kernel,
  proxy: async () => (await import('./proxy.ts')).proxy,
};

const INTERRUPTED = 130;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runOne(name: string, options: Omit<Context, 'scratch'>): Promise<void> {
  const benchmark = await BENCHMARKS[name]!();
  print(`\n${name}: ${benchmark.about}`);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(benchmark.limitMs)]);
  const scratch = new Scratch(signal);
  try {
    const outcome = await benchmark.run({ ...options, signal, scratch });
    options.progress('');
    for (const table of outcome.tables) {
      print('');
      for (const line of formatTable(table)) print(line);
    }
    print('');
    for (const note of outcome.notes) print(`- ${note}`);
    const isWhole = !options.quick && options.rows.length === 0;
    if (isWhole) print(`kept in ${writeResult(name, `npm run bench -- ${name}`, outcome)}`);
    else print('only a part was measured: no result is kept');
  } catch (error) {
    // Whatever broke then, it broke because of that.
    throw signal.aborted ? signal.reason : error;
  } finally {
    await scratch.remove();
  }
}

/** Aborted by the first signal to end; the second one ends at once. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort(new Error('interrupted'));
    });
  }
  return controller.signal;
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, row: { type: 'string', multiple: true } },
  });
  const unknown = positionals.filter((name) => BENCHMARKS[name] === undefined);
  if (unknown.length > 0) {
    print(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
    return 2;
  }
  const signal = untilInterrupted();
  const isTerminal = process.stderr.isTTY;
  const options = {
    quick: values.quick ?? false,
    rows: values.row ?? [],
    signal,
    progress: (text: string): void => {
      if (isTerminal) process.stderr.write(`\r\u001B[K${text}`);
      else if (text !== '') process.stderr.write(`${text}\n`);
    },
  };
  let failed = 0;
  for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHMARKS)) {
    try {
      await runOne(name, options);
    } catch (error) {
      if (signal.aborted) return INTERRUPTED;
      failed++;
      print(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
