// Paths of printer columns: what they find, and what cannot be read.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { findByPath, parseJsonPath } from './json-path.ts';

const object = {
  metadata: { labels: { 'app.kubernetes.io/name': 'shop', plain: 'x' } },
  spec: { replicas: 3, zero: 0, on: false, nothing: null },
  status: {
    addresses: [{ value: '10.0.0.1' }, { value: '10.0.0.2', port: 80 }],
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Synced', status: 'False', 'odd-name': 1 },
    ],
  },
};

function find(text: string, value: unknown = object): readonly unknown[] {
  const parsed = parseJsonPath(text);
  assert.ok('path' in parsed, 'error' in parsed ? parsed.error : text);
  return findByPath(parsed.path, value);
}

describe('paths', () => {
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ['.spec.replicas', [3]],
    ['{.spec.replicas}', [3]],
    ['.spec.zero', [0]],
    ['.spec.on', [false]],
    ['.spec.nothing', [null]],
    ['.spec.missing', []],
    ['.spec.replicas.deeper', []],
    ["['spec']['replicas']", [3]],
    ['.spec["replicas"]', [3]],
    [".metadata.labels['app\\.kubernetes\\.io/name']", ['shop']],
    [".metadata.labels['app.kubernetes.io/name']", ['shop']],
    ['.metadata.labels.app\\.kubernetes\\.io/name', ['shop']],
    ['.status.addresses[0].value', ['10.0.0.1']],
    ['.status.addresses[-1].value', ['10.0.0.2']],
    ['.status.addresses[7].value', []],
    ['.status.addresses[*].value', ['10.0.0.1', '10.0.0.2']],
    ['.status.addresses[0:1].value', ['10.0.0.1']],
    ['.status.addresses[1:].value', ['10.0.0.2']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type=='Ready')].status", ['True']],
    ['.status.conditions[?(@.type == "Synced")].status', ['False']],
    ['.status.conditions[?(@.type!="Ready")].type', ['Synced']],
    ['.status.conditions[?(@.type=="None")].status', []],
    ['[?(@.odd)]', []],
    ['.status.conditions[?(@["odd-name"]==1)].type', ['Synced']],
    ['.status.addresses[?(@.port)].value', ['10.0.0.2']],
    ['.status.addresses[?(@.port>=80)].value', ['10.0.0.2']],
    ['.status.addresses[?(@.port<80)].value', []],
    ['.metadata.labels.*', ['shop', 'x']],
  ];
  for (const [text, found] of cases) {
    test(text, () => assert.deepEqual(find(text), found));
  }

  for (const text of [
    '.a[',
    '.a[?(@.b==)]',
    '.a[?(@.b=="c"]',
    '.a b',
    '.a[x]',
    '..a',
    '.a'.repeat(600),
  ]) {
    test(`${text.slice(0, 40)} cannot be read`, () => assert.ok('error' in parseJsonPath(text)));
  }

  test('a field is found by its name whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.jsonValue(), (name, value) => {
        const quoted = name.replaceAll(/[\\']/g, '\\$&');
        assert.deepEqual(find(`['${quoted}']`, { [name]: value }), [value]);
      }),
    );
  });

  test('no text is read without end or with an exception', () => {
    const part = fc.constantFrom(
      '.',
      '[',
      ']',
      '?(',
      '@',
      '==',
      '"',
      "'",
      'a',
      '0',
      '*',
      ')',
      '\\',
      ':',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const parsed = parseJsonPath(parts.join(''));
        if ('path' in parsed) findByPath(parsed.path, object);
      }),
    );
  });
});
