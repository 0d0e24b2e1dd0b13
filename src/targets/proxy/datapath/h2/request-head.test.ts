import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestHead } from '../stream.ts';
import { MALFORMED } from './request-head.ts';
import { readList } from './testing/lists.ts';
import { RequestHeadReader } from './request-head.ts';

type Pair = readonly [name: string, value: string];

const GET: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'example.com'],
  [':path', '/a?b'],
];

function read(fields: readonly Pair[], endStream = true): RequestHead | number {
  return new RequestHeadReader().read(readList(fields), {
    scheme: 'http',
    endStream,
    targetBytesMax: 100,
  });
}

function headOf(fields: readonly Pair[], endStream = true): RequestHead {
  const head = read(fields, endStream);
  if (typeof head === 'number') assert.fail(`refused with ${head}`);
  return head;
}

test('a request becomes its head; the scheme is that of the connection', () => {
  assert.deepEqual(headOf([...GET, ['x-a', '1'], ['te', 'trailers']]), {
    method: 'GET',
    target: '/a?b',
    authority: 'example.com',
    scheme: 'http',
    fields: ['x-a', '1', 'te', 'trailers'],
    contentLength: 0,
    protocol: '',
    expectContinue: false,
  });
});

test('without an end the length is what content-length says, else unknown', () => {
  assert.equal(headOf([...GET, ['content-length', '5']], false).contentLength, 5);
  assert.equal(headOf(GET, false).contentLength, -1);
});

test('content-length is not among the fields', () => {
  assert.deepEqual(headOf([...GET, ['content-length', '5'], ['x-a', '1']], false).fields, [
    'x-a',
    '1',
  ]);
});

test('cookie crumbs become one cookie, where the first one stood', () => {
  const head = headOf([
    ...GET,
    ['cookie', 'a=1'],
    ['x-a', '1'],
    ['cookie', 'b=2'],
    ['cookie', 'c=3'],
  ]);
  assert.deepEqual(head.fields, ['cookie', 'a=1; b=2; c=3', 'x-a', '1']);
});

test('host stands in for a missing :authority', () => {
  const fields = GET.filter(([name]) => name !== ':authority');
  assert.equal(headOf([...fields, ['host', 'other.example']]).authority, 'other.example');
});

test('host may say the same as :authority in another case', () => {
  const head = headOf([...GET, ['host', 'EXAMPLE.com']]);
  assert.equal(head.authority, 'example.com');
  assert.deepEqual(head.fields, []);
});

test('expect: 100-continue is told apart, and taken out', () => {
  const head = headOf([...GET, ['expect', '100-Continue']], false);
  assert.equal(head.expectContinue, true);
  assert.deepEqual(head.fields, []);
});

test('expect: 100-continue without a body means nothing', () => {
  assert.equal(headOf([...GET, ['expect', '100-continue']]).expectContinue, false);
});

test('extended CONNECT is a request with a protocol', () => {
  const fields: Pair[] = [[':method', 'CONNECT'], [':protocol', 'websocket'], ...GET.slice(1)];
  const head = headOf(fields, false);
  assert.equal(head.method, 'GET');
  assert.equal(head.protocol, 'websocket');
  assert.equal(head.contentLength, -1);
});

test('OPTIONS may ask for *', () => {
  const fields: Pair[] = [[':method', 'OPTIONS'], GET[1]!, GET[2]!, [':path', '*']];
  assert.equal(headOf(fields).target, '*');
});

const without = (name: string): Pair[] => GET.filter(([each]) => each !== name);
const with_ = (name: string, value: string): Pair[] =>
  GET.map((pair) => (pair[0] === name ? [name, value] : pair));

const REFUSED: readonly (readonly [what: string, status: number, fields: Pair[], end?: boolean])[] =
  [
    ['no :method', MALFORMED, without(':method')],
    ['no :scheme', MALFORMED, without(':scheme')],
    ['no :path', MALFORMED, without(':path')],
    ['neither :authority nor host', MALFORMED, without(':authority')],
    ['two :method', MALFORMED, [GET[0]!, ...GET]],
    ['two :scheme', MALFORMED, [GET[1]!, ...GET]],
    ['two :authority', MALFORMED, [GET[2]!, ...GET]],
    ['two :path', MALFORMED, [GET[3]!, ...GET]],
    ['two host', MALFORMED, [...GET, ['host', 'example.com'], ['host', 'example.com']]],
    ['host other than :authority', MALFORMED, [...GET, ['host', 'other.example']]],
    ['a pseudo-header after a field', MALFORMED, [...without(':path'), ['x-a', '1'], GET[3]!]],
    [
      'a pseudo-header after host',
      MALFORMED,
      [...without(':path'), ['host', 'example.com'], GET[3]!],
    ],
    ['a :status', MALFORMED, [...GET, [':status', '200']]],
    ['an unknown pseudo-header', MALFORMED, [...GET, [':x', '1']]],
    ['a bad name', MALFORMED, [...GET, ['X-A', '1']]],
    ['a connection field', MALFORMED, [...GET, ['connection', 'close']]],
    [
      'two content-length',
      MALFORMED,
      [...GET, ['content-length', '5'], ['content-length', '5']],
      false,
    ],
    ['a length but no body', MALFORMED, [...GET, ['content-length', '5']]],
    ['* for another method than OPTIONS', MALFORMED, with_(':path', '*')],
    ['a :protocol without CONNECT', MALFORMED, [[':protocol', 'websocket'], ...GET]],
    [
      'a tunnel with a length',
      MALFORMED,
      [[':protocol', 'x'], ...with_(':method', 'CONNECT'), ['content-length', '5']],
      false,
    ],
    ['plain CONNECT with a path', MALFORMED, with_(':method', 'CONNECT')],
    [
      'plain CONNECT',
      405,
      [
        [':method', 'CONNECT'],
        [':authority', 'a:443'],
      ],
    ],
    ['a target that is too long', 414, with_(':path', `/${'a'.repeat(100)}`)],
    ['another expectation', 417, [...GET, ['expect', 'foo']], false],
    ['two expectations', 417, [...GET, ['expect', '100-continue'], ['expect', 'x']], false],
  ];

for (const [what, status, fields, end] of REFUSED) {
  test(`${what}: ${status === MALFORMED ? 'malformed' : status}`, () => {
    assert.equal(read(fields, end), status);
  });
}

test('a list that overflowed is 431', () => {
  const list = readList(GET, 60);
  assert.equal(list.overflowed, true);
  const options = { scheme: 'http', endStream: true, targetBytesMax: 100 } as const;
  assert.equal(new RequestHeadReader().read(list, options), 431);
});

test('a name with an underscore stays, unless some backends read it as one that proxies set', () => {
  const head = headOf([...GET, ['x_forwarded_for', '1.2.3.4'], ['x_foo', '1']]);
  assert.deepEqual(head.fields, ['x_foo', '1']);
  // It is a field all the same: pseudo-headers come before it.
  assert.equal(read([['x_real_ip', '1.2.3.4'], ...GET]), MALFORMED);
});
