// Names of definitions: who gets them, and that a kind once served stays.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admit } from '../admit.ts';
import { kindsOf, widgets } from '../custom/testing.ts';
import { acceptedStatus } from './accept.ts';
import { CustomResourceDefinition } from './crd.ts';

const crd = admit(CustomResourceDefinition, widgets({ type: 'object' })).object;
const THEN = '2026-01-01T00:00:00Z';
const NOW = '2026-02-02T00:00:00Z';

const verdicts = (status: ReturnType<typeof acceptedStatus>) =>
  status.conditions?.map(({ type, status: holds, reason }) => [type, holds, reason]);

describe('the status of a definition', () => {
  test('free names are accepted', () => {
    const status = acceptedStatus(crd, [], THEN);
    assert.deepEqual(verdicts(status), [
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ]);
    assert.deepEqual(status.acceptedNames, crd.spec.names);
    assert.deepEqual(status.storedVersions, ['v1']);
  });

  test('the same verdicts are the same object, of the same time', () => {
    const status = acceptedStatus(crd, [], THEN);
    assert.equal(acceptedStatus({ ...crd, status }, [], NOW), status);
  });

  test('names in use are not accepted, of another group they are', () => {
    const [other] = kindsOf(widgets({ type: 'object' })).served;
    assert.ok(other);
    const status = acceptedStatus(crd, [{ ...other, kind: 'Other', listKind: 'Others' }], THEN);
    assert.deepEqual(verdicts(status), [
      ['NamesAccepted', 'False', 'PluralConflict'],
      ['Established', 'False', 'NotAccepted'],
    ]);
    assert.equal(status.conditions?.[0]?.message, '"widgets" is already in use');
    assert.equal(status.acceptedNames?.plural, '');
    const elsewhere = acceptedStatus(crd, [{ ...other, group: 'example.org' }], THEN);
    assert.equal(verdicts(elsewhere)?.[0]?.[1], 'True');
  });

  test('a kind that is served stays served, by its old names', () => {
    const status = acceptedStatus(crd, [], THEN);
    const names = { ...crd.spec.names, shortNames: ['po'] };
    const renamed = { ...crd, spec: { ...crd.spec, names }, status };
    const pods = {
      group: 'example.com',
      plural: 'pods',
      singular: 'pod',
      shortNames: ['po'],
      kind: 'Pod',
    };
    const next = acceptedStatus(renamed, [pods], NOW);
    assert.deepEqual(verdicts(next), [
      ['NamesAccepted', 'False', 'ShortNamesConflict'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ]);
    assert.deepEqual(
      next.conditions?.map(({ lastTransitionTime }) => lastTransitionTime),
      [NOW, THEN],
    );
    assert.equal(next.acceptedNames?.shortNames, undefined);
  });
});
