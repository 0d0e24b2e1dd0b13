// Going over from client-side to server-side apply, as kubectl does it: it applies on the server, then
// sends a JSON patch that hands the entries of `kubectl-client-side-apply` to `kubectl`, and applies
// once more.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HTTPRoute } from '../../api/gateway/httproute.ts';
import { union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import type { ManagedFieldsEntry } from './managers.ts';
import { checkManagedFields } from './managed-fields.ts';
import { applied, entriesOf, LATER, NOW, specOf, thing, tryApply, updated } from './testing.ts';
import type { Json, Options } from './testing.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
const CLIENT_SIDE = 'kubectl-client-side-apply';

function metadataOf(object: Json): Json {
  return object['metadata'] as Json;
}

/** kubectl apply: the object with the annotation, written by create or patch. */
function clientSide(before: Json | undefined, object: Json, options: Options = {}): Json {
  const annotations = {
    ...(metadataOf(object)['annotations'] as Json | undefined),
    [ANNOTATION]: `${JSON.stringify(object)}\n`,
  };
  const after = { ...object, metadata: { ...metadataOf(object), annotations } };
  return updated(before, CLIENT_SIDE, after, options);
}

/** What kubectl's JSON patch makes of managedFields. */
function handedOver(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  const isOld = ({ manager, operation }: ManagedFieldsEntry): boolean =>
    manager === CLIENT_SIDE && operation === 'Update';
  const isNew = ({ manager, operation }: ManagedFieldsEntry): boolean =>
    manager === 'kubectl' && operation === 'Apply';
  const [first] = entries.filter(isOld);
  assert.ok(first);
  const fieldsV1 = entries
    .filter((entry) => isOld(entry) || isNew(entry))
    .map((entry) => entry.fieldsV1 as FieldSet)
    .reduce(union);
  const kept = entries.filter((entry) => !isOld(entry) && !isNew(entry));
  return [...kept, { ...first, manager: 'kubectl', operation: 'Apply', fieldsV1 }];
}

/** kubectl apply --server-side. */
function serverSide(live: Json, object: Json, options: Options = {}): Json {
  const first = applied(live, 'kubectl', object, options);
  if (!entriesOf(first).some(({ manager }) => manager === CLIENT_SIDE)) return first;
  const managedFields = JSON.parse(JSON.stringify(handedOver(entriesOf(first)))) as unknown;
  assert.deepEqual(checkManagedFields(managedFields), []);
  const patch = { ...first, metadata: { ...metadataOf(first), managedFields } };
  const patched = updated(first, 'kubectl', patch, options);
  return applied(patched, 'kubectl', object, options);
}

const object = thing(
  { replicas: 1, ports: [{ port: 80 }], rules: [{ path: '/' }] },
  { labels: { app: 'a' } },
);

describe('going over to server-side apply', () => {
  const live = clientSide(undefined, object);

  it('keeps labels and spec, and leaves kubectl the only owner', () => {
    const next = serverSide(live, object, { now: LATER });
    assert.deepEqual(specOf(next), specOf(live));
    assert.deepEqual(metadataOf(next)['labels'], { app: 'a' });
    assert.deepEqual(
      entriesOf(next).map(({ manager, operation }) => [manager, operation]),
      [['kubectl', 'Apply']],
    );
  });

  it('keeps the data of an object that is all maps', () => {
    const map = thing({ options: { a: { value: '1' }, b: { value: '2' } } });
    const next = serverSide(clientSide(undefined, map), map);
    assert.deepEqual((specOf(next) as Json)['options'], (specOf(map) as Json)['options']);
  });

  it('drops the annotation, which is no longer applied', () => {
    const next = serverSide(live, object);
    assert.equal('annotations' in metadataOf(next), false);
  });

  it('then lets fields be given up', () => {
    const next = serverSide(live, object);
    const less = applied(next, 'kubectl', thing({ replicas: 1 }));
    assert.deepEqual(specOf(less), { mode: 'auto', replicas: 1 });
    assert.equal('labels' in metadataOf(less), false);
  });

  it('may change values in the same step', () => {
    const changed = thing({ replicas: 3, ports: [{ port: 81 }] }, { labels: { app: 'b' } });
    const next = serverSide(live, changed);
    assert.deepEqual(specOf(next), {
      mode: 'auto',
      replicas: 3,
      ports: [{ port: 81, protocol: 'TCP' }],
    });
    assert.deepEqual(metadataOf(next)['labels'], { app: 'b' });
  });

  it('twice changes nothing', () => {
    const next = serverSide(live, object);
    assert.equal(serverSide(next, object, { now: LATER }), next);
  });

  it('keeps the rules of an HTTPRoute, with their defaults', () => {
    const options = { schema: HTTPRoute.schema };
    const route = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'r', namespace: 'default', labels: { app: 'a' } },
      spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'b', port: 80 }] }] },
    };
    const before = clientSide(undefined, route, options);
    const next = serverSide(before, route, options);
    assert.deepEqual(specOf(next), specOf(before));
    assert.deepEqual(metadataOf(next)['labels'], { app: 'a' });
  });
});

describe('values set by client-side apply', () => {
  const live = clientSide(undefined, object);
  const changed = thing({ replicas: 2 });

  it('are no conflict for kubectl, while they are as last applied', () => {
    assert.equal(tryApply(live, 'kubectl', changed).outcome, 'applied');
  });

  it('are one for everybody else', () => {
    assert.equal(tryApply(live, 'other', changed).outcome, 'conflicts');
  });

  it('are one once somebody else has changed them', () => {
    const spec = { ...(specOf(live) as Json), replicas: 9 };
    const edited = updated(live, 'kubectl-edit', { ...live, spec });
    const result = tryApply(edited, 'kubectl', changed);
    assert.deepEqual(result.outcome === 'conflicts' && result.conflicts.map((c) => c.fields), [
      ['.spec.replicas'],
    ]);
  });

  it('are remembered anew in the annotation, for the way back', () => {
    const next = applied(live, 'kubectl', changed);
    const annotations = metadataOf(next)['annotations'] as Json;
    const text =
      '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"replicas":2}}\n';
    assert.equal(annotations[ANNOTATION], text);
    assert.equal(applied(next, 'kubectl', changed, { now: LATER }), next);
    const other = applied(live, 'other', thing({ paused: true }), { now: NOW });
    assert.deepEqual(metadataOf(other)['annotations'], metadataOf(live)['annotations']);
  });
});
