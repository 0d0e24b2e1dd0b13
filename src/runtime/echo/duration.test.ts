// Go durations: what is read, what is refused in which words, what is printed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

const VALID: readonly [text: string, durationMs: number][] = [
  ['0', 0],
  ['-0', 0],
  ['1s', 1_000],
  ['+1.5s', 1_500],
  ['-2m', -120_000],
  ['300ms', 300],
  ['.5s', 500],
  ['1.s', 1_000],
  ['1h2m3.004s', 3_723_004],
  ['1h1h', 7_200_000],
  ['35h34m16.054s', 128_056_054],
  ['0.1234567899999999999s', 123.456789],
  ['1500us', 1.5],
  ['1500\u00b5s', 1.5],
  ['1500\u03bcs', 1.5],
  ['2000ns', 0.002],
];

for (const [text, durationMs] of VALID) {
  test(`${text} is ${durationMs} ms`, () => {
    assert.deepEqual(parseDuration(text), { ok: true, durationMs });
  });
}

const INVALID: readonly [text: string, error: string][] = [
  ['', 'time: invalid duration ""'],
  ['-', 'time: invalid duration "-"'],
  ['abc', 'time: invalid duration "abc"'],
  ['.', 'time: invalid duration "."'],
  ['10', 'time: missing unit in duration "10"'],
  ['1s5', 'time: missing unit in duration "1s5"'],
  ['1d', 'time: unknown unit "d" in duration "1d"'],
  ['1 s', 'time: unknown unit " s" in duration "1 s"'],
  ['1"', 'time: unknown unit "\\"" in duration "1\\""'],
  ['1\u00e9', 'time: unknown unit "\\xc3\\xa9" in duration "1\\xc3\\xa9"'],
  ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
  ['3000000h', 'time: invalid duration "3000000h"'],
];

for (const [text, error] of INVALID) {
  test(`"${text}" is refused in Go's words`, () => {
    assert.deepEqual(parseDuration(text), { ok: false, error });
  });
}

const PRINTED: readonly [durationMs: number, text: string][] = [
  [0, '0s'],
  [0.000_25, '250ns'],
  [0.0015, '1.5\u00b5s'],
  [2.594878, '2.594878ms'],
  [1_000, '1s'],
  [90_000, '1m30s'],
  [120_500, '2m0.5s'],
  [3_600_000, '1h0m0s'],
  [-1_500, '-1.5s'],
];

for (const [durationMs, text] of PRINTED) {
  test(`${durationMs} ms is printed as ${text}`, () => {
    assert.equal(formatDuration(durationMs), text);
  });
}

test('what is printed can be read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (durationMs) => {
      assert.deepEqual(parseDuration(formatDuration(durationMs)), { ok: true, durationMs });
    }),
  );
});
