import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fields } from '../../stream.ts';
import { BlockReader } from '../testing/harness.ts';
import { blockBytesBound, Encoder } from './encoder.ts';
import { SecretNames } from './secret-names.ts';

/** An encoder and, at its other end, a decoder that has seen all its blocks. */
class Line {
  readonly secrets = new SecretNames();
  readonly counters = { fieldsDropped: 0 };
  readonly encoder = new Encoder(this.secrets, this.counters);
  private readonly reader = new BlockReader();

  /** The bytes of a block of these fields, which fit the bound that was promised. */
  write(fields: Fields): Buffer {
    const out = Buffer.alloc(blockBytesBound(fields));
    this.encoder.begin(out, 0);
    this.encoder.fields(fields);
    assert.ok(this.encoder.position <= out.length, 'the block is longer than its bound');
    return out.subarray(0, this.encoder.position);
  }

  /** What the decoder makes of the block. */
  carry(fields: Fields): Fields {
    return this.reader.read(this.write(fields));
  }
}

test('a field that was indexed is one byte the next time', () => {
  const line = new Line();
  line.carry(['server', 'fairway']);
  assert.equal(line.write(['server', 'fairway']).toString('hex'), 'be');
});

test('a value that is always new is not indexed after the first', () => {
  const line = new Line();
  line.carry(['server', 'fairway', 'x-request-id', 'id-0']);
  for (let turn = 1; turn < 50; turn++) line.carry(['x-request-id', `id-${turn}`]);
  // Of the ids only the first came into the table, and so before it `server` is still at its place.
  assert.equal(line.write(['server', 'fairway']).toString('hex'), 'bf');
});

test('a value that comes twice in a row is indexed with its second time', () => {
  const line = new Line();
  line.carry(['date', 'one']);
  assert.ok(line.write(['date', 'two']).length > 1);
  assert.ok(line.write(['date', 'two']).length > 1);
  assert.equal(line.write(['date', 'two']).length, 1);
});

test('several values of one name stay indexed side by side', () => {
  const line = new Line();
  const values = ['a', 'b', 'c', 'd'];
  for (const value of values) line.carry(['vary', value, 'vary', value]);
  for (const value of values) assert.equal(line.write(['vary', value]).length, 1);
});

test('a value that was evicted and comes again is indexed again', () => {
  const line = new Line();
  line.carry(['server', 'fairway']);
  for (let turn = 0; turn < 10; turn++) line.carry([`x-${turn}`, 'v'.repeat(1000)]);
  assert.ok(line.write(['server', 'fairway']).length > 1);
  assert.equal(line.write(['server', 'fairway']).length, 1);
});

test('set-cookie is not indexed: each is for one client', () => {
  const line = new Line();
  for (let turn = 0; turn < 3; turn++) {
    const bytes = line.write(['Set-Cookie', 'session=0123456789abcdef0123456789']);
    assert.equal(bytes[0]! & 0xf0, 0x00);
  }
});

test('names are lowered, whatever case they come in', () => {
  assert.deepEqual(new Line().carry(['Content-Type', 'text/plain', 'X-A', '1']), [
    'content-type',
    'text/plain',
    'x-a',
    '1',
  ]);
});

const NEVER_INDEXED: Fields[] = [
  ['authorization', 'Bearer abc'],
  ['Proxy-Authorization', 'Basic abc'],
  ['cookie', 'a=b'],
];

for (const fields of NEVER_INDEXED) {
  test(`a ${fields[0]} of "${fields[1]}" is never indexed`, () => {
    const line = new Line();
    line.carry(fields);
    line.carry(fields);
    const bytes = line.write(fields);
    assert.equal(bytes[0]! & 0xf0, 0x10);
  });
}

test('a long cookie is indexed', () => {
  const line = new Line();
  const fields = ['cookie', 'session=0123456789abcdef0123456789abcdef'];
  line.carry(fields);
  assert.equal(line.write(fields).length, 1);
});

test('a name the other side marked as secret goes on as never indexed, also when it was indexed', () => {
  const line = new Line();
  line.carry(['x-token', 'one']);
  line.secrets.add('x-token');
  for (const value of ['two', 'one', 'one']) {
    assert.equal(line.write(['x-token', value])[0]! & 0xf0, 0x10);
  }
});

test('made-up secret names do not push out the ones marked just now', () => {
  const secrets = new SecretNames();
  for (let index = 0; index < 1000; index++) secrets.add(`made-up-${index}`);
  secrets.add('x-token');
  for (let index = 0; index < 100; index++) secrets.add(`more-${index}`);
  assert.equal(secrets.has('x-token'), true);
  assert.equal(secrets.has('made-up-1'), false);
});

test('names without end are forgotten, and nothing is lost by it', () => {
  const line = new Line();
  for (let turn = 0; turn < 2000; turn++) {
    const fields = [`x-${turn}`, `${turn}`, 'server', 'fairway'];
    assert.deepEqual(line.carry(fields), fields);
  }
});

test('long values without end are forgotten, and nothing is lost by it', () => {
  const line = new Line();
  for (let turn = 0; turn < 300; turn++) {
    const fields = [`x-${turn % 100}`, `${turn}`.repeat(400), 'server', 'fairway'];
    assert.deepEqual(line.carry(fields), fields);
  }
});

const DROPPED: readonly (readonly [why: string, fields: Fields])[] = [
  ['connection-specific', ['Connection', 'close']],
  ['connection-specific', ['transfer-encoding', 'chunked']],
  ['connection-specific', ['upgrade', 'websocket']],
  ['connection-specific', ['keep-alive', 'timeout=5']],
  ['connection-specific', ['proxy-connection', 'close']],
  ['said by :authority', ['host', 'example.com']],
  ['said by the head', ['content-length', '5']],
  ['te other than trailers', ['te', 'gzip']],
  ['a value with a line break', ['x-a', 'b\r\nc: d']],
  ['a value with a NUL', ['x-a', 'b\0c']],
  ['a value that is no Latin-1', ['x-a', 'b\u0161']],
  ['a name with a blank', ['x a', 'b']],
  ['a pseudo-header among the fields', [':path', '/other']],
  ['an empty name', ['', 'b']],
  ['a name that is no Latin-1', ['x-\u0161', 'b']],
];

for (const [why, fields] of DROPPED) {
  test(`${JSON.stringify(fields)} is left out: ${why}`, () => {
    const line = new Line();
    assert.deepEqual(line.carry([...fields, 'x-kept', '1']), ['x-kept', '1']);
    assert.equal(line.counters.fieldsDropped, 1);
  });
}

test('a name that is no Latin-1 does not stand in for one that is', () => {
  const line = new Line();
  line.carry(['x-\u0161', 'b']);
  assert.deepEqual(line.carry(['x-a', 'b']), ['x-a', 'b']);
});

test('te: trailers is kept, for gRPC', () => {
  assert.deepEqual(new Line().carry(['te', 'trailers']), ['te', 'trailers']);
});

test('a table the peer made smaller is announced, smallest first, and evicted', () => {
  const line = new Line();
  line.carry(['server', 'fairway']);
  line.encoder.limitTable(0);
  line.encoder.limitTable(100);
  const bytes = line.write(['server', 'fairway']);
  // Size update to 0, then to 100, then the literal again.
  assert.equal(bytes.subarray(0, 3).toString('hex'), '203f45');
  assert.ok(bytes.length > 4);
});

test('a peer without a table gets no indexed fields', () => {
  const line = new Line();
  line.encoder.limitTable(0);
  for (let turn = 0; turn < 3; turn++) {
    assert.deepEqual(line.carry(['server', 'fairway']), ['server', 'fairway']);
  }
});

test('a larger table than ours is not used, so nothing is announced', () => {
  const line = new Line();
  line.encoder.limitTable(65_536);
  assert.equal(line.write(['accept', 'a'])[0], 0x53);
});

const NAMES = fc.constantFrom('a', 'server', 'date', 'x-long-name-of-a-field', 'vary', 'cookie');
const VALUES = fc.oneof(
  fc.constantFrom('', 'one', 'two', 'gzip, deflate', 'x'.repeat(300), 'y'.repeat(2100)),
  fc.string({ unit: fc.constantFrom('a', 'Z', '7', ';', '\xe9', '{', '~', ' '), maxLength: 40 }),
);
const FIELDS = fc
  .array(fc.tuple(NAMES, VALUES), { maxLength: 12 })
  .map((pairs) => pairs.flat().map((text) => text.trim()));

test('whatever is encoded is decoded to the same fields, over many blocks and table sizes', () => {
  const blocks = fc.array(
    fc.record({ fields: FIELDS, tableBytes: fc.option(fc.nat({ max: 5000 })) }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(blocks, (turns) => {
      const line = new Line();
      for (const { fields, tableBytes } of turns) {
        if (tableBytes !== null) line.encoder.limitTable(tableBytes);
        assert.deepEqual(line.carry(fields), fields);
      }
    }),
    { numRuns: 200 },
  );
});
