// The official JavaScript client against a Fairway: its informers see every change once, come back after
// the 30 seconds of silence that they bear, and begin anew when they were away for too long (410).

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import type { KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import { folder, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn } from '../support/kubectl.ts';

const GATEWAY = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' };
const ROUTES = `/apis/${GATEWAY.group}/${GATEWAY.version}/${GATEWAY.plural}`;
const SERVICES = '/api/v1/services';
const NAMESPACE = 'default';

type List = KubernetesListObject<KubernetesObject>;

const home = folder({});
let fairway: Fairway;
let config: KubeConfig;
let core: CoreV1Api;
let custom: CustomObjectsApi;

/** An informer that writes down what it is told. */
function inform(
  test: TestContext,
  path: string,
  list: () => Promise<List>,
): { readonly lines: readonly string[]; connects(): number; start(): Promise<void> } {
  const lines: string[] = [];
  let connects = 0;
  const informer = makeInformer(config, path, list);
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, ({ metadata }) => void lines.push(`${verb} ${metadata?.name}`));
  }
  informer.on('connect', () => void connects++);
  informer.on('error', (error: unknown) => void lines.push(`error ${String(error)}`));
  test.after(() => informer.stop());
  return { lines, connects: () => connects, start: () => informer.start() };
}

async function listRoutes(): Promise<List> {
  return (await custom.listClusterCustomObject(GATEWAY)) as List;
}

async function listServices(): Promise<List> {
  return (await core.listServiceForAllNamespaces()) as List;
}

async function createRoute(name: string): Promise<void> {
  const apiVersion = `${GATEWAY.group}/${GATEWAY.version}`;
  const body = { apiVersion, kind: 'HTTPRoute', metadata: { name }, spec: {} };
  await custom.createNamespacedCustomObject({ ...GATEWAY, namespace: NAMESPACE, body });
}

function deleteRoute(name: string): Promise<unknown> {
  return custom.deleteNamespacedCustomObject({ ...GATEWAY, namespace: NAMESPACE, name });
}

describe('informers of the official client', { timeout: 120_000, concurrency: true }, () => {
  before(async () => {
    // The second one begins at a revision above all of the first one's.
    const first = await startFairway([], { home: home.path });
    await first.stop();
    fairway = await startFairway([], { home: home.path });
    config = new KubeConfig();
    config.loadFromFile(await kubeconfigIn(home.path));
    core = config.makeApiClient(CoreV1Api);
    custom = config.makeApiClient(CustomObjectsApi);
  });

  after(async () => {
    await fairway.stop();
    home.remove();
  });

  it('tell of every change of routes and Services, once and in order', async (test) => {
    await createRoute('a-before');
    const routes = inform(test, ROUTES, listRoutes);
    const services = inform(test, SERVICES, listServices);
    await Promise.all([routes.start(), services.start()]);
    const own = (): readonly string[] => routes.lines.filter((line) => line.includes(' a-'));
    await until(() => own().length === 1, 'the route that was there');
    await createRoute('a-new');
    const spec = { hostnames: ['a.test'] };
    await custom.patchNamespacedCustomObject(
      { ...GATEWAY, namespace: NAMESPACE, name: 'a-new', body: { spec } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    await deleteRoute('a-before');
    const body = { metadata: { name: 'shop' }, spec: { ports: [{ port: 80 }] } };
    await core.createNamespacedService({ namespace: NAMESPACE, body });
    const labels = { metadata: { labels: { x: 'y' } } };
    await core.patchNamespacedService(
      { namespace: NAMESPACE, name: 'shop', body: labels },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
    await core.deleteNamespacedService({ namespace: NAMESPACE, name: 'shop' });
    await until(() => own().length >= 4 && services.lines.length >= 3, 'all changes');
    assert.deepEqual(own(), ['add a-before', 'add a-new', 'update a-new', 'delete a-before']);
    assert.deepEqual(services.lines, ['add shop', 'update shop', 'delete shop']);
  });

  it('come back after 30 seconds of silence, and have missed nothing', async (test) => {
    const quiet = '/api/v1/serviceaccounts';
    const list = async (): Promise<List> =>
      (await core.listServiceAccountForAllNamespaces()) as List;
    const accounts = inform(test, quiet, list);
    await accounts.start();
    await until(() => accounts.connects() >= 2, 'the informer comes back');
    const body = { metadata: { name: 'after-silence' } };
    await core.createNamespacedServiceAccount({ namespace: NAMESPACE, body });
    await until(() => accounts.lines.length > 0, 'the change after that');
    assert.deepEqual(accounts.lines, ['add after-silence']);
  });

  it('begin anew when what they missed is forgotten', async (test) => {
    await createRoute('c-there');
    let lists = 0;
    const routes = inform(test, ROUTES, async () => {
      const list = await listRoutes();
      // As if it had listed before the server was last started.
      return lists++ === 0 ? { ...list, items: [], metadata: { resourceVersion: '1' } } : list;
    });
    const own = (): readonly string[] => routes.lines.filter((line) => line.includes(' c-'));
    await routes.start();
    await until(() => own().length === 1, 'the second list');
    await createRoute('c-new');
    await until(() => own().length === 2, 'the change after that');
    assert.deepEqual(own(), ['add c-there', 'add c-new']);
    assert.equal(lists, 2);
  });

  it('are let in by the certificate of the kubeconfig too', async () => {
    const byCertificate = new KubeConfig();
    byCertificate.loadFromFile(await kubeconfigIn(home.path));
    byCertificate.setCurrentContext('fairway-certificate');
    const { items } = await byCertificate.makeApiClient(CoreV1Api).listNamespace();
    assert.ok(items.some(({ metadata }) => metadata?.name === 'default'));
  });
});
