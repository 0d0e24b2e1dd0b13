import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Node } from './node.ts';
import { cells, testRows, valid } from './testing.ts';

function node(spec: object, status: object = {}, labels: object = {}): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels }, spec, status };
}

describe('a Node', () => {
  it('offers all it has, and its networks are linked', () => {
    const { spec, status } = valid(
      Node,
      node({ podCIDR: '10.1.0.0/24' }, { capacity: { cpu: 4, memory: '8192Mi' } }),
    );
    assert.deepEqual(spec.podCIDRs, ['10.1.0.0/24']);
    assert.deepEqual(status.allocatable, { cpu: '4', memory: '8Gi' });
    assert.equal(valid(Node, node({ podCIDRs: ['10.1.0.0/24'] })).spec.podCIDR, '10.1.0.0/24');
  });

  it('keeps its networks and its machine', () => {
    const old = valid(Node, node({ podCIDR: '10.1.0.0/24', providerID: 'a://b' }));
    const kept = Node.carryOver?.(old, valid(Node, node({ unschedulable: true })));
    assert.deepEqual(kept?.spec, {
      podCIDR: '10.1.0.0/24',
      podCIDRs: ['10.1.0.0/24'],
      providerID: 'a://b',
      unschedulable: true,
    });
  });

  testRows(Node, [
    {
      title: 'taints have keys, values and effects, and come once',
      object: node({
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', value: 'b c', effect: 'NoSchedule' },
        ],
      }),
      errors: [
        "spec.taints[1].value: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        'spec.taints[1]: Duplicate value: {"key":"a","value":"b c","effect":"NoSchedule"}: taints must be unique by key and effect pair',
      ],
    },
    {
      title: 'networks are networks, one of each family',
      object: node({ podCIDRs: ['10.1.0.0/24', '10.2.0.1/24'] }),
      errors: [
        'spec.podCIDRs[1]: Invalid value: "10.2.0.1/24": must not have bits set beyond the prefix length',
        'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.1/24"]: may specify no more than one CIDR for each IP family',
      ],
    },
    {
      title: 'resources are not negative, and devices are whole',
      object: node({}, { capacity: { cpu: -1, 'a.example/gpu': '500m' }, allocatable: {} }),
      errors: [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.capacity.a.example/gpu: Invalid value: "500m": must be an integer',
      ],
    },
    {
      title: 'networks and machine are for life',
      object: node({ podCIDR: '10.2.0.0/24', providerID: 'c://d' }),
      old: node({ podCIDR: '10.1.0.0/24', providerID: 'a://b' }),
      errors: [
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
        'spec.providerID: Invalid value: "c://d": field cannot be modified once set',
      ],
    },
    {
      title: 'what was given need not be repeated',
      object: node({}),
      old: node({ podCIDR: '10.1.0.0/24', providerID: 'a://b' }),
      errors: [],
    },
  ]);

  it('columns of a node that works', () => {
    const status = {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [
        { type: 'Hostname', address: 'node-1' },
        { type: 'InternalIP', address: '10.0.0.1' },
      ],
      nodeInfo: { kubeletVersion: 'v1.37.2', kernelVersion: '6.12', architecture: 'arm64' },
    };
    const labels = { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'edge' };
    assert.deepEqual(cells(Node, node({ unschedulable: true }, status, labels)), {
      Status: 'Ready,SchedulingDisabled',
      Roles: 'edge,worker',
      Version: 'v1.37.2',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'OS-Image': '<unknown>',
      'Kernel-Version': '6.12 (arm64)',
      'Container-Runtime': '<unknown>',
    });
  });

  it('columns of a node that does not', () => {
    const lost = cells(Node, node({}, { conditions: [{ type: 'Ready', status: 'Unknown' }] }));
    assert.equal(lost['Status'], 'NotReady');
    assert.equal(lost['Roles'], '<none>');
    assert.equal(cells(Node, node({}))['Status'], 'Unknown');
  });
});
