// What finding the route of a request costs, by the very functions dispatch.ts calls and in their
// order, at 100 to 10,000 routes. The point is not the number but that it does not grow. Measured twice:
// with requests for all the routes at random, which also shows the processor's caches overflow, and with
// requests for 100 of the routes, which shows the lookup alone.

import { normalizeHost } from '../src/lib/hostname.ts';
import { splitTarget } from '../src/lib/http-path.ts';
import { HostIndex } from '../src/targets/proxy/datapath/hosts.ts';
import { RouteTable } from '../src/targets/proxy/datapath/router.ts';
import type { TableRule } from '../src/targets/proxy/datapath/router.ts';
import type { PathGroup, TableProgram } from '../src/targets/proxy/program.ts';
import { nanosecondsOfRounds } from './support/measure.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';
import { formatSpread } from './support/report.ts';
import { spreadOf } from './support/stats.ts';
import type { Spread } from './support/stats.ts';

const COUNTS = [100, 1_000, 10_000];
/** Different requests, asked in turn, so that no route of those asked for is likelier than another. */
const REQUESTS = 4_096;
/** How many routes requests are for when not all of them are. */
const FEW = 100;
/** Rules that share one path are asked in order of precedence, so their number does count. */
const LISTED = [1, 10, 100];
const FIELDS = ['user-agent', 'bench', 'accept', '*/*', 'x-tenant', 'b', 'accept-encoding', 'gzip'];

/** The routes of one row: tables by host, and a request for each. */
interface Routes {
  readonly hosts: ReadonlyMap<string, TableProgram>;
  readonly ask: (route: number) => { readonly host: string; readonly target: string };
}

interface Row {
  readonly name: string;
  readonly title: string;
  readonly make: (count: number) => Routes;
  /** Counts it is measured at, where not all make sense. */
  readonly counts?: readonly number[];
}

function rule(id: string, tenant = ''): PathGroup['rules'][number] {
  return {
    method: null,
    pattern: null,
    headers: tenant === '' ? [] : [{ name: 'x-tenant', value: tenant }],
    queryParams: [],
    cookies: [],
    action: {
      id,
      filters: [],
      result: { kind: 'respond', statusCode: 200, reason: id },
      timeouts: null,
      retry: null,
      session: null,
      groupsOf: null,
      guard: null,
      hashBy: null,
      errorPages: null,
    },
  };
}

function pathOf(route: number): string {
  return `/shops/${route % 97}/shelf-${route}`;
}

const byHost: Row = {
  name: 'hosts',
  title: 'a host each, one prefix',
  make: (count) => ({
    hosts: new Map(
      Array.from({ length: count }, (_, i) => [
        `shop-${i}.example.com`,
        { exact: [], regex: [], prefix: [{ path: '/app', rules: [rule(`r${i}`)] }] },
      ]),
    ),
    ask: (route) => ({ host: `shop-${route}.example.com`, target: '/app/cart?item=1' }),
  }),
};

const byWildcard: Row = {
  name: 'wildcards',
  title: 'a wildcard host each, one prefix',
  make: (count) => ({
    hosts: new Map(
      Array.from({ length: count }, (_, i) => [
        `*.shop-${i}.example.com`,
        { exact: [], regex: [], prefix: [{ path: '/app', rules: [rule(`r${i}`)] }] },
      ]),
    ),
    ask: (route) => ({ host: `www.shop-${route}.example.com`, target: '/app/cart?item=1' }),
  }),
};

function oneHost(makeTable: (paths: readonly PathGroup[]) => TableProgram, suffix: string) {
  return (count: number): Routes => {
    const groups = Array.from({ length: count }, (_, i) => ({
      path: pathOf(i),
      rules: [rule(`r${i}`)],
    }));
    return {
      hosts: new Map([['shop.example.com', makeTable(groups)]]),
      ask: (route) => ({ host: 'shop.example.com', target: pathOf(route) + suffix }),
    };
  };
}

const ROWS: readonly Row[] = [
  byHost,
  byWildcard,
  {
    name: 'exact',
    title: 'one host, exact paths',
    make: oneHost((paths) => ({ exact: paths, regex: [], prefix: [] }), '?page=2'),
  },
  {
    name: 'prefix',
    title: 'one host, prefixes, path two segments deeper',
    make: oneHost((paths) => ({ exact: [], regex: [], prefix: paths }), '/books/12?page=2'),
  },
  {
    name: 'header',
    title: 'one host, prefixes, second of two header rules',
    make: (count) => {
      const prefix = Array.from({ length: count }, (_, i) => ({
        path: pathOf(i),
        rules: [rule(`a${i}`, 'a'), rule(`b${i}`, 'b')],
      }));
      return {
        hosts: new Map([['shop.example.com', { exact: [], regex: [], prefix }]]),
        ask: (route) => ({ host: 'shop.example.com', target: pathOf(route) }),
      };
    },
  },
  {
    name: 'missing',
    title: 'one host, prefixes, no route takes it',
    make: (count) => ({
      ...oneHost((paths) => ({ exact: [], regex: [], prefix: paths }), '')(count),
      ask: (route) => ({ host: 'shop.example.com', target: `/nothing/${route}/here` }),
    }),
  },
  {
    name: 'tenants',
    title: 'one path, a header rule each, the last one matches',
    counts: LISTED,
    make: (count) => {
      const rules = Array.from({ length: count - 1 }, (_, i) => rule(`t${i}`, `tenant-${i}`));
      const prefix = [{ path: '/app', rules: [...rules, rule('last', 'b')] }];
      return {
        hosts: new Map([['shop.example.com', { exact: [], regex: [], prefix }]]),
        ask: () => ({ host: 'shop.example.com', target: '/app' }),
      };
    },
  },
];

type Tables = HostIndex<RouteTable<string>>;

function indexOf({ hosts }: Routes): Tables {
  const index: Tables = new HostIndex();
  for (const [hostname, program] of hosts) {
    const table = new RouteTable(program, (action) => action.id);
    index.set(hostname, table);
  }
  return index;
}

/**
 * One request from its head to its rule. Host and target are cut from the head here as the parser does
 * it: strings that are already known would have their hashes already, and the lookup would be half.
 */
function find(tables: Tables, head: string, space: number, colon: number) {
  const target = splitTarget(head.slice(4, space));
  if (target === null) throw new Error('the target was refused');
  const host = normalizeHost(head.slice(colon));
  const request = { method: 'GET', path: target.path, query: target.query, fields: FIELDS };
  return tables.findEach(host, (table): TableRule<string> | null => table.lookup(request));
}

/** Nanoseconds of a lookup in each round; `asked` is how many of the routes requests are for. */
function measure(row: Row, count: number, asked: number): readonly number[] {
  const routes = row.make(count);
  const tables = indexOf(routes);
  const apart = Math.floor(count / asked);
  const heads = Array.from({ length: REQUESTS }, (_, i) => {
    // A prime stride visits all that are asked for before any twice, and never neighbours together.
    const { host, target } = routes.ask(((i * 7_919) % asked) * apart);
    const head = Buffer.from(`GET ${target} HTTP/1.1\r\nhost: ${host}`).toString('latin1');
    return { head, space: 4 + target.length, colon: head.length - host.length };
  });
  const expected = row.name === 'missing' ? 0 : REQUESTS;
  return nanosecondsOfRounds(REQUESTS, () => {
    let found = 0;
    for (const { head, space, colon } of heads) {
      if (find(tables, head, space, colon) !== null) found++;
    }
    if (found !== expected) throw new Error(`${found} of ${REQUESTS} found a rule`);
  });
}

interface Measured {
  readonly name: string;
  readonly title: string;
  readonly asked: 'all' | 'few';
  readonly results: readonly { readonly routes: number; readonly nanoseconds: Spread }[];
  /** The largest count to the smallest. */
  readonly growth: number;
}

function measureRow(context: Context, row: Row, asked: Measured['asked']): Measured {
  const { name, title, counts = COUNTS } = row;
  const results = counts.map((routes) => {
    context.signal.throwIfAborted();
    context.progress(`${title}: ${routes} routes, ${asked} of them asked for`);
    const times = measure(row, routes, asked === 'all' ? routes : Math.min(FEW, routes));
    return { routes, nanoseconds: spreadOf(times) };
  });
  const growth = results.at(-1)!.nanoseconds.median / results[0]!.nanoseconds.median;
  return { name, title, asked, results, growth };
}

function run(context: Context): Promise<Outcome> {
  const wanted = ROWS.filter((row) => isWanted(context, row.name));
  const flat = wanted.filter((row) => row.counts === undefined);
  const growing = wanted.filter((row) => row.counts !== undefined);
  const few = flat.map((row) => measureRow(context, row, 'few'));
  const all = flat.map((row) => measureRow(context, row, 'all'));
  const listed = growing.map((row) => measureRow(context, row, 'all'));
  return Promise.resolve({
    tables: [
      tableOf(`ns per lookup, ${FEW} of the routes asked for: median (min-max)`, COUNTS, few),
      tableOf('ns per lookup, all routes asked for at random', COUNTS, all),
      tableOf('ns per lookup where precedence asks for one rule after the other', LISTED, listed),
    ].filter((table) => table.rows.length > 0),
    notes: [
      'each lookup: cut target and host from the head, normalize both, find host and rule',
      'ratio: the largest count to the smallest; both tables have the same routes',
    ],
    values: [...few, ...all, ...listed],
  });
}

function tableOf(
  title: string,
  counts: readonly number[],
  measured: readonly Measured[],
): Outcome['tables'][number] {
  return {
    title,
    columns: ['routes', ...counts.map((count) => count.toLocaleString('en')), 'ratio'],
    rows: measured.map((row) => [
      row.title,
      ...row.results.map(({ nanoseconds }) => formatSpread(nanoseconds, 0)),
      row.growth.toFixed(2),
    ]),
  };
}

export const lookup: Benchmark = {
  about: 'nanoseconds to find the route of a request',
  limitMs: 300_000,
  run,
};
