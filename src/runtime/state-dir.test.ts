import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownerMarker } from './process/marker.ts';
import { cleanStateDir, createStateDir } from './state-dir.ts';
import { temporaryFolder } from './testing.ts';

const NOW = new Date('2026-05-04T10:00:00Z');
const noProc = existsSync('/proc/self/stat') ? false : 'needs /proc';

test('the folder is for the user alone', (t) => {
  const stateDir = join(temporaryFolder(t), 'a', 'b');
  createStateDir(stateDir);
  for (const name of ['.', 'pods', 'logs', 'claims']) {
    assert.equal(statSync(join(stateDir, name)).mode & 0o777, 0o700);
  }
});

test('pods of a Fairway that is gone are removed, claims are kept', async (t) => {
  const stateDir = temporaryFolder(t);
  createStateDir(stateDir);
  writeFileSync(join(stateDir, 'pods/owner'), '1.12345678901');
  mkdirSync(join(stateDir, 'pods/old/volumes'), { recursive: true });
  mkdirSync(join(stateDir, 'claims/default/data'), { recursive: true });
  await cleanStateDir(stateDir, '2.2', NOW);
  assert.equal(existsSync(join(stateDir, 'pods/old')), false);
  assert.ok(existsSync(join(stateDir, 'claims/default/data')));
  assert.equal(readFileSync(join(stateDir, 'pods/owner'), 'utf8'), '2.2');
});

test('pods of a Fairway that still runs are left alone', { skip: noProc }, async (t) => {
  const stateDir = temporaryFolder(t);
  createStateDir(stateDir);
  writeFileSync(join(stateDir, 'pods/owner'), ownerMarker());
  mkdirSync(join(stateDir, 'pods/theirs'));
  await cleanStateDir(stateDir, '2.2', NOW);
  assert.ok(existsSync(join(stateDir, 'pods/theirs')));
});

test('logs nobody has written to for a day are removed', async (t) => {
  const stateDir = temporaryFolder(t);
  createStateDir(stateDir);
  const log = (pod: string, hours: number): string => {
    const folder = join(stateDir, 'logs/default', pod);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'main.log');
    writeFileSync(file, '');
    const time = new Date(NOW.getTime() - hours * 3_600_000);
    utimesSync(file, time, time);
    return folder;
  };
  const [recent, old] = [log('recent', 23), log('old', 25)];
  await cleanStateDir(stateDir, '2.2', NOW);
  assert.deepEqual([existsSync(recent), existsSync(old)], [true, false]);
});
