// Targets and queries as Go’s mux and net/url read them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostOfTarget, mergeSlashes, queryValue, resolveTarget, type Target } from './go-url.ts';

const TARGETS: readonly [name: string, target: string, expected: Target][] = [
  ['a plain path is itself', '/a/b', { kind: 'path', path: '/a/b', query: '' }],
  ['the query is cut off', '/a?x=/../y', { kind: 'path', path: '/a', query: 'x=/../y' }],
  ['escapes stay', '/a%2Fb', { kind: 'path', path: '/a%2Fb', query: '' }],
  ['a dot segment redirects', '/a/./b/', { kind: 'redirect', location: '/a/b/' }],
  [
    'a parent segment redirects and keeps the query',
    '/a/../b?c',
    { kind: 'redirect', location: '/b?c' },
  ],
  ['above the root is the root', '/../..', { kind: 'redirect', location: '/' }],
  ['double slashes redirect', '//a', { kind: 'redirect', location: '/a' }],
  [
    'a name that starts with dots is no dot segment',
    '/...a',
    { kind: 'path', path: '/...a', query: '' },
  ],
  [
    'a subtree without its slash redirects',
    '/status?x',
    { kind: 'redirect', location: '/status/?x' },
  ],
  [
    'absolute form has its path behind the host',
    'http://h:1/p?q',
    { kind: 'path', path: '/p', query: 'q' },
  ],
  [
    'absolute form without path redirects to the root',
    'http://h',
    { kind: 'redirect', location: '/' },
  ],
  ['a bad escape in the path is no target', '/%zz', { kind: 'invalid' }],
  [
    'a bad escape in the query is nobody’s business',
    '/?%zz',
    { kind: 'path', path: '/', query: '%zz' },
  ],
  ['neither form is no target', 'a/b', { kind: 'invalid' }],
];

for (const [name, target, expected] of TARGETS) {
  test(name, () => assert.deepEqual(resolveTarget(target, ['/status/']), expected));
}

const MERGED: readonly [string, string][] = [
  ['/a/b', '/a/b'],
  ['//a//b?x=//', '/a/b?x=//'],
  ['///a', '//a'],
  ['http://h//a', 'http://h/a'],
  ['http://h', 'http://h'],
];

for (const [target, merged] of MERGED) {
  test(`pairs of slashes: ${target} becomes ${merged}`, () =>
    assert.equal(mergeSlashes(target), merged));
}

const QUERIES: readonly [name: string, query: string, expected: string | undefined][] = [
  ['absent key', 'a=1', undefined],
  ['first of several', 'k=1&k=2', '1'],
  ['key without equals sign', 'k&k=2', ''],
  ['plus and percent are decoded', 'k=a+b%20c%26', 'a b c&'],
  ['the key is decoded, too', '%6b=1', '1'],
  ['a pair with a semicolon does not count', 'k;x=1&k=2', '2'],
  ['a value with a bad escape does not count', 'k=%zz&k=2', '2'],
  ['bytes that are no UTF-8 are replaced', 'k=%ff', '\ufffd'],
];

for (const [name, query, expected] of QUERIES) {
  test(`query: ${name}`, () => assert.equal(queryValue(query, 'k'), expected));
}

test('only absolute form names a host', () => {
  assert.equal(hostOfTarget('http://h.example:99/p'), 'h.example:99');
  assert.equal(hostOfTarget('/http://h'), undefined);
  assert.equal(hostOfTarget('*'), undefined);
});
