import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { admit } from '../api/admit.ts';
import { Secret } from '../api/core/secret.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { ListenerSet } from '../api/gateway/listenerset.ts';
import { loadCertificate } from '../resolve/gateway/certificates.ts';
import { Store } from '../store/store.ts';
import { LocalCa } from './local-ca.ts';

function storeWith(annotations: Record<string, string>, hostnames: readonly string[]): Store {
  const store = new Store();
  const { object, errors } = admit(Gateway, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'shop', name: 'web', annotations },
    spec: {
      gatewayClassName: 'fairway',
      listeners: hostnames.map((hostname, i) => ({
        name: `l${i}`,
        port: 443,
        protocol: 'HTTPS',
        hostname,
        tls: { certificateRefs: [{ name: 'tls' }] },
      })),
    },
  });
  assert.deepEqual(errors, []);
  store.write([{ op: 'put', kind: Gateway, object }]);
  return store;
}

const ISSUER = { 'cert-manager.io/cluster-issuer': 'any' };

function putSet(store: Store, name: string, annotations: Record<string, string>): void {
  const { object, errors } = admit(ListenerSet, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'ListenerSet',
    metadata: { namespace: 'team', name, annotations },
    spec: {
      parentRef: { name: 'web', namespace: 'shop' },
      listeners: [
        {
          name: 'https',
          port: 443,
          protocol: 'HTTPS',
          hostname: `${name}.example`,
          tls: { certificateRefs: [{ name }] },
        },
      ],
    },
  });
  assert.deepEqual(errors, []);
  store.write([{ op: 'put', kind: ListenerSet, object }]);
}

describe('the local CA', () => {
  let directory = '';
  before(async () => (directory = await mkdtemp(join(tmpdir(), 'fairway-ca-'))));
  after(() => rm(directory, { recursive: true }));

  it('issues one certificate for all hosts of a Secret, which listeners can use', async () => {
    const store = storeWith(ISSUER, ['b.example', 'a.example']);
    const ca = new LocalCa({ directory });
    store.write(await ca.issueMissing(store.snapshot()));
    const secret = store.snapshot().get(Secret, 'shop', 'tls');
    assert.ok(secret);
    const loaded = loadCertificate(secret);
    assert.ok('certificate' in loaded);
    assert.deepEqual(loaded.certificate.names, ['a.example', 'b.example']);
    assert.deepEqual(await ca.issueMissing(store.snapshot()), []);
  });

  it('issues for ListenerSets that name an issuer, or whose Gateway does', async () => {
    const ca = new LocalCa({ directory });
    const issuedTo = async (ofGateway: Record<string, string>): Promise<readonly string[]> => {
      const store = storeWith(ofGateway, ['a.example']);
      putSet(store, 'asking', ISSUER);
      putSet(store, 'silent', {});
      store.write(await ca.issueMissing(store.snapshot()));
      return store
        .snapshot()
        .list(Secret)
        .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
    };
    assert.deepEqual(await issuedTo({}), ['team/asking']);
    assert.deepEqual(await issuedTo(ISSUER), ['shop/tls', 'team/asking', 'team/silent']);
  });

  it('keeps what it made, readable by its user alone', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(async () => {
        const store = storeWith(ISSUER, ['a.example', 'b.example']);
        store.write(await new LocalCa({ directory }).issueMissing(store.snapshot()));
        return store.snapshot().get(Secret, 'shop', 'tls')?.data?.['tls.crt'];
      }),
    );
    assert.equal(first, second);
    assert.equal((await stat(join(directory, 'ca.key'))).mode & 0o777, 0o600);
    for (const file of await readdir(join(directory, 'issued'))) {
      const { mode } = await stat(join(directory, 'issued', file));
      assert.equal(mode & 0o777, file.endsWith('.key') ? 0o600 : 0o644, file);
    }
  });

  it('issues anew for a new host, near the end of a certificate, and after damage', async () => {
    const issue = async (hosts: readonly string[], now: Date): Promise<X509Certificate> => {
      const store = storeWith(ISSUER, hosts);
      store.write(await new LocalCa({ directory, now: () => now }).issueMissing(store.snapshot()));
      const data = store.snapshot().get(Secret, 'shop', 'tls')?.data?.['tls.crt'] ?? '';
      return new X509Certificate(Buffer.from(data, 'base64'));
    };
    const now = new Date();
    const one = await issue(['one.example'], now);
    assert.equal((await issue(['one.example'], now)).serialNumber, one.serialNumber);
    const later = new Date(now.getTime() + 380 * 86_400_000);
    assert.notEqual((await issue(['one.example'], later)).serialNumber, one.serialNumber);
    for (const file of await readdir(join(directory, 'issued'))) {
      await writeFile(join(directory, 'issued', file), 'damaged');
    }
    assert.match((await issue(['one.example'], now)).subjectAltName ?? '', /DNS:one\.example/);
  });

  it('leaves Secrets alone that are not its own, and Gateways that do not ask', async () => {
    const ca = new LocalCa({ directory: null });
    const silent = storeWith({}, ['a.example']);
    assert.deepEqual(await ca.issueMissing(silent.snapshot()), []);
    const owned = storeWith(ISSUER, ['a.example']);
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'shop', name: 'tls' },
      type: 'Opaque',
    };
    owned.write([{ op: 'put', kind: Secret, object: secret }]);
    assert.deepEqual(await ca.issueMissing(owned.snapshot()), []);
  });
});
