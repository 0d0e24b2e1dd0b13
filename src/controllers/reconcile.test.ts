// How controllers are run together: until they rest, and what becomes of those that never do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { Store } from '../store/store.ts';
import type { ObjectWrite } from '../store/write.ts';
import type { Controller } from './controller.ts';
import { reconcileAll } from './reconcile.ts';
import { objectOf } from './testing/lab.ts';

const NOW = new Date('2026-01-01T00:00:00Z');

function put(name: string, value: string): ObjectWrite {
  const object = objectOf(ConfigMap, { metadata: { name }, data: { value } });
  return { op: 'put', kind: ConfigMap, object };
}

/** Copies the value of one ConfigMap to another. */
function copier(from: string, to: string): Controller {
  return {
    name: `${from} to ${to}`,
    reconcile: (snapshot) => {
      const value = snapshot.get(ConfigMap, 'default', from)?.data?.['value'];
      const copy = snapshot.get(ConfigMap, 'default', to)?.data?.['value'];
      return value === undefined || value === copy ? [] : [put(to, value)];
    },
  };
}

test('what one controller writes is what the next one reads, in any order', () => {
  const store = new Store();
  store.write([put('a', 'hello')]);
  const { rounds, changeCount } = reconcileAll([copier('b', 'c'), copier('a', 'b')], store, NOW);
  assert.equal(store.snapshot().get(ConfigMap, 'default', 'c')?.data?.['value'], 'hello');
  assert.deepEqual({ rounds, changeCount }, { rounds: 3, changeCount: 2 });
});

test('nothing to do takes one round', () => {
  assert.deepEqual(reconcileAll([copier('a', 'b')], new Store(), NOW), {
    rounds: 1,
    changeCount: 0,
  });
});

test('writes that change nothing are no reason for another round', () => {
  const store = new Store();
  store.write([put('a', 'same')]);
  const stubborn: Controller = { name: 'stubborn', reconcile: () => [put('a', 'same')] };
  assert.equal(reconcileAll([stubborn], store, NOW).rounds, 1);
});

test('two controllers that disagree are named', () => {
  const writer = (value: string): Controller => ({
    name: `wants ${value}`,
    reconcile: () => [put('a', value)],
  });
  assert.throws(
    () => reconcileAll([writer('x'), writer('y')], new Store(), NOW),
    /do not come to rest within 100 rounds.*wants x: put ConfigMap default\/a; wants y: put/,
  );
});

test('the earliest time that any controller asks to be woken at is told', () => {
  const sleeper = (timeMs: number): Controller => ({
    name: 'sleeper',
    reconcile: (_snapshot, { wakeAt }) => {
      wakeAt(timeMs);
      return [];
    },
  });
  const { wakeAtMs } = reconcileAll([sleeper(30), sleeper(10), sleeper(20)], new Store(), NOW);
  assert.equal(wakeAtMs, 10);
});
