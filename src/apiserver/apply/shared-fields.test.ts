import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shareFields } from './shared-fields.ts';

const entry = (manager: string, fieldsV1: object) => ({ manager, operation: 'Update', fieldsV1 });

describe('managed fields', () => {
  it('have the same tree for the same fields, and are what they were', () => {
    const one = [entry('a', { 'f:spec': { 'f:x': {} } })];
    const two = [entry('b', { 'f:spec': { 'f:x': {} } }), entry('c', { 'f:spec': { 'f:y': {} } })];
    const [sharedOne, sharedTwo] = [shareFields(one), shareFields(two)];
    assert.deepEqual([sharedOne, sharedTwo], [one, two]);
    assert.equal(sharedTwo[0]?.fieldsV1, sharedOne[0]?.fieldsV1);
    assert.notEqual(sharedTwo[1]?.fieldsV1, sharedOne[0]?.fieldsV1);
  });
});
