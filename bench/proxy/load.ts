// One repetition of load by wrk or h2load, and what they say about it.

import { join } from 'node:path';
import type { Scratch } from '../support/scratch.ts';
import { GRPC_HOST, GRPC_MESSAGE } from './rows.ts';
import type { Row } from './rows.ts';

export interface Load {
  readonly scratch: Scratch;
  /** Where the load generator runs. */
  readonly cores: string;
  /** Where the proxy is, up to the path. */
  readonly origin: string;
  readonly host: string;
  readonly seconds: number;
}

export interface Answered {
  readonly requests: number;
  readonly perSecond: number;
  /** NaN where the tool does not say: h2load has no percentiles. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Mean, which both tell. */
  readonly meanMs: number;
  /** Responses other than 2xx, and connections that broke. */
  readonly errors: number;
}

/** How much longer than its own time a load generator may take. */
const SLACK_MS = 20_000;

export async function runLoad(row: Row, load: Load): Promise<Answered> {
  const isH2 = row.protocol !== 'http' && row.protocol !== 'https';
  const command = isH2 ? h2loadCommand(row, load) : wrkCommand(row, load);
  const { scratch, cores, seconds } = load;
  const out = await scratch.run(command, { cores, limitMs: seconds * 1000 + SLACK_MS });
  return isH2 ? readH2load(out, seconds) : readWrk(out);
}

function wrkCommand(row: Row, { scratch, origin, host, seconds }: Load): readonly string[] {
  const fields = [`Host: ${host}`, ...row.fields].flatMap((field) => ['-H', field]);
  // wrk takes times in whole seconds only.
  const command = ['wrk', '-t1', `-c${row.connections}`, `-d${seconds}s`, '--latency', ...fields];
  if (row.bodyBytes > 0) {
    const script = `wrk.method = "POST"\nwrk.body = string.rep("x", ${row.bodyBytes})\n`;
    command.push('-s', scratch.write(join('load', `${row.name}.lua`), script));
  }
  return [...command, `${origin}/app/${row.path}`];
}

function h2loadCommand(row: Row, { scratch, origin, host, seconds }: Load): readonly string[] {
  const isGrpc = row.protocol === 'grpc';
  const message = isGrpc ? scratch.write('load/grpc', GRPC_MESSAGE) : '';
  const call = ['-d', message, '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
  return [
    'h2load',
    '-t1',
    `-c${row.connections}`,
    `-m${row.streams}`,
    `--duration=${seconds}`,
    '--warm-up-time=0',
    '-H',
    `:authority: ${isGrpc ? GRPC_HOST : host}`,
    ...(isGrpc ? call : []),
    isGrpc ? `${origin}/bench.Echo/Say` : `${origin}/app/${row.path}`,
  ];
}

/** Exported for its test. */
export function readWrk(out: string): Answered {
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(out);
  const broken = (errors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: Number(find(out, /(\d+) requests in /)),
    perSecond: Number(find(out, /Requests\/sec:\s+([\d.]+)/)),
    p50Ms: milliseconds(find(out, /50%\s+([\d.]+[a-z]+)/)),
    p99Ms: milliseconds(find(out, /99%\s+([\d.]+[a-z]+)/)),
    meanMs: milliseconds(find(out, /Latency\s+([\d.]+[a-z]+)/)),
    errors: broken + Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? 0),
  };
}

/** Exported for its test. */
export function readH2load(out: string, seconds: number): Answered {
  const requests = Number(find(out, /requests: .* (\d+) succeeded/));
  const failed = Number(find(out, /(\d+) failed, /));
  const [, , good = 0] = /status codes: ((\d+)) 2xx/.exec(out)?.map(Number) ?? [];
  return {
    requests,
    perSecond: requests / seconds,
    p50Ms: Number.NaN,
    p99Ms: Number.NaN,
    meanMs: milliseconds(find(out, /time for request:\s+\S+\s+\S+\s+(\S+)/)),
    errors: failed + requests - good,
  };
}

function find(out: string, pattern: RegExp): string {
  const found = pattern.exec(out)?.[1];
  if (found === undefined) throw new Error(`the load generator said something else:\n${out}`);
  return found;
}

const UNITS_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

function milliseconds(text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Number(number) * (UNITS_MS[unit] ?? Number.NaN);
}
