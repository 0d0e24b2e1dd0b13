import assert from 'node:assert/strict';
import { it } from 'node:test';
import { allowsNetwork } from './capabilities.ts';

const status = (effective: string, ambient: string): string =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t${effective}\nCapAmb:\t${ambient}\n`;
const ALL = '000001ffffffffff';
const NONE = '0000000000000000';
const NET_ADMIN = '0000000000001000';

it('asks for CAP_NET_ADMIN, which root may lack and others may have', () => {
  assert.equal(allowsNetwork(status(ALL, NONE), true), true);
  assert.equal(allowsNetwork(status('00000000a80425fb', NONE), true), false);
  assert.equal(allowsNetwork(status(NONE, NONE), false), false);
  assert.equal(allowsNetwork(status(NET_ADMIN, NET_ADMIN), false), true);
});

it('does not take what nft would not be handed on', () => {
  assert.equal(allowsNetwork(status(NET_ADMIN, NONE), false), false);
});

it('goes by root where nothing is said', () => {
  assert.equal(allowsNetwork('', true), true);
  assert.equal(allowsNetwork('', false), false);
});
