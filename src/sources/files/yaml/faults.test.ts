import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findFaults } from './faults.ts';
import { parseValue } from './value.ts';

function faultsOf(text: string): readonly string[] {
  const parsed = parseValue(text, { nestingMax: 100, aliasNodesMax: 1000 });
  assert.ok(!('value' in parsed));
  return findFaults(text, parsed).map(
    ({ spot, message }) => `${spot.line}:${spot.column} ${message}`,
  );
}

describe('syntax errors are told in plain words', () => {
  for (const [name, text, ...expected] of [
    ['a second colon', 'a: b: c\n', '1:4 a second ":" where one value is expected'],
    [
      'a line indented too far',
      'a: b\n  c: d\n',
      '2:4 this line does not fit the one above: a ":" is missing, or the indentation is wrong',
    ],
    [
      'a line not indented enough',
      'a:\n  - b\n c: d\n',
      '3:1 the indentation does not fit the lines above',
    ],
    [
      'an open quote, where it begins',
      'a: 1\nb: "x\nc: d\n',
      '2:4 the quote that is opened here is not closed',
    ],
    ['an open bracket', 'a: [1, 2\nb: 3\n', '1:4 the bracket that is opened here is not closed'],
    [
      'an open bracket once, however much follows it',
      'a: 1\nhosts: [one, two\nrules:\n  - b: [3]\n    c: {d: e}\nmore: [f\n',
      '2:8 the bracket that is opened here is not closed',
    ],
    [
      'the innermost of open brackets',
      'a: {b: c, d: [1, 2}\nmore: x\n',
      '1:14 the bracket that is opened here is not closed',
    ],
    [
      'what is wrong above an open bracket as well',
      'a: @x\nb: [1\nc: 2\n',
      '1:4 text that begins with "@" needs quotes',
      '2:4 the bracket that is opened here is not closed',
    ],
    [
      'two objects in one document once',
      'apiVersion: v1\nkind: A\nmetadata: {}\napiVersion: v1\nkind: B\nmetadata: {}\n',
      '4:1 the key "apiVersion" is there twice in the same mapping',
    ],
    ['a tab', 'a:\n\tb: c\n', '2:1 a tab in the indentation'],
    ['text that needs quotes', 'a: @b\n', '1:4 text that begins with "@" needs quotes'],
    ['an unknown escape', 'a: "\\q"\n', '1:5 \\q means nothing in double quotes'],
    ['a quote inside quotes', "a: 'it's'\n", `1:8 "s'" is not expected here`],
    [
      'a key without a colon',
      'a:\n- b\n- c\nd\n',
      '4:1 a ":" is missing after this key, or its indentation is wrong',
    ],
    [
      'a merge conflict',
      'a: 1\n<<<<<<< ours\nb: 2\n=======\nb: 3\n>>>>>>> theirs\n',
      '2:1 a merge conflict that is not resolved',
    ],
    ['a directive', '%YAML 1.2\na: b\n', '1:1 a directive, which kubectl refuses'],
    ['a zero byte', 'a: \0\n', '1:4 a zero byte; this is no text file'],
    [
      'several at once',
      'a: @x\nb: "\\q"\nc: `y`\n',
      '1:4 text that begins with "@" needs quotes',
      '2:5 \\q means nothing in double quotes',
      '3:4 text that begins with "`" needs quotes',
    ],
  ] as const) {
    it(name, () => assert.deepEqual(faultsOf(text), expected));
  }

  it('with the line that is missing between two objects', () => {
    const text = 'kind: A\nspec: {}\nkind: B\nspec: {}\n';
    const parsed = parseValue(text, { nestingMax: 100, aliasNodesMax: 1000 });
    assert.ok(!('value' in parsed));
    assert.match(findFaults(text, parsed)[0]?.hint ?? '', /a line with ---/);
  });

  it('with advice when the text looks like a template', () => {
    const text = 'name: {{ .Values.name }}\n';
    const parsed = parseValue(text, { nestingMax: 100, aliasNodesMax: 1000 });
    assert.ok(!('value' in parsed));
    assert.match(findFaults(text, parsed)[0]?.hint ?? '', /helm template/);
  });

  it('and only the first of a long document, so that it does not take seconds', () => {
    assert.equal(faultsOf("a: 'it's'\n".repeat(20_000)).length, 1);
    assert.ok(faultsOf("a: 'it's'\n".repeat(20)).length >= 1);
  });
});
