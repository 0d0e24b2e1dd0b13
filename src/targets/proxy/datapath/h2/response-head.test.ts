import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResponseHead, readTrailers } from './response-head.ts';
import { readList } from './testing/lists.ts';

type Pair = readonly [name: string, value: string];

interface Row {
  readonly what: string;
  readonly fields: readonly Pair[];
  readonly method?: string;
  readonly end?: boolean;
  readonly expected: readonly [status: number, contentLength: number, ...fields: string[]] | null;
}

const ROWS: readonly Row[] = [
  {
    what: 'a response with a length',
    fields: [
      [':status', '200'],
      ['content-length', '5'],
      ['x-a', '1'],
    ],
    expected: [200, 5, 'x-a', '1'],
  },
  { what: 'a response without a length', fields: [[':status', '200']], expected: [200, -1] },
  {
    what: 'a response without a body',
    fields: [[':status', '404']],
    end: true,
    expected: [404, 0],
  },
  {
    what: 'a response to HEAD with the length of the body it does not have',
    fields: [
      [':status', '200'],
      ['content-length', '5'],
    ],
    method: 'HEAD',
    end: true,
    expected: [200, 5],
  },
  {
    what: 'a response to HEAD without a length',
    fields: [[':status', '200']],
    method: 'HEAD',
    end: true,
    expected: [200, -1],
  },
  {
    what: 'a 304 with a length',
    fields: [
      [':status', '304'],
      ['content-length', '5'],
    ],
    end: true,
    expected: [304, 5],
  },
  { what: 'an interim response', fields: [[':status', '103']], expected: [103, -1] },
  {
    what: 'fields a request has',
    fields: [
      [':status', '200'],
      ['te', 'trailers'],
    ],
    expected: [200, -1, 'te', 'trailers'],
  },
  { what: 'no status', fields: [['x-a', '1']], expected: null },
  { what: 'nothing', fields: [], expected: null },
  {
    what: 'two statuses',
    fields: [
      [':status', '200'],
      [':status', '200'],
    ],
    expected: null,
  },
  {
    what: 'a status after a field',
    fields: [
      ['x-a', '1'],
      [':status', '200'],
    ],
    expected: null,
  },
  {
    what: 'a pseudo-header of requests',
    fields: [
      [':status', '200'],
      [':path', '/'],
    ],
    expected: null,
  },
  { what: 'a 101', fields: [[':status', '101']], expected: null },
  {
    what: 'an interim response that ends',
    fields: [[':status', '100']],
    end: true,
    expected: null,
  },
  {
    what: 'a length but no body',
    fields: [
      [':status', '200'],
      ['content-length', '5'],
    ],
    end: true,
    expected: null,
  },
  {
    what: 'two lengths',
    fields: [
      [':status', '200'],
      ['content-length', '5'],
      ['content-length', '5'],
    ],
    expected: null,
  },
  {
    what: 'a connection field',
    fields: [
      [':status', '200'],
      ['connection', 'close'],
    ],
    expected: null,
  },
];

for (const { what, fields, method = 'GET', end = false, expected } of ROWS) {
  test(`${what} is ${expected === null ? 'malformed' : 'read'}`, () => {
    const head = readResponseHead(readList(fields), method, end);
    const read = head === null ? null : [head.status, head.contentLength, ...head.fields];
    assert.deepEqual(read, expected);
  });
}

test('trailers lose what nobody may take from trailers', () => {
  const list = readList([
    ['grpc-status', '0'],
    ['content-length', '5'],
    ['host', 'example.com'],
    ['cookie', 'a=b'],
    ['authorization', 'x'],
    ['expect', 'x'],
    ['te', 'trailers'],
  ]);
  assert.deepEqual(readTrailers(list), ['grpc-status', '0']);
});

for (const field of [
  [':status', '200'],
  ['X-A', '1'],
  ['connection', 'close'],
] as const) {
  test(`trailers with ${field[0]} are malformed`, () => {
    assert.equal(readTrailers(readList([field])), null);
  });
}
