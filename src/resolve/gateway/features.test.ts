import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SUPPORTED_FEATURES } from './features.ts';

it('features are in the order the API wants, each once', () => {
  assert.deepEqual([...new Set(SUPPORTED_FEATURES)].toSorted(), [...SUPPORTED_FEATURES]);
});
