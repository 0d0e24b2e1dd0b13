import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { temporaryFolder, until } from '../testing.ts';
import { ContainerProcesses } from './container-processes.ts';
import { startProcess, StartError } from './container-process.ts';
import type { ContainerProcess } from './container-process.ts';
import { findExecutable } from './executable.ts';
import { isUnspecified, listenersOf, parseListeners } from './listeners.ts';
import { CONTAINER_VARIABLE } from './marker.ts';
import { Reaper } from './reaper.ts';

const noProc = existsSync('/proc/self/environ') ? false : 'needs /proc';
const PATH = process.env['PATH'] ?? '';

let ids = 0;
const newId = (): string => `test-${process.pid}-${ids++}`;

function start(
  t: TestContext,
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<ContainerProcess> {
  const reaper = new Reaper(`0.${newId()}`);
  t.after(() => reaper.close());
  return startProcess({ argv, cwd: '/', env: { PATH, ...env }, stdin: 'pipe', reaper });
}

const run = (
  t: TestContext,
  script: string,
  env?: Record<string, string>,
): Promise<ContainerProcess> => start(t, ['/bin/sh', '-c', script], env);

test('programs are found by the PATH of the container, and what is wrong is told as runtimes tell it', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'bin/folder'));
  writeFileSync(join(folder, 'bin/tool'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'bin/data'), '', { mode: 0o644 });
  const find = (name: string, path = join(folder, 'bin')): ReturnType<typeof findExecutable> =>
    findExecutable(name, folder, path);
  const tool = join(folder, 'bin/tool');
  assert.deepEqual(await find('tool'), { ok: true, path: tool });
  assert.deepEqual(await find('tool', 'bin'), { ok: true, path: tool }, 'PATH may be relative');
  assert.deepEqual(await find('./bin/tool'), { ok: true, path: tool });
  for (const name of ['none', 'data', 'folder', '']) {
    const message = `exec: "${name}": executable file not found in $PATH`;
    assert.deepEqual(await find(name), { ok: false, message });
  }
  assert.deepEqual(await find('/no/such'), {
    ok: false,
    message: 'exec: "/no/such": stat /no/such: no such file or directory',
  });
  assert.deepEqual(await find('bin/data'), {
    ok: false,
    message: 'exec: "bin/data": permission denied',
  });
});

test('a process is the first of its own group, and its end is told as a container runtime tells it', async (t) => {
  const child = await run(t, 'echo out; echo err >&2; cat; exit 7');
  child.stdin?.end('in');
  const [out, err, exit] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exited,
  ]);
  assert.deepEqual([out, err, exit], ['out\nin', 'err\n', { exitCode: 7 }]);
  const killed = await run(t, 'kill -KILL $$');
  assert.deepEqual(await killed.exited, { exitCode: 137, signal: 9 });
  const ended = await run(t, 'while :; do sleep 1; done');
  ended.signal('SIGTERM');
  assert.deepEqual(await ended.exited, { exitCode: 143, signal: 15 });
});

test('what is left of the group ends with its first process', async (t) => {
  const child = await run(
    t,
    "sleep 3600 & trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo up; exit 0",
  );
  await child.exited;
  await until('nobody of the group is left', () => {
    try {
      process.kill(-child.pid, 0);
      return false;
    } catch {
      return true;
    }
  });
});

test('a daemon that keeps the output open does not hold up the end', async (t) => {
  const id = newId();
  const child = await run(t, 'setsid sh -c "while :; do sleep 1; done" & exit 3', {
    [CONTAINER_VARIABLE]: id,
  });
  assert.deepEqual(await child.exited, { exitCode: 3 });
  await new ContainerProcesses().kill(id);
});

test('a command that cannot be started is an error with its name', async (t) => {
  await assert.rejects(start(t, ['no-such-program']), (error) => {
    assert.ok(error instanceof StartError);
    assert.equal(error.message, 'exec: "no-such-program": executable file not found in $PATH');
    return true;
  });
  await assert.rejects(start(t, ['/bin/sh', 'a\0b']), /exec: "\/bin\/sh": .*null bytes/);
  await assert.rejects(start(t, ['/bin/sh'], { BIG: 'x'.repeat(4_000_000) }), StartError);
});

test(
  'processes of a container are found by their marker and killed, those of others stay',
  { skip: noProc },
  async (t) => {
    const [mine, other] = [newId(), newId()];
    const script =
      "trap '' TERM; (setsid sh -c 'while :; do sleep 1; done' &); while :; do sleep 1; done";
    const doomed = await run(t, script, { [CONTAINER_VARIABLE]: mine });
    const spared = await run(t, script, { [CONTAINER_VARIABLE]: other });
    const processes = new ContainerProcesses();
    await until('both have their daemons', async () => {
      const [a, b] = await Promise.all([processes.of(mine), processes.of(other)]);
      return a.length >= 3 && b.length >= 3;
    });
    await Promise.all([processes.kill(mine), processes.kill(mine)]);
    assert.deepEqual(await processes.of(mine), []);
    assert.equal((await doomed.exited).signal, 9);
    assert.ok((await processes.of(other)).includes(spared.pid));
    await processes.kill(other);
  },
);

test('the addresses a process listens on are found', { skip: noProc }, async (t) => {
  const addresses = ['0.0.0.0', '127.0.0.1', '::'];
  const ports: number[] = [];
  for (const address of addresses) {
    const server = createServer().listen(0, address);
    await once(server, 'listening');
    t.after(() => server.close());
    ports.push((server.address() as AddressInfo).port);
  }
  const found = await listenersOf([process.pid]);
  for (const [i, port] of ports.entries()) {
    assert.deepEqual(
      found.filter((each) => each.port === port),
      [{ address: addresses[i], port }],
    );
  }
  assert.deepEqual(await listenersOf([]), []);
});

test('listening sockets are read from the text of the kernel', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0500F47F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 100 0 0 10 0
   2: 0100007F:0050 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 333 1 0 100 0 0 10 0
`;
  assert.deepEqual(parseListeners(table), [
    { address: '127.244.0.5', port: 8080, inode: '111' },
    { address: '0.0.0.0', port: 80, inode: '222' },
  ]);
  const row = (address: string): string => `head\n 0: ${address}:0050 0:0 0A 0 0 0 0 0 7 x`;
  const six = (address: string): string | undefined => parseListeners(row(address))[0]?.address;
  assert.equal(six('00000000000000000000000000000000'), '::');
  assert.equal(six('00000000000000000000000001000000'), '::1');
  assert.equal(six('0000000000000000FFFF00000500F47F'), '127.244.0.5');
  assert.equal(six('B80D0120000000000000000001000000'), '2001:db8::1');
  assert.ok(isUnspecified('::') && isUnspecified('0.0.0.0') && !isUnspecified('::1'));
});
