import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from './printable.ts';
import { formatTable } from './table.ts';

test('what a terminal would obey is shown instead', () => {
  assert.equal(
    printable('a\u001b[31mb\u202Ec\u0007\n\u009b0m'),
    'a\\u001b[31mb\\u202ec\\u0007\\n\\u009b0m',
  );
});

test('letters of every language stay as they are', () => {
  assert.equal(printable('Bücher, книги, 本, 👩‍🚀'), 'Bücher, книги, 本, 👩‍🚀');
});

test('cells of tables are shown so', () => {
  assert.deepEqual(formatTable(['A'], [['x\u001b]0;t\u0007']]), ['A', 'x\\u001b]0;t\\u0007']);
});
