import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { runNft } from './nftables.ts';

it('does not wait for ever for nft', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-nft-'));
  const { PATH = '' } = process.env;
  writeFileSync(join(folder, 'nft'), '#!/bin/sh\nexec sleep 30\n');
  chmodSync(join(folder, 'nft'), 0o755);
  process.env['PATH'] = `${folder}:${PATH}`;
  try {
    await assert.rejects(runNft('list tables', 100), { code: 'FW_COMMAND_HANGS' });
  } finally {
    process.env['PATH'] = PATH;
    rmSync(folder, { recursive: true });
  }
});
