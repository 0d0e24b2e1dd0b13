import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedStreams } from './closed-streams.ts';

test('streams we reset are told from those that ended', () => {
  const closed = new ClosedStreams();
  closed.add(1, false);
  closed.add(3, true);
  assert.equal(closed.has(1) && closed.has(3), true);
  assert.equal(closed.has(5), false);
  assert.equal(closed.wasResetByUs(1), false);
  assert.equal(closed.wasResetByUs(3), true);
});

test('all resets of a burst are remembered, however many streams end meanwhile', () => {
  const closed = new ClosedStreams();
  for (let index = 0; index < 1000; index++) {
    closed.add(index * 4 + 1, false);
    if (index >= 800) closed.add(index * 4 + 3, true);
  }
  for (let index = 800; index < 1000; index++) {
    assert.equal(closed.wasResetByUs(index * 4 + 3), true);
  }
});
