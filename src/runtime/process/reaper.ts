// The process that outlives Fairway by seconds, to end what Fairway could not end because it was
// killed. It is a shell that reads the process groups in work from a pipe; the kernel closes the pipe
// however Fairway ends, and that is its signal. A shell and not Node.js: it costs 1 MB.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { OWNER_VARIABLE } from './marker.ts';

/**
 * `$1` is the owner's marker; the lines read are `+ <group>` and `- <group>`. After the pipe has
 * closed, what is left gets SIGTERM, about a second, and SIGKILL. Where there is /proc, processes that
 * left their group are found by the marker in their environment.
 */
const SCRIPT = `
trap '' HUP INT TERM QUIT
owner=$1
groups=' '
while read -r op group; do
  case $op in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done

marked() {
  [ -r /proc/self/environ ] || return 0
  grep -lszxF "${OWNER_VARIABLE}=$owner" /proc/[0-9]*/environ 2>/dev/null |
    while IFS=/ read -r _ _ pid _; do echo "$pid"; done
}

# Sends $1 to all; succeeds when there was anybody.
signal_all() {
  any=1
  for group in $groups; do kill -s "$1" -- "-$group" 2>/dev/null && any=0; done
  for pid in $(marked); do kill -s "$1" "$pid" 2>/dev/null && any=0; done
  return $any
}

signal_all TERM || exit 0
round=0
while [ $round -lt 10 ] && signal_all 0; do
  sleep 0.1 2>/dev/null || sleep 1
  round=$((round + 1))
done
round=0
while [ $round -lt 20 ] && signal_all KILL; do
  sleep 0.1 2>/dev/null || sleep 1
  round=$((round + 1))
done
`;

/** A reaper that was killed this often has an enemy; starting it again would be a fight. */
const RESTARTS_MAX = 100;

export class Reaper {
  readonly #owner: string;
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;
  #restarts = 0;
  #closed = false;

  /** `owner` is this Fairway's marker (ownerMarker). */
  constructor(owner: string) {
    this.#owner = owner;
    this.#start();
  }

  /** The process that watches, for who wants to watch it. */
  get pid(): number | undefined {
    return this.#shell?.pid;
  }

  /** Puts a process group under watch. */
  add(group: number): void {
    this.#groups.add(group);
    this.#tell(`+ ${group}\n`);
  }

  /** The group has ended: its number may soon be another's. */
  remove(group: number): void {
    if (this.#groups.delete(group)) this.#tell(`- ${group}\n`);
  }

  /** Lets the reaper end; what is still under watch or marked is killed by it. */
  async close(): Promise<void> {
    this.#closed = true;
    const shell = this.#shell;
    if (shell === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => shell.once('exit', () => resolve()));
    shell.ref();
    shell.stdin?.end();
    await exited;
  }

  #start(): void {
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'fairway-reaper', this.#owner], {
      // Its own session: what ends a terminal or a group must not end it.
      detached: true,
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#shell = shell;
    shell.stdin?.on('error', () => {});
    // A shell that cannot be started at all is reported here and not by 'exit'.
    shell.on('error', () => {});
    shell.once('exit', () => {
      if (this.#closed || this.#restarts++ >= RESTARTS_MAX) return;
      this.#start();
    });
    // Neither the process nor its pipe keeps Fairway running.
    shell.unref();
    (shell.stdin as { unref?(): void } | null)?.unref?.();
    for (const group of this.#groups) this.#tell(`+ ${group}\n`);
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(line);
  }
}
