import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAuthority } from './authority.ts';
import { classesOf } from './byte-class.ts';
import { fieldKind, Kind, nameKind } from './field-kind.ts';

function kindOf(name: string, value: string): number {
  const nameBytes = Buffer.from(name, 'latin1');
  const valueBytes = Buffer.from(value, 'latin1');
  const ofName = nameKind(name, classesOf(nameBytes, 0, nameBytes.length));
  return fieldKind(ofName, value, classesOf(valueBytes, 0, valueBytes.length));
}

const GOOD: readonly (readonly [name: string, value: string, kind: number])[] = [
  ['x-a', '', Kind.PLAIN],
  ['x-a', 'two words\tand a tab', Kind.PLAIN],
  ['x-a', 'caf\xe9', Kind.PLAIN],
  ["!#$%&'*+-.^_`|~09az", 'v', Kind.PLAIN],
  [':method', 'M-SEARCH', Kind.METHOD],
  [':scheme', 'https', Kind.SCHEME],
  [':authority', 'example.com:8443', Kind.AUTHORITY],
  [':path', '/a?b=%20', Kind.PATH],
  [':path', '*', Kind.PATH],
  [':protocol', 'websocket', Kind.PROTOCOL],
  [':status', '200', Kind.STATUS],
  ['content-length', '0', Kind.CONTENT_LENGTH],
  ['content-length', '999999999999999', Kind.CONTENT_LENGTH],
  ['te', 'trailers', Kind.TE],
  ['cookie', 'a=b', Kind.COOKIE],
  ['authorization', 'Basic x', Kind.CREDENTIAL],
];

for (const [name, value, kind] of GOOD) {
  test(`"${name}: ${value}" has kind ${kind}`, () => {
    assert.equal(kindOf(name, value), kind);
  });
}

const BAD: readonly (readonly [name: string, value: string])[] = [
  ['', 'v'],
  ['X-A', 'v'],
  ['x a', 'v'],
  ['x:a', 'v'],
  ['x\0a', 'v'],
  ['caf\xe9', 'v'],
  [':unknown', 'v'],
  ['x-a', 'a\r\nb: c'],
  ['x-a', 'a\nb'],
  ['x-a', 'a\rb'],
  ['x-a', 'a\0b'],
  ['x-a', 'a\x7fb'],
  ['x-a', 'a\x01b'],
  ['x-a', ' v'],
  ['x-a', 'v '],
  ['x-a', '\tv'],
  ['x-a', 'v\t'],
  ['x-a', ' '],
  ['connection', 'close'],
  ['keep-alive', '5'],
  ['proxy-connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['te', 'gzip'],
  ['te', 'trailers, gzip'],
  [':method', ''],
  [':method', 'GET /x'],
  [':method', 'A'.repeat(25)],
  [':scheme', 'ftp'],
  [':scheme', 'HTTP'],
  [':path', ''],
  [':path', 'a/b'],
  [':path', 'http://example.com/'],
  [':path', '/a b'],
  [':path', '/a#b'],
  [':path', '/a\tb'],
  [':path', '/caf\xe9'],
  [':protocol', 'web socket'],
  [':status', '20'],
  [':status', '2000'],
  [':status', '099'],
  [':status', '600'],
  [':status', '20x'],
  ['content-length', ''],
  ['content-length', '+5'],
  ['content-length', '-1'],
  ['content-length', '0x5'],
  ['content-length', '5, 5'],
  ['content-length', '1234567890123456'],
];

for (const [name, value] of BAD) {
  test(`"${name}: ${JSON.stringify(value)}" is malformed`, () => {
    assert.equal(kindOf(name, value), Kind.BAD);
  });
}

const AUTHORITIES = [
  'a',
  'example.com',
  'EXAMPLE.com.',
  'my_service.ns:8080',
  '192.0.2.1:80',
  '[2001:db8::1]',
  '[::ffff:192.0.2.1]:443',
  'a:0',
  'a:65535',
  'x'.repeat(255),
];

for (const text of AUTHORITIES) {
  test(`${text.slice(0, 40)} is an authority`, () => assert.equal(isAuthority(text), true));
}

const NO_AUTHORITIES = [
  '',
  ':80',
  'a:',
  'a:65536',
  'a:1x',
  'a:123456',
  'a:80:80',
  'user@a',
  'a,b',
  'a b',
  'a/b',
  'a?b',
  'a\\b',
  'a%20b',
  '[]',
  '[::1',
  '::1',
  '[::1]x',
  '[g::]',
  'x'.repeat(256),
];

for (const text of NO_AUTHORITIES) {
  test(`"${text.slice(0, 40)}" is no authority`, () => assert.equal(isAuthority(text), false));
}
