import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAlias, isDisguised } from './disguised-name.ts';

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

test('a name with underscores is an alias of the one with dashes', () => {
  assert.equal(isAlias('X_User', 'x-user'), true);
  assert.equal(isAlias('x-remote_user', 'x-remote-user'), true);
  assert.equal(isAlias('X-User', 'x-user'), false);
  assert.equal(isAlias('X_Users', 'x-user'), false);
  assert.equal(isAlias('xXuser', 'x-user'), false);
});
