import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareQuantities, formatQuantity, isWhole, parseQuantity } from './quantity.ts';
import type { Quantity } from './quantity.ts';

function parsed(text: string): Quantity {
  const quantity = parseQuantity(text);
  assert.ok(quantity !== undefined, text);
  return quantity;
}

describe('quantities', () => {
  const canonical = {
    '1': '1',
    '0': '0',
    '-0': '0',
    '+2': '2',
    '0.5': '500m',
    '.5': '500m',
    '1.': '1',
    '1000m': '1',
    '1500m': '1500m',
    '2000': '2k',
    '1024': '1024',
    '1024Mi': '1Gi',
    '1500Mi': '1500Mi',
    '0.5Gi': '512Mi',
    '0.5Ki': '512',
    '512Ki': '512Ki',
    '1e3': '1e3',
    '12E6': '12e6',
    '100e-3': '100e-3',
    '1n': '1m',
    '100u': '1m',
    '1.0001m': '2m',
    '-1': '-1',
    '-1500m': '-1500m',
    '5P': '5P',
    '1E': '1E',
  };
  for (const [written, stored] of Object.entries(canonical)) {
    it(`${written} is stored as ${stored}`, () =>
      assert.equal(formatQuantity(parsed(written)), stored));
  }

  for (const text of [
    '',
    'x',
    '1 Gi',
    '1gi',
    'Gi',
    '--1',
    '1K',
    '0x10',
    '1e',
    '.',
    '1'.repeat(65),
  ]) {
    it(`${JSON.stringify(text.slice(0, 10))} is none`, () =>
      assert.equal(parseQuantity(text), undefined));
  }

  it('amounts compare by what they mean', () => {
    assert.equal(compareQuantities(parsed('1Gi'), parsed('1G')), 1);
    assert.equal(compareQuantities(parsed('0.5'), parsed('500m')), 0);
    assert.equal(compareQuantities(parsed('-1'), parsed('0')), -1);
    assert.equal(isWhole(parsed('1500m')), false);
    assert.equal(isWhole(parsed('3000m')), true);
  });

  it('canonical text is stable and means the same', () => {
    const suffix = fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3', 'E-2');
    const number = fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.nat(99));
    fc.assert(
      fc.property(number, suffix, ([whole, fraction], unit) => {
        const quantity = parsed(`${whole}.${fraction}${unit}`);
        const text = formatQuantity(quantity);
        assert.equal(compareQuantities(parsed(text), quantity), 0);
        assert.equal(formatQuantity(parsed(text)), text);
      }),
    );
  });
});
