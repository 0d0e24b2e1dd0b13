// What kubectl makes of kinds: those that a user brings, from the definition to its end, and the columns
// of all that there are.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { folder, PATIENCE_MS, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn, kubectlFor, NO_KUBECTL } from '../support/kubectl.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { documents, echo, GATEWAY, route } from '../support/manifests.ts';

const TIMEOUT = `--timeout=${PATIENCE_MS / 1000}s`;

const DEFINITION = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: cakes.example.test }
spec:
  group: example.test
  scope: Namespaced
  names: { plural: cakes, singular: cake, kind: Cake, shortNames: [ck], categories: [all] }
  versions:
    - name: v1
      served: true
      storage: true
      selectableFields: [{ jsonPath: .spec.flavor }]
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.tiers, statusReplicasPath: .status.tiers }
      additionalPrinterColumns:
        - { name: Flavor, type: string, jsonPath: .spec.flavor }
        - { name: Baked, type: date, jsonPath: .spec.baked }
        - { name: Tiers, type: integer, jsonPath: .spec.tiers, priority: 1 }
        - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
      schema:
        openAPIV3Schema:
          type: object
          description: Something sweet.
          properties:
            spec:
              type: object
              required: [flavor]
              x-kubernetes-validations:
                - rule: self.tiers <= 5 || self.flavor == 'air'
                  message: only air carries more than five tiers
                - rule: self.flavor == oldSelf.flavor
                  message: a cake keeps its flavor
              properties:
                flavor: { type: string, description: What it tastes of. }
                baked: { type: string, format: date-time }
                tiers: { type: integer, minimum: 1, default: 1 }
            status:
              type: object
              properties: { tiers: { type: integer } }
    - name: v1alpha1
      served: true
      storage: false
      deprecated: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`;

function cake(name: string, spec: object, version = 'v1'): string {
  return JSON.stringify({
    apiVersion: `example.test/${version}`,
    kind: 'Cake',
    metadata: { name },
    spec,
  });
}

const KINDS = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: set }
spec:
  serviceName: set
  selector: { matchLabels: { app: set } }
  template:
    metadata: { labels: { app: set } }
    spec: { containers: [{ name: echo, image: "registry.k8s.io/gateway-api/echo-basic:v1.5.1" }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: front }
spec:
  ingressClassName: mine
  rules: [{ host: a.test, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 80 } } } }] } }]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: mine }
spec: { controller: example.test/none }
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: { name: lease }
spec: { holderIdentity: me }
---
apiVersion: v1
kind: Endpoints
metadata: { name: by-hand }
subsets: [{ addresses: [{ ip: 192.0.2.1 }], ports: [{ port: 80 }] }]
---
apiVersion: v1
kind: Secret
metadata: { name: secret }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: map }
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: calls }
spec: { hostnames: [a.test] }
`;

/** The heading of `kubectl get KIND -o wide`, as a cluster prints it. */
const HEADINGS: Readonly<Record<string, string>> = {
  pods: 'NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES',
  services: 'NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR',
  deployments: 'NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR',
  replicasets: 'NAME DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR',
  statefulsets: 'NAME READY AGE CONTAINERS IMAGES',
  endpoints: 'NAME ENDPOINTS AGE',
  endpointslices: 'NAME ADDRESSTYPE PORTS ENDPOINTS AGE',
  configmaps: 'NAME DATA AGE',
  secrets: 'NAME TYPE DATA AGE',
  namespaces: 'NAME STATUS AGE',
  nodes:
    'NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME',
  leases: 'NAME HOLDER AGE',
  ingresses: 'NAME CLASS HOSTS ADDRESS PORTS AGE',
  ingressclasses: 'NAME CONTROLLER PARAMETERS AGE',
  events: 'LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME',
  customresourcedefinitions: 'NAME CREATED AT',
  gatewayclasses: 'NAME CONTROLLER ACCEPTED AGE DESCRIPTION',
  gateways: 'NAME CLASS ADDRESS PROGRAMMED AGE',
  httproutes: 'NAME HOSTNAMES AGE',
  grpcroutes: 'NAME HOSTNAMES AGE',
};

const home = folder({});
const manifests = folder({
  'shop.yaml': documents(GATEWAY, echo('shop'), route('shop', '/', 'shop')),
});
let fairway: Fairway;
let kubectl: Kubectl;

describe('kubectl and kinds', { skip: NO_KUBECTL, timeout: 170_000 }, () => {
  before(async () => {
    fairway = await startFairway([manifests.path], { home: home.path });
    kubectl = kubectlFor(await kubeconfigIn(home.path), home.path);
  });

  after(async () => {
    await fairway.stop();
    home.remove();
    manifests.remove();
  });

  it('defines one, uses it, and takes it back', async () => {
    assert.equal(
      await kubectl.ok('apply -f -', DEFINITION),
      'customresourcedefinition.apiextensions.k8s.io/cakes.example.test created',
    );
    await kubectl.ok(`wait --for=condition=Established crd/cakes.example.test ${TIMEOUT}`);
    assert.match(
      await kubectl.ok('api-resources --no-headers'),
      /^cakes +ck +example\.test\/v1 +true +Cake$/m,
    );
    assert.match(await kubectl.ok('explain cake'), /Something sweet\./);
    assert.match(await kubectl.ok('explain cake.spec.flavor'), /What it tastes of\./);
    assert.match(await kubectl.fails('explain cake.spec.color'), /field "color" does not exist/);

    const baked = new Date(Date.now() - 5 * 86_400_000).toISOString().replace(/\.\d+/, '');
    const lemon = cake('a', { flavor: 'lemon', baked });
    assert.equal(await kubectl.ok('apply -f -', lemon), 'cake.example.test/a created');
    assert.equal(await kubectl.ok('apply -f -', lemon), 'cake.example.test/a unchanged');
    await kubectl.ok('create -f -', cake('b', { flavor: 'nut', tiers: 2 }));
    assert.match(
      await kubectl.ok('get cakes'),
      /^NAME +FLAVOR +BAKED +AGE\na +lemon +5d\d*h* +\S+\nb +nut +\S+$/,
    );
    assert.match(
      await kubectl.ok('get ck a -o wide'),
      /^NAME +FLAVOR +BAKED +TIERS +AGE\na +lemon +5d\d*h* +1 +/,
    );
    assert.match(await kubectl.ok('get all'), /^cake\.example\.test\/a +lemon /m);
    assert.equal(
      await kubectl.ok('get cakes --field-selector spec.flavor=nut -o name'),
      'cake.example.test/b',
    );
    assert.match(
      await kubectl.fails('get cakes --field-selector spec.tiers=2'),
      /field label not supported: spec\.tiers/,
    );

    assert.match(
      await kubectl.fails('create -f -', cake('c', { flavor: 'rum', tiers: 6 })),
      /spec: Invalid value: "object": only air carries more than five tiers/,
    );
    assert.match(
      await kubectl.fails('apply -f -', cake('a', { flavor: 'plum' })),
      /a cake keeps its flavor/,
    );
    const nothing = await kubectl.fails('create -f -', cake('c', { tiers: 0, colour: 'red' }));
    assert.match(nothing, /unknown field "spec\.colour"/);
    const wrong = await kubectl.fails('create --validate=false -f -', cake('c', { tiers: 0 }));
    assert.match(wrong, /^\* spec\.flavor: Required value$/m);
    assert.match(wrong, /^\* spec\.tiers: Invalid value: 0: .*greater than or equal to 1$/m);

    assert.equal(await kubectl.ok('scale cake a --replicas=3'), 'cake.example.test/a scaled');
    assert.equal((await kubectl.json('get cake a')).spec.tiers, 3);
    assert.match(await kubectl.fails('scale cake a --replicas=7'), /only air carries more/);
    const status = JSON.stringify({ status: { tiers: 3 } });
    await kubectl.ok(['patch', 'cake', 'a', '--subresource=status', '--type=merge', '-p', status]);
    await kubectl.ok(['wait', '--for=jsonpath={.status.tiers}=3', 'cake/a', TIMEOUT]);

    const old = await kubectl.run('get cakes.v1alpha1.example.test a -o json');
    assert.equal(JSON.parse(old.stdout).apiVersion, 'example.test/v1alpha1');
    assert.match(old.stderr, /Warning: example\.test\/v1alpha1 Cake is deprecated/);

    const watching = kubectl.follow('get cakes -w --output-watch-events');
    await until(() => watching.lines().length === 3, 'the list');
    assert.match(
      await kubectl.ok(`delete crd cakes.example.test ${TIMEOUT}`),
      /"cakes\.example\.test" deleted/,
    );
    await until(
      () => watching.lines().filter((line) => line.startsWith('DELETED')).length === 2,
      'the end of both',
    );
    await watching.stop();
    const isGone = async (): Promise<boolean> => (await kubectl.run('get cakes')).code !== 0;
    await until(isGone, 'the kind to be gone');
    assert.match(
      await kubectl.fails('get cakes'),
      /the server doesn't have a resource type "cakes"|could not find the requested resource/,
    );
  });

  it('refuses definitions that define nothing, with the field', async () => {
    const text = DEFINITION.replace('name: cakes.example.test', 'name: other.example.test');
    assert.match(
      await kubectl.fails('apply -f -', text),
      /metadata\.name: Invalid value: "other\.example\.test": must be spec\.names\.plural\+"\."\+spec\.group/,
    );
    const rule = DEFINITION.replace("self.flavor == 'air'", 'self.nothing == 1');
    assert.match(
      await kubectl.fails('apply -f -', rule),
      /undefined field 'nothing'|x-kubernetes-validations/,
    );
  });

  it('shows every kind in the columns people know', async () => {
    await kubectl.ok('apply -f -', KINDS);
    for (const [kind, heading] of Object.entries(HEADINGS)) {
      const shown = async (): Promise<string> =>
        ((await kubectl.ok(`get ${kind} -o wide`)).split('\n')[0] ?? '').replaceAll(/ {2,}/g, ' ');
      await until(async () => (await shown()) !== '', `something of ${kind}`);
      assert.equal((await shown()).trim(), heading, kind);
    }
  });

  it('lists resources by group, verb and scope', async () => {
    const names = async (words: string): Promise<readonly string[]> =>
      (await kubectl.ok(`api-resources -o name ${words}`)).split('\n').toSorted();
    assert.deepEqual(await names('--api-group=apps'), [
      'deployments.apps',
      'replicasets.apps',
      'statefulsets.apps',
    ]);
    assert.ok((await names('--namespaced=false')).includes('nodes'));
    assert.ok(!(await names('--verbs=list')).includes('tokenreviews.authentication.k8s.io'));
    assert.ok((await names('--verbs=create')).includes('tokenreviews.authentication.k8s.io'));
    for (const path of ['/api', '/apis', '/apis/events.k8s.io/v1', '/openapi/v3', '/livez']) {
      assert.notEqual(await kubectl.ok(['get', '--raw', path]), '', path);
    }
    assert.match(await kubectl.fails('get --raw /apis/none/v1'), /NotFound/);
  });

  it('deletes a collection by one request', async () => {
    for (const [name, set] of [
      ['x', 'one'],
      ['y', 'one'],
      ['z', 'two'],
    ]) {
      await kubectl.ok(`create configmap ${name}`);
      await kubectl.ok(`label configmap ${name} set=${set}`);
    }
    const path = '/api/v1/namespaces/default/configmaps?labelSelector=set%3Done';
    const answer = JSON.parse(await kubectl.ok(['delete', '--raw', path]));
    assert.equal(answer.kind, 'ConfigMapList');
    assert.equal(await kubectl.ok('get cm -l set -o name'), 'configmap/z');
  });

  it('is somebody else by certificate, and by impersonation', async () => {
    const context = ['--context', 'fairway-certificate'];
    assert.match(
      await kubectl.ok([...context, 'auth', 'whoami']),
      /Username +fairway\nGroups +\[system:masters /,
    );
    assert.equal(await kubectl.ok([...context, 'auth', 'can-i', 'delete', 'nodes']), 'yes');
    assert.match(
      await kubectl.ok('--as=joe --as-group=devs auth whoami'),
      /Username +joe\nGroups +\[devs /,
    );
    assert.match(await kubectl.ok('auth can-i --list'), /^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    const stranger = await kubectl.run(['--token=nonsense', 'get', 'pods']);
    assert.notEqual(stranger.code, 0);
    assert.match(stranger.stderr, /Unauthorized|must be logged in|provide credentials/i);
  });

  it('says what becomes of a namespace that is deleted', async () => {
    await kubectl.ok('create namespace brief');
    await kubectl.ok('-n brief create service clusterip s --tcp=80');
    await kubectl.ok(`delete namespace brief ${TIMEOUT}`);
    const told = async (): Promise<boolean> => {
      const text = await kubectl.ok('events --for namespace/brief');
      return /Terminating/.test(text) && /Deleted/.test(text);
    };
    await until(told, 'Events of the namespace');
  });
});
