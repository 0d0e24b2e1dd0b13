// Request headers as a Go handler sees them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalName, goHeaders } from './go-headers.ts';

const NAMES: readonly [string, string][] = [
  ['x-echo-SET-header', 'X-Echo-Set-Header'],
  ['HOST', 'Host'],
  ['x--a-', 'X--A-'],
  ['te', 'Te'],
  ['123', '123'],
  ['bad name', 'bad name'],
];

for (const [name, canonical] of NAMES) {
  test(`${name} is written ${canonical}`, () => assert.equal(canonicalName(name), canonical));
}

test('repeated lines stay apart, in order, under one name', () => {
  const headers = goHeaders(['b', '2', 'X-A', '1', 'x-a', '2, 3', 'x-A', ''], false);
  assert.deepEqual(Object.entries(headers), [
    ['B', ['2']],
    ['X-A', ['1', '2, 3', '']],
  ]);
});

test('HTTP/1: Host and framing are not shown, Cookie lines stay apart', () => {
  const raw = [
    'Host',
    'h',
    'Transfer-Encoding',
    'chunked',
    'Trailer',
    'X',
    'Cookie',
    'a=b',
    'Cookie',
    'c=d',
  ];
  assert.deepEqual({ ...goHeaders(raw, false) }, { Cookie: ['a=b', 'c=d'] });
});

test('HTTP/2: pseudo headers are not shown, Cookie lines are joined, Expect: 100-continue is gone', () => {
  const raw = [
    ':path',
    '/',
    'cookie',
    'a=b',
    'cookie',
    'c=d',
    'te',
    'trailers',
    'expect',
    '100-continue',
  ];
  assert.deepEqual({ ...goHeaders(raw, true) }, { Cookie: ['a=b; c=d'], Te: ['trailers'] });
});

test('Pragma: no-cache brings Cache-Control unless there is one', () => {
  assert.deepEqual(goHeaders(['Pragma', 'no-cache'], false)['Cache-Control'], ['no-cache']);
  const given = goHeaders(['Pragma', 'no-cache', 'Cache-Control', 'max-age=1'], false);
  assert.deepEqual(given['Cache-Control'], ['max-age=1']);
});

test('bytes are read as UTF-8', () => {
  const latin1 = Buffer.from('é', 'utf8').toString('latin1');
  assert.deepEqual(goHeaders(['X-A', latin1, 'X-B', '\u00ff'], false)['X-A'], ['é']);
  assert.deepEqual(goHeaders(['X-B', '\u00ff'], false)['X-B'], ['\ufffd']);
});

test('a header named like an object’s insides is only a header', () => {
  const headers = goHeaders(['__proto__', 'x', 'constructor', 'y'], false);
  assert.equal(JSON.stringify(headers), '{"Constructor":["y"],"__proto__":["x"]}');
});
