// What is kept, when the disk does not take it.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { Storage } from './storage.ts';

const KIND = ConfigMap as unknown as Kind;

function map(data: unknown): KubeObject {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data };
  return object as unknown as KubeObject;
}

test('after a refusal nothing more is taken until what was refused is on disk', async () => {
  const storage = new Storage({ path: ':memory:', onError: () => undefined });
  const follow = (after: KubeObject): void =>
    storage.follow([{ kind: KIND, after, revision: 1 }], () => true);
  await storage.recover();
  // A value that has no JSON stands for a full disk: the transaction fails and is rolled back.
  follow(map({ a: 1n }));
  await assert.rejects(storage.flush(), { code: 'FW_OBJECTS_NOT_KEPT' });
  await assert.rejects(storage.recover(), { code: 'FW_OBJECTS_NOT_KEPT' });
  follow(map({ a: '1' }));
  await storage.recover();
  assert.deepEqual(
    storage.load().map(({ object }) => object),
    [map({ a: '1' })],
  );
  storage.close();
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
