import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOutside, nameTrouble, normalizeName, whyInside } from './outside.ts';

const NONE = { allow: [], deny: [] };

describe('addresses outside', () => {
  it('are those of the network', () => {
    for (const address of ['192.0.2.1', '10.0.0.1', '93.184.216.34', '2606:2800:220:1::1']) {
      assert.equal(isOutside(address, NONE), true, address);
    }
  });

  it('are never those of the machine, the link, a cloud, or many at once', () => {
    const never = [
      '127.0.0.1',
      '127.244.0.1',
      '0.0.0.0',
      '0.1.2.3',
      '169.254.169.254',
      '168.63.129.16',
      '100.100.100.200',
      '224.0.0.1',
      '255.255.255.255',
      '::1',
      '::',
      'fe80::1',
      'fd00:ec2::254',
      'ff02::1',
    ];
    for (const address of never) assert.equal(isOutside(address, NONE), false, address);
  });

  it('are not IPv4 addresses in disguise', () => {
    const disguised = [
      '::ffff:127.0.0.1',
      '::FFFF:169.254.169.254',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
      '64:ff9b::127.0.0.1',
      '2002:7f00:1::',
      '2001:0:1::',
    ];
    for (const address of disguised) assert.equal(isOutside(address, NONE), false, address);
    assert.equal(isOutside('::ffff:192.0.2.1', NONE), true);
  });

  it('are what the one who runs the gateway says', () => {
    const rules = { allow: ['127.0.0.1/32'], deny: ['10.96.0.0/12', 'fd00::/8'] };
    assert.equal(isOutside('127.0.0.1', rules), true);
    assert.equal(isOutside('127.0.0.2', rules), false);
    assert.equal(isOutside('10.96.0.10', rules), false);
    assert.equal(isOutside('10.95.0.10', rules), true);
    assert.equal(isOutside('fd00::1', rules), false);
    assert.equal(isOutside('nonsense', NONE), true, 'what is no address is none to connect to');
  });
});

it('what an address is that is not outside is said', () => {
  const rules = { allow: ['10.0.0.1/32'], deny: ['10.0.0.0/8'] };
  assert.match(whyInside('169.254.169.254', NONE) ?? '', /secrets/);
  assert.match(whyInside('169.254.1.1', NONE) ?? '', /link/);
  assert.match(whyInside('::1', NONE) ?? '', /machine/);
  assert.match(whyInside('10.1.0.0', rules) ?? '', /denied/);
  assert.equal(whyInside('10.0.0.1', rules), undefined);
});

describe('names outside', () => {
  it('are names with labels that DNS has', () => {
    for (const name of ['api.example.com', 'a', 'x--y.example', '_sip.example']) {
      assert.equal(nameTrouble(name), undefined, name);
    }
  });

  it('are no addresses, and no names of the machine or the cluster', () => {
    const bad = [
      '',
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      'localhost',
      'a.localhost',
      'shop.default.svc.cluster.local',
      'shop.default.svc',
      'a..b',
      'a b',
      'a/b',
      '[::1]',
      `${'a'.repeat(64)}.example`,
    ];
    for (const name of bad) assert.notEqual(nameTrouble(name), undefined, name);
  });

  it('are compared in one form', () => {
    assert.equal(normalizeName('API.Example.'), 'api.example');
  });
});
