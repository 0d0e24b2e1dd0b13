// What the data path has counted, for Prometheus: read from the workers' shared memory when somebody
// asks, so that between two looks it costs nothing. On loopback, and for names of loopback only: a page
// in a browser must not read it through a name of its own.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { FairwayError } from '../lib/errors.ts';
import { COUNTERS, DURATION_BUCKETS, GAUGES, H2_COUNTERS } from '../targets/proxy/observation.ts';
import type { TallyRead } from '../targets/proxy/observation.ts';

/** What is asked for numbers. */
export interface Measured {
  /** Of each worker. */
  tallies(): readonly TallyRead[];
  readonly restarts: number;
  /** Of the last change of programs, the longest time a worker served nothing. */
  readonly swapMs: number;
  readonly generation: number;
}

const ADDRESS = '127.0.0.1';
const LOCAL_HOST = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;

export interface MetricsServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves `/metrics` on a port of loopback; 0 takes any that is free. */
export async function startMetrics(port: number, measured: Measured): Promise<MetricsServer> {
  const registry = metricsOf(measured);
  const server = createServer((incoming, response) => void answer(incoming, response, registry));
  await listen(server, port);
  const { port: taken } = server.address() as { port: number };
  return {
    url: `http://${ADDRESS}:${taken}/metrics`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * One series for each name, whatever the number of routes, backends and workers: some hundred in all.
 */
export function metricsOf(measured: Measured): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'fairway_' });
  for (const [name, help] of Object.entries(COUNTERS)) {
    total(registry, `fairway_${snake(name)}_total`, help, () =>
      sum(measured, ({ counters }) => counters[name as keyof typeof COUNTERS]),
    );
  }
  for (const [name, help] of Object.entries(GAUGES)) {
    level(registry, `fairway_${snake(name)}`, help, () =>
      sum(measured, ({ counters }) => counters[name as keyof typeof GAUGES]),
    );
  }
  for (const [name, help] of Object.entries(H2_COUNTERS)) {
    total(registry, `fairway_http2_${snake(name)}_total`, `HTTP/2: ${help}`, () =>
      sum(measured, ({ h2 }) => h2[name as keyof typeof H2_COUNTERS]),
    );
  }
  const statuses = ['1xx', '2xx', '3xx', '4xx', '5xx'];
  total(registry, 'fairway_responses_total', 'Answers by the kind of their status', () =>
    statuses.map((status, i) => ({
      labels: { status },
      value: sum(measured, (tally) => tally.statuses[i]!),
    })),
  );
  durations(registry, measured);
  level(registry, 'fairway_workers', 'Threads of the data path', () => measured.tallies().length);
  total(
    registry,
    'fairway_worker_restarts_total',
    'Threads replaced after a crash',
    () => measured.restarts,
  );
  level(registry, 'fairway_program_generation', 'Programs put in force', () => measured.generation);
  level(
    registry,
    'fairway_program_swap_seconds',
    'The longest a worker served nothing while it took the last program',
    () => measured.swapMs / 1000,
  );
  return registry;
}

type Values =
  | number
  | readonly { readonly labels: Record<string, string>; readonly value: number }[];

function total(registry: Registry, name: string, help: string, read: () => Values): void {
  custom(registry, { name, help, type: 'counter', read });
}

function level(registry: Registry, name: string, help: string, read: () => number): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    }),
  );
}

interface Custom {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'histogram';
  readonly read: () => Values;
}

/** prom-client counts itself; here the numbers are there already, so a metric only has to give them. */
function custom(registry: Registry, { name, help, type, read }: Custom): void {
  const get = () => {
    const read_ = read();
    const values = typeof read_ === 'number' ? [{ labels: {}, value: read_ }] : read_;
    return Promise.resolve({ name, help, type, values, aggregator: 'sum' });
  };
  registry.registerMetric({ name, get, reset: () => undefined } as never);
}

function durations(registry: Registry, measured: Measured): void {
  const name = 'fairway_request_duration_seconds';
  custom(registry, {
    name,
    help: 'From the head of a request to the end of its answer',
    type: 'histogram',
    read: () => {
      const tallies = measured.tallies();
      let count = 0;
      const buckets = [...DURATION_BUCKETS, Infinity].map((end, i) => {
        count += tallies.reduce((n, { buckets: own }) => n + own[i]!, 0);
        const le = end === Infinity ? '+Inf' : String(end);
        return { metricName: `${name}_bucket`, labels: { le }, value: count };
      });
      const seconds = tallies.reduce((n, tally) => n + tally.seconds, 0);
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: {}, value: seconds },
        { metricName: `${name}_count`, labels: {}, value: count },
      ];
    },
  });
}

function sum(measured: Measured, read: (tally: TallyRead) => number): number {
  return measured.tallies().reduce((total_, tally) => total_ + read(tally), 0);
}

/** `connectionsOpen` → `connections_open` */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}

async function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  registry: Registry,
): Promise<void> {
  const refuse = (status: number, reason: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(`${reason}\n`);
  };
  if (!LOCAL_HOST.test(headers.host ?? '')) {
    refuse(403, 'metrics are served to names of this machine only');
  } else if (method !== 'GET' && method !== 'HEAD') {
    refuse(405, `${method} is not served`);
  } else if (url !== '/metrics') {
    refuse(404, 'there is only /metrics here');
  } else {
    response.setHeader('content-type', registry.contentType);
    response.end(await registry.metrics());
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new FairwayError(
          'FW_METRICS_UNAVAILABLE',
          `metrics cannot be served on ${ADDRESS}:${port}`,
          {
            cause,
            hint: 'choose another port with --metrics-port; 0 takes any that is free',
          },
        ),
      ),
    );
    server.listen(port, ADDRESS, resolve);
  });
}
