// Signals to processes and groups that may be gone already: that is no error, it is the goal.

/** Sends a signal to one process; 0 only asks. False when there was nobody to receive it. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Sends a signal to every process of a group. False when there was nobody to receive it. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  // A negative number of 1 or 0 would mean every process there is, or our own group.
  return group > 1 && signalProcess(-group, signal);
}
