// Our own definitions are sound by the rules for definitions of users, and define the same kinds again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admit } from '../admit.ts';
import { CustomResourceDefinition } from '../apiextensions/crd.ts';
import { customKinds } from '../custom/kind.ts';
import { gatewayKinds } from '../gateway/kinds.ts';
import { formatFieldError } from '../schema/errors.ts';
import {
  BUNDLE_VERSION,
  CHANNEL,
  extensionDefinitions,
  gatewayDefinitions,
} from './definitions.ts';

describe('definitions of the Gateway API kinds', () => {
  const definitions = gatewayDefinitions('2026-01-01T00:00:00Z');

  test('kinds of our own are defined beside them, and claim no bundle', () => {
    const own = extensionDefinitions('2026-01-01T00:00:00Z');
    assert.deepEqual(
      own.map(({ metadata }) => metadata.name),
      ['pathrewrites.fairway.dev', 'gatewayparameters.fairway.dev', 'trafficpolicies.fairway.dev'],
    );
    assert.ok(own.every(({ metadata }) => metadata.annotations === undefined));
  });

  for (const definition of [...definitions, ...extensionDefinitions('2026-01-01T00:00:00Z')]) {
    test(`${definition.metadata.name} is valid`, () => {
      const { errors, unknown } = admit(CustomResourceDefinition, definition);
      assert.deepEqual(
        { errors: errors.map(formatFieldError), unknown },
        { errors: [], unknown: [] },
      );
    });
  }

  test('each is established, and says which bundle it is of', () => {
    for (const { metadata, status } of definitions) {
      assert.deepEqual(
        status?.conditions?.map(({ type, status: holds }) => [type, holds]),
        [
          ['NamesAccepted', 'True'],
          ['Established', 'True'],
        ],
      );
      assert.equal(
        metadata.annotations?.['gateway.networking.k8s.io/bundle-version'],
        BUNDLE_VERSION,
      );
      assert.equal(metadata.annotations['gateway.networking.k8s.io/channel'], CHANNEL);
    }
  });

  test('ReferenceGrant is stored as v1beta1', () => {
    const grant = definitions.find(({ spec }) => spec.names.kind === 'ReferenceGrant');
    assert.deepEqual(grant?.status?.storedVersions, ['v1beta1']);
  });

  test('the kinds they define have the names of our own', () => {
    for (const [i, kind] of gatewayKinds.entries()) {
      const definition = definitions[i];
      assert.ok(definition);
      const { served } = customKinds(definition);
      assert.deepEqual(
        served.map(({ version }) => version),
        kind.versions,
      );
      for (const custom of served) {
        assert.deepEqual(
          [custom.group, custom.kind, custom.plural, custom.namespaced, custom.hasStatus],
          [kind.group, kind.kind, kind.plural, kind.namespaced, kind.hasStatus],
        );
      }
    }
  });
});
