import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { appsKinds } from '../../api/apps/kinds.ts';
import { coordinationKinds } from '../../api/coordination/kinds.ts';
import { coreKinds } from '../../api/core/kinds.ts';
import { discoveryKinds } from '../../api/discovery/kinds.ts';
import { gatewayKinds } from '../../api/gateway/kinds.ts';
import { networkingKinds } from '../../api/networking/kinds.ts';
import { answerDiscovery } from './answer.ts';
import { compareGroups, compareVersions, isBuiltInGroup } from './groups.ts';
import { versionInfo } from './version.ts';

const kinds = [
  ...gatewayKinds,
  ...discoveryKinds,
  ...coordinationKinds,
  ...networkingKinds,
  ...appsKinds,
  ...coreKinds,
];
const V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

// oxlint-disable-next-line typescript/no-explicit-any -- documents are read freely here
function get(path: string, accept?: string): any {
  const answer = answerDiscovery(kinds, { path, accept });
  assert.equal(answer?.status, 200, path);
  return JSON.parse(answer.body);
}

// oxlint-disable-next-line typescript/no-explicit-any
function named(resources: readonly any[], name: string): any {
  return resources.find((r) => r.name === name || r.resource === name);
}

describe('plain discovery', () => {
  it('/api names v1 and the address', () => {
    const answer = answerDiscovery(kinds, { path: '/api', serverAddress: '127.0.0.1:6443' });
    assert.deepEqual(JSON.parse(answer?.body ?? ''), {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
    });
  });

  it('/apis lists groups, built-in ones first, with preferred versions', () => {
    const { groups } = get('/apis/') as { groups: { name: string }[] };
    assert.deepEqual(
      groups.map(({ name }) => name),
      [
        'apps',
        'authentication.k8s.io',
        'authorization.k8s.io',
        'networking.k8s.io',
        'coordination.k8s.io',
        'discovery.k8s.io',
        'gateway.networking.k8s.io',
        'gateway.networking.x-k8s.io',
      ],
    );
    assert.deepEqual(get('/apis/gateway.networking.k8s.io'), {
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'gateway.networking.k8s.io',
      versions: ['v1', 'v1beta1', 'v1alpha3', 'v1alpha2'].map((version) => ({
        groupVersion: `gateway.networking.k8s.io/${version}`,
        version,
      })),
      preferredVersion: { groupVersion: 'gateway.networking.k8s.io/v1', version: 'v1' },
    });
  });

  it('/api/v1 lists resources and what lies below them', () => {
    const { groupVersion, resources } = get('/api/v1');
    assert.equal(groupVersion, 'v1');
    assert.deepEqual(named(resources, 'pods'), {
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
    });
    assert.deepEqual(named(resources, 'pods/exec'), {
      name: 'pods/exec',
      singularName: '',
      namespaced: true,
      kind: 'PodExecOptions',
      verbs: ['create', 'get'],
    });
    const names = (resources as { name: string }[]).map(({ name }) => name);
    for (const below of ['pods/log', 'pods/attach', 'pods/portforward', 'pods/proxy']) {
      assert.ok(names.includes(below), below);
    }
    assert.ok(names.includes('services/proxy') && names.includes('services/status'));
    assert.ok(!names.includes('configmaps/status'));
    assert.ok(!named(resources, 'namespaces').verbs.includes('deletecollection'));
  });

  it('/apis/apps/v1 has scale, which is of another group', () => {
    const { resources } = get('/apis/apps/v1');
    for (const plural of ['deployments', 'replicasets', 'statefulsets']) {
      assert.deepEqual(named(resources, `${plural}/scale`), {
        name: `${plural}/scale`,
        singularName: '',
        namespaced: true,
        group: 'autoscaling',
        version: 'v1',
        kind: 'Scale',
        verbs: ['get', 'patch', 'update'],
      });
    }
  });

  it('reviews can be created and nothing else', () => {
    const { resources } = get('/apis/authorization.k8s.io/v1');
    assert.deepEqual(named(resources, 'selfsubjectaccessreviews'), {
      name: 'selfsubjectaccessreviews',
      singularName: 'selfsubjectaccessreview',
      namespaced: false,
      kind: 'SelfSubjectAccessReview',
      verbs: ['create'],
    });
    assert.ok(named(get('/apis/authentication.k8s.io/v1').resources, 'selfsubjectreviews'));
  });

  it('a version has the kinds that are served in it', () => {
    const { resources } = get('/apis/gateway.networking.k8s.io/v1beta1');
    assert.ok(named(resources, 'httproutes') && named(resources, 'httproutes/status'));
    assert.equal(named(resources, 'tcproutes'), undefined);
  });

  it('knows nothing of other paths', () => {
    const paths = ['/', '', '/ap', '/api/v2', '/apis/none', '/apis/apps/v2', '/apis/apps/v1/x'];
    for (const path of [...paths, '/apis//v1', '/api/v1/pods', '/version', '/apis/__proto__']) {
      assert.equal(answerDiscovery(kinds, { path }), undefined, path);
    }
  });
});

describe('aggregated discovery', () => {
  it('is given to who asks for it, and says so', () => {
    const accept = `${V2},${V2.replace('v2', 'v2beta1')},application/json`;
    const answer = answerDiscovery(kinds, { path: '/apis', accept });
    assert.equal(answer?.headers['content-type'], V2);
    const { kind, apiVersion, items } = JSON.parse(answer.body) as {
      kind: string;
      apiVersion: string;
      // oxlint-disable-next-line typescript/no-explicit-any
      items: any[];
    };
    assert.deepEqual([kind, apiVersion], ['APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2']);
    assert.equal(items[0].metadata.name, 'apps');
    assert.deepEqual(named(items[0].versions[0].resources, 'deployments'), {
      resource: 'deployments',
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['deploy'],
      categories: ['all'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
          verbs: ['get', 'patch', 'update'],
        },
      ],
    });
  });

  it('says the same as the plain one', () => {
    const plain = (get('/apis').groups as { versions: { groupVersion: string }[] }[])
      .flatMap(({ versions }) => versions)
      .flatMap(({ groupVersion }) =>
        (get(`/apis/${groupVersion}`).resources as { name: string; verbs: string[] }[]).map(
          ({ name, verbs }) => `${groupVersion}/${name} ${verbs.join()}`,
        ),
      );
    // oxlint-disable-next-line typescript/no-explicit-any
    const together = (get('/apis', V2).items as any[]).flatMap(({ metadata, versions }) =>
      // oxlint-disable-next-line typescript/no-explicit-any
      (versions as any[]).flatMap(({ version, resources }) =>
        // oxlint-disable-next-line typescript/no-explicit-any
        (resources as any[]).flatMap(({ resource, verbs, subresources = [] }) => [
          `${metadata.name}/${version}/${resource} ${verbs.join()}`,
          // oxlint-disable-next-line typescript/no-explicit-any
          ...(subresources as any[]).map(
            (sub) =>
              `${metadata.name}/${version}/${resource}/${sub.subresource} ${sub.verbs.join()}`,
          ),
        ]),
      ),
    );
    assert.deepEqual(together.toSorted(), plain.toSorted());
    assert.ok(plain.length > 40);
  });

  it('/api has the core group alone', () => {
    const { items } = get('/api', V2);
    assert.equal(items.length, 1);
    assert.equal(items[0].versions[0].version, 'v1');
  });

  it('who knows the answer gets none, and who accepts nothing of it gets 406', () => {
    const first = answerDiscovery(kinds, { path: '/apis', accept: V2 });
    const ifNoneMatch = first?.headers['etag'];
    const again = answerDiscovery(kinds, { path: '/apis', accept: V2, ifNoneMatch });
    assert.deepEqual([again?.status, again?.body], [304, '']);
    assert.equal(answerDiscovery(kinds, { path: '/apis', ifNoneMatch })?.status, 200);
    const html = answerDiscovery(kinds, { path: '/apis', accept: 'text/html' });
    assert.equal(html?.status, 406);
    assert.equal(JSON.parse(html.body).reason, 'NotAcceptable');
  });

  it('is YAML on demand', () => {
    const answer = answerDiscovery(kinds, { path: '/apis', accept: 'application/yaml' });
    assert.match(answer?.body ?? '', /^kind: APIGroupList\n/);
  });
});

describe('the order of versions and groups', () => {
  it('is that of Kubernetes', () => {
    const versions = ['foo', 'v1alpha1', 'v10', 'v2', 'v1beta2', 'v1beta10', 'bar', 'v1'];
    assert.deepEqual(versions.toSorted(compareVersions), [
      'v10',
      'v2',
      'v1',
      'v1beta10',
      'v1beta2',
      'v1alpha1',
      'bar',
      'foo',
    ]);
    const groups = ['b.example', 'apps', 'a.example', ''];
    assert.deepEqual(groups.toSorted(compareGroups), ['', 'apps', 'a.example', 'b.example']);
    assert.ok(isBuiltInGroup('') && isBuiltInGroup('apps'));
    assert.ok(!isBuiltInGroup('gateway.networking.k8s.io'));
  });
});

describe('/version', () => {
  const told = (userAgent?: string) =>
    versionInfo({ version: '0.1.0', platform: 'linux/amd64', userAgent });

  it('names us', () => {
    assert.equal(told().gitVersion, 'v1.34.0+fairway-0.1.0');
    assert.equal(told().minor, '34');
  });

  it('is at most one minor version away from kubectl 1.32 to 1.36', () => {
    for (const minor of [32, 33, 34, 35, 36]) {
      const server = Number(told(`kubectl/v1.${minor}.4 (linux/amd64) kubernetes/59526cd`).minor);
      assert.ok(Math.abs(server - minor) <= 1, `${minor} is told ${server}`);
    }
    assert.equal(told('kubectl1.36/v1.36.0 (linux/amd64)').minor, '35');
  });

  it('is the same for everybody else', () => {
    const others = ['Helm/3.17.0', 'kubectl', 'kubectl/v2.99.1', 'x/v1.99.0', '/'.repeat(9999)];
    for (const userAgent of others) assert.equal(told(userAgent).minor, '34', userAgent);
  });
});
