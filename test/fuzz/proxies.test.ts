// A part of what test/fuzz/proxies.ts does, where nginx or HAProxy are installed.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fuzzProxies } from './proxies.ts';

it('no request reaches a backend in another way than behind nginx and HAProxy', async (t) => {
  const seed = Math.floor(Date.now() / 86_400_000);
  const { peers, difference, inputs } = await fuzzProxies(seed, 400);
  if (peers.length === 0) t.skip('neither nginx nor haproxy is installed');
  t.diagnostic(`seed ${seed}: ${inputs} inputs beside ${peers.join(' and ')}`);
  assert.equal(difference, null, `seed ${seed}`);
});
