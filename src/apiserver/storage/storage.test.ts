// What is kept, when the disk does not take it.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { Store } from '../../store/store.ts';
import type { Change } from '../../store/store.ts';
import { Storage } from './storage.ts';

const KIND = ConfigMap as unknown as Kind;

function map(data: unknown): KubeObject {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data };
  return object as unknown as KubeObject;
}

/** A value that has no JSON stands for a full disk: the transaction fails and is rolled back. */
const UNKEPT = { a: 1n };

function opened(t: TestContext): { readonly storage: Storage; readonly store: Store } {
  const storage = new Storage({ path: ':memory:', onError: () => undefined });
  const store = new Store();
  store.keepWith((changes) => storage.keep(changes, () => true));
  store.subscribe((changes) => storage.follow(changes, () => true));
  t.after(() => storage.close());
  return { storage, store };
}

test('what the disk refuses has not been: not for readers, not for watchers, not later', async (t) => {
  const { storage, store } = opened(t);
  const put = (data: unknown): readonly Change[] =>
    store.writeKept([{ op: 'put', kind: KIND, object: map(data) }]);
  const told: Change[] = [];
  store.subscribe((changes) => told.push(...changes));
  assert.throws(() => put(UNKEPT), { code: 'FW_OBJECTS_NOT_KEPT' });
  assert.equal(store.get(KIND, '', 'a'), undefined);
  assert.deepEqual(told, []);
  put({ a: '1' });
  const before = store.get(KIND, '', 'a');
  assert.throws(() => put(UNKEPT), { code: 'FW_OBJECTS_NOT_KEPT' });
  // A deletion that is in one batch with what cannot be written.
  assert.throws(
    () =>
      store.writeKept([
        { op: 'delete', kind: KIND, namespace: '', name: 'a' },
        { op: 'put', kind: KIND, object: map(UNKEPT) },
      ]),
    { code: 'FW_OBJECTS_NOT_KEPT' },
  );
  assert.equal(store.get(KIND, '', 'a'), before);
  assert.equal(store.snapshot().get(ConfigMap, '', 'a'), before?.object);
  assert.equal(told.length, 1);
  await storage.flush();
  assert.deepEqual(
    storage.load().map(({ object }) => object),
    [before?.object],
  );
});

test('a change nobody waits for that is refused fails no write that is taken', async (t) => {
  const { storage, store } = opened(t);
  store.write([{ op: 'put', kind: KIND, object: map(UNKEPT) }]);
  const other = { ...map({}), metadata: { name: 'b' } };
  store.writeKept([{ op: 'put', kind: KIND, object: other }]);
  await storage.flush();
  assert.deepEqual(
    storage.load().map(({ object }) => object.metadata.name),
    ['b'],
  );
  store.write([{ op: 'put', kind: KIND, object: map({ a: '1' }) }]);
  await storage.flush();
  assert.equal(storage.load().length, 2);
});

test('no file of it can be read by others, whoever may enter the folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-storage-'));
  const storage = new Storage({ path: join(folder, 'cluster.db'), onError: () => undefined });
  try {
    const modes = readdirSync(folder).map((name) => ({
      name,
      others: statSync(join(folder, name)).mode & 0o77,
    }));
    assert.ok(modes.some(({ name }) => name === 'cluster.db-wal'));
    assert.deepEqual(
      modes.filter(({ others }) => others !== 0),
      [],
    );
  } finally {
    storage.close();
    rmSync(folder, { recursive: true });
  }
});

test('an object that cannot be read is no bug, but said with what to do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-storage-'));
  const path = join(folder, 'cluster.db');
  try {
    new Storage({ path, onError: () => undefined }).close();
    const database = new DatabaseSync(path);
    database.exec(`INSERT INTO object VALUES ('v1/ConfigMap', 'default', 'a', '{"a":')`);
    database.close();
    const storage = new Storage({ path, onError: () => undefined });
    assert.throws(() => storage.load(), { code: 'FW_OBJECTS_UNREADABLE' });
    storage.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
