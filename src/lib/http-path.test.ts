import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isUnderPrefix, parseQuery, replacePrefix, splitTarget } from './http-path.ts';

describe('a target', () => {
  const rows: readonly [string, string, string | null][] = [
    ['is split at the question mark', '/a?b=/../c', '/a?b=/../c'],
    ['keeps its trailing slash', '/a/', '/a/'],
    ['loses dot segments', '/a/./b/../c', '/a/c'],
    ['loses escaped dot segments', '/a/%2e%2E/b', '/b'],
    ['ends with a slash where a dot segment ended it', '/a/b/..', '/a/'],
    ['has its slashes merged', '//a///b', '/a/b'],
    ['has escapes of plain characters undone', '/%61%2Db%7e', '/a-b~'],
    ['keeps escapes that mean something', '/a%20b%3Fc', '/a%20b%3Fc'],
    ['is decoded once only', '/%252e%252e/a', '/%252e%252e/a'],
    ['may not climb above the root', '/../etc', null],
    ['may not hide a slash', '/a%2fb', null],
    ['may not hide a backslash', '/a%5Cb', null],
    ['may not hold a backslash', '/a\\b', null],
    ['may not hold NUL', '/a%00', null],
    ['may not hold a broken escape', '/a%zz', null],
    ['may not hold dots with a parameter', '/a/..;x/b', null],
  ];
  for (const [name, target, expected] of rows) {
    it(name, () => {
      const split = splitTarget(target);
      assert.equal(split === null ? null : split.path + split.query, expected);
    });
  }

  it('keeps hidden slashes untouched where it was told to', () => {
    const split = splitTarget('/a%2Fb/../c', { escapedSlashes: 'keep' });
    assert.equal(split?.path, '/c');
    assert.equal(splitTarget('/a%2Fb', { escapedSlashes: 'keep' })?.path, '/a%2Fb');
  });

  it('is the same when it is normalized again', () => {
    const piece = fc.constantFrom('a', '.', '..', '%2e', '%41', '%25', 'b%20', '');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const once = splitTarget(`/${pieces.join('/')}`);
        if (once === null) return;
        assert.deepEqual(splitTarget(once.path), { path: once.path, query: '' });
        assert.ok(!/\/\.{1,2}(\/|$)|\/\//.test(once.path), once.path);
      }),
    );
  });
});

describe('a query', () => {
  it('is read as names and values', () => {
    assert.deepEqual(parseQuery('?a=1&b&c=d=e&&a=%20+x&bad=%zz'), [
      ['a', '1'],
      ['b', ''],
      ['c', 'd=e'],
      ['a', '  x'],
      ['bad', '%zz'],
    ]);
    assert.deepEqual(parseQuery('?'), []);
    assert.deepEqual(parseQuery(''), []);
  });
});

describe('a prefix', () => {
  it('is one by whole segments', () => {
    assert.ok(isUnderPrefix('/a', '/a'));
    assert.ok(isUnderPrefix('/a/', '/a'));
    assert.ok(isUnderPrefix('/a/b', '/a'));
    assert.ok(!isUnderPrefix('/ab', '/a'));
    assert.ok(isUnderPrefix('/anything', '/'));
  });

  // The table of HTTPPathModifier.replacePrefixMatch, and the rows it leaves to sense.
  const rows: readonly [string, string, string, string][] = [
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/foo', '/foo', '/xyz/', '/xyz/'],
    ['/', '/', '/xyz', '/xyz'],
    ['/a', '/', '/xyz', '/xyz/a'],
    ['/a', '/', '/', '/a'],
  ];
  for (const [path, prefix, replacement, expected] of rows) {
    it(`${prefix} of ${path} replaced by ${replacement || 'nothing'} gives ${expected}`, () =>
      assert.equal(replacePrefix(path, prefix, replacement), expected));
  }
});
