// All of h2spec, where there is Go.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runH2spec } from './run.ts';

it('passes every case of h2spec', async (t) => {
  const { skipped, passed, failures } = await runH2spec();
  if (skipped !== null) {
    t.skip(skipped);
    return;
  }
  t.diagnostic(`${passed} cases`);
  assert.deepEqual(failures, []);
  assert.ok(passed > 250);
});
