import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openAccess } from './access.ts';

describe('the account of a pod', () => {
  const host = process.env['KUBERNETES_SERVICE_HOST'];
  const port = process.env['KUBERNETES_SERVICE_PORT'];
  let root = '';
  let account = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fairway-cluster-'));
    account = join(root, 'var', 'run', 'secrets', 'kubernetes.io', 'serviceaccount');
    mkdirSync(account, { recursive: true });
    writeFileSync(join(account, 'token'), 'first\n');
    writeFileSync(join(account, 'ca.crt'), 'no certificate\n');
    writeFileSync(join(account, 'namespace'), 'kube-system');
    process.env['KUBERNETES_SERVICE_HOST'] = '192.0.2.1';
    process.env['KUBERNETES_SERVICE_PORT'] = '6443';
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
    for (const [name, value] of [
      ['KUBERNETES_SERVICE_HOST', host],
      ['KUBERNETES_SERVICE_PORT', port],
    ] as const) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('says where the server is, and follows its token', async () => {
    const access = await openAccess({ kind: 'in-cluster', root });
    const { server, headers } = await access.get();
    assert.equal(server.href, 'https://192.0.2.1:6443/');
    assert.equal(headers['Authorization'], 'Bearer first');
    writeFileSync(join(account, 'token'), 'second\n');
    assert.equal((await access.get()).headers['Authorization'], 'Bearer second');
    access.close();
  });

  it('takes another agent when the certificate of the authority is replaced', async () => {
    const access = await openAccess({ kind: 'in-cluster', root });
    const { agent } = await access.get();
    assert.equal((await access.get()).agent, agent);
    writeFileSync(join(account, 'ca.crt'), 'another\n');
    assert.notEqual((await access.get()).agent, agent);
    access.close();
  });

  it('may be at an address of IPv6', async () => {
    process.env['KUBERNETES_SERVICE_HOST'] = 'fd00::1';
    const access = await openAccess({ kind: 'in-cluster', root });
    assert.equal((await access.get()).server.href, 'https://[fd00::1]:6443/');
    access.close();
  });

  it('is no use without its files, or without a cluster', async () => {
    rmSync(join(account, 'token'));
    await assert.rejects(openAccess({ kind: 'in-cluster', root }), { code: 'FW_KUBECONFIG' });
    Reflect.deleteProperty(process.env, 'KUBERNETES_SERVICE_HOST');
    await assert.rejects(openAccess({ kind: 'in-cluster', root }), { code: 'FW_KUBECONFIG' });
  });
});
