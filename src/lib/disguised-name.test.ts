import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDisguised } from './disguised-name.ts';

test('only names that pass for one of a proxy are disguised', () => {
  for (const name of [
    'X_Forwarded_For',
    'x-forwarded_proto',
    'Content_Length',
    'transfer_encoding',
  ]) {
    assert.equal(isDisguised(name), true, name);
  }
  for (const name of [
    'X_Foo',
    'x_user',
    'X-Forwarded-For',
    'content-length',
    'host',
    '_',
    'a_host',
  ]) {
    assert.equal(isDisguised(name), false, name);
  }
});
