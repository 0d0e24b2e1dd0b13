import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { harness, isReady, pod, shell, the, until } from '../testing.ts';
import type { Harness } from '../testing.ts';
import type { TestContext } from 'node:test';
import type { ExecSession } from './exec.ts';

const noScript = existsSync('/usr/bin/script') ? false : 'script(1) is not installed';

async function running(t: TestContext, container: Record<string, unknown>): Promise<Harness> {
  const h = harness(t);
  h.put(pod({ container }));
  await h.when('ready', isReady);
  return h;
}

const exec = (h: Harness, script: string, options = {}): Promise<ExecSession> =>
  h.runtime.exec({
    namespace: 'default',
    pod: 'web',
    command: ['/bin/sh', '-c', script],
    stdin: false,
    ...options,
  });

const sleeping = shell('while :; do sleep 1; done');

test('a reader who is slow after the end still gets everything', async (t) => {
  const h = await running(t, sleeping);
  const session = await exec(h, 'head -c 150000 /dev/zero');
  session.stderr.resume();
  let bytes = 0;
  for await (const chunk of session.stdout) {
    if (bytes === 0) await delay(1500);
    bytes += (chunk as Buffer).length;
  }
  assert.equal(bytes, 150_000);
  assert.equal((await session.exited).exitCode, 0);
});

test(
  'a terminal has a size, echoes what is typed, and ends with the command',
  { skip: noScript },
  async (t) => {
    const h = await running(t, { ...sleeping, env: [{ name: 'SHELL', value: "/bin/it's mine" }] });
    const session = await exec(
      h,
      'trap "stty size" WINCH; tty; echo "$SHELL"; while ! read line; do :; done; echo "<$line>"; exit 5',
      { stdin: true, tty: true },
    );
    let said = '';
    session.stdout.on('data', (chunk) => (said += chunk));
    await until('it has begun', () => said.includes('mine'));
    assert.match(said, /^\/dev\/pts\/\d+\r\n\/bin\/it's mine\r\n$/);
    the(session.resize)({ columns: 101, rows: 37 });
    await until('it knows its size', () => said.includes('37 101'));
    the(session.stdin).write('typed\n');
    assert.deepEqual(await session.exited, { exitCode: 5 });
    assert.match(said, /typed\r\n<typed>\r\n$/);
  },
);

test('a terminal without input does not end the command', { skip: noScript }, async (t) => {
  const h = await running(t, sleeping);
  const session = await exec(h, 'sleep 0.3; read -t 0 line; echo done', { tty: true });
  assert.equal(session.stdin, undefined);
  assert.match(await text(session.stdout), /done\r\n$/);
});

test('a command in a terminal that does not exist is told as without one', async (t) => {
  const h = await running(t, sleeping);
  const start = h.runtime.exec({
    namespace: 'default',
    pod: 'web',
    command: ['no-such-program'],
    stdin: false,
    tty: true,
  });
  await assert.rejects(start, /exec: "no-such-program": executable file not found in \$PATH/);
});

test('commands run beside an echo server, in its environment', async (t) => {
  const h = await running(t, {
    image: 'gcr.io/k8s-staging-gateway-api/echo-basic:v1',
    env: [{ name: 'COLOR', value: 'red' }],
  });
  const session = await exec(h, 'echo $COLOR $HOSTNAME; exit 4');
  session.stderr.resume();
  assert.equal(await text(session.stdout), 'red web\n');
  assert.equal((await session.exited).exitCode, 4);
});

test('a command whose output nobody reads has ended once it was killed', async (t) => {
  const h = await running(t, sleeping);
  const session = await exec(h, 'head -c 50000 /dev/zero');
  // Keeps Node.js from reading it for nobody when the command ends.
  session.stdout.on('readable', () => {});
  await until('it has written', () => session.stdout.readableLength > 0);
  session.kill();
  await session.exited;
});
