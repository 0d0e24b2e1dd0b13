import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeTarget, escapePath } from './decoded-path.ts';

describe('paths as nginx reads them', () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ['/a/b?x=%41', '/a/b'],
    ['/%61%2Fb', '/a/b'],
    ['//a///b/', '/a/b/'],
    ['/a/./b/../c', '/a/c'],
    ['/a/..', '/'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/..b', '/a/..b'],
    ['/a%20b%3Fc', '/a b?c'],
    ['/caf%C3%A9', '/caf\u00c3\u00a9'],
    ['/..', null],
    ['/a/../../b', null],
    ['/%00', null],
    ['/%zz', null],
    ['/%4', null],
  ];
  for (const [target, path] of rows) {
    it(`${target} is ${path}`, () => assert.equal(decodeTarget(target)?.path ?? null, path));
  }

  it('leaves the query as it was sent', () => {
    assert.equal(decodeTarget('/a?b=//%2F')?.query, '?b=//%2F');
  });

  it('escapes what a path may not have', () => {
    assert.equal(escapePath('/a b?c#d%e"f\u00c3'), '/a%20b%3Fc%23d%25e%22f%C3');
    assert.equal(escapePath("/-._~!$&'()*+,;=:@"), "/-._~!$&'()*+,;=:@");
  });
});
