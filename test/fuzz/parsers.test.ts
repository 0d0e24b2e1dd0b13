// A part of what test/fuzz/parsers.ts does, with a seed of its own each day: a failure names it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fuzzParsers } from './parsers.ts';

const INPUTS = 250_000;

it('our parser reads no message in another way than llhttp', (t) => {
  const seed = Math.floor(Date.now() / 86_400_000);
  const { agree, stricter, difference } = fuzzParsers(seed, INPUTS);
  t.diagnostic(`seed ${seed}: ${agree} read alike, ${stricter} refused by ours alone`);
  assert.equal(difference, null, `seed ${seed}: ${JSON.stringify(difference)}`);
  // Inputs that all are refused, or all taken, would show nothing.
  assert.ok(agree > INPUTS / 2 && stricter > INPUTS / 100);
});
