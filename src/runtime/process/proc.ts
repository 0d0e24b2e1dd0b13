// What Linux says about processes in /proc: who belongs to which container, told by the environment
// they were started with. Where there is no /proc (macOS) every answer is empty, and process groups
// are all there is.

import { readdir, readFile, readlink } from 'node:fs/promises';

/** How many files are read at the same time: enough to be quick, few enough to leave room for others. */
const READS_MAX = 16;

export interface ProcessStat {
  readonly parent: number;
  readonly group: number;
  /** In clock ticks since the machine started: with the pid, the identity of a process. */
  readonly startTime: string;
}

/** All processes whose environment could be read, with the values of one variable. */
export async function processesWith(variable: string): Promise<ReadonlyMap<number, string>> {
  const pids = await listProcesses();
  const found = new Map<number, string>();
  for (let i = 0; i < pids.length; i += READS_MAX) {
    const slice = pids.slice(i, i + READS_MAX);
    const values = await Promise.all(slice.map((pid) => environmentVariable(pid, variable)));
    for (const [k, value] of values.entries()) {
      const pid = slice[k];
      if (pid !== undefined && value !== undefined) found.set(pid, value);
    }
  }
  return found;
}

async function listProcesses(): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** The value a process was started with, or undefined when it has none or is not ours to look at. */
async function environmentVariable(pid: number, variable: string): Promise<string | undefined> {
  const environment = await readFile(`/proc/${pid}/environ`).catch(() => undefined);
  if (environment === undefined) return undefined;
  const prefix = Buffer.from(`${variable}=`);
  for (let at = environment.indexOf(prefix); at !== -1; at = environment.indexOf(prefix, at + 1)) {
    if (at !== 0 && environment[at - 1] !== 0) continue;
    const end = environment.indexOf(0, at);
    return environment.toString('utf8', at + prefix.length, end === -1 ? undefined : end);
  }
  return undefined;
}

/** What /proc/PID/stat says, or undefined when there is no such process. */
export async function processStat(pid: number | 'self'): Promise<ProcessStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return text === undefined ? undefined : parseStat(text);
}

/** The second field, the program's name, may hold spaces and parentheses; the rest cannot. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = fields[19];
  if (startTime === undefined) return undefined;
  return { parent: Number(fields[1]), group: Number(fields[2]), startTime };
}

/** True when the process numbers of a process mean what ours mean: it is in no other PID namespace. */
export async function sharesProcessNumbers(pid: number): Promise<boolean> {
  const [ours, theirs] = await Promise.all(
    ['self', pid].map((each) => readlink(`/proc/${each}/ns/pid`).catch(() => undefined)),
  );
  return ours !== undefined && ours === theirs;
}
