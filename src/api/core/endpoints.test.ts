import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Endpoints } from './endpoints.ts';
import { cells, named, testRows, valid } from './testing.ts';

function endpoints(...subsets: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'Endpoints', metadata: named('web'), subsets };
}

const addresses = [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }];

describe('Endpoints', () => {
  it('a port gets TCP', () => {
    const object = valid(Endpoints, endpoints({ addresses, ports: [{ port: 80, protocol: '' }] }));
    assert.deepEqual(object.subsets?.[0]?.ports, [{ port: 80, protocol: 'TCP' }]);
  });

  testRows(Endpoints, [
    {
      title: 'a subset has addresses',
      object: endpoints({ ports: [{ port: 80 }] }),
      errors: ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    },
    {
      title: 'addresses are those of others, and names have their forms',
      object: endpoints({
        addresses: [{ ip: '169.254.0.1', nodeName: 'A_B' }],
        notReadyAddresses: [{ ip: '', hostname: 'a.b' }],
      }),
      errors: [
        "subsets[0].addresses[0].nodeName: Invalid value: \"A_B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'subsets[0].addresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
        'subsets[0].notReadyAddresses[0].ip: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'subsets[0].notReadyAddresses[0].hostname: Invalid value: "a.b": must not contain dots',
        'subsets[0].notReadyAddresses[0].ip: Invalid value: "": must be a valid IP address',
      ],
    },
    {
      title: 'one of several ports has a name',
      object: endpoints({ addresses, ports: [{ name: 'a', port: 80 }, {}] }),
      errors: [
        'subsets[0].ports[1].name: Required value',
        'subsets[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    },
    {
      title: 'what was stored once may be written again',
      object: endpoints({}),
      old: endpoints({}),
      errors: [],
    },
  ]);

  it('the column shows three addresses, and how many more there are', () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ];
    const shown = cells(
      Endpoints,
      endpoints({ addresses, ports }, { addresses: [{ ip: 'fd00::1' }] }),
    );
    assert.equal(shown['Endpoints'], '10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 2 more...');
    const six = endpoints({ addresses: [{ ip: 'fd00::1' }], ports: [{ port: 80 }] });
    assert.equal(cells(Endpoints, six)['Endpoints'], '[fd00::1]:80');
    assert.equal(cells(Endpoints, endpoints())['Endpoints'], '<none>');
    assert.equal(cells(Endpoints, endpoints({ notReadyAddresses: addresses }))['Endpoints'], '');
  });
});
