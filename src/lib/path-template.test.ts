import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePathTemplate, rewriteByPattern } from './path-template.ts';
import { compilePattern } from './regex.ts';

function rewrite(expression: string, text: string, path: string): string | null {
  const pattern = compilePattern(expression);
  assert.ok('groups' in pattern);
  const template = parsePathTemplate(text, pattern);
  assert.ok(!('trouble' in template), JSON.stringify(template));
  return rewriteByPattern(expression, template, path);
}

describe('paths by template', () => {
  const rows: readonly (readonly [string, string, string, string | null])[] = [
    ['/books/([0-9]+)(/.*)?', '/items/$1$2', '/books/12/reviews', '/items/12/reviews'],
    ['/books/([0-9]+)(/.*)?', '/items/$1$2', '/books/12', '/items/12'],
    ['/books/([0-9]+)', '/items/$1', '/pens', '/pens'],
    ['/(?P<lang>en|de)/(.*)', '/$2/${lang}', '/de/books', '/books/de'],
    ['/a(.*)', '$1', '/abc', '/bc'],
    ['/a', '/$$', '/a', '/$'],
    ['/a/(.)', '/${1}0', '/a/1', '/10'],
    ['/x(.*)', '/$1', '/x//y', '/y'],
    // Dots that only meet in the new path.
    ['/(.*)x/(.*)', '/$1./$2', '/.x/admin', null],
    ['/(.*)x/(.*)', '/a/$1./$2', '/.x/admin', '/admin'],
  ];
  for (const [expression, text, path, expected] of rows) {
    it(`${path} by ${expression} and ${text}`, () =>
      assert.equal(rewrite(expression, text, path), expected));
  }

  it('say what is wrong with them', () => {
    const pattern = compilePattern('/(a)');
    assert.ok('groups' in pattern);
    for (const text of ['/$2', '/${b}', '/a b', '/$', '/a?b', '/%zz', '/a\nb']) {
      assert.ok('trouble' in parsePathTemplate(text, pattern), text);
    }
  });
});
