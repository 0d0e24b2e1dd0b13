import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultConfiguration, loadConfiguration } from './config.ts';

const HEAD = 'apiVersion: fairway.dev/v1alpha1\nkind: FairwayConfiguration\n';

/** What is said of a configuration; empty when it is good. */
async function faultOf(yaml: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'fairway-config-'));
  writeFileSync(join(directory, 'fairway.yaml'), HEAD + yaml);
  try {
    await loadConfiguration(join(directory, 'fairway.yaml'));
    return '';
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const WRONG: readonly (readonly [yaml: string, said: RegExp])[] = [
  ['network: { podCIDR: 127.1.0.1/32 }', /fairway\.yaml:3:\d+: network\.podCIDR: .*too small/],
  [
    'network: { podCIDR: 10.0.0.0/16 }',
    /3:\d+: network\.podCIDR: .*not loopback.*allowNonLoopback/,
  ],
  ['network: { podCIDR: 127.300.0.0/16 }', /127\.300\.0\.0\/16 is no range/],
  ['network: { podCIDR: 127.96.0.0/16 }', /network\.podCIDR: overlaps with network\.serviceCIDR/],
  [
    'network: { podCIDR: 127.9.0.0/16, serviceCIDR: 127.9.4.0/24 }',
    /network\.serviceCIDR: overlaps with network\.podCIDR/,
  ],
  [
    'network: { nodePortAddresses: [0.0.0.0] }',
    /nodePortAddresses\[0\]: 0\.0\.0\.0 is not loopback/,
  ],
  ['network: { nodePortAddresses: [here] }', /here is no address/],
  ['workers: abc', /fairway\.yaml:3:10: .*workers.*\(it is "abc"\)/],
  ['\nwokers: 3', /fairway\.yaml:4:\d+: unknown field "wokers"/],
];

for (const [yaml, said] of WRONG) {
  test(`${yaml.trim()} is refused with its place`, async () =>
    assert.match(await faultOf(yaml), said));
}

test('what is open to the network has to be allowed', async () => {
  const network = 'allowNonLoopback: true, podCIDR: 10.0.0.0/16, nodePortAddresses: [0.0.0.0]';
  assert.equal(await faultOf(`network: { ${network} }`), '');
});

test('nothing is wrong with the defaults', () => assert.equal(defaultConfiguration().workers, 0));
