import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { lineDiff } from './line-diff.ts';

it('says nothing of texts that are the same', () => {
  assert.deepEqual(lineDiff(['a', 'b'], ['a', 'b']), []);
  assert.deepEqual(lineDiff([], []), []);
});

it('shows what was and what is, with a little around', () => {
  const lines = lineDiff('abcdefgh'.split(''), 'abcdXfgh'.split(''));
  assert.deepEqual(lines, ['  c', '  d', '- e', '+ X', '  f', '  g']);
});

it('names each line that went and each that came', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
  const count = (lines: readonly string[], line: string): number =>
    lines.filter((one) => one === line).length;
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = lineDiff(before, after);
      for (const line of ['a', 'b', 'c']) {
        const change = count(lines, `+ ${line}`) - count(lines, `- ${line}`);
        assert.equal(change, count(after, line) - count(before, line));
      }
    }),
  );
});
