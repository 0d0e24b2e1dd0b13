// Statuses are written once for each generation of an object, and not again while nothing changes: counted
// at the store, over the loop that serves, for the objects of every case at once and for each change.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { admit } from '../src/api/admit.ts';
import { Gateway } from '../src/api/gateway/gateway.ts';
import { gatewayKinds } from '../src/api/gateway/kinds.ts';
import { HTTPRoute } from '../src/api/gateway/httproute.ts';
import type { Kind, KubeObject } from '../src/api/kind.ts';
import { SERVED_KINDS } from '../src/api/kinds.ts';
import { LocalCa } from '../src/certificates/local-ca.ts';
import { networkOfBlock } from '../src/config/network.ts';
import { createControllers } from '../src/controllers/controllers.ts';
import { Pipeline } from '../src/pipeline/pipeline.ts';
import { createResolver } from '../src/resolve/resolve.ts';
import { createFilesSource } from '../src/sources/files/files.ts';
import { Store } from '../src/store/store.ts';
import type { Proxy } from '../src/targets/proxy/proxy.ts';
import { caseInput, listCases } from './support/cases.ts';
import { documents, echo, GATEWAY, route } from './support/manifests.ts';

const network = networkOfBlock(0);

/** Everything but sockets: whatever is to be served, is. */
const proxy = {
  apply: () => Promise.resolve({ generation: 0, bindings: [], rejected: [] }),
  forbiddenHosts: () => [],
} as unknown as Proxy;

/** A loop over the objects of files, and how often each status was written. */
class Counted {
  readonly store = new Store();
  readonly pipeline: Pipeline;
  /** `Kind namespace/name generation` → times. */
  readonly writes = new Map<string, number>();

  constructor(paths: readonly string[], stdin: string) {
    const kinds = new Set<Kind>(gatewayKinds);
    this.store.subscribe((changes) => {
      for (const { kind, before: old, after: now } of changes) {
        if (now === undefined || !kinds.has(kind)) continue;
        const status = statusOf(now);
        // The status an object comes with is nobody's writing.
        if (old === undefined || status === statusOf(old)) continue;
        const { namespace = '', name = '', generation = 0 } = now.metadata;
        const key = `${kind.kind} ${namespace}/${name} ${generation}`;
        this.writes.set(key, (this.writes.get(key) ?? 0) + 1);
      }
    });
    this.pipeline = new Pipeline({
      store: this.store,
      sources: [
        createFilesSource({
          paths,
          kinds: SERVED_KINDS,
          stdin: (async function* () {
            yield stdin;
          })(),
          watch: false,
        }),
      ],
      controllers: createControllers({
        nodeName: 'fairway',
        nodeAddresses: network.nodePortAddresses,
        serviceCidr: network.serviceCidr,
        loadBalancerCidr: network.loadBalancerCidr,
      }),
      resolve: createResolver({ gatewayCidr: network.gatewayCidr, adoptedClasses: [] }),
      node: 'fairway',
      firstOpenPort: 0,
      proxy,
      runtime: null,
      localCa: new LocalCa({ directory: null }),
      findPodFaults: () => [],
      onError: (error) => {
        throw error;
      },
    });
  }

  /** What was written since the last call. */
  async settle(): Promise<Readonly<Record<string, number>>> {
    await this.pipeline.idle();
    const written = Object.fromEntries([...this.writes].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    this.writes.clear();
    return written;
  }

  put<T extends KubeObject>(kind: Kind<T>, object: T): void {
    const { object: admitted, errors } = admit(kind, object);
    assert.deepEqual(errors, []);
    this.store.write([{ op: 'put', kind, object: admitted }]);
  }
}

function statusOf(object: KubeObject): unknown {
  return (object as { readonly status?: unknown }).status;
}

/** A certificate that is only just being issued makes two states of one generation. */
const WAITS_FOR_CERTIFICATES = /cert-manager\.io|fairway\.dev\/issuer/;

describe('statuses', () => {
  for (const testCase of listCases()) {
    it(`of ${testCase.name} are written once, and not again`, async () => {
      const { paths, stdin } = caseInput(testCase);
      const counted = new Counted(paths, stdin);
      await counted.pipeline.start();
      const first = await counted.settle();
      const issues = counted.store
        .snapshot()
        .list(Gateway)
        .some(({ metadata }) =>
          WAITS_FOR_CERTIFICATES.test(Object.keys(metadata.annotations ?? {}).join(' ')),
        );
      if (!issues) {
        assert.deepEqual(
          Object.entries(first).filter(([, times]) => times > 1),
          [],
        );
      }
      counted.pipeline.refresh();
      assert.deepEqual(await counted.settle(), {}, 'another round');
      await counted.pipeline.stop();
    });
  }
});

describe('a change', () => {
  let counted: Counted;

  before(async () => {
    const text = documents(
      GATEWAY,
      ...Array.from({ length: 50 }, (_, i) => route(`r${i}`, `/p${i}`, 'one')),
      echo('one'),
    );
    counted = new Counted(['-'], text);
    await counted.pipeline.start();
    await counted.settle();
  });

  after(() => counted.pipeline.stop());

  const changed = (name: string): HTTPRoute => {
    const found = counted.store.snapshot().get(HTTPRoute, 'default', name);
    assert.ok(found);
    return found;
  };

  it('of one route writes its status alone, once for each generation', async () => {
    for (let i = 0; i < 5; i++) {
      const { spec, ...rest } = changed('r7');
      counted.put(HTTPRoute, { ...rest, spec: { ...spec, hostnames: [`h${i}.example`] } });
      const { generation = 0 } = changed('r7').metadata;
      assert.deepEqual(await counted.settle(), { [`HTTPRoute default/r7 ${generation}`]: 1 });
    }
  });

  it('of labels writes no status', async () => {
    const found = changed('r7');
    const metadata = { ...found.metadata, labels: { team: 'a' } };
    counted.put(HTTPRoute, { ...found, metadata });
    assert.deepEqual(await counted.settle(), {});
  });

  it('that takes a route away writes the count of its listener, and nothing of other routes', async () => {
    counted.store.write([{ op: 'delete', kind: HTTPRoute, namespace: 'default', name: 'r9' }]);
    const written = await counted.settle();
    assert.deepEqual(Object.values(written), [1]);
    assert.match(Object.keys(written)[0] ?? '', /^Gateway /);
  });

  it('of what somebody else wrote into a status writes what is ours again', async () => {
    const { status } = changed('r8');
    counted.store.write([
      { op: 'status', kind: HTTPRoute, namespace: 'default', name: 'r8', status: {} },
    ]);
    const written = await counted.settle();
    // One is theirs.
    assert.deepEqual(Object.values(written), [2]);
    assert.equal(changed('r8').status?.parents.length, status?.parents.length);
  });
});
