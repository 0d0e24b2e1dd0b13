// Header blocks as browsers, gRPC clients and backends send them: nanoseconds to decode and encode one.
// Run: bin/node bench/h2/hpack.ts

import { FieldList } from '../../src/targets/proxy/datapath/h2/field-list.ts';
import { Decoder, scratchBytesFor } from '../../src/targets/proxy/datapath/h2/hpack/decoder.ts';
import { Encoder } from '../../src/targets/proxy/datapath/h2/hpack/encoder.ts';
import { SecretNames } from '../../src/targets/proxy/datapath/h2/hpack/secret-names.ts';
import { RequestHeadReader } from '../../src/targets/proxy/datapath/h2/request-head.ts';
import type { Fields } from '../../src/targets/proxy/datapath/stream.ts';
import { nanosecondsPer, report } from './measure.ts';

const BROWSER: Fields = [
  'sec-ch-ua',
  '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
  'sec-ch-ua-mobile',
  '?0',
  'sec-ch-ua-platform',
  '"Linux"',
  'user-agent',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'accept',
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'sec-fetch-site',
  'same-origin',
  'sec-fetch-mode',
  'navigate',
  'accept-encoding',
  'gzip, deflate, br, zstd',
  'accept-language',
  'en-GB,en;q=0.9,de;q=0.8',
  'cookie',
  'session=0123456789abcdef0123456789abcdef; theme=dark; consent=all',
];

const RESPONSE: Fields = [
  'Content-Type',
  'text/html; charset=utf-8',
  'Date',
  'Mon, 21 Oct 2024 20:13:21 GMT',
  'Cache-Control',
  'public, max-age=3600',
  'Vary',
  'accept-encoding',
  'Server',
  'fairway',
];

const out = Buffer.alloc(16_384);
const list = new FieldList(100);
const heads = new RequestHeadReader();
const options = { scheme: 'https', endStream: true, targetBytesMax: 8192 } as const;

function newDecoder(): Decoder {
  return new Decoder(Buffer.alloc(scratchBytesFor(16_384)), new SecretNames());
}

/** Writes a request's block and returns its bytes. */
function requestBlock(encoder: Encoder, target: string): Buffer {
  encoder.begin(out, 0);
  encoder.own(':method', 'GET');
  encoder.own(':scheme', 'https');
  encoder.own(':authority', 'shop.example.com');
  encoder.own(':path', target);
  encoder.fields(BROWSER);
  return Buffer.from(out.subarray(0, encoder.position));
}

function decode(decoder: Decoder, block: Buffer): void {
  list.reset(32 * 1024);
  if (!decoder.decode(block, 0, block.length, list)) throw new Error('invalid block');
  if (typeof heads.read(list, options) === 'number') throw new Error('not a request');
}

function benchFirst(): void {
  const block = requestBlock(
    new Encoder(new SecretNames(), { fieldsDropped: 0 }),
    '/catalogue/books?page=2',
  );
  const time = nanosecondsPer(1, () => decode(newDecoder(), block));
  report('decode a first browser request, all literals', time, `${block.length} bytes`);
}

function benchRepeated(): void {
  const encoder = new Encoder(new SecretNames(), { fieldsDropped: 0 });
  const decoder = newDecoder();
  for (let turn = 0; turn < 3; turn++) decode(decoder, requestBlock(encoder, '/catalogue/books'));
  const block = requestBlock(encoder, '/catalogue/books');
  const time = nanosecondsPer(1, () => decode(decoder, block));
  report('decode it again, all indexed', time, `${block.length} bytes`);
}

function benchNewPaths(): void {
  const encoder = new Encoder(new SecretNames(), { fieldsDropped: 0 });
  const decoder = newDecoder();
  // After its first value :path is not indexed while it changes, so the blocks after it may be repeated.
  decode(decoder, requestBlock(encoder, '/first'));
  const blocks = Array.from({ length: 100 }, (_, page) =>
    requestBlock(encoder, `/catalogue/books/${1000 + page}?page=${page}&sort=title`),
  );
  const time = nanosecondsPer(blocks.length, () => {
    for (const block of blocks) decode(decoder, block);
  });
  report('decode it with a new path each time', time, `${blocks[0]!.length} bytes`);
}

function benchEncode(what: string, fieldsOf: (turn: number) => Fields): void {
  const encoder = new Encoder(new SecretNames(), { fieldsDropped: 0 });
  const turns = Array.from({ length: 100 }, (_, turn) => fieldsOf(turn));
  const time = nanosecondsPer(turns.length, () => {
    for (const fields of turns) {
      encoder.begin(out, 0);
      encoder.own(':status', '200');
      encoder.own('content-length', '5120');
      encoder.fields(fields);
    }
  });
  report(what, time, `${encoder.position} bytes`);
}

benchFirst();
benchRepeated();
benchNewPaths();
benchEncode('encode a response, all indexed', () => RESPONSE);
benchEncode('encode it with a new ETag and id each time', (turn) => [
  ...RESPONSE,
  'ETag',
  `"5f3b-${turn}-61a0c2d4"`,
  'X-Request-Id',
  `0189f7c2-9d4e-7c31-b8a5-${turn}`,
]);
