import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../api/finding.ts';
import { FindingLog } from './finding-log.ts';

const about = (reason: string, message: string): Finding => ({
  severity: 'error',
  reason,
  message,
  origin: { object: { kind: 'Deployment', namespace: 'shop', name: 'cart' }, field: 'spec' },
});
const crash = (times: number): Finding => about('CrashLooping', `ended ${times} times`);

test('a container that crashes again and again is told of once', () => {
  const log = new FindingLog();
  assert.deepEqual(log.update([crash(1)], 0).fresh, [crash(1)]);
  for (let times = 2; times < 6; times++) {
    // It runs for a moment, and ends again.
    const between = log.update([], times * 10_000);
    assert.deepEqual([between.fresh, between.settled], [[], 0]);
    const again = log.update([crash(times)], times * 10_000 + 1000);
    assert.deepEqual([again.fresh, again.settled], [[], 0]);
  }
  const { dueMs = 0 } = log.update([], 100_000);
  assert.equal(dueMs, 160_000);
  assert.deepEqual(log.update([], dueMs - 1), { fresh: [], settled: 0, dueMs });
  assert.deepEqual(log.update([], dueMs), { fresh: [], settled: 1, dueMs: undefined });
  assert.deepEqual(log.update([crash(9)], dueMs + 1).fresh, [crash(9)]);
});

test('everything else is told as it comes and goes', () => {
  const log = new FindingLog();
  const finding = about('Invalid', 'no such port');
  assert.deepEqual(log.update([finding], 0).fresh, [finding]);
  assert.deepEqual(log.update([finding], 1).fresh, []);
  const other = about('Invalid', 'no such name');
  assert.deepEqual(log.update([other], 2), { fresh: [other], settled: 1, dueMs: undefined });
});
