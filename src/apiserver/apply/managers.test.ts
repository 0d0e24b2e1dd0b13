import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ANCIENT_CHANGES, capUpdaters, readOwners, UPDATE_OWNERS_MAX } from './managers.ts';
import { withFields, writeOwners } from './managers.ts';
import type { Owner } from './managers.ts';
import { Thing } from './testing.ts';

function owner(manager: string, second: number, more: Partial<Owner> = {}): Owner {
  return {
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    subresource: '',
    time: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`,
    fields: { [`f:${manager}`]: {} },
    ...more,
  };
}

describe('the entries of managedFields', () => {
  it('come appliers first, then by time, then by name', () => {
    const owners = [
      owner('z', 1),
      owner('b', 0),
      owner('a', 1),
      owner('late', 9, { operation: 'Apply' }),
      owner('a', 1, { subresource: 'status' }),
      owner('nothing', 1, { fields: {} }),
    ];
    assert.deepEqual(
      writeOwners(owners).map(({ manager, subresource }) => [manager, subresource]),
      [
        ['late', undefined],
        ['b', undefined],
        ['a', undefined],
        ['a', 'status'],
        ['z', undefined],
      ],
    );
  });

  it('keep their identity until something in them changes', () => {
    const entries = writeOwners([owner('a', 1), owner('b', 2)]);
    const owners = readOwners(entries, Thing) ?? [];
    const next = writeOwners(
      owners.map((o) => (o.manager === 'a' ? withFields(o, { 'f:x': {} }) : o)),
    );
    assert.equal(next[1], entries[1]);
    assert.notEqual(next[0], entries[0]);
  });

  it('cannot be read when one of them makes no sense', () => {
    const [entry] = writeOwners([owner('a', 1)]);
    const bad: readonly unknown[] = [
      'x',
      [null],
      [{ ...entry, operation: 'Patch' }],
      [{ ...entry, apiVersion: '' }],
      [{ ...entry, fieldsType: 'FieldsV2' }],
      [{ ...entry, fieldsV1: { x: {} } }],
    ];
    for (const entries of bad) assert.equal(readOwners(entries, Thing), undefined);
    assert.equal(readOwners([entry], Thing)?.length, 1);
    assert.deepEqual(readOwners(undefined, Thing), []);
  });
});

describe('too many updaters', () => {
  const many = Array.from({ length: UPDATE_OWNERS_MAX + 1 }, (_, i) => owner(`m${i}`, i));

  it('are folded version by version, the oldest first', () => {
    const owners = many.map((o, i) => (i === 1 ? { ...o, apiVersion: 'v2' } : o));
    const capped = writeOwners(capUpdaters(owners));
    assert.equal(capped.length, UPDATE_OWNERS_MAX);
    const bucket = capped.find(({ manager }) => manager === ANCIENT_CHANGES);
    assert.deepEqual(bucket?.fieldsV1, { 'f:m0': {}, 'f:m2': {} });
    assert.equal(bucket?.apiVersion, 'v1');
  });

  it('leave appliers alone', () => {
    const appliers = many.map((o): Owner => ({ ...o, operation: 'Apply' }));
    assert.equal(capUpdaters(appliers), appliers);
  });

  it('join a bucket that is younger than they are', () => {
    const fields = { 'f:old': {} };
    const owners = [...many.slice(1), owner(ANCIENT_CHANGES, 59, { fields })];
    const capped = writeOwners(capUpdaters(owners));
    const buckets = capped.filter(({ manager }) => manager === ANCIENT_CHANGES);
    assert.deepEqual(
      buckets.map(({ fieldsV1 }) => fieldsV1),
      [{ 'f:m1': {}, 'f:m2': {}, 'f:old': {} }],
    );
  });
});
