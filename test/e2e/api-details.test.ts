// What the API answers where clients of Kubernetes look closely: evictions, definitions, files, and what
// is wrong with a request.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiClient } from '../support/api-client.ts';
import { folder, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn, kubectlFor, NO_KUBECTL } from '../support/kubectl.ts';

const NAMESPACE = '/api/v1/namespaces/default';
const MAPS = `${NAMESPACE}/configmaps`;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const FILE = `apiVersion: v1
kind: ConfigMap
metadata: { name: served }
data: { key: value }
---
apiVersion: v1
kind: Service
metadata: { name: served }
spec: { selector: { app: a }, ports: [{ port: 80 }] }
`;

const home = folder({});
const files = folder({ 'served.yaml': FILE });
let fairway: Fairway;
let api: ApiClient;
let kubeconfig: string;

describe('the API', { timeout: 120_000 }, () => {
  before(async () => {
    fairway = await startFairway(['--no-pods', files.path], { home: home.path });
    kubeconfig = await kubeconfigIn(home.path);
    api = new ApiClient(kubeconfig);
  });

  after(async () => {
    api.close();
    await fairway.stop();
    home.remove();
    files.remove();
  });

  it('evicts pods, with the options that are given', async () => {
    const spec = { containers: [{ name: 'a', image: 'a' }] };
    const pods = `${NAMESPACE}/pods`;
    await api.create(pods, { metadata: { name: 'evicted' }, spec });
    const evict = (body: object) => api.create(`${pods}/evicted/eviction`, body);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'evicted' } };
    const other = await evict({ ...eviction, metadata: { name: 'other' } });
    assert.equal(other.status, 400);
    const stale = { deleteOptions: { preconditions: { uid: 'other' } } };
    assert.equal((await evict({ ...eviction, ...stale })).status, 409);
    assert.equal((await evict({ ...eviction, deleteOptions: { dryRun: ['All'] } })).status, 201);
    assert.equal((await api.get(`${pods}/evicted`)).status, 200);
    const { status, body } = await evict({ ...eviction, deleteOptions: { gracePeriodSeconds: 0 } });
    assert.deepEqual([status, body.kind, body.status], [201, 'Status', 'Success']);
    // It has a node, and nobody who ends it here: it is on its way.
    const { metadata } = (await api.get(`${pods}/evicted`)).body;
    assert.equal(metadata.deletionGracePeriodSeconds, 0);
    const { resources } = (await api.get('/api/v1')).body;
    assert.ok(
      resources.some(
        (r: { name: string; group?: string }) => r.name === 'pods/eviction' && r.group === 'policy',
      ),
    );
  });

  it('does not say that it deletes definitions of kinds that stay', async () => {
    const path = `${DEFINITIONS}/httproutes.gateway.networking.k8s.io`;
    const { status, body } = await api.ask('DELETE', path);
    assert.equal(status, 403);
    assert.match(body.message, /Fairway serves httproutes\.gateway\.networking\.k8s\.io itself/);
  });

  it('shows that a definition ends, and what it waits for', async () => {
    const names = { plural: 'things', singular: 'thing', kind: 'Thing' };
    const schema = { openAPIV3Schema: { type: 'object' } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    await api.create(DEFINITIONS, {
      metadata: { name: 'things.example.test' },
      spec: { group: 'example.test', scope: 'Namespaced', names, versions },
    });
    const things = '/apis/example.test/v1/namespaces/default/things';
    await api.create(things, { metadata: { name: 'held', finalizers: ['example.test/hold'] } });
    const path = `${DEFINITIONS}/things.example.test`;
    await api.ask('DELETE', path);
    await until(async () => {
      const { metadata, status } = (await api.get(path)).body;
      return (
        metadata.finalizers.includes('customresourcecleanup.apiextensions.k8s.io') &&
        status.conditions.some(
          (c: { type: string; status: string }) => c.type === 'Terminating' && c.status === 'True',
        )
      );
    }, 'the condition Terminating');
    await api.patch(`${things}/held`, { metadata: { finalizers: null } });
    await until(async () => (await api.get(path)).status === 404, 'the definition to be gone');
  });

  it(
    'takes kubectl apply and diff of the files that are served',
    { skip: NO_KUBECTL },
    async () => {
      const k = kubectlFor(kubeconfig, home.path);
      const file = join(files.path, 'served.yaml');
      const said = await k.ok(['apply', '-f', file]);
      assert.match(said, /configmap\/served .*\nservice\/served /);
      assert.match(await k.ok(['apply', '--server-side', '-f', file]), /configmap\/served/);
      assert.equal(await k.ok(['diff', '-f', file]), '');
      const { metadata } = (await api.get(`${MAPS}/served`)).body;
      assert.equal(metadata.annotations, undefined);
      const changed = FILE.replace('key: value', 'key: other');
      assert.match(await k.fails(['apply', '-f', '-'], changed), /written in .*served\.yaml:1/);
    },
  );

  it('gives an object back that a file had taken over', async () => {
    await api.create(MAPS, { metadata: { name: 'both' }, data: { key: 'api' } });
    const valueIs = (value: string) => async () =>
      (await api.get(`${MAPS}/both`)).body.data?.key === value;
    files.write(
      'both.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: both }\ndata: { key: file }\n',
    );
    await until(valueIs('file'), 'the file to count');
    rmSync(join(files.path, 'both.yaml'));
    await until(valueIs('api'), 'the object of the API');
    assert.equal((await api.patch(`${MAPS}/both`, { data: { key: 'mine' } })).status, 200);
  });

  it('refuses finalizers without a domain, times that are none, and other names', async () => {
    const odd = await api.create(MAPS, { metadata: { name: 'a', finalizers: ['odd'] } });
    assert.equal(odd.status, 422);
    assert.match(odd.body.message, /metadata\.finalizers\[0\].* nor is it fully qualified/);
    const garbage = { metadata: { name: 'a', creationTimestamp: 'garbage' } };
    assert.equal((await api.create(MAPS, garbage)).status, 400);
    await api.create(MAPS, { metadata: { name: 'a', finalizers: ['example.test/a'] } });
    const renamed = await api.patch(`${MAPS}/a`, { metadata: { name: 'b' } });
    assert.equal(renamed.status, 400);
    assert.match(renamed.body.message, /does not match the name on the URL \(a\)/);
  });

  it('says what is wrong with a body without the names of its parser', async () => {
    const json = await api.ask('POST', MAPS, { body: '{', type: 'application/json' });
    assert.doesNotMatch(json.body.message, /SyntaxError/);
    const yaml = await api.ask('POST', MAPS, {
      body: 'a: 1\n---\nb: 1\n',
      type: 'application/yaml',
    });
    assert.match(yaml.body.message, /is not YAML: it holds more than one document/);
  });

  it('lists the paths there are', async () => {
    const { body } = await api.get('/');
    for (const path of ['/api/v1', '/apis/apps/v1', '/healthz'])
      assert.ok(body.paths.includes(path));
  });

  it('watches for whatever is not said to be false', async () => {
    const { text } = await api.get(`${MAPS}?watch=maybe&timeoutSeconds=1`);
    assert.match(text, /"type":"ADDED"/);
    assert.equal((await api.get(`${MAPS}?watch=False`)).body.kind, 'ConfigMapList');
  });
});
