import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HUFFMAN_CODE } from './huffman-code.ts';
import { decodeHuffman, encodeHuffman } from './huffman.ts';

function decode(hex: string): string | null {
  const bytes = Buffer.from(hex, 'hex');
  const out = Buffer.alloc(bytes.length * 2);
  const length = decodeHuffman(bytes, 0, bytes.length, out);
  return length < 0 ? null : out.toString('latin1', 0, length);
}

function encode(text: string): string {
  const out = Buffer.alloc(text.length * 4 + 1);
  return out.toString('hex', 0, encodeHuffman(text, out, 0));
}

// Rows of RFC 7541 appendix B, from its beginning, its middle and its end.
const CODES: readonly (readonly [byte: number, code: number, lengthBits: number])[] = [
  [0, 0x1ff8, 13],
  [1, 0x7fffd8, 23],
  [10, 0x3ffffffc, 30],
  [32, 0x14, 6],
  [48, 0x0, 5],
  [92, 0x7fff0, 19],
  [122, 0x7b, 7],
  [127, 0xffffffc, 28],
  [199, 0x1ffffec, 25],
  [249, 0xffffffe, 28],
  [255, 0x3ffffee, 26],
  [256, 0x3fffffff, 30],
];

for (const [byte, code, lengthBits] of CODES) {
  test(`the code of ${byte} is the one in the RFC`, () => {
    assert.equal(HUFFMAN_CODE.codes[byte], code);
    assert.equal(HUFFMAN_CODE.lengths[byte], lengthBits);
  });
}

// Strings of RFC 7541 appendices C.4 and C.6.
const STRINGS: readonly (readonly [text: string, hex: string])[] = [
  ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
  ['no-cache', 'a8eb10649cbf'],
  ['custom-key', '25a849e95ba97d7f'],
  ['custom-value', '25a849e95bb8e8b4bf'],
  ['302', '6402'],
  ['private', 'aec3771a4b'],
  ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
  ['https://www.example.com', '9d29ad171863c78f0b97c8e9ae82ae43d3'],
];

for (const [text, hex] of STRINGS) {
  test(`"${text}" is coded as in the RFC, both ways`, () => {
    assert.equal(encode(text), hex);
    assert.equal(decode(hex), text);
  });
}

const INVALID: readonly (readonly [what: string, hex: string])[] = [
  ['eight bits of padding', 'f1e3c2e5f23a6ba0ab90f4ffff'],
  ['padding with zeros', '08'],
  ['the end-of-string code', 'ffffffff'],
  ['the end-of-string code after a byte', '07ffffffff'],
  ['a code that is cut off', 'fffe'],
];

for (const [what, hex] of INVALID) {
  test(`a string with ${what} is refused`, () => {
    assert.equal(decode(hex), null);
  });
}

test('an empty string is valid', () => {
  assert.equal(decode(''), '');
  assert.equal(encode(''), '');
});

test('whatever is coded is decoded to the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      assert.equal(decode(encode(text)), text);
    }),
  );
});

test('any bytes are decoded or refused, and what is decoded is coded to the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const hex = Buffer.from(bytes).toString('hex');
      const text = decode(hex);
      if (text !== null) assert.equal(encode(text), hex);
    }),
    { numRuns: 1000 },
  );
});
