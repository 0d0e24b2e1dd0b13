import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Service } from '../../api/core/service.ts';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import { formatFieldError } from '../../api/schema/errors.ts';
import type { Node } from '../../api/schema/schema.ts';
import { BEFORE_FIRST_APPLY } from './apply.ts';
import type { Applied } from './apply.ts';
import { conflictCauses, conflictMessage } from './conflicts.ts';
import type { Conflict } from './conflicts.ts';
import { applied, entriesOf, fieldsOwnedBy, LATER, NOW } from './testing.ts';
import { specOf, Thing, thing, tryApply, updated } from './testing.ts';
import type { Json } from './testing.ts';

function conflictsOf(result: Applied): readonly Conflict[] {
  return result.outcome === 'conflicts' ? result.conflicts : [];
}

describe('apply', () => {
  it('creates, filling in defaults, and owns what was written and nothing else', () => {
    const object = applied(undefined, 'a', thing({ replicas: 1, ports: [{ port: 80 }] }));
    assert.deepEqual(specOf(object), {
      mode: 'auto',
      replicas: 1,
      ports: [{ port: 80, protocol: 'TCP' }],
    });
    assert.deepEqual(entriesOf(object), [
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion: 'example.com/v1',
        time: NOW,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
            'f:replicas': {},
          },
        },
      },
    ]);
  });

  it('of the same again gives back the very object, at whatever time', () => {
    const object = thing({ replicas: 1, ports: [{ port: 80 }], rules: [{ path: '/' }] });
    const live = applied(undefined, 'a', object);
    assert.equal(applied(live, 'a', object, { now: LATER }), live);
  });

  it('of an object that was read back as JSON gives it back as well', () => {
    const object = thing({ replicas: 1, tags: ['x'] });
    const live = JSON.parse(JSON.stringify(applied(undefined, 'a', object))) as Json;
    assert.equal(applied(live, 'a', object, { now: LATER }), live);
  });

  it('makes a second manager of the same value an owner beside the first', () => {
    const live = applied(undefined, 'a', thing({ replicas: 1 }));
    const both = applied(live, 'b', thing({ replicas: 1 }), { now: LATER });
    assert.deepEqual(
      entriesOf(both).map(({ manager, time, fieldsV1 }) => [manager, time, fieldsV1]),
      [
        ['a', NOW, { 'f:spec': { 'f:replicas': {} } }],
        ['b', LATER, { 'f:spec': { 'f:replicas': {} } }],
      ],
    );
  });

  it('leaves what another owner still wants, and removes it with the last', () => {
    const live = applied(undefined, 'a', thing({ replicas: 1, paused: true }));
    const both = applied(live, 'b', thing({ replicas: 1 }));
    const one = applied(both, 'a', thing({ paused: true }));
    assert.deepEqual(specOf(one), { mode: 'auto', paused: true, replicas: 1 });
    const none = applied(one, 'b', thing());
    assert.deepEqual(specOf(none), { mode: 'auto', paused: true });
    assert.deepEqual(
      entriesOf(none).map(({ manager }) => manager),
      ['a'],
    );
  });

  it('removes a map with its last entry, and the default comes back to a field', () => {
    const live = applied(undefined, 'a', thing({ mode: 'manual' }, { labels: { app: 'x' } }));
    const next = applied(live, 'a', thing({ replicas: 1 }));
    assert.deepEqual(next['metadata'], { name: 'a', managedFields: entriesOf(next) });
    assert.deepEqual(specOf(next), { mode: 'auto', replicas: 1 });
  });

  it('keeps entries of a map that others own', () => {
    const live = applied(undefined, 'a', thing({}, { labels: { app: 'x', tier: 'y' } }));
    const two = updated(live, 'kubectl-label', withLabels(live, { app: 'x', tier: 'y', by: 'z' }));
    const next = applied(two, 'a', thing());
    assert.deepEqual((next['metadata'] as Json)['labels'], { by: 'z' });
  });

  it('removes an item whole when no manager applies it, its defaults and single fields too', () => {
    const live = applied(undefined, 'a', thing({ ports: [{ port: 80 }, { port: 81 }] }));
    const ports = [{ port: 80, target: 8 }, { port: 81 }];
    const edited = updated(live, 'kubectl-edit', { ...live, spec: { mode: 'auto', ports } });
    assert.deepEqual(fieldsOwnedBy(edited, 'kubectl-edit'), {
      'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { 'f:target': {} } } },
    });
    const next = applied(edited, 'a', thing({ ports: [{ port: 81 }] }));
    assert.deepEqual(specOf(next), { mode: 'auto', ports: [{ port: 81, protocol: 'TCP' }] });
    assert.deepEqual(
      entriesOf(next).map(({ manager }) => manager),
      ['a'],
    );
  });

  it('keeps an item that another manager applies, without the fields given up', () => {
    const live = applied(undefined, 'a', thing({ ports: [{ port: 80, name: 'x' }] }));
    const both = applied(live, 'b', thing({ ports: [{ port: 80, target: 8 }] }));
    const next = applied(both, 'a', thing());
    assert.deepEqual(specOf(next), {
      mode: 'auto',
      ports: [{ port: 80, protocol: 'TCP', target: 8 }],
    });
  });

  it('never removes what the manager did not own', () => {
    const created = updated(undefined, 'alice', thing({ replicas: 1, nested: { a: '1' } }));
    const live = applied(created, 'a', thing({ nested: { b: '2' } }));
    const next = applied(live, 'a', thing());
    assert.deepEqual(specOf(next), { mode: 'auto', nested: { a: '1' }, replicas: 1 });
  });

  it('cannot be told from a write of the status', () => {
    const withStatus = { ...thing({ replicas: 1 }), status: { ready: 1 } };
    const live = applied(undefined, 'a', withStatus);
    assert.equal('status' in live, false);
    assert.equal(
      fieldsOwnedBy(live, 'a') && 'f:status' in (fieldsOwnedBy(live, 'a') as Json),
      false,
    );
    const next = applied(
      live,
      'a',
      { ...withStatus, spec: { replicas: 5 } },
      {
        subresource: 'status',
      },
    );
    assert.deepEqual([specOf(next), next['status']], [{ mode: 'auto', replicas: 1 }, { ready: 1 }]);
    assert.deepEqual(
      entriesOf(next).map(({ subresource, fieldsV1 }) => [subresource, fieldsV1]),
      [
        [undefined, { 'f:spec': { 'f:replicas': {} } }],
        ['status', { 'f:status': { 'f:ready': {} } }],
      ],
    );
    assert.equal(applied(next, 'a', withStatus, { subresource: 'status', now: LATER }), next);
    assert.equal(applied(next, 'a', withStatus, { now: LATER }), next);
  });

  it('knows the same applier in another version', () => {
    const live = applied(undefined, 'a', thing({ replicas: 1, paused: true }));
    const next = applied(live, 'a', { ...thing({ replicas: 1 }), apiVersion: 'example.com/v2' });
    assert.deepEqual(
      entriesOf(next).map(({ apiVersion, fieldsV1 }) => [apiVersion, fieldsV1]),
      [['example.com/v2', { 'f:spec': { 'f:replicas': {} } }]],
    );
    assert.deepEqual(specOf(next), { mode: 'auto', replicas: 1 });
  });

  it('forgets a manager that applies nothing', () => {
    const live = applied(undefined, 'a', thing({ replicas: 1 }));
    assert.deepEqual(entriesOf(applied(live, 'a', thing())), []);
  });

  it('keeps the identity and the guards that were written', () => {
    const live = withMeta(applied(undefined, 'a', thing({ replicas: 1 })), {
      uid: 'u',
      creationTimestamp: NOW,
      resourceVersion: '5',
    });
    const same = thing({ replicas: 1 }, { creationTimestamp: null });
    assert.equal(applied(live, 'a', same), live);
    const guarded = applied(live, 'a', thing({ replicas: 1 }, { resourceVersion: '4' }));
    assert.equal((guarded['metadata'] as Json)['resourceVersion'], '4');
  });

  it('owns, beside an object nobody is known to own, only what it applies', () => {
    const live = thing({ replicas: 1, mode: 'auto' });
    const next = applied(live, 'a', thing({ replicas: 1 }));
    assert.deepEqual(fieldsOwnedBy(next, BEFORE_FIRST_APPLY), {
      'f:spec': { '.': {}, 'f:mode': {}, 'f:replicas': {} },
    });
    assert.deepEqual(specOf(applied(next, 'a', thing())), { mode: 'auto', replicas: 1 });
  });

  it('fills in what the kind fills in', () => {
    const result = tryApply(undefined, 'a', thing());
    assert.equal(result.outcome, 'applied');
    const complete = (object: Json): Json => ({ ...object, spec: { mode: 'kind' } });
    const object = applied(undefined, 'a', thing(), { complete });
    assert.deepEqual(specOf(object), { mode: 'kind' });
  });
});

describe('conflicts', () => {
  const live = applied(undefined, 'a', thing({ replicas: 1, tags: ['x'] }));

  it('are fields of others with another value', () => {
    const result = tryApply(live, 'b', thing({ replicas: 2, tags: ['y'] }));
    assert.deepEqual(conflictsOf(result), [
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion: 'example.com/v1',
        subresource: '',
        fields: ['.spec.replicas'],
      },
    ]);
  });

  it('are none when forced: the fields change hands', () => {
    const next = applied(live, 'b', thing({ replicas: 2 }), { force: true });
    assert.equal((specOf(next) as Json)['replicas'], 2);
    assert.deepEqual(fieldsOwnedBy(next, 'a'), { 'f:spec': { 'f:tags': { 'v:"x"': {} } } });
    assert.deepEqual(fieldsOwnedBy(next, 'b'), { 'f:spec': { 'f:replicas': {} } });
  });

  it('are said of null as well', () => {
    const result = tryApply(live, 'b', thing({ replicas: null }));
    assert.deepEqual(
      conflictsOf(result).map(({ fields }) => fields),
      [['.spec.replicas']],
    );
    const next = applied(live, 'b', thing({ replicas: null }), { force: true });
    assert.equal('replicas' in (specOf(next) as Json), false);
  });

  it('are not with oneself as an applier, but with oneself as an updater', () => {
    const edited = updated(undefined, 'a', thing({ replicas: 1 }));
    const result = tryApply(edited, 'a', thing({ replicas: 2 }));
    assert.deepEqual(
      conflictsOf(result).map(({ operation }) => operation),
      ['Update'],
    );
    assert.equal(tryApply(live, 'a', thing({ replicas: 2 })).outcome, 'applied');
  });

  it('of one field read as the API server says them', () => {
    const edited = updated(undefined, 'kubectl-edit', thing({ replicas: 1 }));
    const conflicts = conflictsOf(tryApply(edited, 'b', thing({ replicas: 2 })));
    assert.equal(
      conflictMessage(conflicts),
      'Apply failed with 1 conflict: conflict with "kubectl-edit" using example.com/v1: .spec.replicas',
    );
    assert.deepEqual(conflictCauses(conflicts), [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-edit" using example.com/v1',
        field: '.spec.replicas',
      },
    ]);
  });

  it('of several read as a list by manager', () => {
    const two = applied(live, 'z', thing({ ports: [{ port: 80, target: 1, name: 'p' }] }));
    const three = updated(two, 'ctl', { ...two, status: { ready: 1 } }, { subresource: 'status' });
    const wanted = thing({ replicas: 2, ports: [{ port: 80, target: 2, name: 'q' }] });
    assert.equal(
      conflictMessage(conflictsOf(tryApply(three, 'b', wanted))),
      `Apply failed with 3 conflicts: conflicts with "a":
- .spec.replicas
conflicts with "z":
- .spec.ports[port=80,protocol="TCP"].name
- .spec.ports[port=80,protocol="TCP"].target`,
    );
    const status = tryApply(
      three,
      'b',
      { ...thing(), status: { ready: 2 } },
      {
        subresource: 'status',
      },
    );
    assert.equal(
      conflictMessage(conflictsOf(status)),
      'Apply failed with 1 conflict: conflict with "ctl" with subresource "status" using example.com/v1: .status.ready',
    );
  });

  it('are none over an atomic list that only lacks its defaults', () => {
    const route = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'r', namespace: 'default' },
      spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'b', port: 80 }] }] },
    };
    const options = { schema: HTTPRoute.schema };
    const first = applied(undefined, 'a', route, options);
    const both = applied(first, 'b', route, options);
    assert.deepEqual(
      entriesOf(both).map(({ manager }) => manager),
      ['a', 'b'],
    );
    assert.equal(applied(both, 'b', route, { ...options, now: LATER }), both);
  });

  it('name an item that another manager has in part', () => {
    const one = applied(undefined, 'a', thing({ options: { x: { value: '1', note: 'n' } } }));
    const result = tryApply(one, 'b', thing({ options: { x: { value: '2' } } }));
    assert.deepEqual(
      conflictsOf(result).map(({ fields }) => fields),
      [['.spec.options.x.value']],
    );
  });
});

describe('a Service', () => {
  const complete = (object: Json): Json =>
    Service.setDefaults?.(object as never) as unknown as Json;
  const options = { schema: Service.schema as Node, complete };
  const service = (ports: readonly Json[]): Json => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { selector: { app: 'a' }, ports },
  });
  const dns = [
    { name: 'udp', port: 53, protocol: 'UDP' },
    { name: 'tcp', port: 53 },
  ];

  it('keeps the ports of one number apart by their protocol', () => {
    const live = applied(undefined, 'a', service(dns), options);
    assert.equal(applied(live, 'a', service(dns), { ...options, now: LATER }), live);
    const both = applied(live, 'b', service([{ name: 'web', port: 80 }]), options);
    const left = applied(both, 'a', service(dns.slice(1)), options);
    assert.deepEqual(
      ((specOf(left) as Json)['ports'] as Json[]).map(({ name, targetPort }) => [name, targetPort]),
      [
        ['tcp', 53],
        ['web', 80],
      ],
    );
  });
});

describe('what cannot be applied', () => {
  const table: readonly [string, Json, readonly string[]][] = [
    [
      'managedFields',
      thing({}, { managedFields: [] }),
      [
        'metadata.managedFields: Forbidden: must not be set in an apply; leave it out of the manifest',
      ],
    ],
    [
      'two items of one key',
      thing({ ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] }),
      ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
    ],
    ['two of one value', thing({ tags: ['a', 'b', 'a'] }), ['spec.tags[2]: Duplicate value: "a"']],
    [
      'an item that is no object',
      thing({ ports: ['http'] }),
      [
        'spec.ports[0]: Invalid value: "string": spec.ports[0] in body must be of type object: "string"',
      ],
    ],
    [
      'a set of objects',
      thing({ tags: [{}] }),
      ['spec.tags[0]: Invalid value: {}: an item of a set must be a string, number or boolean'],
    ],
  ];
  for (const [name, object, errors] of table) {
    it(`is ${name}`, () => {
      const result = tryApply(undefined, 'a', object);
      assert.equal(result.outcome, 'invalid');
      assert.deepEqual(
        result.outcome === 'invalid' ? result.errors.map(formatFieldError) : [],
        errors,
      );
    });
  }
});

describe('a schema that became atomic', () => {
  it('makes an owner of a part an owner of the whole', () => {
    const live = withMeta(applied(undefined, 'a', thing({ selector: { a: '1' } })), {});
    const [entry] = entriesOf(live);
    const old = { ...entry, fieldsV1: { 'f:spec': { 'f:selector': { '.': {}, 'f:a': {} } } } };
    const before = withMeta(live, { managedFields: [old] });
    const result = tryApply(before, 'b', thing({ selector: { b: '1' } }), { schema: Thing });
    assert.deepEqual(
      conflictsOf(result).map(({ fields }) => fields),
      [['.spec.selector']],
    );
  });
});

function withLabels(object: Json, labels: Json): Json {
  return withMeta(object, { labels });
}

function withMeta(object: Json, metadata: Json): Json {
  return { ...object, metadata: { ...(object['metadata'] as Json), ...metadata } };
}
