// What holds for every kind of these folders.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { appsKinds } from '../apps/kinds.ts';
import { coordinationKinds } from '../coordination/kinds.ts';
import { discoveryKinds } from '../discovery/kinds.ts';
import { apiVersionOf } from '../kind.ts';
import type { KubeObject } from '../kind.ts';
import { networkingKinds } from '../networking/kinds.ts';
import { normalize } from '../schema/normalize.ts';
import type { Node } from '../schema/schema.ts';
import { validate } from '../schema/validate.ts';
import { coreKinds } from './kinds.ts';

const kinds = [
  ...coreKinds,
  ...appsKinds,
  ...discoveryKinds,
  ...coordinationKinds,
  ...networkingKinds,
];

/** Every named field of a schema with its path. */
function* fieldsOf(node: Node, path: string): Generator<readonly [path: string, node: Node]> {
  if (node.type === 'list') yield* fieldsOf(node.items, `${path}[]`);
  if (node.type === 'map') yield* fieldsOf(node.values, `${path}{}`);
  if (node.type !== 'object') return;
  for (const [name, field] of node.fields) {
    const at = path === '' ? name : `${path}.${name}`;
    yield [at, field.node];
    yield* fieldsOf(field.node, at);
  }
}

describe('every kind', () => {
  it('is listed once', () => {
    const names = kinds.map((kind) => `${apiVersionOf(kind)} ${kind.kind}`);
    assert.equal(new Set(names).size, names.length);
    assert.equal(names.length, 16);
  });

  for (const kind of kinds) {
    describe(kind.kind, () => {
      it('says what each of its fields means, in a sentence', () => {
        const silent = [...fieldsOf(kind.schema, '')]
          .filter(([path]) => path !== 'metadata')
          .filter(([, node]) => !/^[A-Z0-9a-z].*\.$/.test(node.doc ?? ''))
          .map(([path]) => path);
        assert.deepEqual(silent, []);
      });

      it('names the key of each list that is merged by one', () => {
        for (const [path, node] of fieldsOf(kind.schema, '')) {
          if (node.type !== 'list' || node.listType !== 'map') continue;
          const items = node.items;
          assert.ok(items.type === 'object' && (node.keys ?? []).length > 0, path);
          for (const key of node.keys ?? []) assert.ok(items.fields.has(key), `${path}: ${key}`);
        }
      });

      it('survives any JSON at all, and never changes what it was given', () => {
        const top = ['metadata', 'spec', 'status', 'data', 'subsets', 'endpoints', 'ports'];
        const object = fc.dictionary(fc.constantFrom(...top), fc.jsonValue());
        fc.assert(
          fc.property(object, (rest) => {
            const written = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...rest };
            const before = structuredClone(written);
            const { value } = normalize(kind.schema, written);
            validate(kind.schema, kind.setDefaults?.(value as KubeObject) ?? value);
            assert.deepEqual(written, before);
          }),
        );
      });
    });
  }
});
