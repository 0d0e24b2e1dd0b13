// The folder in which a runtime keeps what it needs while it runs, and logs for later. Only the user
// can look into it. What an earlier Fairway has left there is removed at the start.

import { mkdirSync } from 'node:fs';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownerLives } from './process/marker.ts';

/** Logs of pods that nobody has written to for so long are removed. */
const LOG_AGE_MS_MAX = 24 * 60 * 60 * 1000;

const OWNER_FILE = 'owner';

/** Creates the folder (0700) and those in it. Throws when that is not possible. */
export function createStateDir(stateDir: string): void {
  for (const name of ['.', 'pods', 'claims', 'logs']) {
    mkdirSync(join(stateDir, name), { recursive: true, mode: 0o700 });
  }
}

/**
 * Removes the pods of a Fairway that no longer runs, and old logs. Pods of one that does run (two with
 * the same folder) are left alone, as is everything when the folder cannot be claimed.
 */
export async function cleanStateDir(stateDir: string, owner: string, now: Date): Promise<void> {
  const pods = join(stateDir, 'pods');
  const ownerFile = join(pods, OWNER_FILE);
  const before = await readFile(ownerFile, 'utf8').catch(() => undefined);
  if (before === undefined || before === owner || !(await ownerLives(before))) {
    for (const name of await readdir(pods)) {
      if (name !== OWNER_FILE) await rm(join(pods, name), { recursive: true, force: true });
    }
    await writeFile(ownerFile, owner, { mode: 0o600 });
  }
  await removeOldLogs(join(stateDir, 'logs'), now.getTime() - LOG_AGE_MS_MAX);
}

async function removeOldLogs(logs: string, limitMs: number): Promise<void> {
  for (const namespace of await readdir(logs)) {
    for (const pod of await readdir(join(logs, namespace)).catch(() => [])) {
      const directory = join(logs, namespace, pod);
      if ((await newestMs(directory)) < limitMs)
        await rm(directory, { recursive: true, force: true });
    }
  }
}

async function newestMs(directory: string): Promise<number> {
  let newest = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    const stats = await stat(join(directory, name)).catch(() => undefined);
    newest = Math.max(newest, stats?.mtimeMs ?? 0);
  }
  return newest;
}
