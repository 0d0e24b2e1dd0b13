import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HTTPRoute } from '../../api/gateway/httproute.ts';
import { ANCIENT_CHANGES, UPDATE_OWNERS_MAX } from './managers.ts';
import { entriesOf, fieldsOwnedBy, LATER, NOW, thing, updated } from './testing.ts';
import type { Json } from './testing.ts';
import { resetFields } from './tracked.ts';

const created = updated(
  undefined,
  'alice',
  thing({ replicas: 1, ports: [{ port: 80 }] }, { labels: { app: 'a' } }),
);

describe('a create', () => {
  it('owns all it wrote and what was filled in, containers included', () => {
    assert.deepEqual(entriesOf(created), [
      {
        manager: 'alice',
        operation: 'Update',
        apiVersion: 'example.com/v1',
        time: NOW,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            '.': {},
            'f:mode': {},
            'f:ports': {
              '.': {},
              'k:{"port":80,"protocol":"TCP"}': {
                '.': {},
                'f:port': {},
                'f:protocol': {},
              },
            },
            'f:replicas': {},
          },
        },
      },
    ]);
  });

  it('owns nothing the server keeps', () => {
    const object = updated(undefined, 'alice', {
      ...thing({}, { uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: NOW }),
      status: { phase: 'New' },
    });
    assert.deepEqual(fieldsOwnedBy(object, 'alice'), { 'f:spec': { '.': {}, 'f:mode': {} } });
  });

  it('names a manager that gave no name', () => {
    assert.equal(entriesOf(updated(undefined, '', thing({})))[0]?.manager, 'unknown');
  });

  it('of an HTTPRoute owns its atomic lists as wholes', () => {
    const route = updated(
      undefined,
      'alice',
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'r', namespace: 'default' },
        spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'b', port: 80 }] }] },
      },
      { schema: HTTPRoute.schema },
    );
    assert.deepEqual(fieldsOwnedBy(route, 'alice'), {
      'f:spec': { '.': {}, 'f:parentRefs': {}, 'f:rules': {} },
    });
  });
});

describe('an update', () => {
  it('takes what it changes from others, and leaves them the rest', () => {
    const after = updated(created, 'bob', withSpec(created, { replicas: 2 }), { now: LATER });
    assert.deepEqual(fieldsOwnedBy(after, 'bob'), { 'f:spec': { 'f:replicas': {} } });
    const alice = fieldsOwnedBy(after, 'alice') as Json;
    assert.equal('f:replicas' in (alice['f:spec'] as Json), false);
    assert.equal('f:mode' in (alice['f:spec'] as Json), true);
    assert.deepEqual(
      entriesOf(after).map(({ manager, time }) => [manager, time]),
      [
        ['alice', NOW],
        ['bob', LATER],
      ],
    );
  });

  it('takes what it removes from everybody, and owns nothing for it', () => {
    const after = updated(created, 'bob', withSpec(created, { ports: undefined }), { now: LATER });
    assert.equal(fieldsOwnedBy(after, 'bob'), undefined);
    assert.deepEqual(fieldsOwnedBy(after, 'alice'), {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': { '.': {}, 'f:mode': {}, 'f:replicas': {} },
    });
    assert.equal(entriesOf(after)[0]?.time, NOW);
  });

  it('drops an entry that owns nothing any more', () => {
    const first = updated(undefined, 'alice', thing(undefined, { labels: { a: '1' } }));
    const next = updated(first, 'bob', thing(undefined, { labels: { b: '1' } }));
    const all = updated(next, 'bob', thing());
    assert.deepEqual(
      [first, next, all].map((object) => entriesOf(object).map(({ manager }) => manager)),
      [['alice'], ['alice', 'bob'], []],
    );
  });

  it('that changes nothing keeps the very list', () => {
    const again = updated(created, 'bob', structuredClone(created), { now: LATER });
    assert.equal(entriesOf(again), entriesOf(created));
  });

  it('joins what the same manager owned before', () => {
    const after = updated(created, 'alice', withSpec(created, { replicas: 2, paused: true }), {
      now: LATER,
    });
    assert.deepEqual(
      entriesOf(after).map(({ manager, time }) => [manager, time]),
      [['alice', LATER]],
    );
    const spec = (fieldsOwnedBy(after, 'alice') as Json)['f:spec'] as Json;
    assert.deepEqual(Object.keys(spec), ['.', 'f:mode', 'f:paused', 'f:ports', 'f:replicas']);
  });

  it('of another subresource is another entry', () => {
    const status = { ready: 1 };
    const after = updated(created, 'alice', { ...created, status }, { subresource: 'status' });
    assert.deepEqual(
      entriesOf(after)
        .map(({ manager, subresource, fieldsV1 }) => [manager, subresource, fieldsV1])
        .at(-1),
      ['alice', 'status', { 'f:status': { '.': {}, 'f:ready': {} } }],
    );
    assert.equal(entriesOf(after).length, 2);
  });

  it('does not begin to track an object that nobody owned anything of', () => {
    const untracked = thing({ replicas: 1, mode: 'auto' });
    assert.deepEqual(
      entriesOf(updated(untracked, 'bob', withSpec(untracked, { replicas: 2 }))),
      [],
    );
  });

  it('folds the oldest updaters together when there are too many', () => {
    let object = updated(undefined, 'm00', thing(undefined, { labels: { l0: '' } }));
    for (let i = 1; i < UPDATE_OWNERS_MAX + 3; i++) {
      const labels = Object.fromEntries(Array.from({ length: i + 1 }, (_, n) => [`l${n}`, '']));
      const manager = `m${String(i).padStart(2, '0')}`;
      const metadata = { ...(object['metadata'] as Json), labels };
      const now = `2026-01-01T00:00:${String(i).padStart(2, '0')}Z`;
      object = updated(object, manager, { ...object, metadata }, { now });
    }
    const names = entriesOf(object).map(({ manager }) => manager);
    assert.equal(names.length, UPDATE_OWNERS_MAX);
    assert.deepEqual(names.slice(0, 2), [ANCIENT_CHANGES, 'm04']);
    assert.deepEqual(fieldsOwnedBy(object, ANCIENT_CHANGES), {
      'f:metadata': { 'f:labels': { '.': {}, 'f:l0': {}, 'f:l1': {}, 'f:l2': {}, 'f:l3': {} } },
    });
    assert.equal(entriesOf(object)[0]?.time, '2026-01-01T00:00:03Z');
  });
});

describe('items of a list', () => {
  const before = updated(undefined, 'alice', thing({ tags: ['a', 'b'], numbers: [10, 9] }));

  it('of a set are owned one by one, in order of value', () => {
    const spec = (fieldsOwnedBy(before, 'alice') as Json)['f:spec'] as Json;
    assert.deepEqual(Object.keys(spec['f:numbers'] as Json), ['.', 'v:9', 'v:10']);
  });

  it('change hands one by one', () => {
    const after = updated(before, 'bob', withSpec(before, { tags: ['b', 'c'] }));
    assert.deepEqual(fieldsOwnedBy(after, 'bob'), { 'f:spec': { 'f:tags': { 'v:"c"': {} } } });
    const spec = (fieldsOwnedBy(after, 'alice') as Json)['f:spec'] as Json;
    assert.deepEqual(spec['f:tags'], { '.': {}, 'v:"b"': {} });
  });

  it('in another order change nothing', () => {
    const after = updated(before, 'bob', withSpec(before, { tags: ['b', 'a'] }));
    assert.equal(entriesOf(after), entriesOf(before));
  });

  it('of one key count together', () => {
    const twins = [
      { port: 80, name: 'a' },
      { port: 80, name: 'b' },
    ];
    const one = updated(undefined, 'alice', thing({ ports: [{ port: 80, name: 'a' }] }));
    const two = updated(one, 'bob', withSpec(one, { ports: twins }));
    const key = 'k:{"port":80,"protocol":"TCP"}';
    assert.deepEqual(fieldsOwnedBy(two, 'bob'), { 'f:spec': { 'f:ports': { [key]: {} } } });
    const back = updated(two, 'carol', withSpec(two, { ports: twins.slice(1) }));
    assert.deepEqual(fieldsOwnedBy(back, 'carol'), {
      'f:spec': {
        'f:ports': { [key]: { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {} } },
      },
    });
    assert.equal(fieldsOwnedBy(back, 'bob'), undefined);
  });
});

describe('a change of form', () => {
  it('owns the value and all that is in it', () => {
    const before = updated(undefined, 'alice', thing({ free: { x: 'text' } }));
    const after = updated(before, 'bob', withSpec(before, { free: { x: { y: 1 } } }));
    assert.deepEqual(fieldsOwnedBy(after, 'bob'), {
      'f:spec': { 'f:free': { 'f:x': { '.': {}, 'f:y': {} } } },
    });
    const back = updated(after, 'carol', withSpec(after, { free: { x: 'text' } }));
    assert.deepEqual(fieldsOwnedBy(back, 'carol'), { 'f:spec': { 'f:free': { 'f:x': {} } } });
    assert.equal(fieldsOwnedBy(back, 'bob'), undefined);
  });
});

describe('resetFields', () => {
  const live = { ...thing({ replicas: 1 }, { labels: { a: '1' } }), status: { ready: 1 } };
  const written = {
    ...thing({ replicas: 2 }, { labels: { b: '1' }, resourceVersion: '7' }),
    status: { ready: 2 },
  };

  it('keeps a write of the object from the status', () => {
    const scope = { subresource: '', hasStatus: true };
    assert.deepEqual(resetFields(written, live, scope), { ...written, status: { ready: 1 } });
    assert.equal('status' in resetFields(written, undefined, scope), false);
  });

  it('keeps a write of the status from everything else but the guards', () => {
    const scope = { subresource: 'status', hasStatus: true };
    assert.deepEqual(resetFields(written, live, scope), {
      ...live,
      metadata: { name: 'a', labels: { a: '1' }, resourceVersion: '7' },
      status: { ready: 2 },
    });
  });

  it('lets a kind without the subresource write its status', () => {
    assert.equal(resetFields(written, live, { subresource: '', hasStatus: false }), written);
  });
});

function withSpec(object: Json, spec: Json): Json {
  const next = { ...(object['spec'] as Json), ...spec };
  const kept = Object.entries(next).filter(([, value]) => value !== undefined);
  return { ...object, spec: Object.fromEntries(kept) };
}
