import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ageOf, firstOf, formatLabels, humanDuration } from './columns.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const durations: readonly (readonly [seconds: number, text: string])[] = [
  [-5, '<invalid>'],
  [-1, '0s'],
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [125, '2m5s'],
  [10 * MINUTE + 5, '10m'],
  [179 * MINUTE, '179m'],
  [3 * HOUR, '3h'],
  [3 * HOUR + 20 * MINUTE, '3h20m'],
  [47 * HOUR, '47h'],
  [48 * HOUR, '2d'],
  [7 * DAY + 5 * HOUR, '7d5h'],
  [8 * DAY + 5 * HOUR, '8d'],
  [729 * DAY, '729d'],
  [730 * DAY, '2y'],
  [731 * DAY, '2y1d'],
  [3000 * DAY, '8y'],
];

describe('cells of columns', () => {
  for (const [seconds, text] of durations) {
    it(`${seconds} seconds are ${text}`, () => assert.equal(humanDuration(seconds * 1000), text));
  }

  it('an age needs a time', () => {
    assert.equal(ageOf(undefined, 0), undefined);
    assert.equal(ageOf('1970-01-01T00:00:00Z', 5000), '5s');
  });

  it('long lists are cut, and labels sorted', () => {
    assert.equal(firstOf([]), undefined);
    assert.equal(firstOf(['a', 'b', 'c']), 'a,b,c');
    assert.equal(firstOf(['a', 'b', 'c', 'd']), 'a,b,c + 1 more...');
    assert.equal(formatLabels({ b: '2', a: '1' }), 'a=1,b=2');
    assert.equal(formatLabels({}), undefined);
  });
});
