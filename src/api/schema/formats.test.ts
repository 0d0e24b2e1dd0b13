// String formats: addresses against Node.js's own verdict, dates by example.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isDateTime, isIPv4, isIPv6 } from './formats.ts';

describe('addresses', () => {
  const valid = [
    '::',
    '::1',
    '1::',
    '2001:db8::1',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::ffff:10.0.0.1',
    '1:2:3:4:5:6:10.0.0.1',
    'FE80::A',
  ];
  const invalid = [
    '',
    ':',
    ':::',
    '1',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    ':1::',
    '10.0.0.1::',
    '::10.0.0.256',
    '::010.0.0.1',
    'fe80::1%eth0',
    '10.0.0.1',
  ];
  for (const text of valid) test(`IPv6: ${text}`, () => assert.ok(isIPv6(text)));
  for (const text of invalid) test(`not IPv6: "${text}"`, () => assert.ok(!isIPv6(text)));

  for (const text of ['0.0.0.0', '255.255.255.255', '10.20.30.40']) {
    test(`IPv4: ${text}`, () => assert.ok(isIPv4(text) && isIPv4(text, true)));
  }
  for (const text of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.4 ', '::1', '1..2.3']) {
    test(`not IPv4: "${text}"`, () => assert.ok(!isIPv4(text) && !isIPv4(text, true)));
  }
  test('leading zeros are taken only where old objects may have them', () => {
    assert.ok(!isIPv4('010.0.00.001'));
    assert.ok(isIPv4('010.0.00.001', true));
    assert.ok(!isIPv4('0300.0.0.1', true));
  });

  test('the verdict on any address is that of Node.js', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]*$/)), (text) => {
        assert.equal(isIPv4(text), isIP(text) === 4, text);
        assert.equal(isIPv6(text), isIP(text) === 6, text);
      }),
    );
  });
});

describe('dates and times', () => {
  for (const text of [
    '2026-01-02T03:04:05Z',
    '2026-01-02t03:04:05.123456z',
    '2026-12-31T23:59:59+01:00',
    '2024-02-29T00:00:00Z',
  ]) {
    test(`a time: ${text}`, () => assert.ok(isDateTime(text)));
  }
  for (const text of [
    '',
    '2026-01-02',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05',
    '2026-01-02T24:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    'Fri, 02 Jan 2026 03:04:05 GMT',
  ]) {
    test(`no time: "${text}"`, () => assert.ok(!isDateTime(text)));
  }
});
