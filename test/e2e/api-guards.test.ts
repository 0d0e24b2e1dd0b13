// What the API keeps people from by accident: ending what a cluster cannot be without, writing what
// would be gone at once, paths that are read as others than those that were asked for.

import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { ApiClient } from '../support/api-client.ts';
import { folder, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { accessIn, kubeconfigIn } from '../support/kubectl.ts';

const NAMESPACES = '/api/v1/namespaces';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const home = folder({});
let fairway: Fairway;
let api: ApiClient;
let kubeconfig: string;

/** The answer to a request whose path is sent as it is written here. */
function askRaw(method: string, path: string): Promise<string> {
  const { url, token, ca } = accessIn(kubeconfig);
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca, servername: 'localhost' });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.once('error', reject);
    socket.once('end', () => resolve(text));
    socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
    );
  });
}

describe('the API', { timeout: 120_000 }, () => {
  before(async () => {
    fairway = await startFairway([], { home: home.path });
    kubeconfig = await kubeconfigIn(home.path);
    api = new ApiClient(kubeconfig);
  });

  after(async () => {
    api.close();
    await fairway.stop();
    home.remove();
  });

  for (const name of ['default', 'kube-system', 'kube-public']) {
    it(`keeps the namespace ${name}`, async () => {
      const { status, body } = await api.ask('DELETE', `${NAMESPACES}/${name}`);
      assert.equal(status, 403);
      assert.equal(
        body.message,
        `namespaces "${name}" is forbidden: this namespace may not be deleted`,
      );
    });
  }

  it('does not end all namespaces with one request', async () => {
    assert.equal((await api.ask('DELETE', NAMESPACES)).status, 405);
    const { body } = await api.get(`${NAMESPACES}/kube-node-lease`);
    assert.equal(body.metadata.deletionTimestamp, undefined);
  });

  it('takes no step up for a name of dots', async () => {
    await api.create(NAMESPACES, { metadata: { name: 'dots' } });
    for (const path of ['pods/%2e%2e', 'pods/..', 'pods/.%2E/', 'configmaps/\\..\\..']) {
      const answer = await askRaw('DELETE', `${NAMESPACES}/dots/${path}`);
      assert.match(answer, /^HTTP\/1\.1 400 /, path);
    }
    const { body } = await api.get(`${NAMESPACES}/dots`);
    assert.equal(body.metadata.deletionTimestamp, undefined);
  });

  it('says of which kind an object is that is sent to the wrong place', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } };
    const { status, body } = await api.create(`${NAMESPACES}/default/configmaps`, secret);
    assert.equal(status, 400);
    assert.match(body.message, /^Secret in version "v1" cannot be handled as a ConfigMap/);
  });

  it('creates nothing of a kind that is about to go', async () => {
    const names = { plural: 'things', singular: 'thing', kind: 'Thing' };
    const schema = { openAPIV3Schema: { type: 'object' } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    const definition = {
      metadata: { name: 'things.example.test' },
      spec: { group: 'example.test', scope: 'Namespaced', names, versions },
    };
    assert.equal((await api.create(DEFINITIONS, definition)).status, 201);
    const things = '/apis/example.test/v1/namespaces/default/things';
    const held = { metadata: { name: 'held', finalizers: ['example.test/hold'] } };
    assert.equal((await api.create(things, held)).status, 201);
    assert.equal((await api.ask('DELETE', `${DEFINITIONS}/things.example.test`)).status, 200);
    const created = await api.create(things, { metadata: { name: 'late' } });
    assert.equal(created.status, 405);
    assert.equal(
      created.body.message,
      'create not allowed while custom resource definition is terminating',
    );
    const applied = await api.patch(
      `${things}/late?fieldManager=test`,
      { apiVersion: 'example.test/v1', kind: 'Thing', metadata: { name: 'late' } },
      'application/apply-patch+yaml',
    );
    assert.equal(applied.status, 405);
    await api.patch(`${things}/held`, { metadata: { finalizers: null } });
    await until(
      async () => (await api.get(`${DEFINITIONS}/things.example.test`)).status === 404,
      'the definition to be gone',
    );
  });
});
