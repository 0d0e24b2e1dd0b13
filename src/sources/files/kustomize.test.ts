import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { renderKustomization } from './kustomize.ts';
import type { Rendered } from './kustomize.ts';
import { serviceYaml, testFolder } from './testing.ts';

/** Renders with a program that is this shell script; gives the text, or the refusal's message. */
async function render(
  t: TestContext,
  script: string,
  limits: { renderTimeoutMs?: number; renderBytesMax?: number } = {},
): Promise<string> {
  const folder = testFolder(t);
  const kubectl = join(folder, 'kubectl');
  writeFileSync(kubectl, `#!/bin/sh\n${script}\n`);
  chmodSync(kubectl, 0o755);
  return resultOf(
    await renderKustomization('the-folder', {
      kubectl,
      limits: { renderTimeoutMs: 60_000, renderBytesMax: 1000, ...limits },
      signal: t.signal,
    }),
  );
}

function resultOf(rendered: Rendered): string {
  return 'bytes' in rendered ? rendered.bytes.toString() : `refused: ${rendered.refusal.message}`;
}

describe('a kustomization is rendered', () => {
  it('by kubectl, which gets the folder', async (t) => {
    assert.equal(await render(t, 'echo "$@"'), 'kustomize the-folder\n');
  });

  it('or refused with what kubectl says', async (t) => {
    const result = await render(t, 'echo "no such resource" >&2; exit 1');
    assert.equal(result, 'refused: the kustomization cannot be rendered: no such resource');
  });

  it('or refused when it takes too long', async (t) => {
    assert.match(
      await render(t, 'exec sleep 60', { renderTimeoutMs: 200 }),
      /limit renderTimeoutMs/,
    );
  });

  it('or refused when it comes to too much', async (t) => {
    const endless = 'while :; do echo 0123456789; done';
    assert.match(await render(t, endless, { renderBytesMax: 100 }), /limit renderBytesMax/);
  });

  it('or refused when there is no kubectl, with the way out', async (t) => {
    const rendered = await renderKustomization('dir', {
      kubectl: join(testFolder(t), 'none'),
      limits: { renderTimeoutMs: 60_000, renderBytesMax: 1000 },
      signal: t.signal,
    });
    assert.ok('refusal' in rendered);
    assert.match(rendered.refusal.message, /cannot be run: it is not installed$/);
    assert.match(rendered.refusal.hint ?? '', /kustomize build dir \| fairway up -/);
  });

  it('by the kubectl that is installed', async (t) => {
    if (spawnSync('kubectl', ['version', '--client']).status !== 0) {
      return t.skip('kubectl is not installed');
    }
    const folder = testFolder(t);
    writeFileSync(join(folder, 'service.yaml'), serviceYaml('web'));
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      'resources: [service.yaml]\nnamePrefix: dev-\n',
    );
    const limits = { renderTimeoutMs: 60_000, renderBytesMax: 10_000 };
    const rendered = await renderKustomization(folder, {
      kubectl: 'kubectl',
      limits,
      signal: t.signal,
    });
    assert.match(resultOf(rendered), /name: dev-web/);
    return undefined;
  });
});
