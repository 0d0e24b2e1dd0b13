import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { FairwayError } from '../../lib/errors.ts';
import { checkNft, Nftables } from './nftables.ts';
import { compileNft } from './compile.ts';

/** Checks for nft where the only one there is says this; none when undefined. */
async function problemWith(said: string | undefined): Promise<FairwayError | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-nft-'));
  const path = process.env['PATH'];
  if (said !== undefined) {
    writeFileSync(join(folder, 'nft'), `#!/bin/sh\necho '${said}'\n`);
    chmodSync(join(folder, 'nft'), 0o755);
  }
  process.env['PATH'] = folder;
  try {
    await checkNft();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof FairwayError, String(error));
    return error;
  } finally {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  }
}

it('says that there is no nft, and what to do', async () => {
  const error = await problemWith(undefined);
  assert.equal(error?.code, 'FW_NFT_MISSING');
  assert.match(error?.hint ?? '', /install the package nftables/);
});

it('says that nft is too old', async () => {
  const error = await problemWith('nftables v0.9.8 (E.D.S.)');
  assert.equal(error?.code, 'FW_NFT_TOO_OLD');
  assert.match(error?.message ?? '', /v0\.9\.8/);
  assert.equal(error?.hint, 'nftables 1.0.1 or newer is needed');
  assert.equal((await problemWith('nonsense'))?.code, 'FW_NFT_TOO_OLD');
});

it('takes one that is new enough', async () => {
  assert.equal(await problemWith('nftables v1.0.1 (x)'), undefined);
  assert.equal(await problemWith('nftables v1.1'), undefined);
  assert.equal(await problemWith('nftables v2.0.0'), undefined);
});

/** One Service of IPv4, as a node has to carry it. */
const PROGRAM = compileNft({
  conflicts: [],
  families: (['ipv4', 'ipv6'] as const).map((family) => ({
    family,
    ports: [],
    podCidrs: [],
    serviceCidrs: family === 'ipv4' ? ['10.96.0.0/12'] : [],
    nodePortAddresses: null,
  })),
});

it('needs one transaction for the first rules, and none for a family that has no table', async () => {
  const scripts: string[] = [];
  await new Nftables({
    run: (script) => {
      scripts.push(script);
      // As nft 1.0.6 does.
      const lines = script.split('\n');
      const missing = lines.map(
        (line, i) => `/dev/stdin:${i + 1}:24-30: Error: No such file\n${line}\n ^^^`,
      );
      return Promise.resolve(script.startsWith('list') ? missing.join('\n') : null);
    },
  }).apply(PROGRAM);
  const transactions = scripts.filter((script) => !script.startsWith('list'));
  assert.equal(transactions.length, 1);
  assert.doesNotMatch(transactions[0] ?? '', /^(flush|delete)/m);
});

it('removes the table of a family that is not used any more', async () => {
  const scripts: string[] = [];
  await new Nftables({
    run: (script) => {
      scripts.push(script);
      return Promise.resolve(null);
    },
  }).apply(PROGRAM);
  assert.ok(scripts.includes('add table ip6 fairway\ndelete table ip6 fairway'));
  const [first = ''] = scripts.filter((script) => script.includes('nat-prerouting'));
  assert.match(first, /^add table ip fairway\ndelete table ip fairway\nadd table/);
});

it('blames no Service when nft fails at everything', async () => {
  let isBroken = false;
  let runs = 0;
  const nft = new Nftables({
    run: () => {
      runs++;
      return Promise.resolve(isBroken ? 'ended by SIGKILL' : null);
    },
  });
  const [ipv4, ipv6] = PROGRAM.families;
  const ports = Array.from({ length: 1000 }, (_, i) => ({
    id: `shop/s${i}:80/TCP`,
    origin: { kind: 'Service', namespace: 'shop', name: `s${i}`, field: '' },
    elements: [],
    chains: [{ name: `own-${i}`, rules: [] }],
    affinities: [],
    uses: [],
  }));
  await nft.apply(PROGRAM);
  isBroken = true;
  runs = 0;
  const program = { families: [{ ...ipv4!, ports }, ipv6!] };
  await assert.rejects(nft.apply(program), {
    code: 'FW_NFT_REJECTED',
    message: /ended by SIGKILL/,
  });
  assert.ok(runs < 5, `${runs} runs`);
  isBroken = false;
  assert.deepEqual((await nft.apply(program)).rejected, []);
});

it('says where chains are left, and deletes them later', async () => {
  let isBusy = true;
  const nft = new Nftables({
    run: (script) => Promise.resolve(isBusy && script.startsWith('delete chain') ? 'busy' : null),
  });
  const [ipv4, ipv6] = PROGRAM.families;
  const port = {
    id: 'shop/cart:80/TCP',
    origin: { kind: 'Service', namespace: 'shop', name: 'cart', field: '' },
    elements: [],
    chains: [{ name: 'own', rules: [] }],
    affinities: [],
    uses: [],
  };
  await nft.apply({ families: [{ ...ipv4!, ports: [port] }, ipv6!] });
  assert.deepEqual((await nft.apply(PROGRAM)).uncleaned, []);
  assert.deepEqual((await nft.apply(PROGRAM)).uncleaned, ['ipv4']);
  isBusy = false;
  assert.deepEqual((await nft.apply(PROGRAM)).uncleaned, []);
});
