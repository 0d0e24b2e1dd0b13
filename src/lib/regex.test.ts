import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compilePattern, patternMatches } from './regex.ts';

describe('expressions', () => {
  it('take whole texts only', () => {
    assert.ok(patternMatches('/books/[0-9]+', '/books/12'));
    assert.ok(!patternMatches('/books/[0-9]+', '/books/12/x'));
    assert.ok(!patternMatches('books', '/books'));
    assert.ok(patternMatches('a|bc', 'bc'));
  });

  it('agree with V8 where both mean the same', () => {
    const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '(a|b)', '(?:ab)');
    const pattern = fc
      .array(fc.tuple(atom, fc.constantFrom('', '*', '+', '?')), { maxLength: 5 })
      .map((parts) => parts.map((p) => p.join('')).join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        assert.equal(patternMatches(p, t), new RegExp(`^(?:${p})$`).test(t));
      }),
    );
  });

  it('that cannot be used say why', () => {
    for (const [text, why] of [
      ['(', /missing closing/],
      ['(?=a)', /unsupported Perl syntax/],
      ['\\1', /escape/],
      ['a{1000}'.repeat(140), /too large/],
      ['(abcdefgh){100}', /too large/],
      ['a'.repeat(5000), /more than 4096 characters/],
    ] as const) {
      const bad = compilePattern(text);
      assert.ok('trouble' in bad, text.slice(0, 20));
      assert.match(bad.trouble, why);
    }
  });

  it('give what their groups took, the unused ones as nothing', () => {
    const pattern = compilePattern('/a/(?P<id>[0-9]+)(/x)?');
    assert.ok('groups' in pattern);
    assert.deepEqual(pattern.groups('/a/12'), ['/a/12', '12', '']);
    assert.equal(pattern.groups('/b'), null);
    assert.equal(pattern.groupNumber('id'), 1);
    assert.equal(pattern.groupNumber('toString'), undefined);
  });
});
