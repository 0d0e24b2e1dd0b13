// The environment variables by which every process of a pod is known as Fairway's, whatever it does to
// its parents, groups and sessions: programs inherit them from those that started them.

import { readFileSync } from 'node:fs';
import { parseStat, processesWith, processStat, sharesProcessNumbers } from './proc.ts';
import { signalProcess } from './signals.ts';

/** `<pid>.<start time>` of the Fairway a process belongs to. */
export const OWNER_VARIABLE = 'FAIRWAY_OWNER';

/** The container (and the restart of it) a process belongs to. */
export const CONTAINER_VARIABLE = 'FAIRWAY_CONTAINER';

const UNKNOWN_START = '0';

/** The value of FAIRWAY_OWNER for this process. Start times tell it from a later one of the same pid. */
export function ownerMarker(): string {
  let startTime = UNKNOWN_START;
  try {
    startTime = parseStat(readFileSync('/proc/self/stat', 'latin1'))?.startTime ?? UNKNOWN_START;
  } catch {
    // No /proc: the marker is not looked for there either.
  }
  return `${process.pid}.${startTime}`;
}

/**
 * Kills what an earlier Fairway has left behind: processes marked with an owner that no longer lives.
 * Returns how many. That happens only when Fairway and its reaper were killed together.
 */
export async function killOrphans(): Promise<number> {
  let killed = 0;
  for (const [pid, owner] of await processesWith(OWNER_VARIABLE)) {
    // In another PID namespace (a container's) the owner has another number, and may well live.
    if (!(await sharesProcessNumbers(pid)) || (await ownerLives(owner))) continue;
    if (signalProcess(pid, 'SIGKILL')) killed++;
  }
  return killed;
}

/** True while the Fairway that a marker names is running. */
export async function ownerLives(owner: string): Promise<boolean> {
  const [pid, startTime] = owner.split('.');
  if (pid === undefined || !/^\d+$/.test(pid)) return false;
  // Without /proc there are no start times, and a number that is taken is taken for the owner.
  if (startTime === UNKNOWN_START) return signalProcess(Number(pid), 0);
  const stat = await processStat(Number(pid));
  return stat !== undefined && stat.startTime === startTime;
}
