import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { SpdyClient } from '../testing/spdy-client.ts';
import { PassThrough } from 'node:stream';
import { DICTIONARY_ID, HEADER_DICTIONARY } from './dictionary.ts';
import { SpdyError } from './error.ts';
import { HeaderDecoder, HeaderEncoder } from './headers.ts';
import { HeaderInflater } from './inflate.ts';

const LIMITS = { headerBytesMax: 16 * 1024, headersMax: 64 };

test('the dictionary is the one whose checksum goes over the wire', () => {
  assert.equal(HEADER_DICTIONARY.length, 1423);
  const stream = deflateSync('x', { dictionary: HEADER_DICTIONARY });
  assert.equal(stream.readUInt32BE(2), DICTIONARY_ID);
});

test('what zlib deflates is inflated again, at every level and by every strategy', () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 4000 }),
    fc
      .array(fc.constantFrom('streamtype', 'error', 'stdin', 'a', '\0\0\0\u0005'), {
        maxLength: 800,
      })
      .map((words) => Buffer.from(words.join(''))),
  );
  fc.assert(
    fc.property(
      content,
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 4 }),
      (bytes, level, strategy) => {
        const block = deflateSync(bytes, {
          dictionary: HEADER_DICTIONARY,
          level,
          strategy,
          finishFlush: constants.Z_SYNC_FLUSH,
        });
        const inflated = new HeaderInflater(LIMITS.headerBytesMax).inflate(block);
        assert.ok(inflated.equals(Buffer.from(bytes)));
      },
    ),
    { numRuns: 400 },
  );
});

test('headers survive block after block of one compressed stream', async () => {
  const client = new SpdyClient(new PassThrough());
  const decoder = new HeaderDecoder(LIMITS);
  for (let i = 0; i < 300; i++) {
    const headers = {
      streamtype: i % 2 === 0 ? 'error' : 'data',
      port: '8080',
      requestid: String(i),
    };
    const decoded = decoder.decode(await client.compress(headers));
    assert.deepEqual(Object.fromEntries(decoded), headers);
  }
});

test('what we write is a zlib stream that others read', () => {
  const encoder = new HeaderEncoder();
  const decoder = new HeaderDecoder(LIMITS);
  const blocks = [new Map([['a', 'b']]), new Map<string, string>(), new Map([['x', 'y\0z']])].map(
    (headers) => encoder.encode(headers),
  );
  const read = inflateSync(Buffer.concat(blocks), {
    dictionary: HEADER_DICTIONARY,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  assert.equal(
    read.toString('hex'),
    '0000000100000001610000000162' + '00000000' + '000000010000000178' + '00000003790' + '07a',
  );
  assert.deepEqual(
    blocks.map((block) => Object.fromEntries(decoder.decode(block))),
    [{ a: 'b' }, {}, { x: 'y,z' }],
  );
});

test('a block that would become too large, and one that is damaged, are errors and nothing else', () => {
  const bomb = deflateSync(Buffer.alloc(10_000_000), {
    dictionary: HEADER_DICTIONARY,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  assert.throws(() => new HeaderInflater(LIMITS.headerBytesMax).inflate(bomb), SpdyError);
  const good = deflateSync(Buffer.from('\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x05error'), {
    dictionary: HEADER_DICTIONARY,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  const decode = (block: Buffer): void => {
    try {
      new HeaderDecoder(LIMITS).decode(block);
    } catch (error) {
      assert.ok(error instanceof SpdyError, String(error));
    }
  };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(good.length),
      (edits, end) => {
        const damaged = Buffer.from(good);
        for (const [at, value] of edits) damaged[at] = value;
        decode(damaged.subarray(0, end));
        decode(damaged);
      },
    ),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      decode(Buffer.concat([good.subarray(0, 6), bytes])),
    ),
    { numRuns: 3000 },
  );
});
