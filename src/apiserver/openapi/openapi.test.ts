import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { appsKinds } from '../../api/apps/kinds.ts';
import { coordinationKinds } from '../../api/coordination/kinds.ts';
import { ConfigMap } from '../../api/core/config-map.ts';
import { coreKinds } from '../../api/core/kinds.ts';
import { gatewayKinds } from '../../api/gateway/kinds.ts';
import { networkingKinds } from '../../api/networking/kinds.ts';
import { answerOpenApi } from './answer.ts';
import { componentName } from './components.ts';
import { openApiOf } from './document.ts';

const kinds = [...coreKinds, ...appsKinds, ...networkingKinds, ...gatewayKinds];

// oxlint-disable-next-line typescript/no-explicit-any -- documents are read freely here
type Any = any;

function documentOf(name: string): Any {
  const document = openApiOf(kinds).document(name);
  assert.ok(document, name);
  return JSON.parse(document.text);
}

function index(): Record<string, { serverRelativeURL: string }> {
  return JSON.parse(openApiOf(kinds).index().text).paths;
}

/** The schema of a field, following references and entering lists. */
function fieldOf(document: Any, component: string, path: string): Any {
  let schema = document.components.schemas[component];
  for (const name of path.split('.')) {
    schema = resolved(document, schema.items ?? schema).properties[name];
    assert.ok(schema, `${path}: no ${name}`);
  }
  return schema;
}

function resolved(document: Any, schema: Any): Any {
  const ref: string | undefined = schema.$ref ?? schema.allOf?.[0].$ref;
  return ref === undefined ? schema : document.components.schemas[ref.split('/').at(-1) ?? ''];
}

describe('the index', () => {
  it('names every group and version that has kinds, with a hash', () => {
    assert.deepEqual(Object.keys(index()), [
      'api/v1',
      'apis/apps/v1',
      'apis/networking.k8s.io/v1',
      'apis/gateway.networking.k8s.io/v1',
      'apis/gateway.networking.k8s.io/v1beta1',
      'apis/gateway.networking.k8s.io/v1alpha3',
      'apis/gateway.networking.k8s.io/v1alpha2',
      'apis/gateway.networking.x-k8s.io/v1alpha1',
    ]);
    assert.match(
      index()['apis/apps/v1']?.serverRelativeURL ?? '',
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/,
    );
  });

  it('keeps the documents of groups that another set of kinds has in common', () => {
    const fewer = kinds.filter((kind) => kind !== ConfigMap);
    const [a, b] = [openApiOf(kinds), openApiOf(fewer)];
    assert.equal(openApiOf(kinds), a);
    assert.equal(a.document('apis/apps/v1'), b.document('apis/apps/v1'));
    assert.notEqual(a.document('api/v1')?.hash, b.document('api/v1')?.hash);
    assert.notEqual(a.index().hash, b.index().hash);
  });

  it('of no kinds is empty', () => {
    assert.equal(openApiOf([]).index().text, '{"paths":{}}');
    assert.equal(openApiOf([]).document('api/v1'), undefined);
  });
});

describe('a document', () => {
  for (const name of Object.keys(index())) {
    const document = documentOf(name);

    it(`${name}: every reference leads somewhere`, () => {
      const text = JSON.stringify(document);
      const refs = new Set(
        Array.from(text.matchAll(/"#\/components\/schemas\/([^"]+)"/g), (m) => m[1]),
      );
      for (const ref of refs) assert.ok(document.components.schemas[ref ?? ''], ref);
      assert.ok(refs.size > 4);
    });

    it(`${name}: each operation is named once`, () => {
      const operations = Object.values(document.paths).flatMap((item: Any) =>
        ['get', 'put', 'post', 'patch', 'delete'].flatMap((m) => item[m]?.operationId ?? []),
      );
      assert.equal(new Set(operations).size, operations.length);
    });

    it(`${name}: every kind is found by its paths, and a patch of it can be validated`, () => {
      const [, group = '', version = ''] = /^apis?(?:\/([^/]+))?\/([^/]+)$/.exec(name) ?? [];
      const here = kinds.filter((k) => k.group === group && k.versions.includes(version));
      assert.ok(here.length > 0);
      for (const kind of here) {
        const type = { group, version, kind: kind.kind };
        const inside = kind.namespaced ? 'namespaces/{namespace}/' : '';
        const item = document.paths[`/${name}/${inside}${kind.plural}/{name}`];
        assert.deepEqual(item.patch['x-kubernetes-group-version-kind'], type);
        const parameters = (item.patch.parameters as { name: string }[]).map((p) => p.name);
        for (const wanted of ['dryRun', 'fieldManager', 'fieldValidation', 'force']) {
          assert.ok(parameters.includes(wanted), `${kind.kind} ${wanted}`);
        }
        const schema = document.components.schemas[componentName(group, version, kind.kind)];
        assert.deepEqual(schema['x-kubernetes-group-version-kind'], [type]);
        assert.equal(schema.description, kind.doc);
        assert.equal(document.paths[`/${name}/${kind.plural}`].get['x-kubernetes-action'], 'list');
        const status = `/${name}/${inside}${kind.plural}/{name}/status`;
        assert.equal(document.paths[status] !== undefined, kind.hasStatus);
      }
    });

    it(`${name}: every field is described`, () => {
      const silent: string[] = [];
      const visit = (schema: Any, path: string): void => {
        for (const [field, property] of Object.entries<Any>(schema.properties ?? {})) {
          const at = `${path}.${field}`;
          if (property.description === undefined) silent.push(at);
          visit(property, at);
        }
        if (schema.items !== undefined) visit(schema.items, `${path}[]`);
      };
      for (const [component, schema] of Object.entries(document.components.schemas)) {
        visit(schema, component);
      }
      assert.deepEqual(
        silent.filter((path) => !/\.(?:metadata|spec|status)$/.test(path)),
        [],
      );
    });
  }

  it('takes strategic patches of built-in kinds only', () => {
    const type = 'application/strategic-merge-patch+json';
    const patch = (name: string, path: string) =>
      documentOf(name).paths[`/${name}/namespaces/{namespace}/${path}/{name}`].patch.requestBody
        .content;
    assert.ok(type in patch('apis/apps/v1', 'deployments'));
    const route = patch('apis/gateway.networking.k8s.io/v1', 'httproutes');
    assert.ok(!(type in route) && 'application/apply-patch+yaml' in route);
  });

  it('has scale where there is something to scale', () => {
    const { paths } = documentOf('apis/apps/v1');
    const scale = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale'];
    assert.equal(scale.put['x-kubernetes-group-version-kind'].kind, 'Scale');
  });

  it('lets Namespaces be deleted one by one only', () => {
    const { paths } = documentOf('api/v1');
    assert.equal(paths['/api/v1/namespaces'].delete, undefined);
    assert.equal(paths['/api/v1/nodes'].delete['x-kubernetes-action'], 'deletecollection');
  });
});

describe('how fields are patched', () => {
  const core = documentOf('api/v1');
  const apps = documentOf('apis/apps/v1');
  const pod = 'io.k8s.api.core.v1.Pod';
  const deployment = 'io.k8s.api.apps.v1.Deployment';
  const rows: readonly [Any, string, string, string | undefined, string | undefined][] = [
    [core, pod, 'metadata.finalizers', 'merge', undefined],
    [core, pod, 'metadata.ownerReferences', 'merge', 'uid'],
    [core, pod, 'spec.containers', 'merge', 'name'],
    [core, pod, 'spec.containers.ports', 'merge', 'containerPort'],
    [core, pod, 'spec.containers.command', undefined, undefined],
    [core, pod, 'spec.containers.resources.claims', undefined, undefined],
    [core, pod, 'spec.volumes', 'merge,retainKeys', 'name'],
    [core, 'io.k8s.api.core.v1.Service', 'spec.ports', 'merge', 'port'],
    [core, 'io.k8s.api.core.v1.Service', 'status.conditions', 'merge', 'type'],
    [apps, deployment, 'spec.strategy', 'retainKeys', undefined],
    [apps, deployment, 'spec.template.spec.volumes', 'merge,retainKeys', 'name'],
    [apps, deployment, 'spec.template.spec.containers.env', 'merge', 'name'],
  ];
  for (const [document, component, path, strategy, key] of rows) {
    it(`${component.split('.').at(-1)} ${path}`, () => {
      const schema = fieldOf(document, component, path);
      assert.equal(schema['x-kubernetes-patch-strategy'], strategy);
      assert.equal(schema['x-kubernetes-patch-merge-key'], key);
    });
  }

  it('is not said of the strategy of a Lease, which is text', () => {
    const name = 'apis/coordination.k8s.io/v1';
    const lease = JSON.parse(openApiOf(coordinationKinds).document(name)?.text ?? '') as Any;
    const strategy = fieldOf(lease, 'io.k8s.coordination.v1.Lease', 'spec.strategy');
    assert.equal(strategy.type, 'string');
    assert.equal(strategy['x-kubernetes-patch-strategy'], undefined);
  });

  it('is said for server-side apply as well', () => {
    const ports = fieldOf(core, 'io.k8s.api.core.v1.Service', 'spec.ports');
    assert.equal(ports['x-kubernetes-list-type'], 'map');
    assert.deepEqual(ports['x-kubernetes-list-map-keys'], ['port', 'protocol']);
  });

  it('is not said of custom kinds, which know no such patch', () => {
    const text = openApiOf(kinds).document('apis/gateway.networking.k8s.io/v1')?.text ?? '';
    const { components } = JSON.parse(text) as Any;
    const route = components.schemas['io.k8s.networking.gateway.v1.HTTPRoute'];
    assert.ok(!JSON.stringify(route).includes('x-kubernetes-patch-'));
  });
});

describe('answers', () => {
  const url = new URL(index()['api/v1']?.serverRelativeURL ?? '', 'http://x');
  const hash = url.searchParams.get('hash') ?? '';

  it('a document with its hash may be kept for good, the index may not', () => {
    const good = answerOpenApi(kinds, { path: url.pathname, hash });
    assert.equal(good?.status, 200);
    assert.match(good.headers['cache-control'] ?? '', /immutable/);
    const root = answerOpenApi(kinds, { path: '/openapi/v3/' });
    assert.match(root?.headers['cache-control'] ?? '', /no-cache/);
    const again = answerOpenApi(kinds, { path: '/openapi/v3', ifNoneMatch: root?.headers['etag'] });
    assert.deepEqual([again?.status, again?.body], [304, '']);
  });

  it('an old hash leads to the present document', () => {
    const old = answerOpenApi(kinds, { path: url.pathname, hash: 'OLD' });
    assert.deepEqual(
      [old?.status, old?.headers['location']],
      [301, `${url.pathname}${url.search}`],
    );
  });

  it('other paths are not ours, and protobuf is not made', () => {
    for (const path of ['/openapi/v2', '/openapi/v3/apis/none/v1', '/openapi/v3x', '/']) {
      assert.equal(answerOpenApi(kinds, { path }), undefined, path);
    }
    const accept = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';
    assert.equal(answerOpenApi(kinds, { path: '/openapi/v3', accept })?.status, 406);
  });
});
