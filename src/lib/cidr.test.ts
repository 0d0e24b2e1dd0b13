import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { it } from 'node:test';
import fc from 'fast-check';
import { familyOf, isIn, joinHostPort, outermost, parseAddress, parseCidr } from './cidr.ts';

it('reads addresses of both families, in every way they are written', () => {
  assert.equal(parseAddress('10.0.0.1'), 0x0a000001n);
  assert.equal(parseAddress('::'), 0n);
  assert.equal(parseAddress('fd00::1'), (0xfd00n << 112n) + 1n);
  assert.equal(parseAddress('::ffff:10.0.0.1'), 0xffff0a000001n);
  assert.equal(parseAddress('1:2:3:4:5:6:7::'), parseAddress('1:2:3:4:5:6:7:0'));
  for (const bad of ['', '10.0.0', '010.0.0.1', '1:2:3', '1::2::3', 'g::', '1:2:3:4:5:6:7:8::']) {
    assert.equal(parseAddress(bad), undefined, bad);
  }
});

it('refuses networks that are none', () => {
  for (const bad of ['10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/8/8', 'fd00::/129', '/8']) {
    assert.equal(parseCidr(bad), undefined, bad);
  }
});

it('agrees with Node.js on which network an address is in', () => {
  const v4 = fc.record({ address: fc.ipV4(), network: fc.ipV4(), bits: fc.nat(32) });
  const v6 = fc.record({ address: fc.ipV6(), network: fc.ipV6(), bits: fc.nat(128) });
  fc.assert(
    fc.property(fc.oneof(v4, v6), ({ address, network, bits }) => {
      const list = new BlockList();
      list.addSubnet(network, bits, familyOf(network));
      assert.equal(isIn(address, [`${network}/${bits}`]), list.check(address, familyOf(address)));
    }),
  );
});

it('leaves out networks inside others, and doubles', () => {
  const networks = ['10.1.0.0/16', '10.0.0.0/8', '10.0.0.0/8', 'fd00::/8', '192.0.2.1', 'nonsense'];
  assert.deepEqual(outermost(networks), ['10.0.0.0/8', 'fd00::/8', '192.0.2.1']);
});

it('joins addresses and ports', () => {
  assert.equal(joinHostPort('10.0.0.1', 80), '10.0.0.1:80');
  assert.equal(joinHostPort('fd00::1', 80), '[fd00::1]:80');
});
