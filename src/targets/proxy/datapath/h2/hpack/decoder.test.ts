import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FieldList } from '../field-list.ts';
import { Kind } from '../field-kind.ts';
import { block } from '../testing/wire.ts';
import { Decoder, scratchBytesFor } from './decoder.ts';
import { SecretNames } from './secret-names.ts';

/** A decoder with everything it needs, reading hexadecimal blocks one after another. */
class Reader {
  readonly secrets = new SecretNames();
  readonly list: FieldList;
  private readonly decoder = new Decoder(Buffer.alloc(scratchBytesFor(64 * 1024)), this.secrets);

  constructor(fieldsMax = 100) {
    this.list = new FieldList(fieldsMax);
  }

  /** The fields as `name: value`, or null where the block is an error. */
  read(hex: string, listBytesMax = 32 * 1024): string[] | null {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    this.list.reset(listBytesMax);
    if (!this.decoder.decode(bytes, 0, bytes.length, this.list)) return null;
    return Array.from(
      { length: this.list.count },
      (_, at) => `${this.list.names[at]}: ${this.list.values[at]}`,
    );
  }
}

interface Example {
  readonly name: string;
  readonly blocks: readonly (readonly [hex: string, fields: readonly string[]])[];
}

const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [
    ':method: GET',
    ':scheme: http',
    ':path: /',
    ':authority: www.example.com',
    'cache-control: no-cache',
  ],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
];

const RESPONSES = [
  [
    ':status: 302',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 307',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    'location: https://www.example.com',
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
];

// The response examples use a table of 256 bytes: here the first block begins by asking for it.
const TABLE_256 = '3fe101';

const EXAMPLES: readonly Example[] = [
  {
    name: 'C.2.1 literal with indexing',
    blocks: [
      [
        '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
        ['custom-key: custom-header'],
      ],
    ],
  },
  {
    name: 'C.2.2 literal without indexing',
    blocks: [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path']]],
  },
  {
    name: 'C.2.3 literal never indexed',
    blocks: [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret']]],
  },
  { name: 'C.2.4 indexed', blocks: [['82', [':method: GET']]] },
  {
    name: 'C.3 requests without Huffman coding',
    blocks: [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', REQUESTS[0]!],
      ['8286 84be 5808 6e6f 2d63 6163 6865', REQUESTS[1]!],
      ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', REQUESTS[2]!],
    ],
  },
  {
    name: 'C.4 requests with Huffman coding',
    blocks: [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', REQUESTS[0]!],
      ['8286 84be 5886 a8eb 1064 9cbf', REQUESTS[1]!],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', REQUESTS[2]!],
    ],
  },
  {
    name: 'C.5 responses without Huffman coding, with eviction',
    blocks: [
      [
        `${TABLE_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230
         3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
         6c65 2e63 6f6d`.replaceAll(/\s/g, ''),
        RESPONSES[0]!,
      ],
      ['4803 3330 37c1 c0bf', RESPONSES[1]!],
      [
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04
         677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49
         553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`.replaceAll(/\s/g, ''),
        RESPONSES[2]!,
      ],
    ],
  },
  {
    name: 'C.6 responses with Huffman coding, with eviction',
    blocks: [
      [
        `${TABLE_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0
         82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`.replaceAll(/\s/g, ''),
        RESPONSES[0]!,
      ],
      ['4883 640e ffc1 c0bf', RESPONSES[1]!],
      [
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7
         821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed
         4ee5 b106 3d50 07`.replaceAll(/\s/g, ''),
        RESPONSES[2]!,
      ],
    ],
  },
];

for (const { name, blocks } of EXAMPLES) {
  test(`RFC 7541 ${name}`, () => {
    const reader = new Reader();
    for (const [hex, fields] of blocks) assert.deepEqual(reader.read(hex), fields);
  });
}

const INVALID: readonly (readonly [what: string, hex: string])[] = [
  ['index 0', '80'],
  ['an index behind the last entry', 'be'],
  ['a literal whose name has an index behind the last entry', '7e0161'],
  ['a name length past the end of the block', '400a6375'],
  ['a value length past the end of the block', '4001610a62'],
  ['no value at all', '400161'],
  ['an integer that does not end', 'ffffffffff'],
  ['an integer that is too large', 'ffffffffffff0f'],
  ['a size update behind a field', '8220'],
  ['a size update larger than we allow', '3fe21f'],
  ['a string with an invalid Huffman code', '400161 84 ffffffff'],
];

for (const [what, hex] of INVALID) {
  test(`a block with ${what} is an error`, () => {
    assert.equal(new Reader().read(hex), null);
  });
}

test('size updates may stand before the first field, more than one, up to what we allow', () => {
  assert.deepEqual(new Reader().read('20 3fe11f 82'), [':method: GET']);
});

test('a size update to 0 empties the table', () => {
  const reader = new Reader();
  reader.read('4001610162');
  assert.deepEqual(reader.read('be'), ['a: b']);
  assert.equal(reader.read('20be'), null);
});

test('an entry larger than the table empties it and is not kept', () => {
  const reader = new Reader();
  reader.read('4001610162');
  const large = block(['c', 'd'.repeat(5000)]);
  large[0] = 0x40;
  assert.equal(reader.read(large.toString('hex'))?.length, 1);
  assert.equal(reader.read('be'), null);
});

test('fields past the size limit are not kept, but indexed all the same', () => {
  const reader = new Reader();
  // The first entry has 34 bytes: with a limit of 40 the second does not fit.
  assert.deepEqual(reader.read('4001610162 4001630164', 40), ['a: b']);
  assert.equal(reader.list.overflowed, true);
  assert.deepEqual(reader.read('be bf'), ['c: d', 'a: b']);
  assert.equal(reader.list.overflowed, false);
});

test('fields past the count limit are not kept; pseudo-headers do not count', () => {
  const reader = new Reader(2);
  assert.equal(reader.read('82 84 86 90 90')?.length, 5);
  assert.equal(reader.list.overflowed, false);
  assert.equal(reader.read('82 84 86 90 90 90')?.length, 5);
  assert.equal(reader.list.overflowed, true);
});

test('a large entry referred to a thousand times passes the size limit, not the memory', () => {
  const reader = new Reader();
  const large = block(['x', 'y'.repeat(4000)]);
  large[0] = 0x40;
  reader.read(large.toString('hex'));
  assert.equal(reader.read('be'.repeat(1000))?.length, 8);
  assert.equal(reader.list.overflowed, true);
});

test('a name marked never indexed is remembered as secret', () => {
  const reader = new Reader();
  reader.read('1008 7061 7373 776f 7264 0673 6563 7265 74');
  assert.equal(reader.secrets.has('password'), true);
  assert.equal(reader.secrets.has('other'), false);
});

test('an indexed field keeps the kind it was found to have', () => {
  const reader = new Reader();
  reader.read('4001410162');
  assert.equal(reader.list.kinds[0], Kind.BAD);
  reader.read('be');
  assert.equal(reader.list.kinds[0], Kind.BAD);
});

test('any bytes are decoded or refused, never more', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), (blocks) => {
      const reader = new Reader();
      for (const bytes of blocks) reader.read(Buffer.from(bytes).toString('hex'));
    }),
    { numRuns: 500 },
  );
});
