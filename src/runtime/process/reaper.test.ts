import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { temporaryFolder, the, until } from '../testing.ts';
import { killOrphans, OWNER_VARIABLE, ownerMarker } from './marker.ts';
import { parseStat, processesWith } from './proc.ts';
import { Reaper } from './reaper.ts';
import { signalGroup } from './signals.ts';

const noProc = existsSync('/proc/self/environ') ? false : 'needs /proc';

/** A process group that ignores every polite signal. */
function stubborn(t: TestContext, env: Record<string, string> = {}): ChildProcess {
  const child = spawn('/bin/sh', ['-c', "trap '' TERM HUP INT; while :; do sleep 1; done"], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...env },
  });
  t.after(() => signalGroup(the(child.pid), 'SIGKILL'));
  return child;
}

test('a group under watch is killed when the pipe to the reaper closes, one taken back is not', async (t) => {
  const reaper = new Reaper('0.none');
  const watched = stubborn(t);
  const spared = stubborn(t);
  reaper.add(the(watched.pid));
  reaper.add(the(spared.pid));
  reaper.remove(the(spared.pid));
  const ended = once(watched, 'exit');
  await reaper.close();
  assert.deepEqual((await ended)[1], 'SIGKILL');
  assert.equal(spared.exitCode ?? spared.signalCode, null);
});

test('a reaper that is killed is replaced by one that knows the same groups', async (t) => {
  const reaper = new Reaper('0.none');
  const watched = stubborn(t);
  reaper.add(the(watched.pid));
  const first = the(reaper.pid);
  process.kill(first, 'SIGKILL');
  await until('there is another reaper', () => reaper.pid !== undefined && reaper.pid !== first);
  const ended = once(watched, 'exit');
  await reaper.close();
  await ended;
});

test('polite signals do not end a reaper', async (t) => {
  const reaper = new Reaper('0.none');
  t.after(() => reaper.close());
  const pid = the(reaper.pid);
  const watched = stubborn(t);
  reaper.add(the(watched.pid));
  // The shell has set its traps once it has read from the pipe; a group it kills proves that.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT'] as const) {
    await until(`${signal} is ignored`, () => {
      const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
      return mask !== null && (Number.parseInt(the(mask[1]).slice(-4), 16) & 0x4006) === 0x4006;
    });
    process.kill(pid, signal);
  }
  const ended = once(watched, 'exit');
  await reaper.close();
  await ended;
  assert.equal(reaper.pid, pid);
});

test(
  'processes whose owner is gone are found and killed, those of a living owner are not',
  { skip: noProc },
  async (t) => {
    const orphan = stubborn(t, { [OWNER_VARIABLE]: '1.12345678901' });
    const ours = stubborn(t, { [OWNER_VARIABLE]: ownerMarker() });
    const ended = once(orphan, 'exit');
    await until('the orphan shows its marker', async () =>
      (await processesWith(OWNER_VARIABLE)).has(the(orphan.pid)),
    );
    await killOrphans();
    assert.equal((await ended)[1], 'SIGKILL');
    assert.equal(ours.exitCode ?? ours.signalCode, null);
  },
);

test('the stat of a process whose name holds spaces and parentheses is read right', () => {
  const text = `42 (a) b (c) S 7 8 9 ${Array.from({ length: 15 }, (_, i) => i).join(' ')} 998877 0`;
  assert.deepEqual(parseStat(text), { parent: 7, group: 8, startTime: '998877' });
});

/** A Fairway with one pod, in a process that can be killed. */
const PARENT = `
  const { harness, pod, shell, isReady } = await import(process.argv[1]);
  const t = { after: () => {} };
  const h = harness(t, { stateDir: process.argv[2] });
  const script = \`
    trap '' TERM HUP INT
    (setsid sh -c "trap '' TERM HUP; (sh -c 'trap \\"\\" TERM; echo grandchild $$; while :; do sleep 1; done' &) ; while :; do sleep 1; done" &)
    echo started
    while :; do sleep 1; done
  \`;
  h.put(pod({ container: shell(script) }));
  await h.when('ready', isReady);
  console.log('ready');
  setInterval(() => {}, 1000);
`;

test(
  'nothing outlives a Fairway that is killed with SIGKILL, not even daemons that ignore SIGTERM',
  { skip: noProc },
  async (t) => {
    const folder = temporaryFolder(t);
    const support = join(import.meta.dirname, '..', 'testing.ts');
    const parent = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--input-type=module',
        '-e',
        PARENT,
        support,
        folder,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    t.after(() => parent.kill('SIGKILL'));
    await once(the(parent.stdout ?? undefined), 'data');
    const mine = async (): Promise<readonly number[]> => {
      const marked = await processesWith(OWNER_VARIABLE);
      return [...marked]
        .filter(([, owner]) => owner.startsWith(`${parent.pid}.`))
        .map(([pid]) => pid);
    };
    // The main process, its daemon, the daemon's child, and their sleeps.
    await until('the pod has started its daemons', async () => (await mine()).length >= 5);
    parent.kill('SIGKILL');
    await until('nothing of the pod is left', async () => (await mine()).length === 0);
  },
);
