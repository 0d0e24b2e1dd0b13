// fairway up --take-over: one process in the place of another, under load.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lockAddressOf } from '../../src/config/network.ts';
import { LOCK_PORT } from '../../src/lib/address-lock.ts';
import { portOwner } from '../../src/lib/port-owner.ts';
import { askPlain, startPlain, writePlainObjects } from '../support/plain-up.ts';
import type { PlainUp } from '../support/plain-up.ts';

const HANDOVERS = 2;
const WORKERS = 2;
/** Of the addresses of Gateways: the second number in the first block. */
const FIRST_BLOCK = 80;
const SLOW_MS = 500;

/** The process that has a URL's block of addresses: others may run here, and are not to be disturbed. */
async function processOf(url: string): Promise<number> {
  const block = Number(new URL(url).hostname.split('.')[1]) - FIRST_BLOCK;
  const owner = await portOwner(lockAddressOf(block), LOCK_PORT);
  assert.ok(owner);
  return owner.pid;
}

describe('fairway up --take-over', () => {
  const home = mkdtempSync(join(tmpdir(), 'fairway-over-'));
  const running: ChildProcess[] = [];
  let backend: Server;

  before(async () => {
    backend = createServer((incoming, response) => {
      setTimeout(() => response.end(incoming.url), incoming.url === '/slow' ? SLOW_MS : 0);
    });
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
    writePlainObjects(home, (backend.address() as AddressInfo).port);
  });

  after(() => {
    for (const child of running) child.kill('SIGKILL');
    backend.closeAllConnections();
    backend.close();
    rmSync(home, { recursive: true, force: true });
  });

  async function start(...flags: string[]): Promise<PlainUp> {
    const up = await startPlain(home, { flags: ['--workers', String(WORKERS), ...flags] });
    running.push(up.child);
    return up;
  }

  it('takes the place of one that runs, and its addresses', async () => {
    const first = await start('--no-api');
    const { url } = first;
    let { child } = first;
    let isEnding = false;
    let asked = 0;
    const failures: string[] = [];
    const load = (async (): Promise<void> => {
      while (!isEnding) {
        const place = asked++ % 10 === 0 ? '/slow' : '/quick';
        const answer = await askPlain(url + place).catch(String);
        if (answer !== place) failures.push(answer);
      }
    })();
    for (let i = 0; i < HANDOVERS; i++) {
      const before_ = child;
      const exited = once(before_, 'exit');
      const next = await start('--no-api', `--take-over=${await processOf(url)}`);
      assert.equal(next.url, url);
      child = next.child;
      const [code] = await exited;
      assert.equal(code, 0);
    }
    isEnding = true;
    await load;
    // Where the kernel does not hand over what waits in the queue of a listener, each may cut one.
    assert.ok(failures.length <= HANDOVERS * WORKERS, failures.join('\n'));
    for (const failure of failures) assert.match(failure, /ECONNRESET/);
    assert.ok(asked > HANDOVERS);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });

  it('does not take the place of one that serves the API, which goes on', async () => {
    const { child, url } = await start('--fresh', '--api-port', '0');
    await assert.rejects(
      start('--no-api', `--take-over=${await processOf(url)}`),
      /does not leave its addresses/,
    );
    assert.equal(await askPlain(`${url}/quick`), '/quick');
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });

  it('says what cannot be handed over, and what is no process', async () => {
    await assert.rejects(start('--take-over'), /--no-pods and --no-api/);
    await assert.rejects(start('--no-api', '--take-over=x'), /is not a process/);
    await assert.rejects(start('--no-api', '--take-over=1'), /no Fairway of yours/);
  });
});
