// Outcome → text for the terminal, and the file in bench/results.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { Outcome, Table } from './benchmark.ts';
import type { Spread } from './stats.ts';

const RESULTS = join(import.meta.dirname, '..', 'results');
const GAP = '  ';

/** Lines of a table: the first column to the left, the others, which are numbers, to the right. */
export function formatTable({ title, columns, rows }: Table): readonly string[] {
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join(GAP)
      .trimEnd();
  return [title, line(columns), ...rows.map(line)];
}

/** `1.02 (0.97-1.10)` */
export function formatSpread({ median, min, max }: Spread, digits: number): string {
  const show = (value: number): string => value.toFixed(digits);
  return `${show(median)} (${show(min)}-${show(max)})`;
}

/** Writes bench/results/<name>.json and gives its path. */
export function writeResult(name: string, command: string, outcome: Outcome): string {
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${name}.json`);
  const result = {
    benchmark: name,
    date: new Date().toISOString(),
    command,
    commit: commit(),
    node: process.version,
    machine: machine(),
    notes: outcome.notes,
    values: outcome.values,
  };
  writeFileSync(path, `${JSON.stringify(result, rounded, 1)}\n`);
  return path;
}

/** Three decimals are more than any of these machines can tell apart. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

function machine(): Record<string, unknown> {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    system: `${type()} ${release()}`,
  };
}

/** The commit that was measured, with a plus when files differ from it; empty outside of a repository. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: RESULTS, encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    return '';
  }
}
