// The Huffman code of HPACK (RFC 7541 appendix B). The code is canonical: sorted by length and then by
// byte, each code is the one before plus one, so the lengths say all and the codes are counted out here.
//
// Budget: nothing; a table only.

/** The bytes of each code length, as Latin-1; the end-of-string mark (256) is the last code, of 30 bits. */
const BYTES_BY_LENGTH: readonly (readonly [lengthBits: number, bytes: string])[] = [
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
  [10, '!"()?'],
  [11, "'+|"],
  [12, '#>'],
  [13, '\0$@[]~'],
  [14, '^}'],
  [15, '<`{'],
  [19, '\\\xc3\xd0'],
  [20, '\x80\x82\x83\xa2\xb8\xc2\xe0\xe2'],
  [21, '\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6'],
  [
    22,
    '\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9',
  ],
  [
    23,
    '\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf\xc5\xe7\xef',
  ],
  [24, '\t\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed'],
  [25, '\xc7\xcf\xea\xeb'],
  [26, '\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff'],
  [27, '\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe'],
  [
    28,
    '\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f\xdc\xf9',
  ],
  [30, '\n\r\x16'],
];

/** End of string: never sent, and an error when it comes in. */
export const END_OF_STRING = 256;

/** Code and length in bits of each of the 256 bytes and END_OF_STRING. */
export interface HuffmanCode {
  readonly codes: Uint32Array;
  readonly lengths: Uint8Array;
}

/** The code, counted out from its lengths. */
export const HUFFMAN_CODE: HuffmanCode = countOut();

function countOut(): HuffmanCode {
  const codes = new Uint32Array(257);
  const lengths = new Uint8Array(257);
  let next = 0;
  let lengthBefore = 5;
  for (const [lengthBits, bytes] of BYTES_BY_LENGTH) {
    next *= 2 ** (lengthBits - lengthBefore);
    lengthBefore = lengthBits;
    for (const byte of Buffer.from(bytes, 'latin1')) {
      codes[byte] = next++;
      lengths[byte] = lengthBits;
    }
  }
  codes[END_OF_STRING] = next;
  lengths[END_OF_STRING] = lengthBefore;
  return { codes, lengths };
}
