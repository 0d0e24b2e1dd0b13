import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDocument } from 'yaml';
import { deepEqual } from '../../../lib/equal.ts';
import { parseJson } from './json.ts';
import { splitDocuments } from './split.ts';
import { parseValue } from './value.ts';

const TESTDATA = join(import.meta.dirname, '../../../../testdata/files');
const LIMITS = { nestingMax: 100, aliasNodesMax: 1000 };

type GoAnswer = { readonly yaml: string } & (
  | { readonly value: unknown }
  | { readonly refused: true }
);

const goAnswers = JSON.parse(
  readFileSync(join(TESTDATA, 'go-yaml.json'), 'utf8'),
) as readonly GoAnswer[];

function valueOf(text: string): unknown {
  const parsed = parseValue(text, LIMITS);
  assert.ok('value' in parsed, JSON.stringify(parsed));
  return parsed.value;
}

function messagesOf(text: string): readonly string[] {
  const parsed = parseValue(text, LIMITS);
  if ('value' in parsed) return [];
  return 'faults' in parsed
    ? parsed.faults.map(({ spot, message }) => `${spot.line}:${spot.column} ${message}`)
    : [parsed.firstFault.message];
}

describe('the value of a document', () => {
  it('is what kubectl makes of it', () => {
    assert.ok(goAnswers.length > 200);
    for (const answer of goAnswers) {
      const parsed = parseValue(answer.yaml, LIMITS);
      const expected = 'refused' in answer ? undefined : { value: answer.value };
      const actual = 'value' in parsed ? parsed : undefined;
      assert.ok(
        deepEqual(actual, expected),
        `${JSON.stringify(answer.yaml)}: ${JSON.stringify(parsed)} instead of ${JSON.stringify(expected)}`,
      );
    }
  });

  for (const name of readdirSync(TESTDATA).filter((file) => /\.(yaml|json)$/.test(file))) {
    it(`is what the other YAML library makes of it, too: ${name}`, () => {
      const bytes = readFileSync(join(TESTDATA, name));
      const ranges = splitDocuments(bytes);
      assert.ok(ranges.length > 0);
      for (const { start, end } of ranges) {
        const text = bytes.toString('utf8', start, end);
        const other = parseDocument(text, { version: '1.1', merge: true });
        assert.deepEqual(other.errors, []);
        const json: unknown = JSON.parse(JSON.stringify(other.toJS()));
        assert.ok(deepEqual(valueOf(text), json), `${name} at ${start}`);
      }
    });
  }

  it('of JSON is the same whether it is read as JSON or as YAML', () => {
    const text = readFileSync(join(TESTDATA, 'services.json'), 'utf8');
    assert.deepEqual(parseJson(text, 100), { value: valueOf(text) });
  });

  it('is more than kubectl reads where only its library is at a loss', () => {
    assert.deepEqual(valueOf('{a: [::1]}'), { a: ['::1'] });
    assert.deepEqual(valueOf('a: "\\/ \\ud83d\\ude00"'), { a: '/ 😀' });
    assert.deepEqual(valueOf('a:\n\t\n  b: c\n'), { a: { b: 'c' } });
  });

  it('has keys that would reach the prototype as ordinary keys', () => {
    const value = valueOf('__proto__: {admin: yes}\nconstructor: x\n');
    assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    const merged = valueOf('a: &a\n  __proto__: {admin: yes}\nb:\n  <<: *a\n') as { b: object };
    assert.equal(Object.getPrototypeOf(merged.b), Object.prototype);
    assert.ok(!('admin' in merged.b));
  });
});

describe('a document is refused', () => {
  for (const [name, text, ...messages] of [
    [
      'with a key twice in one mapping, at each place',
      'a: 1\nb: {c: 1, "c": 2}\na: 2\n',
      '2:11 the key "c" is there twice in the same mapping',
      '3:1 the key "a" is there twice in the same mapping',
    ],
    [
      'with a key twice after it was merged',
      'm:\n  <<: {x: 1}\n  x: 2\n  x: 3\n',
      '4:3 the key "x" is there twice in the same mapping',
    ],
    ['with an unknown alias', 'a: *x\n', '1:4 the alias *x has no anchor &x before it'],
    [
      'with an alias inside its own anchor',
      'a: &x\n  b: *x\n',
      '2:6 the alias *x stands inside what it stands for',
    ],
    [
      'with a number JSON does not know',
      'a: .nan\n',
      '1:4 .nan is not a number in JSON, which the Kubernetes API speaks',
    ],
    [
      'with text after the end of the document',
      'a: 1\n...\nb: 2\n',
      '3:1 text after "...", which kubectl ignores; begin a document with "---"',
    ],
    [
      'with a line break only kubectl sees',
      'a: b\u2028c: d\n',
      '1:5 an invisible character (U+2028) that kubectl takes as the end of the line',
    ],
    [
      'nested too deep',
      `${'['.repeat(101)}${']'.repeat(101)}`,
      '1:101 nested deeper than 100 levels (limit nestingMax)',
    ],
    [
      'nested far too deep',
      '{a: '.repeat(100_000),
      '1:398 nested deeper than 100 levels (limit nestingMax)',
    ],
    ['with a tag that does not fit', 'a: !!int x\n', '1:10 !!int does not go with a text'],
  ] as const) {
    it(name, () => assert.deepEqual(messagesOf(text), messages));
  }

  it('when its aliases stand for too much, however it is nested', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [last, name] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi']) {
      lines.push(`${name}: &${name} [${Array(9).fill(`*${last}`).join(', ')}]`);
    }
    const [message] = messagesOf(lines.join('\n'));
    assert.match(message ?? '', /^4:\d+ the aliases up to here stand for more than 1000 values/);
  });

  it('when one mapping is merged too often', () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}: 1`).join(', ');
    const merges = Array.from({ length: 100 }, (_, i) => `m${i}: {<<: *a}`).join('\n');
    assert.match(messagesOf(`a: &a {${keys}}\n${merges}\n`)[0] ?? '', /limit aliasNodesMax/);
  });
});
