import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from '../../api/admit.ts';
import { appsKinds } from '../../api/apps/kinds.ts';
import { coordinationKinds } from '../../api/coordination/kinds.ts';
import { coreKinds } from '../../api/core/kinds.ts';
import { discoveryKinds } from '../../api/discovery/kinds.ts';
import { gatewayKinds } from '../../api/gateway/kinds.ts';
import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { networkingKinds } from '../../api/networking/kinds.ts';
import { formatFieldError } from '../../api/schema/errors.ts';
import { bookmarkTable, columnDefinitions, tableRows, toTable } from './table.ts';

const kinds = [
  ...coreKinds,
  ...appsKinds,
  ...discoveryKinds,
  ...coordinationKinds,
  ...networkingKinds,
  ...gatewayKinds,
];

const CREATED = '2026-01-01T00:00:00Z';
/** Five minutes and a half later. */
const nowMs = Date.parse('2026-01-01T00:05:30Z');
const AGE = '5m30s';

function kindOf(name: string): Kind {
  const found = kinds.find((kind) => kind.kind === name);
  assert.ok(found, name);
  return found;
}

function stored(name: string, rest: object, metadata: object = {}): KubeObject {
  const kind = kindOf(name);
  const { object, errors, unknown } = admit(kind, {
    apiVersion: apiVersionOf(kind),
    kind: name,
    metadata: {
      name: 'x',
      creationTimestamp: CREATED,
      ...(kind.namespaced ? { namespace: 'shop' } : {}),
      ...metadata,
    },
    ...rest,
  });
  assert.deepEqual([errors.map(formatFieldError), unknown], [[], []]);
  return object;
}

const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    containers: [
      { name: 'a', image: 'i' },
      { name: 'b', image: 'j' },
    ],
  },
};
const workload = { selector: { matchLabels: { app: 'web' } }, template };
const condition = (type: string, status = 'True') => ({
  type,
  status,
  reason: 'Test',
  message: '',
  lastTransitionTime: CREATED,
});
const backendRefs = [{ name: 'web', port: 80 }];

interface Row {
  readonly kind: string;
  /** As kubectl prints it with -o wide; wide columns are behind the bar. */
  readonly columns: string;
  readonly object: object;
  readonly metadata?: object;
  readonly cells: readonly unknown[];
}

// Columns and their order: k8s.io/kubernetes pkg/printers/internalversion 1.37, and
// additionalPrinterColumns of the Gateway API's resource definitions.
const rows: readonly Row[] = [
  {
    kind: 'ConfigMap',
    columns: 'Name, Data, Age',
    object: { data: { a: '1' }, binaryData: { b: 'AA==' } },
    cells: ['x', 2, AGE],
  },
  {
    kind: 'Endpoints',
    columns: 'Name, Endpoints, Age',
    object: {},
    cells: ['x', '<none>', AGE],
  },
  {
    kind: 'Event',
    columns:
      'Last Seen, Type, Reason, Object, [Subobject], [Source], Message, [First Seen], [Count], [Name]',
    object: {
      involvedObject: { kind: 'Service', name: 'web', namespace: 'shop' },
      type: 'Normal',
      reason: 'Created',
      message: 'It is here.\n',
      source: { component: 'fairway' },
      firstTimestamp: CREATED,
      lastTimestamp: '2026-01-01T00:05:00Z',
      count: 3,
    },
    cells: ['30s', 'Normal', 'Created', 'service/web', '', 'fairway', 'It is here.', AGE, 3, 'x'],
  },
  {
    kind: 'Namespace',
    columns: 'Name, Status, Age',
    object: {},
    cells: ['x', 'Active', AGE],
  },
  {
    kind: 'Node',
    columns:
      'Name, Status, Roles, Age, Version, [Internal-IP], [External-IP], [OS-Image], [Kernel-Version], [Container-Runtime]',
    object: {
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: { kubeletVersion: 'v1.34.0', kernelVersion: '6.1', architecture: 'amd64' },
      },
    },
    cells: [
      'x',
      'Ready',
      '<none>',
      AGE,
      'v1.34.0',
      '10.0.0.1',
      '<none>',
      '<unknown>',
      '6.1 (amd64)',
      '<unknown>',
    ],
  },
  {
    kind: 'Pod',
    columns:
      'Name, Ready, Status, Restarts, Age, [IP], [Node], [Nominated Node], [Readiness Gates]',
    object: {
      spec: template.spec,
      status: {
        phase: 'Running',
        containerStatuses: [
          { name: 'a', ready: true, state: { running: {} } },
          {
            name: 'b',
            restartCount: 2,
            state: { running: {} },
            lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:03:30Z' } },
          },
        ],
      },
    },
    cells: ['x', '1/2', 'Running', '2 (2m ago)', AGE, '<none>', '<none>', '<none>', '<none>'],
  },
  {
    kind: 'Secret',
    columns: 'Name, Type, Data, Age',
    object: { stringData: { a: 'b' } },
    cells: ['x', 'Opaque', 1, AGE],
  },
  {
    kind: 'Service',
    columns: 'Name, Type, Cluster-IP, External-IP, Port(s), Age, [Selector]',
    object: {
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1'],
        selector: { b: '2', a: '1' },
        ports: [
          { name: 'a', port: 80, nodePort: 30080 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
    },
    cells: ['x', 'LoadBalancer', '10.96.0.1', '<pending>', '80:30080/TCP,53/UDP', AGE, 'a=1,b=2'],
  },
  { kind: 'ServiceAccount', columns: 'Name, Age', object: {}, cells: ['x', AGE] },
  {
    kind: 'Deployment',
    columns: 'Name, Ready, Up-to-date, Available, Age, [Containers], [Images], [Selector]',
    object: { spec: { replicas: 3, ...workload }, status: { readyReplicas: 1 } },
    cells: ['x', '1/3', 0, 0, AGE, 'a,b', 'i,j', 'app=web'],
  },
  {
    kind: 'ReplicaSet',
    columns: 'Name, Desired, Current, Ready, Age, [Containers], [Images], [Selector]',
    object: { spec: { replicas: 3, ...workload }, status: { replicas: 2 } },
    cells: ['x', 3, 2, 0, AGE, 'a,b', 'i,j', 'app=web'],
  },
  {
    kind: 'StatefulSet',
    columns: 'Name, Ready, Age, [Containers], [Images]',
    object: { spec: { replicas: 3, ...workload } },
    cells: ['x', '0/3', AGE, 'a,b', 'i,j'],
  },
  {
    kind: 'EndpointSlice',
    columns: 'Name, AddressType, Ports, Endpoints, Age',
    object: {
      addressType: 'IPv4',
      endpoints: ['1', '2', '3', '4'].map((d) => ({ addresses: [`10.0.0.${d}`] })),
      ports: [],
    },
    cells: ['x', 'IPv4', '<unset>', '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...', AGE],
  },
  {
    kind: 'Lease',
    columns: 'Name, Holder, Age',
    object: { spec: { holderIdentity: 'me' } },
    cells: ['x', 'me', AGE],
  },
  {
    kind: 'Ingress',
    columns: 'Name, Class, Hosts, Address, Ports, Age',
    object: {
      spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } }, tls: [{}] },
    },
    cells: ['x', '<none>', '*', '', '80, 443', AGE],
  },
  {
    kind: 'IngressClass',
    columns: 'Name, Controller, Parameters, Age',
    object: { spec: { controller: 'fairway.dev/ingress' } },
    metadata: { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    cells: ['x (default)', 'fairway.dev/ingress', '<none>', AGE],
  },
  {
    kind: 'GatewayClass',
    columns: 'Name, Controller, Accepted, Age, [Description]',
    object: { spec: { controllerName: 'fairway.dev/gateway', description: 'Ours' } },
    cells: ['x', 'fairway.dev/gateway', 'Unknown', AGE, 'Ours'],
  },
  {
    kind: 'Gateway',
    columns: 'Name, Class, Address, Programmed, Age',
    object: {
      spec: {
        gatewayClassName: 'fairway',
        listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
      },
      status: { addresses: [{ value: '127.80.0.1' }], conditions: [condition('Programmed')] },
    },
    cells: ['x', 'fairway', '127.80.0.1', 'True', AGE],
  },
  {
    kind: 'ListenerSet',
    columns: 'Name, Accepted, Programmed, Age',
    object: {
      spec: {
        parentRef: { name: 'gw' },
        listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
      },
      status: { conditions: [condition('Accepted'), condition('Programmed', 'False')] },
    },
    cells: ['x', 'True', 'False', AGE],
  },
  {
    kind: 'HTTPRoute',
    columns: 'Name, Hostnames, Age',
    object: { spec: { hostnames: ['a.example', 'b.example'] } },
    cells: ['x', '["a.example","b.example"]', AGE],
  },
  {
    kind: 'GRPCRoute',
    columns: 'Name, Hostnames, Age',
    object: { spec: {} },
    cells: ['x', '', AGE],
  },
  {
    kind: 'TLSRoute',
    columns: 'Name, Age',
    object: { spec: { hostnames: ['a.example'], rules: [{ backendRefs }] } },
    cells: ['x', AGE],
  },
  {
    kind: 'TCPRoute',
    columns: 'Name, Age',
    object: { spec: { rules: [{ backendRefs }] } },
    cells: ['x', AGE],
  },
  {
    kind: 'UDPRoute',
    columns: 'Name, Age',
    object: { spec: { rules: [{ backendRefs }] } },
    cells: ['x', AGE],
  },
  {
    kind: 'ReferenceGrant',
    columns: 'Name, Age',
    object: {
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'a' }],
        to: [{ group: '', kind: 'Service' }],
      },
    },
    cells: ['x', AGE],
  },
  {
    kind: 'BackendTLSPolicy',
    columns: 'Name, Age',
    object: {
      spec: {
        targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
        validation: { hostname: 'a.example', wellKnownCACertificates: 'System' },
      },
    },
    cells: ['x', AGE],
  },
  {
    kind: 'XBackend',
    columns: 'Name, Age',
    object: {
      spec: {
        type: 'ExternalHostname',
        externalHostname: { hostname: 'a.example' },
        port: { port: 443 },
        protocol: 'HTTP',
      },
    },
    cells: ['x', AGE],
  },
  {
    kind: 'XBackendTrafficPolicy',
    columns: 'Name, Age',
    object: { spec: { targetRefs: [{ group: '', kind: 'Service', name: 'web' }] } },
    cells: ['x', AGE],
  },
  {
    kind: 'XMesh',
    columns: 'Name, Accepted, Age',
    object: { spec: { controllerName: 'fairway.dev/mesh' } },
    cells: ['x', 'Unknown', AGE],
  },
];

describe('a row of kubectl get', () => {
  for (const { kind: name, columns, object, metadata, cells } of rows) {
    it(name, () => {
      const kind = kindOf(name);
      const definitions = columnDefinitions(kind);
      const shown = definitions.map(({ name: n, priority }) => (priority > 0 ? `[${n}]` : n));
      assert.equal(shown.join(', '), columns);
      const [row] = tableRows(kind, [stored(name, object, metadata)], { nowMs });
      assert.deepEqual(row?.cells, cells);
    });
  }

  it('is known for every kind', () => {
    assert.deepEqual(rows.map((row) => row.kind).toSorted(), kinds.map((k) => k.kind).toSorted());
  });

  it('says so when nobody knows how old an object is', () => {
    const object = stored('ServiceAccount', {}, { creationTimestamp: undefined });
    const [row] = tableRows(kindOf('ServiceAccount'), [object], { nowMs });
    assert.deepEqual(row?.cells, ['x', '<unknown>']);
  });

  it('of a pod that has ended says so', () => {
    const ended = (phase: string) =>
      tableRows(kindOf('Pod'), [stored('Pod', { spec: template.spec, status: { phase } })], {
        nowMs,
      }).map((row) => row.conditions?.[0]?.reason);
    assert.deepEqual(ended('Succeeded'), ['Succeeded']);
    assert.deepEqual(ended('Failed'), ['Failed']);
    assert.deepEqual(ended('Running'), [undefined]);
  });
});

describe('column definitions', () => {
  for (const kind of kinds) {
    it(`of ${kind.kind} name the object and say what they show`, () => {
      const definitions = columnDefinitions(kind);
      assert.deepEqual(
        definitions.filter(({ format }) => format === 'name').map(({ name }) => name),
        ['Name'],
      );
      assert.deepEqual(
        definitions.filter(({ description }) => !/^[A-Z].*\.$/.test(description)),
        [],
      );
    });
  }

  it('have ages as text for built-in kinds, as dates for custom resources', () => {
    const ageType = (name: string) =>
      columnDefinitions(kindOf(name)).find((column) => column.name === 'Age')?.type;
    assert.equal(ageType('Service'), 'string');
    assert.equal(ageType('HTTPRoute'), 'date');
  });
});

describe('a table', () => {
  const kind = kindOf('ConfigMap');
  const object = stored('ConfigMap', { data: { a: '1' } }, { resourceVersion: '7' });

  it('carries metadata of objects unless told otherwise', () => {
    const rowObject = (includeObject?: 'None' | 'Metadata' | 'Object') =>
      toTable(kind, [object], { nowMs, ...(includeObject && { includeObject }) }).rows[0]?.object;
    const partial = {
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: object.metadata,
    };
    assert.deepEqual(rowObject(), partial);
    assert.deepEqual(rowObject('Metadata'), partial);
    assert.equal(rowObject('Object'), object);
    assert.equal(rowObject('None'), null);
  });

  it('carries metadata of the list', () => {
    const listMetadata = { resourceVersion: '9', continue: 'abc', remainingItemCount: 3 };
    const table = toTable(kind, [], { nowMs, listMetadata });
    assert.deepEqual(
      { ...table, columnDefinitions: table.columnDefinitions?.length },
      {
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        metadata: listMetadata,
        columnDefinitions: 3,
        rows: [],
      },
    );
  });

  it('has rows alone for later events of a watch', () => {
    const { columnDefinitions: none, rows: some } = toTable(kind, [object], {
      nowMs,
      withoutDefinitions: true,
    });
    assert.equal(none, null);
    assert.deepEqual(some, tableRows(kind, [object], { nowMs }));
  });

  it('of a bookmark has a row without cells', () => {
    const table = bookmarkTable(kind, { resourceVersion: '12' }, { withoutDefinitions: true });
    assert.deepEqual(table.metadata, { resourceVersion: '12' });
    assert.deepEqual(table.rows[0]?.cells, [null, null, null]);
    assert.equal(table.columnDefinitions, null);
  });
});
