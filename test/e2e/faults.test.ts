// What the machine does to a running Fairway: a full disk, no descriptors left, a backend that is stopped and
// goes on. Nothing of it ends the process or a listener, and after it all is as before. A clock that jumps
// does nothing: every time of the data path is monotonic.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/fairway.ts';
import { askPlain, startPlain, writePlainObjects } from '../support/plain-up.ts';
import type { PlainUp } from '../support/plain-up.ts';

const DESCRIPTORS = 256;
const CONNECTIONS = 400;
const BACKEND = `
  const server = require('node:http').createServer((incoming, response) => response.end('here'));
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

describe(
  'what the machine does to fairway up',
  { skip: !existsSync('/dev/full') && 'no /dev/full' },
  () => {
    const home = mkdtempSync(join(tmpdir(), 'fairway-faults-'));
    let backend: ChildProcess;
    let up: PlainUp;

    before(async () => {
      backend = spawn(process.execPath, ['-e', BACKEND]);
      const [port] = (await once(backend.stdout!, 'data')) as [Buffer];
      writePlainObjects(home, Number(String(port)));
      // As many connections as there are descriptors are let in: the system says no first.
      const config = join(home, 'config.yaml');
      writeFileSync(
        config,
        `apiVersion: fairway.dev/v1alpha1\nkind: FairwayConfiguration\nlimits: { connectionsMax: ${CONNECTIONS * 2} }\n`,
      );
      const flags = ['--no-api', '--workers', '1', '--access-log', '/dev/full', '--config', config];
      up = await startPlain(home, { flags, descriptors: DESCRIPTORS });
    });

    after(async () => {
      const exited = once(up.child, 'exit');
      up.child.kill('SIGTERM');
      await exited;
      backend.kill('SIGKILL');
      rmSync(home, { recursive: true, force: true });
    });

    it('a disk that is full takes no line of the access log, and requests are served', async () => {
      for (let i = 0; i < 20; i++) assert.equal(await askPlain(up.url), 'here');
      await delay(1_500);
      assert.equal(await askPlain(up.url), 'here');
      assert.equal(up.child.exitCode, null);
    });

    it('without descriptors nobody new is served, and everybody is when there are some again', async () => {
      const { hostname, port } = new URL(up.url);
      const open: Socket[] = [];
      for (let i = 0; i < CONNECTIONS; i++) {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        open.push(socket);
      }
      await delay(500);
      assert.equal(up.child.exitCode, null);
      for (const socket of open) socket.destroy();
      await until(
        () =>
          askPlain(up.url).then(
            (text) => text === 'here',
            () => false,
          ),
        'requests to be served again',
      );
      for (let i = 0; i < 20; i++) assert.equal(await askPlain(up.url), 'here');
    });

    it('a backend that is stopped is answered for in time, and serves when it goes on', async () => {
      backend.kill('SIGSTOP');
      assert.match(await askPlain(up.url), /not answered in the time/);
      backend.kill('SIGCONT');
      await until(
        () => askPlain(up.url).then((text) => text === 'here'),
        'the backend to serve again',
      );
      assert.equal(up.child.exitCode, null);
    });
  },
);
