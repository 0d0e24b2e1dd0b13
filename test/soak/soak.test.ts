// A few seconds of test/soak/run.ts: every answer its own, nothing lost but with what died.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { soak } from './run.ts';

it('answers every request with its own answer while everything changes', async (t) => {
  const { faults, answered, changes, crashes } = await soak(8);
  t.diagnostic(`${answered} answers, ${changes} changes, ${crashes} crashes`);
  assert.deepEqual(faults, []);
  assert.ok(answered > 1000 && changes > 10 && crashes > 0);
});
