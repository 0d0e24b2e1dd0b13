import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readForwarded } from './forwarded.ts';

const TRUSTED = ['10.0.0.0/8', 'fd00::/8'];
const PEER = '10.0.0.1';

const chains: readonly (readonly [string, string, string])[] = [
  ['one client', '203.0.113.9', '203.0.113.9, 10.0.0.1'],
  ['another trusted proxy', '203.0.113.9, 10.0.0.2', '203.0.113.9, 10.0.0.2, 10.0.0.1'],
  ['what the client made up', '1.2.3.4, 203.0.113.9, 10.0.0.2', '203.0.113.9, 10.0.0.2, 10.0.0.1'],
  ['proxies only', '10.1.1.1,10.0.0.2', '10.1.1.1, 10.0.0.2, 10.0.0.1'],
  ['no address', 'unknown, 10.0.0.2', '10.0.0.2, 10.0.0.1'],
  ['nothing but no address', 'evil', '10.0.0.1'],
  ['IPv6 and ports', '[2001:db8::9]:443, 10.0.0.2:80', '2001:db8::9, 10.0.0.2, 10.0.0.1'],
];

describe('what a trusted proxy says', () => {
  for (const [name, given, chain] of chains) {
    it(name, () => {
      assert.equal(readForwarded(PEER, ['X-Forwarded-For', given], TRUSTED)?.chain, chain);
    });
  }

  it('several fields are one list', () => {
    const fields = ['X-Forwarded-For', '203.0.113.9', 'x-forwarded-for', '10.0.0.2'];
    assert.equal(readForwarded(PEER, fields, TRUSTED)?.chain, '203.0.113.9, 10.0.0.2, 10.0.0.1');
  });

  it('the rest is taken when it is one value, and valid', () => {
    const said = readForwarded(
      PEER,
      [
        'x-forwarded-proto',
        'https',
        'x-forwarded-host',
        'books.example',
        'x-forwarded-port',
        '443',
      ],
      TRUSTED,
    );
    assert.deepEqual(said, { chain: PEER, proto: 'https', host: 'books.example', port: '443' });
    const contradicted = readForwarded(PEER, ['x-forwarded-proto', 'https,http'], TRUSTED);
    assert.equal(contradicted?.proto, undefined);
  });

  it('nobody else is heard', () => {
    assert.equal(readForwarded('203.0.113.1', ['x-forwarded-for', '1.2.3.4'], TRUSTED), undefined);
  });
});
