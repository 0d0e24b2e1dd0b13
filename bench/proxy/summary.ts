// The repetitions of a row → one line for each proxy: medians, and the ratio to the others, taken
// repetition by repetition, because a machine drifts more between minutes than proxies differ.

import type { Table } from '../support/benchmark.ts';
import { FOREIGN_SHARE_MAX } from '../support/quiet.ts';
import { formatSpread } from '../support/report.ts';
import { median, spreadOf } from '../support/stats.ts';
import type { Spread } from '../support/stats.ts';
import type { Row } from './rows.ts';
import type { Sample } from './sample.ts';

/** Repetitions of one proxy, in the order of rounds. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

export interface Line {
  readonly row: string;
  readonly proxy: string;
  readonly perSecond: Spread;
  /** Requests per second, by the proxy it is divided by. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  readonly cpuUs: Spread;
  readonly userUs: number;
  readonly errors: number;
  /** Rounds that count, and those that were disturbed; with none undisturbed, all of them count. */
  readonly rounds: number;
  readonly disturbed: number;
}

/** One line for each proxy of a row. */
export function summarize(row: Row, samples: Samples): readonly Line[] {
  return [...samples].map(([proxy, all]) => {
    const disturbed = all.filter(isDisturbed).length;
    const counted = disturbed < all.length ? all.filter((s) => !isDisturbed(s)) : all;
    const medianOf = (pick: (sample: Sample) => number): number => median(counted.map(pick));
    const others = [...samples].filter(([name]) => name !== proxy);
    return {
      row: row.name,
      proxy,
      perSecond: spreadOf(counted.map((s) => s.perSecond)),
      ratios: Object.fromEntries(others.map(([name, its]) => [name, ratioOf(all, its)])),
      p50Ms: medianOf((s) => s.p50Ms),
      p99Ms: medianOf((s) => s.p99Ms),
      meanMs: medianOf((s) => s.meanMs),
      cpuUs: spreadOf(counted.map((s) => s.cpuUs)),
      userUs: medianOf((s) => s.userUs),
      errors: all.reduce((sum, s) => sum + s.errors, 0),
      rounds: counted.length,
      disturbed,
    };
  });
}

function isDisturbed({ foreign }: Sample): boolean {
  return foreign > FOREIGN_SHARE_MAX;
}

/** Ours by theirs in each round in which neither was disturbed, or in all when there is none such. */
function ratioOf(ours: readonly Sample[], theirs: readonly Sample[]): Spread {
  const rounds = ours.map((sample, i) => [sample, theirs[i]!] as const);
  const quiet = rounds.filter(([a, b]) => !isDisturbed(a) && !isDisturbed(b));
  const counted = quiet.length > 0 ? quiet : rounds;
  return spreadOf(counted.map(([a, b]) => a.perSecond / b.perSecond));
}

/** The lines as people read them; Fairway's say how it compares. */
export function tableOf(title: string, rows: readonly Row[], lines: readonly Line[]): Table {
  const peers = [...new Set(lines.map((line) => line.proxy))].filter((name) => name !== 'fairway');
  return {
    title,
    columns: [
      '',
      'proxy',
      'requests/s',
      ...peers.map((name) => `x ${name}`),
      'p50 ms',
      'p99 ms',
      'CPU µs',
      'user µs',
      ...peers.map((name) => `CPU x ${name}`),
    ],
    rows: rows.flatMap((row) => {
      const own = lines.filter((line) => line.row === row.name);
      return own.map((line, i) => [
        i === 0 ? row.title : '',
        line.proxy,
        formatSpread(line.perSecond, 0),
        ...peers.map((name) => (line.proxy === 'fairway' ? showRatio(line.ratios[name]) : '')),
        showMs(line.p50Ms),
        showMs(line.p99Ms),
        line.cpuUs.median.toFixed(1),
        line.userUs.toFixed(1),
        ...peers.map((name) => (line.proxy === 'fairway' ? cpuRatio(line, own, name) : '')),
      ]);
    }),
  };
}

function showRatio(ratio: Spread | undefined): string {
  return ratio === undefined ? '' : formatSpread(ratio, 2);
}

function cpuRatio(line: Line, lines: readonly Line[], name: string): string {
  const other = lines.find((l) => l.proxy === name);
  return other === undefined ? '' : (line.cpuUs.median / other.cpuUs.median).toFixed(2);
}

function showMs(value: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(2);
}
