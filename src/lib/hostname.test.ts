import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareHostnames, hostMatches, intersectHostnames, normalizeHost } from './hostname.ts';

describe('a host', () => {
  it('is compared in lower case, without port and final dot', () => {
    assert.equal(normalizeHost('Shop.Example.:8080'), 'shop.example');
    assert.equal(normalizeHost('shop.example.'), 'shop.example');
    assert.equal(normalizeHost('[::1]:80'), '[::1]');
    assert.equal(normalizeHost(''), '');
  });
});

describe('a pattern', () => {
  const rows: readonly [string, string, boolean][] = [
    ['', 'anything', true],
    ['', '', true],
    ['a.example', 'a.example', true],
    ['a.example', 'b.a.example', false],
    ['*.example', 'a.example', true],
    ['*.example', 'b.a.example', true],
    ['*.example', 'example', false],
    ['*.example', 'aexample', false],
  ];
  for (const [pattern, host, takes] of rows) {
    it(`${pattern || 'of every host'} ${takes ? 'takes' : 'does not take'} ${host || 'no host'}`, () =>
      assert.equal(hostMatches(pattern, host), takes));
  }

  const pattern = fc.constantFrom('', 'a.x', 'b.a.x', '*.x', '*.a.x', '*.b.a.x', 'c.y', '*.y');
  const host = fc.constantFrom('a.x', 'b.a.x', 'c.b.a.x', 'x', 'c.y', 'z');

  it('meets another in what both take', () => {
    fc.assert(
      fc.property(pattern, pattern, host, (a, b, h) => {
        const both = intersectHostnames(a, b);
        const takenByBoth = hostMatches(a, h) && hostMatches(b, h);
        assert.equal(both !== undefined && hostMatches(both, h), takenByBoth);
      }),
    );
  });

  it('stands before those that take more', () => {
    assert.deepEqual(['', '*.x', 'a.x', '*.a.x'].toSorted(compareHostnames), [
      'a.x',
      '*.a.x',
      '*.x',
      '',
    ]);
  });
});
