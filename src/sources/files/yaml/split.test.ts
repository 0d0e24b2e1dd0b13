import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { countLines, encodingFault, splitDocuments, toUtf8 } from './split.ts';

function textsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return splitDocuments(bytes).map(({ start, end }) => bytes.toString('utf8', start, end));
}

describe('a file is split into documents', () => {
  for (const [name, text, expected] of [
    ['nothing', '', []],
    ['one document', 'a: 1\n', ['a: 1\n']],
    ['marks around it', '---\na: 1\n---\n', ['a: 1\n']],
    ['blank ones left out', '---\n\n---\n \t\r\n---\na\n---', ['a\n']],
    ['a comment on the mark', 'a\n--- # b\nc\n', ['a\n', 'c\n']],
    ['marks with carriage returns', 'a\r\n---\r\nb\r\n', ['a\r\n', 'b\r\n']],
    ['a mark inside quotes, as kubectl has it', 'a: "\n---\n"', ['a: "\n', '"']],
    ['no mark further right', 'a: |\n ---\nb: ---\n', ['a: |\n ---\nb: ---\n']],
    ['no line break at the end', 'a\n---\nb', ['a\n', 'b']],
  ] as const) {
    it(name, () => assert.deepEqual(textsOf(text), expected));
  }

  it('with a fault where text follows the mark, which goes with the document', () => {
    const bytes = Buffer.from('a\n--- {b: 1}\nc\n---\nd\n');
    const ranges = splitDocuments(bytes);
    assert.deepEqual(
      ranges.map(({ start, end, fault }) => [bytes.toString('utf8', start, end), fault?.spot]),
      [
        ['a\n', undefined],
        ['--- {b: 1}\nc\n', { line: 1, column: 4 }],
        ['d\n', undefined],
      ],
    );
  });

  it('and joined again loses nothing but blanks and marks', () => {
    const line = fc.constantFrom('a: 1', '---', '--- # x', '', '  ', 'b', '- c', '----');
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const kept = textsOf(`${lines.join('\n')}\n`)
          .join('')
          .split('\n');
        const content = (all: readonly string[]): readonly string[] =>
          all.filter((one) => one.trim() !== '' && one !== '---' && one !== '--- # x');
        assert.deepEqual(content(kept), content(lines));
      }),
    );
  });
});

describe('the bytes of a file', () => {
  it('may begin with a byte order mark, and may be UTF-16', () => {
    const text = 'a: é\n';
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    assert.equal(toUtf8(Buffer.from(`\ufeff${text}`)).toString(), text);
    assert.equal(toUtf8(utf16).toString(), text);
    assert.equal(toUtf8(Buffer.from(utf16).swap16()).toString(), text);
    assert.equal(toUtf8(Buffer.from(text)).toString(), text);
  });

  it('are refused on the first line that is not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('a: é\nb\n'), Buffer.from([0x63, 0xff, 0x0a])]);
    assert.deepEqual(encodingFault(bytes)?.spot, { line: 3, column: 1 });
    assert.equal(encodingFault(Buffer.from('a: é\n')), undefined);
    assert.deepEqual(encodingFault(Buffer.from([0x61, 0xc3]))?.spot, { line: 1, column: 1 });
  });

  it('have as many lines as ends of lines', () => {
    assert.equal(countLines(Buffer.from('a\nb\n\nc'), 0, 6), 3);
    assert.equal(countLines(Buffer.from('a\nb\n'), 2, 3), 0);
  });
});
