// From a file being saved to the change being served, at 100 to 10,000 routes: one route of many gets
// another response field, the file it is in is saved as editors do it (written aside, then renamed), and
// the route is asked for every millisecond until it shows. A load of 1,000 requests a second on other
// routes runs all the while, and none of its requests may fail.

import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { FromLoad, ToLoad } from './save/load.ts';
import { Probe } from './save/probe.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';
import { ADDRESS, startFairway } from './support/fairway.ts';
import { gateway, hostOf, route, service, toFile } from './support/manifests.ts';
import { freePort } from './support/ports.ts';
import { median, percentile } from './support/stats.ts';

interface Row {
  readonly name: string;
  readonly routes: number;
  readonly routesPerFile: number;
}

const COUNTS = [100, 1_000, 10_000];
const ROWS: readonly Row[] = COUNTS.flatMap((routes) => [
  { name: `${routes}-files`, routes, routesPerFile: 100 },
  { name: `${routes}-one`, routes, routesPerFile: routes },
]).filter(({ name }) => name !== '100-one');

const CHANGES = 30;
const CHANGES_QUICK = 5;
const SERVED_MS_MAX = 60_000;
/** Between two changes: nobody saves faster. */
const PAUSE_MS = 150;

interface Measured extends Row {
  readonly changes: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** What Fairway itself says: from the moment it has the objects to the moment all workers do. */
  readonly ownMedianMs: number;
  readonly requests: number;
  readonly failed: number;
  readonly loadP99Ms: number;
}

/** The thread of save/load.ts. */
export class Load {
  readonly #worker = new Worker(new URL('./save/load.ts', import.meta.url));

  /** The port of the backend. */
  async backend(): Promise<number> {
    const message = await this.#next();
    if (message.kind !== 'backend') throw new Error('the load began without being asked');
    return message.port;
  }

  begin(port: number, hosts: readonly string[]): void {
    this.#tell({ kind: 'begin', address: ADDRESS, port, hosts });
  }

  async end(): Promise<Extract<FromLoad, { kind: 'ended' }>> {
    this.#tell({ kind: 'end' });
    const message = await this.#next();
    if (message.kind !== 'ended') throw new Error('the load said something else');
    return message;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(message: ToLoad): void {
    this.#worker.postMessage(message);
  }

  #next(): Promise<FromLoad> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', resolve);
      this.#worker.once('error', reject);
    });
  }
}

/** Saves a file as editors do: nobody ever sees half of it. */
function save(context: Context, name: string, text: string): number {
  // Outside of the folder that is watched, on the same file system.
  const aside = context.scratch.write(join('aside', name), text);
  renameSync(aside, context.scratch.file(name));
  return performance.now();
}

function fileOf(folder: string, { routesPerFile }: Row, index: number): string {
  return join(folder, `routes-${Math.floor(index / routesPerFile)}.yaml`);
}

/** The file that holds route `index`, which carries a version; all other routes are as ever. */
function fileText({ routesPerFile }: Row, index: number, version: number): string {
  const first = index - (index % routesPerFile);
  return toFile(
    Array.from({ length: routesPerFile }, (_, i) =>
      first + i === index ? route(index, version) : route(first + i),
    ),
  );
}

function writeFolder(context: Context, row: Row, port: number, backend: number): string {
  const folder = `save-${row.name}`;
  const { scratch } = context;
  scratch.write(join(folder, 'gateway.yaml'), gateway({ httpPort: port }));
  scratch.write(join(folder, 'service.yaml'), service(`127.0.0.1:${backend}`));
  for (let first = 0; first < row.routes; first += row.routesPerFile) {
    scratch.write(fileOf(folder, row, first), fileText(row, first, 0));
  }
  return folder;
}

async function measureRow(context: Context, row: Row): Promise<Measured> {
  const { scratch, signal } = context;
  const load = new Load();
  const port = await freePort();
  // A route in the middle of a file in the middle.
  const index = Math.floor(row.routes / 2) + Math.floor(row.routesPerFile / 2) - 1;
  const probe = new Probe({ address: ADDRESS, port, host: hostOf(index) });
  try {
    const folder = writeFolder(context, row, port, await load.backend());
    context.progress(`${row.routes} routes, ${row.routesPerFile} in a file: starting`);
    const fairway = await startFairway(context, dirname(scratch.file(join(folder, '_'))), {
      args: ['--workers', '1'],
    });
    const others = Array.from({ length: row.routes }, (_, i) => i).filter((i) => i !== index);
    load.begin(port, others.map(hostOf));
    const times: number[] = [];
    const changes = context.quick ? CHANGES_QUICK : CHANGES;
    // The first change warms up, and is not counted.
    for (let version = 1; version <= changes + 1; version++) {
      context.progress(`${row.routes} routes, ${row.routesPerFile} in a file: change ${version}`);
      await delay(PAUSE_MS, undefined, { signal });
      const savedAtMs = save(context, fileOf(folder, row, index), fileText(row, index, version));
      const limit = AbortSignal.any([signal, AbortSignal.timeout(SERVED_MS_MAX)]);
      times.push((await probe.untilVersion(version, limit)) - savedAtMs);
    }
    const ended = await load.end();
    await fairway.stop();
    return { ...row, ...figures(times.slice(1), fairway.stdout(), ended, probe) };
  } finally {
    probe.close();
    await load.stop();
  }
}

function figures(
  times: readonly number[],
  stdout: string,
  ended: Extract<FromLoad, { kind: 'ended' }>,
  probe: Probe,
): Omit<Measured, keyof Row> {
  const own = Array.from(stdout.matchAll(/in force after (\d+) ms/g), ([, ms]) => Number(ms));
  return {
    changes: times.length,
    medianMs: median(times),
    p99Ms: percentile(times, 0.99),
    maxMs: Math.max(...times),
    ownMedianMs: median(own.slice(1)),
    requests: ended.requests + probe.requests,
    failed: ended.failed + probe.failed,
    loadP99Ms: ended.p99Ms,
  };
}

async function run(context: Context): Promise<Outcome> {
  const measured: Measured[] = [];
  for (const row of ROWS.filter(({ name }) => isWanted(context, name))) {
    measured.push(await measureRow(context, row));
  }
  return {
    tables: [
      {
        title: 'ms from the save to the first answer with the change',
        columns: [
          'routes',
          'in a file',
          'changes',
          'median',
          'p99',
          'of it Fairway says',
          'requests',
          'failed',
          'their p99 ms',
        ],
        rows: measured.map((m) => [
          m.routes.toLocaleString('en'),
          m.routesPerFile.toLocaleString('en'),
          String(m.changes),
          m.medianMs.toFixed(1),
          m.p99Ms.toFixed(1),
          m.ownMedianMs.toFixed(0),
          String(m.requests),
          String(m.failed),
          m.loadP99Ms.toFixed(1),
        ]),
      },
    ],
    notes: [
      'the rest of the time is noticing the change, reading the file and finding what changed in it',
      'load: 16 clients, 1,000 requests a second on the other routes, through one worker',
    ],
    values: measured,
  };
}

export const saving: Benchmark = {
  about: 'from a file being saved to the change being served',
  limitMs: 600_000,
  run,
};
