// The one pattern that V8 cannot be trusted with, against the matcher that stands in for it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../schema/schema.ts';
import { HeaderValue } from './fields.ts';

/** All texts of up to `length` characters of an alphabet. */
function texts(alphabet: readonly string[], length: number): string[] {
  if (length === 0) return [''];
  const shorter = texts(alphabet, length - 1);
  return ['', ...shorter.flatMap((text) => alphabet.map((character) => text + character))];
}

test('the matcher of header values takes what the published pattern takes', () => {
  const node: Node = HeaderValue;
  assert.ok(node.type === 'string' && node.pattern !== undefined && node.matcher !== undefined);
  const pattern = new RegExp(node.pattern, 'u');
  const sample = texts(['a', '~', ' ', '\t', '\n', 'é'], 6);
  const taken = sample.filter((text) => pattern.test(text));
  assert.ok(taken.length > 100 && taken.length < sample.length);
  assert.deepEqual(
    sample.filter((text) => node.matcher?.test(text)),
    taken,
  );
});

test('a long header value that ends in a space is refused in one pass', () => {
  const node: Node = HeaderValue;
  assert.ok(node.type === 'string');
  assert.equal(node.matcher?.test(`${'a'.repeat(4095)} `), false);
});
