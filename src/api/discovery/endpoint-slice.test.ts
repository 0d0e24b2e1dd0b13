import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, named, testRows, valid } from '../core/testing.ts';
import { EndpointSlice } from './endpoint-slice.ts';

function slice(rest: object): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: named('web-1'),
    addressType: 'IPv4',
    ...rest,
  };
}

const endpoints = [{ addresses: ['10.0.0.1'] }];

describe('an EndpointSlice', () => {
  it('ports get names and protocols, endpoints conditions', () => {
    const object = valid(
      EndpointSlice,
      slice({ endpoints, ports: [{ port: 80, protocol: '' }, { name: 'b' }] }),
    );
    assert.deepEqual(object.ports, [
      { port: 80, protocol: 'TCP', name: '' },
      { name: 'b', protocol: 'TCP' },
    ]);
    assert.deepEqual(object.endpoints, [{ addresses: ['10.0.0.1'], conditions: {} }]);
    assert.deepEqual(valid(EndpointSlice, slice({ endpoints: null })).endpoints, []);
  });

  testRows(EndpointSlice, [
    {
      title: 'addresses are of one type',
      object: slice({ addressType: undefined }),
      errors: ['addressType: Required value'],
    },
    {
      title: 'the type is one of three',
      object: slice({ addressType: 'IP' }),
      errors: ['addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"'],
    },
    {
      title: 'an endpoint has addresses, of the type that was said',
      object: slice({
        endpoints: [{ addresses: [] }, { addresses: ['fd00::1', '169.254.0.1', 'web'] }],
      }),
      errors: [
        'endpoints[0].addresses: Required value',
        'endpoints[1].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address',
        'endpoints[1].addresses[1]: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
        'endpoints[1].addresses[2]: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    },
    {
      title: 'IPv6 addresses are in canonical form',
      object: slice({
        addressType: 'IPv6',
        endpoints: [{ addresses: ['2001:DB8::1', '10.0.0.1'] }],
      }),
      errors: [
        'endpoints[0].addresses[0]: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
        'endpoints[0].addresses[1]: Invalid value: "10.0.0.1": must be an IPv6 address',
      ],
    },
    {
      title: 'names have two labels',
      object: slice({ addressType: 'FQDN', endpoints: [{ addresses: ['db', 'db.example.com.'] }] }),
      errors: [
        'endpoints[0].addresses[0]: Invalid value: "db": should be a domain with at least two segments separated by dots',
      ],
    },
    {
      title: 'a hundred addresses are enough for an endpoint',
      object: slice({
        endpoints: [{ addresses: Array.from({ length: 101 }, (_, i) => `10.0.0.${i + 1}`) }],
      }),
      errors: ['endpoints[0].addresses: Too many: 101: must have at most 100 items'],
    },
    {
      title: 'a thousand endpoints are enough for a slice',
      object: slice({
        endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] })),
      }),
      errors: ['endpoints: Too many: 1001: must have at most 1000 items'],
    },
    {
      title: 'names of ports are unique labels',
      object: slice({ endpoints, ports: [{ port: 80 }, { port: 81 }, { name: 'a.b', port: 82 }] }),
      errors: [
        'ports[1].name: Duplicate value: ""',
        'ports[2].name: Invalid value: "a.b": must not contain dots',
      ],
    },
    {
      title: 'ports are those a packet can have',
      object: slice({
        endpoints,
        ports: [{ port: 65_536 }, { name: 'b', port: 0 }, { name: 'c' }],
      }),
      errors: [
        'ports[0].port: Invalid value: 65536: must be between 1 and 65535, inclusive',
        'ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    },
    {
      title: 'hints name zones and nodes, each once, eight of them',
      object: slice({
        endpoints: [
          {
            addresses: ['10.0.0.1'],
            hints: {
              forZones: [{ name: 'a' }, { name: 'a' }],
              forNodes: Array.from({ length: 9 }, (_, i) => ({ name: `n${i}` })),
            },
          },
        ],
      }),
      errors: [
        'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
        'endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items',
      ],
    },
    {
      title: 'nodes and host names have their forms',
      object: slice({
        endpoints: [{ addresses: ['10.0.0.1'], hostname: 'a.b', nodeName: 'n-' }],
      }),
      errors: [
        "endpoints[0].nodeName: Invalid value: \"n-\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'endpoints[0].hostname: Invalid value: "a.b": must not contain dots',
      ],
    },
    {
      title: 'the type is for life, and stored endpoints may stay',
      object: slice({ addressType: 'FQDN', endpoints }),
      old: slice({ endpoints }),
      errors: ['addressType: Invalid value: "FQDN": field is immutable'],
    },
  ]);

  it('columns show three of each', () => {
    const many = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((ip) => ({
      addresses: [ip],
    }));
    const ports = [{ name: 'a', port: 80 }, { name: 'all' }];
    assert.deepEqual(cells(EndpointSlice, slice({ endpoints: many, ports })), {
      AddressType: 'IPv4',
      Ports: '80,all',
      Endpoints: '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...',
    });
    assert.deepEqual(cells(EndpointSlice, slice({})), {
      AddressType: 'IPv4',
      Ports: '<unset>',
      Endpoints: '<unset>',
    });
  });
});
