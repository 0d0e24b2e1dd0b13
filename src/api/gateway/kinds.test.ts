// What every kind owes its readers: words for kubectl explain, defaults, columns.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admit } from '../admit.ts';
import { apiVersionOf } from '../kind.ts';
import type { Kind, KubeObject } from '../kind.ts';
import type { Node } from '../schema/schema.ts';
import { Gateway } from './gateway.ts';
import { GatewayClass } from './gatewayclass.ts';
import { GRPCRoute } from './grpcroute.ts';
import { HTTPRoute } from './httproute.ts';
import { gatewayKinds } from './kinds.ts';
import { XMesh } from './xmesh.ts';

function admitted<T extends KubeObject>(kind: Kind<T>, spec: object, rest: object = {}): T {
  const metadata = { name: 'x', namespace: kind.namespaced ? 'y' : undefined };
  const written = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec, ...rest };
  const { object, errors } = admit(kind, written);
  assert.deepEqual(errors, []);
  return object;
}

describe('what kubectl explain shows', () => {
  for (const kind of gatewayKinds) {
    test(`every field of ${kind.kind} says what it is for`, () => {
      assert.deepEqual(undocumented(kind.schema, kind.kind), []);
    });
  }
});

/** Fields without words. metadata is the same for every kind, and not looked at here. */
function undocumented(node: Node, at: string): readonly string[] {
  const own = node.doc === undefined ? [at] : [];
  switch (node.type) {
    case 'object':
      return [
        ...own,
        ...[...node.fields].flatMap(([name, field]) =>
          name === 'metadata' ? [] : undocumented(field.node, `${at}.${name}`),
        ),
      ];
    case 'map':
      return own;
    case 'list':
      return [
        ...own,
        ...undocumented(node.items, `${at}[]`).filter((field) => field !== `${at}[]`),
      ];
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'intOrString':
    case 'any':
      return own;
  }
}

describe('defaults', () => {
  test('an HTTPRoute without rules takes every request', () => {
    assert.deepEqual(admitted(HTTPRoute, {}).spec.rules, [
      { matches: [{ path: { type: 'PathPrefix', value: '/' } }] },
    ]);
  });

  test('defaults have defaults of their own', () => {
    const backendRefs = [{ name: 'web', port: 80 }];
    assert.deepEqual(admitted(HTTPRoute, { rules: [{ matches: [{}], backendRefs }] }).spec.rules, [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backendRefs: [{ group: '', kind: 'Service', name: 'web', port: 80, weight: 1 }],
      },
    ]);
  });

  test('no two objects share a default', () => {
    const [a, b] = [admitted(HTTPRoute, {}), admitted(HTTPRoute, {})];
    assert.notEqual(a.spec.rules[0], b.spec.rules[0]);
    assert.notEqual(a.spec.rules[0]?.matches[0]?.path, b.spec.rules[0]?.matches[0]?.path);
  });

  test('a new Gateway waits for two verdicts', () => {
    const listeners = [{ name: 'http', port: 80, protocol: 'HTTP' }];
    const { spec, status } = admitted(Gateway, { gatewayClassName: 'fairway', listeners });
    assert.deepEqual(spec.listeners[0]?.allowedRoutes, { namespaces: { from: 'Same' } });
    assert.deepEqual(
      status.conditions.map(({ type, status: verdict, reason }) => [type, verdict, reason]),
      [
        ['Accepted', 'Unknown', 'Pending'],
        ['Programmed', 'Unknown', 'Pending'],
      ],
    );
  });

  test('a mesh waits for one verdict, or for two when its status is empty', () => {
    const spec = { controllerName: 'example.com/mesh' };
    const types = (mesh: XMesh) => mesh.status.conditions.map(({ type }) => type);
    assert.deepEqual(types(admitted(XMesh, spec)), ['Accepted']);
    assert.deepEqual(types(admitted(XMesh, spec, { status: {} })), ['Accepted', 'Programmed']);
  });
});

describe('columns of kubectl get', () => {
  const cells = (kind: Kind, object: object) => kind.columns.map(({ value }) => value(object));

  test('a GatewayClass shows its controller and whether it is accepted', () => {
    const spec = { controllerName: 'example.com/gateway' };
    assert.deepEqual(cells(GatewayClass, admitted(GatewayClass, spec)), [
      'example.com/gateway',
      'Unknown',
      '',
    ]);
  });

  test('a Gateway shows the first of its addresses', () => {
    const listeners = [{ name: 'http', port: 80, protocol: 'HTTP' }];
    const spec = { gatewayClassName: 'fairway', listeners };
    const status = { addresses: [{ value: '10.0.0.1' }, { value: '10.0.0.2' }] };
    assert.deepEqual(cells(Gateway, admitted(Gateway, spec, { status })), [
      'fairway',
      '10.0.0.1',
      'Unknown',
    ]);
    assert.deepEqual(cells(Gateway, admitted(Gateway, spec)), ['fairway', '', 'Unknown']);
  });

  test('a route shows its hosts as a list', () => {
    const spec = { hostnames: ['a.example.com', 'b.example.com'] };
    const shown = '["a.example.com","b.example.com"]';
    assert.deepEqual(cells(HTTPRoute, admitted(HTTPRoute, spec)), [shown]);
    assert.deepEqual(cells(GRPCRoute, admitted(GRPCRoute, spec)), [shown]);
    assert.deepEqual(cells(HTTPRoute, admitted(HTTPRoute, {})), ['']);
  });
});
