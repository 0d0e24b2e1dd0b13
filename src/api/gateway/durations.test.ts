// Durations: those of Gateway API, and those that only Go reads, since rules see both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs } from './durations.ts';

const rows: readonly (readonly [string, string, number])[] = [
  ['hours', '2h', 7_200_000],
  ['minutes and milliseconds, which begin alike', '1m1ms', 60_001],
  ['all units of Gateway API', '1h1m1s1ms', 3_661_001],
  ['the longest that Gateway API admits', '99999h99999h99999h99999h', 1_439_985_600_000],
  ['nothing', '0s', 0],
  ['nothing without unit, as Go reads it', '0', 0],
  ['a fraction, as Go reads it', '1.5s', 1500],
  ['a fraction without whole part, as Go reads it', '.5s', 500],
  ['microseconds, as Go reads them', '5us', 0.005],
  ['a sign, as Go reads it', '-5s', -5000],
  ['a day, which Go does not know', '1d', Number.NaN],
  ['a number without unit', '5', Number.NaN],
  ['a unit without number', 's', Number.NaN],
  ['empty text', '', Number.NaN],
  ['something behind it', '5s ', Number.NaN],
];

for (const [name, text, ms] of rows) {
  test(`a duration of ${name}: "${text}"`, () => {
    assert.equal(durationMs(text), ms);
  });
}

test('a long text that is no duration is refused in one pass', () => {
  assert.equal(durationMs('1'.repeat(1_000_000)), Number.NaN);
});
