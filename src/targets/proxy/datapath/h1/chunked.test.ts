import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../limits.ts';
import { CHUNK_BAD, CHUNK_DONE, CHUNK_NEEDS_MORE, ChunkedDecoder } from './chunked.ts';

interface Decoded {
  readonly code: number;
  readonly body: string;
  readonly trailers: readonly string[] | null;
  readonly left: string;
}

/** Decodes text cut at the given places. */
function decode(text: string, cuts: readonly number[] = []): Decoded {
  const bytes = Buffer.from(text, 'latin1');
  const decoder = new ChunkedDecoder(DEFAULT_LIMITS);
  let body = '';
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  );
  let from = 0;
  for (const to of [...places, bytes.length]) {
    const piece = bytes.subarray(from, to);
    const code = decoder.decode(piece, 0, (data) => (body += data.toString('latin1')));
    if (code !== CHUNK_NEEDS_MORE) {
      const left = code === CHUNK_DONE ? bytes.toString('latin1', from + decoder.consumed) : '';
      return { code, body, trailers: decoder.trailers, left };
    }
    assert.equal(decoder.consumed, piece.length);
    from = to;
  }
  return { code: CHUNK_NEEDS_MORE, body, trailers: decoder.trailers, left: '' };
}

describe('a chunked body', () => {
  it('gives its data, its trailers, and leaves what follows', () => {
    assert.deepEqual(decode('5\r\nhello\r\n6;ext="a b"\r\n world\r\n0\r\nX-Sum: 1\r\n\r\nGET'), {
      code: CHUNK_DONE,
      body: 'hello world',
      trailers: ['X-Sum', '1'],
      left: 'GET',
    });
  });

  it('may be empty', () => {
    assert.deepEqual(decode('0\r\n\r\n'), { code: CHUNK_DONE, body: '', trailers: null, left: '' });
  });

  it('drops trailers that come too late to matter', () => {
    const { trailers } = decode(
      '0\r\nHost: b\r\nContent_Length: 1\r\nX_Real_IP: 1\r\nX-Ok: 1\r\n\r\n',
    );
    assert.deepEqual(trailers, ['X-Ok', '1']);
  });

  for (const [name, text] of [
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a blank before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a blank after the size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['an underscore', '5_0\r\nhello\r\n0\r\n\r\n'],
    ['an empty size', '\r\nhello\r\n0\r\n\r\n'],
    ['nine digits', '000000005\r\nhello\r\n0\r\n\r\n'],
    ['a bare line feed after the size', '5\nhello\r\n0\r\n\r\n'],
    ['a bare line feed in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
    ['data longer than the size', '4\r\nhello\r\n0\r\n\r\n'],
    ['a bare line feed after the data', '5\r\nhello\n0\r\n\r\n'],
    ['a length that comes too late', '0\r\nX: y\r\nContent-Length: 3\r\n\r\n'],
    ['an encoding that comes too late', '0\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a bad trailer', '0\r\nnot a field\r\n\r\n'],
    ['endless trailers', `0\r\n${'X: y\r\n'.repeat(2000)}`],
    ['an endless extension', `5;${'a'.repeat(5000)}`],
  ] as const) {
    it(`with ${name} is refused`, () => assert.equal(decode(text).code, CHUNK_BAD));
  }

  it('means the same wherever it is cut', () => {
    const chunk = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 5 }),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 8 }),
        (chunks, trailers, cuts) => {
          const body = chunks.map((c) => `${c.length.toString(16)}\r\n${c}\r\n`).join('');
          const text = `${body}0\r\n${trailers ? 'X-T: v\r\n' : ''}\r\nNEXT`;
          assert.deepEqual(decode(text, cuts), decode(text));
          assert.equal(decode(text).body, chunks.join(''));
        },
      ),
    );
  });
});
