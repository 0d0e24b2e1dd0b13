// A disk that is full refuses what is written through the API, and then nothing has happened: not at
// once, not to watches, and not when there is room again.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ApiClient } from '../support/api-client.ts';
import { folder, startFairway } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn } from '../support/kubectl.ts';
import type { Loose } from '../support/kubectl.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

it('undoes what a full disk refuses', { timeout: 60_000 }, async (t) => {
  const home = folder({});
  const objects = join(home.path, 'small-disk');
  mkdirSync(objects);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', objects]);
  if (mounted.status !== 0) {
    home.remove();
    t.skip('file systems cannot be mounted here');
    return;
  }
  const filler = join(objects, 'filler');
  const started: Fairway[] = [];
  const start = async (): Promise<Fairway> => {
    const fairway = await startFairway(['--no-pods', '--data', objects], { home: home.path });
    started.push(fairway);
    return fairway;
  };
  try {
    const fairway = await start();
    const api = new ApiClient(await kubeconfigIn(home.path));
    const made = await api.create(PATH, { metadata: { name: 'there' }, data: { value: '1' } });
    assert.equal(made.status, 201);
    const { bavail, bsize } = statfsSync(objects);
    writeFileSync(filler, Buffer.alloc(bavail * bsize));
    const large = 'x'.repeat(100_000);
    const refused = [
      await api.create(PATH, { metadata: { name: 'new' }, data: { large } }),
      await api.patch(`${PATH}/there`, { data: { large } }),
    ];
    assert.deepEqual(
      refused.map(({ status }) => status),
      [500, 500],
    );
    const ended = await api.ask('DELETE', `${PATH}/there`);
    const expected = ended.status === 500 ? ['there'] : [];
    const names = async (): Promise<readonly string[]> => {
      const { body } = await api.get(PATH);
      return body.items.map(({ metadata }: Loose) => metadata.name);
    };
    assert.deepEqual(await names(), expected);
    rmSync(filler);
    assert.equal((await api.create(PATH, { metadata: { name: 'later' } })).status, 201);
    assert.deepEqual(await names(), ['later', ...expected]);
    api.close();
    await fairway.stop();
    const again = await start();
    const anew = new ApiClient(await kubeconfigIn(home.path));
    const { body } = await anew.get(PATH);
    assert.deepEqual(
      body.items.map(({ metadata }: Loose) => metadata.name),
      ['later', ...expected],
    );
    anew.close();
    await again.stop();
  } finally {
    for (const { process } of started) process.kill('SIGKILL');
    spawnSync('umount', ['--lazy', objects]);
    home.remove();
  }
});
