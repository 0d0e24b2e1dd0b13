// What was refused to a Service is remembered for those who ask for the same again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit } from '../admit.ts';
import {
  REFUSED_ANNOTATION,
  refusedRequests,
  withAskedAgain,
  withGivenInstead,
  withRefusedRequests,
} from './service-carry-over.ts';
import type { RefusedRequest } from './service-carry-over.ts';
import { Service } from './service.ts';

function service(spec: Readonly<Record<string, unknown>>, metadata = {}): Service {
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 81 },
  ];
  const written = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', ...metadata },
    spec: { type: 'NodePort', ports, ...spec },
  };
  return admit(Service, written).object;
}

const ADDRESS: RefusedRequest = {
  field: 'clusterIPs',
  asked: ['10.96.0.10'],
  given: ['127.96.1.1'],
  message: 'out of range',
};
const PORT: RefusedRequest = {
  field: 'nodePort',
  port: 'b',
  asked: 30_080,
  given: 0,
  message: 'taken',
};

const ports = (nodePort: number) => [
  { name: 'a', port: 80 },
  { name: 'b', port: 81, nodePort },
];

const STORED = withRefusedRequests(
  service({ clusterIP: '127.96.1.1', ports: ports(0) }, { annotations: { own: 'x' } }),
  [ADDRESS, PORT],
);

test('who asks for the same again gets the same instead, and the note of it', () => {
  const wanted = service({ clusterIP: '10.96.0.10', ports: ports(30_080) });
  const kept = withGivenInstead(STORED, wanted);
  assert.deepEqual(kept.spec.clusterIPs, ['127.96.1.1']);
  assert.equal(kept.spec.clusterIP, '127.96.1.1');
  assert.equal(kept.spec.ports?.[1]?.nodePort, 0);
  assert.deepEqual(refusedRequests(kept), [ADDRESS, PORT]);
});

test('what is asked for otherwise is kept as it is asked for', () => {
  const wanted = service({ clusterIP: '127.96.0.7', ports: ports(30_080) });
  const kept = withGivenInstead(STORED, wanted);
  assert.deepEqual(kept.spec.clusterIPs, ['127.96.0.7']);
  assert.deepEqual(refusedRequests(kept), [PORT]);
});

test('who asks for nothing of it is left alone', () => {
  const wanted = service({});
  assert.equal(withGivenInstead(STORED, wanted), wanted);
});

test('who writes the note himself has decided', () => {
  const wanted = withRefusedRequests(service({ clusterIP: '10.96.0.10' }), []);
  assert.equal(withGivenInstead(STORED, wanted), wanted);
});

test('what was asked for can be asked for again, unless the field was changed since', () => {
  const again = withAskedAgain(STORED);
  assert.deepEqual(again.spec.clusterIPs, ['10.96.0.10']);
  assert.equal(again.spec.ports?.[1]?.nodePort, 30_080);
  const changed = { ...STORED, spec: { ...STORED.spec, clusterIPs: ['127.96.0.7'] } };
  assert.deepEqual(withAskedAgain(changed).spec.clusterIPs, ['127.96.0.7']);
});

test('other annotations stay', () => {
  assert.equal(STORED.metadata.annotations?.['own'], 'x');
  const without = withRefusedRequests(STORED, undefined);
  assert.deepEqual(without.metadata.annotations, { own: 'x' });
  assert.equal(withRefusedRequests(service({}), undefined).metadata.annotations, undefined);
});

test('a note that is not ours means nothing', () => {
  for (const text of ['', 'x', '{}', '[1]', '[{"field":"clusterIPs"}]']) {
    const odd = service({}, { annotations: { [REFUSED_ANNOTATION]: text } });
    assert.deepEqual(refusedRequests(odd), [], text);
  }
});
