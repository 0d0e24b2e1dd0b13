import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock, TICK_MS } from './clock.ts';
import { newCounters } from './counters.ts';
import { Pressure } from './pressure.ts';

test('memory that runs short refuses requests, then closes connections, and is forgotten when it is over', () => {
  const clock = new Clock();
  const counters = newCounters();
  let share = 0.5;
  let closed = 0;
  const closeIdle = (): void => void closed++;
  new Pressure({ memoryBytesMax: 1, clock, counters, closeIdle, measure: () => share });
  let nowMs = 1000;
  const after = (next: number): [number, number] => {
    share = next;
    nowMs += TICK_MS;
    clock.tick(nowMs);
    return [counters.underPressure, closed];
  };
  assert.deepEqual(after(0.79), [0, 0]);
  assert.deepEqual(after(0.81), [1, 0]);
  assert.deepEqual(after(0.91), [2, 1]);
  assert.deepEqual(after(0.85), [1, 1]);
  // Not back and forth with every request that ends.
  assert.deepEqual(after(0.77), [1, 1]);
  assert.deepEqual(after(0.74), [0, 1]);
});

test('without a measure of its own it looks at this process and this thread', () => {
  const clock = new Clock();
  const counters = newCounters();
  const common = { clock, counters, closeIdle: () => undefined };
  new Pressure({ ...common, memoryBytesMax: Number.MAX_SAFE_INTEGER });
  clock.tick(1000);
  assert.equal(counters.underPressure, 0);
  new Pressure({ ...common, memoryBytesMax: process.memoryUsage.rss() });
  clock.tick(2000);
  assert.equal(counters.underPressure, 2);
});

test('memory that cannot be read is not a reason to fail', (t) => {
  const clock = new Clock();
  const counters = newCounters();
  new Pressure({ clock, counters, closeIdle: () => undefined, memoryBytesMax: 1 });
  t.mock.method(process.memoryUsage, 'rss', () => {
    throw new Error('EMFILE: too many open files');
  });
  clock.tick(1000);
  assert.equal(counters.underPressure, 0);
});
