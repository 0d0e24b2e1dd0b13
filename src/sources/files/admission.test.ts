import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDocument } from './document.ts';
import type { ParsedDocument } from './document.ts';
import { testContext } from './testing.ts';

function admitted(text: string): ParsedDocument {
  const document = parseDocument(text, testContext());
  assert.deepEqual(document.faults, []);
  return document;
}

/** The one object of a document, as JSON has it. */
function objectOf(text: string): unknown {
  const { items } = admitted(text);
  assert.equal(items.length, 1);
  const [item] = items;
  assert.ok(item?.type === 'object', JSON.stringify(admitted(text)));
  return JSON.parse(JSON.stringify(item.object));
}

/** Issues as lines: severity, reason, path, message, hint. */
function issuesOf(text: string): readonly string[] {
  return admitted(text).issues.map(
    ({ severity, reason, path, message, hint }) =>
      `${severity} ${reason} ${path}: ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  );
}

describe('an object in a file is admitted', () => {
  it('with its defaults', () => {
    assert.deepEqual(
      objectOf(
        'apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\nspec: {ports: [{port: 80}]}\n',
      ),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a', namespace: 'b' },
        spec: { ports: [{ port: 80, protocol: 'TCP' }] },
      },
    );
  });

  it('in the default namespace when it names none', () => {
    for (const namespace of ['', ', namespace: ""', ', namespace:']) {
      assert.deepEqual(
        objectOf(`{apiVersion: v1, kind: Service, metadata: {name: a${namespace}}}`),
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a', namespace: 'default' },
        },
      );
    }
  });

  it('in the stored version, whichever served version it is written in', () => {
    assert.deepEqual(
      objectOf(
        '{apiVersion: gateway.networking.k8s.io/v1beta1, kind: HTTPRoute, metadata: {name: a}}',
      ),
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'a', namespace: 'default' },
      },
    );
  });

  it('without what the system fills in', () => {
    const text = `
apiVersion: v1
kind: Service
metadata:
  name: a
  uid: 1-2-3
  resourceVersion: "7"
  generation: 3
  creationTimestamp: "2024-05-01T10:00:00Z"
  deletionTimestamp: "2024-05-02T10:00:00Z"
  deletionGracePeriodSeconds: 30
  selfLink: /api
  managedFields: [{manager: kubectl}]
  labels: {app: a}
status: {loadBalancer: {}}
`;
    assert.deepEqual(objectOf(text), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'a',
        creationTimestamp: '2024-05-01T10:00:00Z',
        labels: { app: 'a' },
        namespace: 'default',
      },
    });
    assert.deepEqual(issuesOf(text), []);
  });

  it('with its status when the kind has no status of its own', () => {
    const text =
      '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: a}, status: {x: 1}}';
    assert.deepEqual((objectOf(text) as { status?: unknown }).status, { x: 1 });
  });

  it('without keys that would reach the prototype', () => {
    const text =
      '{apiVersion: v1, kind: Service, metadata: {name: a, labels: {__proto__: x}}, __proto__: {spec: 1}}';
    const [item] = admitted(text).items;
    assert.ok(item?.type === 'object');
    assert.equal(Object.getPrototypeOf(item.object), Object.prototype);
    assert.ok(issuesOf(text).some((line) => line.startsWith('warning UnknownField __proto__')));
    assert.equal(({} as { spec?: unknown }).spec, undefined);
  });
});

describe('a List', () => {
  const items =
    '[{apiVersion: v1, kind: Service, metadata: {name: a}}, {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: b}}]}]';

  it('comes to its items, and those of Lists in it', () => {
    const document = admitted(`{apiVersion: v1, kind: List, items: ${items}}`);
    assert.deepEqual(
      document.items.map(({ path, item, type }) => ({ path, item, type })),
      [
        { path: 'items[0]', item: 0, type: 'object' },
        { path: 'items[1].items[0]', item: 1, type: 'object' },
      ],
    );
  });

  it('of one kind need not repeat the kind', () => {
    const document = admitted(
      '{apiVersion: v1, kind: ServiceList, items: [{metadata: {name: a}}]}',
    );
    assert.deepEqual(
      document.items.map(({ type }) => type),
      ['object'],
    );
    assert.deepEqual(document.issues, []);
  });

  it('may be empty', () => {
    for (const list of ['items: []', 'items:', 'metadata: {}']) {
      assert.deepEqual(issuesOf(`apiVersion: v1\nkind: List\n${list}\n`), []);
    }
  });

  it('has its issues where the items are', () => {
    assert.deepEqual(
      issuesOf(
        '{apiVersion: v1, kind: List, items: [1, {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 0}]}}]}',
      ),
      [
        'error NotAnObject items[0]: this is the value 1, not an object with apiVersion, kind and metadata',
        'error Invalid items[1].spec.ports[0].port: spec.ports[0].port: Invalid value: 0: spec.ports[0].port in body should be greater than or equal to 1',
      ],
    );
  });
});

describe('what is wrong is told', () => {
  for (const [name, text, ...expected] of [
    ['nothing of an empty document', '# nothing\n'],
    [
      'a field with a wrong value',
      '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 0}], type: 1}}',
      'error Invalid spec.ports[0].port: spec.ports[0].port: Invalid value: 0: spec.ports[0].port in body should be greater than or equal to 1',
      'error Invalid spec.type: spec.type: Invalid value: "integer": spec.type in body must be of type string: "integer"',
    ],
    [
      'an unknown field, with the one that was meant',
      '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {port: 1, selectr: {a: b}, zzz: 1}}',
      'warning UnknownField spec.port: unknown field "spec.port" | did you mean "spec.ports"?',
      'warning UnknownField spec.selectr: unknown field "spec.selectr" | did you mean "spec.selector"?',
      'warning UnknownField spec.zzz: unknown field "spec.zzz"',
    ],
    [
      'a missing name',
      '{apiVersion: v1, kind: Service, metadata: {labels: {a: b}}}',
      'error Invalid metadata.name: metadata.name: Required value: name or generateName is required',
    ],
    [
      'missing metadata',
      '{apiVersion: v1, kind: Service}',
      'error Invalid metadata.name: metadata.name: Required value: name or generateName is required',
    ],
    [
      'a name that is to be generated',
      '{apiVersion: v1, kind: Service, metadata: {generateName: a-}}',
      'error Invalid metadata.name: metadata.name: Required value: generateName makes a new object each time; an object from a file needs a name',
    ],
    [
      'a name that is no text',
      '{apiVersion: v1, kind: Service, metadata: {name: 12}}',
      'error Invalid metadata.name: metadata.name: Invalid value: "integer": metadata.name in body must be of type string: "integer"',
    ],
    [
      'a namespace where there is none',
      '{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: a, namespace: b}}',
      'warning NamespaceIgnored metadata.namespace: a GatewayClass belongs to the whole cluster; its namespace is ignored | Remove metadata.namespace.',
    ],
    [
      'a kind under an old version',
      '{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: a}}',
      'error UnknownVersion apiVersion: Ingress is not served as extensions/v1beta1 | Write apiVersion: networking.k8s.io/v1',
    ],
    [
      'a kind under a version of its group that is not served',
      '{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: HTTPRoute, metadata: {name: a}}',
      'error UnknownVersion apiVersion: HTTPRoute is not served as gateway.networking.k8s.io/v1alpha2 | Write apiVersion: gateway.networking.k8s.io/v1 or gateway.networking.k8s.io/v1beta1',
    ],
    [
      'a kind of the same name in a group of others',
      '{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: a}}',
      'warning UnknownKind kind: Fairway does not serve kind Gateway of networking.istio.io/v1; the object is left out | Fairway serves Gateway of gateway.networking.k8s.io/v1',
    ],
    [
      'a kind that is nearly one Fairway serves',
      '{apiVersion: v1, kind: Servce, metadata: {name: a}}',
      'warning UnknownKind kind: Fairway does not serve kind Servce of v1; the object is left out | did you mean "Service"?',
    ],
    [
      'a kind of others',
      '{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: a}}',
      'warning UnknownKind kind: Fairway does not serve kind Certificate of cert-manager.io/v1; the object is left out | Fairway serves Gateway, GatewayClass, HTTPRoute, Ingress, Service',
    ],
    [
      'a kind of no interest, as information',
      '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}}',
      'info IgnoredKind kind: objects of kind Role (rbac.authorization.k8s.io/v1) have no effect on traffic; left out',
    ],
    [
      'a missing kind',
      '{apiVersion: v1, metadata: {name: a}}',
      'error Invalid kind: kind: Required value',
    ],
    [
      'a missing apiVersion, with the one to write',
      '{kind: Ingress, metadata: {name: a}}',
      'error Invalid apiVersion: apiVersion: Required value | Write apiVersion: networking.k8s.io/v1',
    ],
    [
      'an apiVersion that is no text',
      '{apiVersion: 1, kind: Service, metadata: {name: a}}',
      'error Invalid apiVersion: apiVersion: Invalid value: "integer": apiVersion in body must be of type string: "integer" | Write apiVersion: v1',
    ],
    [
      'a slip of the pen in both',
      'apiversion: v1\nKind: Service\nmetadata: {name: a}\n',
      'warning NotAnObject : this is no Kubernetes object: it has neither apiVersion nor kind; it is left out | did you mean "apiVersion" instead of "apiversion" and "kind" instead of "Kind"?',
    ],
    [
      'a file that is no object at all',
      'name: shop\nversion: 1.0.0\n',
      'warning NotAnObject : this is no Kubernetes object: it has neither apiVersion nor kind; it is left out',
    ],
    [
      'a list',
      '- a\n- b\n',
      'error NotAnObject : this is a list, not an object with apiVersion, kind and metadata',
    ],
    [
      'text',
      'hello\n',
      'error NotAnObject : this is the value "hello", not an object with apiVersion, kind and metadata',
    ],
  ] as const) {
    it(name, () => assert.deepEqual(issuesOf(text), expected));
  }

  it('about the object, once it is known which', () => {
    const { issues } = admitted(
      '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {x: 1}}',
    );
    assert.deepEqual(issues[0]?.object, { kind: 'Service', namespace: 'default', name: 'a' });
    assert.equal(issues[0]?.field, 'spec.x');
  });

  it('and an object that is wrong is not taken', () => {
    const [item] = admitted('{apiVersion: v1, kind: Service, metadata: {name: a}, spec: 1}').items;
    assert.equal(item?.type, 'rejected');
  });
});
