// From the start of the process to the first page through a Gateway: the bookshop as it is, whose pods
// are Node.js programs of their own that have to start as well, and with the built-in echo in their
// place, which is Fairway alone. With code compiled before (every start but the first) and without.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { portOwner } from '../src/lib/port-owner.ts';
import { makeEchoFolder } from './start/echo-folder.ts';
import { untilServed } from './start/poll.ts';
import type { Place } from './start/poll.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';
import { FAIRWAY, fairwayEnvironment } from './support/fairway.ts';
import { untilQuiet } from './support/quiet.ts';
import { formatSpread } from './support/report.ts';
import { spreadOf } from './support/stats.ts';
import type { Spread } from './support/stats.ts';

const BOOKSHOP = join(import.meta.dirname, '..', 'examples', 'bookshop');
const HOST = 'bookshop.localhost';
const SERVED_MS_MAX = 60_000;
/** The shell that watches over pods; it is no pod. */
const REAPER = '/bin/sh';

/** What is timed, about in the order it happens: each from the start of the process. */
const PHASES = ['node', 'modules', 'worker', 'accepted', 'pod', 'served'] as const;
type Phase = (typeof PHASES)[number];
type Times = Partial<Record<Phase, number>>;

const PHASE_TITLES: Readonly<Record<Phase, string>> = {
  node: 'Node.js is up',
  modules: 'modules loaded',
  worker: 'worker starts',
  pod: 'first pod starts',
  accepted: 'port open',
  served: 'first 200',
};

interface Row {
  readonly name: string;
  readonly title: string;
  readonly folder: 'bookshop' | 'echo';
  readonly cache: 'cold' | 'warm';
}

const ROWS: readonly Row[] = [
  { name: 'bookshop', title: 'bookshop', folder: 'bookshop', cache: 'warm' },
  { name: 'bookshop-cold', title: 'bookshop, never compiled', folder: 'bookshop', cache: 'cold' },
  { name: 'echo', title: 'echo pods', folder: 'echo', cache: 'warm' },
  { name: 'echo-cold', title: 'echo pods, never compiled', folder: 'echo', cache: 'cold' },
];

interface Start {
  readonly context: Context;
  readonly row: Row;
  readonly folder: string;
  readonly place: Place;
}

/** One start, timed from outside and, when `phases` is given, by the hook of start/phases.ts. */
async function timeStart(
  { context, row, folder, place }: Start,
  phases: string | undefined,
): Promise<Times> {
  const { scratch, signal } = context;
  const cache = scratch.file('compile-cache');
  if (row.cache === 'cold') rmSync(cache, { recursive: true, force: true });
  const startedAtMs = performance.now();
  const running = scratch.start([FAIRWAY, 'up', folder, '--no-watch'], {
    env: {
      ...fairwayEnvironment(context),
      NODE_COMPILE_CACHE: cache,
      ...(phases === undefined ? {} : hookEnvironment(phases)),
    },
  });
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(SERVED_MS_MAX)]);
    const { acceptedAtMs, servedAtMs } = await untilServed(place, limit);
    const owner = await portOwner(place.address, place.port);
    if (owner?.pid !== running.pid) throw new Error(`another process has ${place.address}`);
    const accepted = acceptedAtMs - startedAtMs;
    const served = servedAtMs - startedAtMs;
    if (phases === undefined) return { accepted, served };
    return { ...readPhases(phases, performance.timeOrigin + startedAtMs, row), accepted, served };
  } finally {
    await running.stop();
  }
}

function hookEnvironment(phases: string): NodeJS.ProcessEnv {
  const hook = new URL('./start/phases.ts', import.meta.url).href;
  return {
    NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${hook}`,
    FAIRWAY_BENCH_PHASES: phases,
  };
}

/** What the hook has noted, told by what each phase begins or ends with. */
function readPhases(path: string, startedAtMs: number, row: Row): Times {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const events = lines.map((line) => {
    const [name = '', atMs = '', what = ''] = line.split(' ');
    return { name, atMs: Number(atMs) - startedAtMs, what };
  });
  const timesOf = (wanted: string): readonly number[] =>
    events.filter(({ name, what }) => name === wanted && what !== REAPER).map((e) => e.atMs);
  // The threads of the data path are made first, the one that has the echo pods last.
  const pod = row.folder === 'echo' ? timesOf('thread').at(-1) : timesOf('process')[0];
  // The lock on its addresses is the first thing an instance takes.
  const [node, modules, worker] = [timesOf('node')[0], timesOf('listen')[0], timesOf('thread')[0]];
  const times = { node, modules, worker, pod };
  return Object.fromEntries(Object.entries(times).filter(([, atMs]) => atMs !== undefined));
}

/** Where the Gateway will be: asked of a start that is not timed, and fills the compile cache. */
async function findPlace(context: Context, folder: string): Promise<Place> {
  const { scratch, signal } = context;
  const running = scratch.start([FAIRWAY, 'up', folder, '--no-watch', '-o', 'json'], {
    env: {
      ...fairwayEnvironment(context),
      NODE_COMPILE_CACHE: scratch.file('compile-cache'),
    },
  });
  try {
    const deadline = performance.now() + SERVED_MS_MAX;
    while (!running.stdout().includes('\n')) {
      if (performance.now() > deadline) throw new Error(`not ready: ${running.stderr()}`);
      await delay(20, undefined, { signal });
    }
    const url = /"url":"(http:[^"]+)"/.exec(running.stdout())?.[1];
    if (url === undefined) throw new Error(`no Gateway is served: ${running.stderr()}`);
    const { hostname, port } = new URL(url);
    return { address: hostname, port: Number(port === '' ? 80 : port), host: HOST };
  } finally {
    await running.stop();
  }
}

interface Measured {
  readonly name: string;
  readonly title: string;
  readonly starts: number;
  /** Without the hook. */
  readonly served: Spread;
  /** With the hook, which itself takes some milliseconds. */
  readonly phases: Partial<Record<Phase, Spread>>;
}

async function measureRow(context: Context, row: Row, folder: string): Promise<Measured> {
  const place = await findPlace(context, folder);
  const starts = context.quick ? 3 : 9;
  const begin: Start = { context, row, folder, place };
  const plain: Times[] = [];
  const hooked: Times[] = [];
  for (let i = 0; i < starts; i++) {
    context.progress(`${row.title}: start ${i + 1} of ${starts}`);
    await untilQuiet(context.signal);
    plain.push(await timeStart(begin, undefined));
    hooked.push(await timeStart(begin, context.scratch.write('phases', '')));
  }
  const phases = Object.fromEntries(
    PHASES.map((phase) => [phase, hooked.flatMap((times) => times[phase] ?? [])] as const)
      .filter(([, times]) => times.length > 0)
      .map(([phase, times]) => [phase, spreadOf(times)]),
  );
  const served = spreadOf(plain.map((times) => times.served!));
  return { name: row.name, title: row.title, starts, served, phases };
}

async function run(context: Context): Promise<Outcome> {
  const folders = { bookshop: BOOKSHOP, echo: makeEchoFolder(context.scratch, BOOKSHOP) };
  const measured: Measured[] = [];
  for (const row of ROWS.filter((r) => isWanted(context, r.name))) {
    measured.push(await measureRow(context, row, folders[row.folder]));
  }
  return {
    tables: [
      {
        title: 'ms since the process was started: median (lowest-highest)',
        columns: ['', 'FIRST 200', '|', ...PHASES.map((phase) => PHASE_TITLES[phase])],
        rows: measured.map(({ title, served, phases }) => [
          title,
          formatSpread(served, 0),
          '|',
          ...PHASES.map((phase) => (phases[phase] ? formatSpread(phases[phase], 0) : '-')),
        ]),
      },
    ],
    notes: [
      `${measured[0]?.starts ?? 0} starts each; the page is asked for every 2 ms`,
      'right of the bar: other starts, with a hook that takes some milliseconds itself',
      'the first pod of the bookshop is a process, that of the echo folder a thread',
    ],
    values: measured,
  };
}

export const start: Benchmark = {
  about: 'from the start of the process to the first 200 through a Gateway',
  limitMs: 600_000,
  run,
};
