// What may be written in place of pods, and what is said of anything else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Service } from '../../api/core/service.ts';
import { Lab, objectOf } from '../testing/lab.ts';
import { serviceAddressFindings } from './findings.ts';
import { serviceAddressOf } from './service-address.ts';

function service(address: string) {
  const metadata = { name: 'web', annotations: { 'fairway.dev/address': address } };
  return { metadata, spec: { ports: [{ port: 80 }] } };
}

const good: readonly (readonly [string, readonly (readonly [string, number])[]])[] = [
  ['localhost:3000', [['127.0.0.1', 3000]]],
  ['LOCALHOST:3000', [['127.0.0.1', 3000]]],
  ['192.168.1.20:80', [['192.168.1.20', 80]]],
  [
    'localhost:3000, 127.0.0.2:3001 ',
    [
      ['127.0.0.1', 3000],
      ['127.0.0.2', 3001],
    ],
  ],
];
for (const [text, expected] of good) {
  test(`${JSON.stringify(text)} is understood`, () => {
    assert.deepEqual(serviceAddressOf(objectOf(Service, service(text))), {
      type: 'standIns',
      standIns: expected.map(([address, port]) => ({ address, port })),
    });
  });
}

const bad: readonly (readonly [string, string])[] = [
  ['', '"" is not of the form host:port, as localhost:3000'],
  ['3000', '"3000" is not of the form host:port, as localhost:3000'],
  ['localhost', '"localhost" is not of the form host:port, as localhost:3000'],
  [
    'http://localhost:3000',
    '"http://localhost:3000" is not of the form host:port, as localhost:3000',
  ],
  ['localhost:http', '"localhost:http" is not of the form host:port, as localhost:3000'],
  ['localhost:0', '"localhost:0" has no port from 1 to 65535'],
  ['localhost:70000', '"localhost:70000" has no port from 1 to 65535'],
  ['example.com:80', '"example.com:80" does not begin with localhost or an IPv4 address'],
  ['127.0.0.01:80', '"127.0.0.01:80" does not begin with localhost or an IPv4 address'],
  ['[::1]:80', '"[::1]:80" is not of the form host:port, as localhost:3000'],
  ['localhost:3000,', '"" is not of the form host:port, as localhost:3000'],
];
for (const [text, why] of bad) {
  test(`${JSON.stringify(text)} is told to be wrong`, () => {
    const own = new Lab([]);
    own.put(Service, service(text));
    const [finding, ...others] = serviceAddressFindings(own.snapshot);
    assert.deepEqual(others, []);
    assert.equal(finding?.severity, 'error');
    assert.equal(finding.message, `fairway.dev/address: ${why}; the annotation is ignored`);
    assert.equal(finding.origin.field, 'metadata.annotations[fairway.dev/address]');
  });
}

test('an external name cannot be stood in for', () => {
  const own = new Lab([]);
  const spec = { type: 'ExternalName', externalName: 'example.com' };
  own.put(Service, { ...service('localhost:3000'), spec });
  assert.deepEqual(
    serviceAddressFindings(own.snapshot).map(({ reason }) => reason),
    ['AddressIgnored'],
  );
});

test('a Service without the annotation is not spoken of', () => {
  const own = new Lab([]);
  own.put(Service, { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } });
  assert.deepEqual(serviceAddressFindings(own.snapshot), []);
});
