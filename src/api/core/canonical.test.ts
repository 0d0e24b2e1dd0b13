import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { def, list, map, object, oneOf, opt, string } from '../schema/schema.ts';
import { canonical } from './canonical.ts';
import { quantity } from './fields.ts';

const Port = object({
  name: opt(string()),
  protocol: def(oneOf(['TCP', 'UDP']), 'TCP'),
  policy: opt(oneOf(['Local', 'Cluster'])),
  type: opt(oneOf(['', 'File'])),
});
const schema = object({
  ports: opt(list(Port)),
  limits: opt(map(quantity())),
  note: opt(string()),
});

type Value = Parameters<typeof canonical<object>>[1];

function canonicalOf(value: Value): unknown {
  return canonical<object>(schema, value);
}

describe('canonical form', () => {
  it('empty text is absent where a default or a closed list stands', () => {
    const ports = [{ name: '', protocol: '', policy: '', type: '' }];
    assert.deepEqual(canonicalOf({ ports, note: '' }), {
      ports: [{ name: '', protocol: 'TCP', type: '' }],
      note: '',
    });
  });

  it('quantities have one text, however they were written', () => {
    const limits = { cpu: 0.5, memory: '1024Mi', disk: 'much', pods: true };
    assert.deepEqual(canonicalOf({ limits }), {
      limits: { cpu: '500m', memory: '1Gi', disk: 'much', pods: true },
    });
  });

  it('what is canonical already is the same object', () => {
    const value = { ports: [{ protocol: 'UDP' }], limits: { cpu: '1' } };
    assert.equal(canonicalOf(value), value);
  });

  it('nothing is changed in place', () => {
    const ports = Object.freeze([Object.freeze({ protocol: '' })]);
    canonicalOf(Object.freeze({ ports, limits: Object.freeze({ cpu: 1 }) }));
  });

  it('what is of another type is left alone', () => {
    for (const value of [{ ports: 'x' }, { ports: [5, null] }, { limits: [] }]) {
      assert.equal(canonicalOf(value), value);
    }
  });
});
