// While one route is asked all the time, what is beside it goes through everything that can happen to
// objects of a live API: grants vanish and come back, classes change, Gateways, Services, Secrets,
// routes and policies are deleted in several orders, a served object is updated with nonsense. Nobody
// who asks the good route notices, and each status says what is so after each step.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ApiClient } from '../support/api-client.ts';
import { folder, get, startFairway, until } from '../support/fairway.ts';
import { kubeconfigIn } from '../support/kubectl.ts';
import type { Loose } from '../support/kubectl.ts';
import { echo } from '../support/manifests.ts';

const GATEWAY_API = '/apis/gateway.networking.k8s.io/v1';
const IN_DEFAULT = `${GATEWAY_API}/namespaces/default`;
const GATEWAYS = `${IN_DEFAULT}/gateways`;
const ROUTES = `${IN_DEFAULT}/httproutes`;
const SECRETS = '/api/v1/namespaces/default/secrets';
const SERVICES = '/api/v1/namespaces/other/services';
const GRANTS = `${GATEWAY_API}/namespaces/other/referencegrants`;
const TLS_POLICIES = `${IN_DEFAULT}/backendtlspolicies`;

/** Requests in flight on the good route. */
const ASKERS = 2;

const GROUP = 'gateway.networking.k8s.io/v1';

const gateway = (name: string, listener: object): Loose => ({
  apiVersion: GROUP,
  kind: 'Gateway',
  metadata: { name },
  spec: { gatewayClassName: 'fairway', listeners: [listener] },
});

const routeTo = (name: string, parent: string, backend: object): Loose => ({
  apiVersion: GROUP,
  kind: 'HTTPRoute',
  metadata: { name },
  spec: { parentRefs: [{ name: parent }], rules: [{ backendRefs: [backend] }] },
});

const GRANT = {
  apiVersion: GROUP,
  kind: 'ReferenceGrant',
  metadata: { name: 'grant' },
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' }],
    to: [{ group: '', kind: 'Service' }],
  },
};

it('a good route is answered while everything beside it comes and goes', async () => {
  const home = folder({});
  const files = folder({
    'echo.yaml': echo('one'),
  });
  const fairway = await startFairway([files.path], { home: home.path });
  const api = new ApiClient(await kubeconfigIn(home.path));
  let asking = true;
  let asked = 0;
  const bad: string[] = [];
  let url = '';
  const askAll = async (): Promise<void> => {
    while (asking) {
      const seen = await get(url).then(
        ({ status }) => String(status),
        (error: unknown) => String(error),
      );
      asked++;
      if (seen !== '200') bad.push(seen);
    }
  };
  const read = async (path: string): Promise<Loose> => (await api.get(path)).body;
  /** Type=status/reason of a list of conditions; of another generation than the object's: old. */
  const told = (object: Loose, conditions: Loose): Record<string, string> =>
    Object.fromEntries(
      (conditions ?? []).map((c: Loose) => [
        c.type,
        c.observedGeneration === object.metadata.generation ? `${c.status}/${c.reason}` : 'old',
      ]),
    );
  const tells = async (
    path: string,
    of: (object: Loose) => Loose,
    wanted: Record<string, string>,
    what: string,
  ): Promise<void> => {
    let last: Loose;
    const isSo = async (): Promise<boolean> => {
      const object = await read(path);
      last = object;
      const seen = told(object, of(object));
      return Object.entries(wanted).every(([type, value]) => (seen[type] ?? 'absent') === value);
    };
    await until(isSo, what).catch((error: unknown) => {
      throw new Error(`${what}: ${JSON.stringify(last?.status)}`, { cause: error });
    });
  };
  const routeTells = (name: string, wanted: Record<string, string>, what: string): Promise<void> =>
    tells(`${ROUTES}/${name}`, (o) => o.status?.parents?.[0]?.conditions, wanted, what);
  const gatewayTells = (
    name: string,
    wanted: Record<string, string>,
    what: string,
  ): Promise<void> => tells(`${GATEWAYS}/${name}`, (o) => o.status?.conditions, wanted, what);
  const listenerTells = (
    name: string,
    wanted: Record<string, string>,
    what: string,
  ): Promise<void> =>
    tells(`${GATEWAYS}/${name}`, (o) => o.status?.listeners?.[0]?.conditions, wanted, what);
  const create = async (path: string, body: Loose): Promise<void> => {
    const { status, text } = await api.create(path, body);
    assert.equal(status, 201, text);
  };
  const remove = async (path: string): Promise<void> => {
    const { status, text } = await api.ask('DELETE', path);
    assert.ok(status === 200 || status === 202, text);
    await until(async () => (await api.get(path)).status === 404, `${path} to be gone`);
  };
  const status = async (url: string): Promise<number> => {
    try {
      return (await get(url)).status;
    } catch {
      return 0;
    }
  };
  const urlOf = async (name: string, port: number): Promise<string> =>
    `http://${(await read(`${GATEWAYS}/${name}`)).status.addresses[0].value}:${port}/`;
  try {
    await create(GATEWAYS, gateway('web', { name: 'http', port: 8080, protocol: 'HTTP' }));
    await create(ROUTES, routeTo('good', 'web', { name: 'one', port: 80 }));
    await gatewayTells('web', { Programmed: 'True/Programmed' }, 'the good Gateway');
    url = await urlOf('web', 8080);
    await until(async () => (await status(url)) === 200, 'the echo');
    const askers = Array.from({ length: ASKERS }, askAll);

    // A grant that vanishes and comes back, again and again.
    await create('/api/v1/namespaces', { metadata: { name: 'other' } });
    await create(SERVICES, { metadata: { name: 'far' }, spec: { ports: [{ port: 80 }] } });
    await create(GATEWAYS, gateway('side', { name: 'http', port: 8081, protocol: 'HTTP' }));
    const far = { name: 'far', namespace: 'other', port: 80 };
    await create(ROUTES, routeTo('far', 'side', far));
    await gatewayTells(
      'side',
      { Accepted: 'True/Accepted', Programmed: 'True/Programmed' },
      'side',
    );
    for (let i = 0; i < 3; i++) {
      await routeTells('far', { ResolvedRefs: 'False/RefNotPermitted' }, 'no grant');
      await until(async () => (await status(await urlOf('side', 8081))) === 500, 'refused');
      await create(GRANTS, GRANT);
      await routeTells('far', { ResolvedRefs: 'True/ResolvedRefs' }, 'a grant');
      await until(async () => (await status(await urlOf('side', 8081))) === 503, 'permitted');
      await remove(`${GRANTS}/grant`);
    }
    await create(GRANTS, GRANT);

    // Deleted in one order and in the other: Service before route, Gateway before route.
    await remove(`${SERVICES}/far`);
    await routeTells('far', { ResolvedRefs: 'False/BackendNotFound' }, 'no Service');
    await remove(`${GATEWAYS}/side`);
    await until(
      async () => ((await read(`${ROUTES}/far`)).status?.parents ?? []).length === 0,
      'the parent to be gone',
    );
    await create(SERVICES, { metadata: { name: 'far' }, spec: { ports: [{ port: 80 }] } });
    await create(GATEWAYS, gateway('side', { name: 'http', port: 8081, protocol: 'HTTP' }));
    await routeTells(
      'far',
      { Accepted: 'True/Accepted', ResolvedRefs: 'True/ResolvedRefs' },
      'the Gateway again',
    );
    await until(async () => (await status(await urlOf('side', 8081))) === 503, 'served again');

    // To a class of somebody else's, and back.
    const sideUrl = await urlOf('side', 8081);
    await api.patch(`${GATEWAYS}/side`, { spec: { gatewayClassName: 'foreign' } });
    await until(async () => (await status(sideUrl)) === 0, 'the Gateway to be served no more');
    await until(
      async () => ((await read(`${ROUTES}/far`)).status?.parents ?? []).length === 0,
      "the parent to be somebody else's",
    );
    await api.patch(`${GATEWAYS}/side`, { spec: { gatewayClassName: 'fairway' } });
    await gatewayTells('side', { Programmed: 'True/Programmed' }, 'our class again');
    await routeTells('far', { Accepted: 'True/Accepted' }, 'the route of our class again');
    await until(async () => (await status(await urlOf('side', 8081))) === 503, 'ours again');

    // Nonsense in a served object is refused or told, and what is served stays.
    const refused = await api.patch(`${GATEWAYS}/web`, { spec: { listeners: [] } });
    assert.equal(refused.status, 422, refused.text);
    const wrong = await api.patch(`${ROUTES}/good`, {
      spec: { rules: [{ matches: [{ path: { value: 'x' } }] }] },
    });
    assert.equal(wrong.status, 422, wrong.text);
    await api.patch(`${ROUTES}/far`, {
      spec: {
        rules: [
          { matches: [{ path: { type: 'RegularExpression', value: '/(' } }], backendRefs: [far] },
        ],
      },
    });
    await routeTells('far', { Accepted: 'False/UnsupportedValue' }, 'an expression that is none');
    await api.patch(`${ROUTES}/far`, { spec: { rules: [{ backendRefs: [far] }] } });
    await routeTells('far', { Accepted: 'True/Accepted' }, 'the route mended');

    // A Secret that vanishes under its listener.
    await create(
      GATEWAYS,
      gateway('tls', {
        name: 'https',
        port: 8444,
        protocol: 'HTTPS',
        hostname: 'a.example',
        tls: { certificateRefs: [{ name: 'pair' }] },
      }),
    );
    await listenerTells(
      'tls',
      { ResolvedRefs: 'False/InvalidCertificateRef', Programmed: 'False/Invalid' },
      'no Secret',
    );
    await create(SECRETS, {
      metadata: { name: 'pair' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': 'bm9uZQ==', 'tls.key': 'bm9uZQ==' },
    });
    await listenerTells(
      'tls',
      { ResolvedRefs: 'False/InvalidCertificateRef' },
      'no certificate in it',
    );
    await remove(`${SECRETS}/pair`);
    await remove(`${GATEWAYS}/tls`);

    // A policy that comes and goes with what it is about.
    await create(TLS_POLICIES, {
      apiVersion: GROUP,
      kind: 'BackendTLSPolicy',
      metadata: { name: 'p' },
      spec: {
        targetRefs: [{ group: '', kind: 'Service', name: 'near' }],
        validation: { hostname: 'near.example', wellKnownCACertificates: 'System' },
      },
    });
    await create('/api/v1/namespaces/default/services', {
      metadata: { name: 'near' },
      spec: { ports: [{ port: 80 }] },
    });
    await create(ROUTES, routeTo('near', 'side', { name: 'near', port: 80 }));
    await tells(
      `${TLS_POLICIES}/p`,
      (o) => o.status?.ancestors?.[0]?.conditions,
      { Accepted: 'True/Accepted' },
      'the policy',
    );
    await remove('/api/v1/namespaces/default/services/near');
    await routeTells('near', { ResolvedRefs: 'False/BackendNotFound' }, 'no near Service');
    await until(
      async () => (await read(`${TLS_POLICIES}/p`)).status.ancestors.length === 0,
      'the policy to be about nothing',
    );
    await remove(`${TLS_POLICIES}/p`);
    await remove(`${ROUTES}/near`);
    await until(
      async () => (await read(`${GATEWAYS}/side`)).status.listeners[0].attachedRoutes === 1,
      'one route',
    );
    await remove(`${ROUTES}/far`);
    await until(
      async () => (await read(`${GATEWAYS}/side`)).status.listeners[0].attachedRoutes === 0,
      'no route',
    );
    assert.equal(await status(await urlOf('side', 8081)), 404);
    await remove('/api/v1/namespaces/other');

    asking = false;
    await Promise.all(askers);
    assert.deepEqual(bad, []);
    assert.ok(asked > 0);
  } finally {
    asking = false;
    api.close();
    await fairway.stop();
    home.remove();
    files.remove();
  }
});
