import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from './admit.ts';
import { HTTPRoute } from './gateway/httproute.ts';

function unknownOf(spec: object) {
  const written = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'r', namespace: 'n' },
    spec,
  };
  return admit(HTTPRoute, written).unknown;
}

describe('admitting an object', () => {
  it('names the known field that an unknown one looks most like', () => {
    assert.deepEqual(unknownOf({ hostname: ['a.example'] }), [
      { path: 'spec.hostname', nearest: 'hostnames' },
    ]);
    assert.deepEqual(unknownOf({ rules: [{ backendRef: [] }] }), [
      { path: 'spec.rules[0].backendRef', nearest: 'backendRefs' },
    ]);
    assert.deepEqual(unknownOf({ xyz: 1 }), [{ path: 'spec.xyz' }]);
  });

  it('survives names that look like paths', () => {
    assert.equal(unknownOf({ 'df[.x': 1, 'a]b': 2, '[': 3 }).length, 3);
  });

  it('checks metadata and spec alike', () => {
    const { errors } = admit(HTTPRoute, {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'Bad_Name', namespace: 'n' },
      spec: { hostnames: ['-bad-'] },
    });
    assert.deepEqual(errors.map((e) => e.path).toSorted(), ['metadata.name', 'spec.hostnames[0]']);
  });
});
