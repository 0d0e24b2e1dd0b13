// A thousand good routes go on answering while one object of every bad kind is put beside them: a sample
// of requests on real sockets. Every route, and what is told of every bad object: test/bad-input.test.ts.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BAD_OBJECTS, GOOD, goodObjects } from '../support/bad-input.ts';
import { folder, get, startFairway, until } from '../support/fairway.ts';
import { echo } from '../support/manifests.ts';

const SAMPLE = 40;

it('good routes answer as before beside one object of every bad kind', async () => {
  const home = folder({});
  const files = folder({
    // The Service of the echo is among the good ones.
    'good.yaml': [...goodObjects(), echo('one').split('\n---\n')[0] ?? ''].join('\n---\n'),
  });
  const fairway = await startFairway([files.path, '--no-api'], { home: home.path });
  try {
    const url = fairway.gateways['default/web']?.listeners['http']?.url ?? '';
    const ask = async (host: string, path: string): Promise<number> =>
      (await get(url + path, { host })).status;
    const sample = async (): Promise<readonly number[]> => {
      const numbers = Array.from({ length: SAMPLE }, (_, i) => i * Math.floor(GOOD.http / SAMPLE));
      return Promise.all(numbers.map((i) => ask(`h${i % 50}.example`, `/p${i}`)));
    };
    const good = Array.from({ length: SAMPLE }, () => 200);
    await until(async () => (await sample()).every((status) => status === 200), 'the echo');
    assert.equal(await ask('bad-backend-missing.bad.example', '/'), 404);
    files.write('z-bad.yaml', BAD_OBJECTS);
    // Asked all the while, until a bad route is there, which answers for itself alone.
    await until(async () => {
      assert.deepEqual(await sample(), good);
      return (await ask('bad-backend-missing.bad.example', '/')) === 500;
    }, 'the bad route');
    assert.deepEqual(await sample(), good);
  } finally {
    await fairway.stop();
    home.remove();
    files.remove();
  }
});
