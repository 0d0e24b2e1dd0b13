import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pod, the } from '../testing.ts';
import { fieldValue, resourceValue } from './fields.ts';
import type { Placement } from './fields.ts';

const PLACEMENT: Placement = {
  podIp: '127.244.0.5',
  hostIp: '127.0.0.1',
  cpus: 4,
  memoryBytes: 8 * 1024 ** 3,
};

const POD = pod({
  name: 'web-0',
  namespace: 'shop',
  uid: 'u-1',
  labels: { app: 'web', 'example.com/tier': 'front-end' },
  annotations: { note: 'a\nb', quote: 'say "hi"' },
});

const FIELDS: readonly (readonly [path: string, value: string | undefined])[] = [
  ['metadata.name', 'web-0'],
  ['metadata.namespace', 'shop'],
  ['metadata.uid', 'u-1'],
  ["metadata.labels['app']", 'web'],
  ["metadata.labels['example.com/tier']", 'front-end'],
  ["metadata.labels['none']", ''],
  ["metadata.annotations['note']", 'a\nb'],
  ['metadata.labels', 'app="web"\nexample.com/tier="front-end"'],
  ['metadata.annotations', 'note="a\\nb"\nquote="say \\"hi\\""'],
  ['spec.nodeName', 'fairway'],
  ['spec.serviceAccountName', 'default'],
  ['status.podIP', '127.244.0.5'],
  ['status.podIPs', '127.244.0.5'],
  ['status.hostIP', '127.0.0.1'],
  ['status.hostIPs', '127.0.0.1'],
  ['status.phase', undefined],
];

for (const [path, value] of FIELDS) {
  test(`field ${path} is ${JSON.stringify(value)}`, () => {
    assert.equal(fieldValue(POD, path, PLACEMENT), value);
  });
}

const RESOURCES: readonly (readonly [
  name: string,
  resources: Record<string, unknown>,
  resource: string,
  divisor: string | undefined,
  value: string | undefined,
])[] = [
  [
    'a limit in whole CPUs is rounded up',
    { limits: { cpu: '1500m' } },
    'limits.cpu',
    undefined,
    '2',
  ],
  ['a limit in thousandths is exact', { limits: { cpu: '300m' } }, 'limits.cpu', '1m', '300'],
  ['memory in bytes', { limits: { memory: '64Mi' } }, 'limits.memory', '0', '67108864'],
  ['memory in mebibytes', { limits: { memory: '1Gi' } }, 'limits.memory', '1Mi', '1024'],
  ['memory is rounded up', { limits: { memory: '1025Ki' } }, 'limits.memory', '1Mi', '2'],
  ['no limit is what the machine has', {}, 'limits.cpu', undefined, '4'],
  ['no limit on memory is what the machine has', {}, 'limits.memory', '1Gi', '8'],
  ['a request', { requests: { cpu: '250m' } }, 'requests.cpu', '1m', '250'],
  ['no request is nothing', {}, 'requests.memory', undefined, '0'],
  ['what is no resource has no value', {}, 'cpu', undefined, undefined],
];

for (const [name, resources, resource, divisor, value] of RESOURCES) {
  test(name, () => {
    const container = the(pod({ container: { resources } }).spec.containers[0]);
    assert.equal(resourceValue(container, resource, divisor, PLACEMENT), value);
  });
}
