// Who used the processor, from /proc: of our processes to compare them, of all others to know whether
// a measurement can be trusted.

import { readFileSync } from 'node:fs';

/** Milliseconds a process has spent on a processor, all its threads together. */
export interface CpuTime {
  readonly userMs: number;
  readonly systemMs: number;
}

/** USER_HZ is 100 on every Linux. */
const TICK_MS = 10;

/** Of a process and of the children it has now. */
export function cpuTimeOf(pid: number): CpuTime {
  const fields = statFields(pid);
  const own = { userMs: fields[11]! * TICK_MS, systemMs: fields[12]! * TICK_MS };
  return childrenOf(pid).reduce((sum, child) => {
    const { userMs, systemMs } = cpuTimeOf(child);
    return { userMs: sum.userMs + userMs, systemMs: sum.systemMs + systemMs };
  }, own);
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Of our own process and the children that have ended: the load generators, mostly. */
export function ownCpuMs(): number {
  const fields = statFields(process.pid);
  return (fields[11]! + fields[12]! + fields[13]! + fields[14]!) * TICK_MS;
}

/** The fields of /proc/PID/stat after the name, which may hold blanks; [0] is the state. */
function statFields(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

/** Milliseconds each core has been busy, whoever had it; what the hypervisor took counts as well. */
export function busyMs(): readonly number[] {
  return readFileSync('/proc/stat', 'latin1')
    .split('\n')
    .filter((line) => /^cpu\d/.test(line))
    .map((line) => {
      const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
        .split(/\s+/)
        .slice(1)
        .map(Number);
      return (user + nice + system + irq + softirq + steal) * TICK_MS;
    });
}
