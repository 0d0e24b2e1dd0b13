// Upstream's Gateway API CRDs, taken as definitions of a user, against our own kinds: the same cases,
// the same objects, the same words. One side is written by hand, the other reads schemas and CEL. The
// CRDs are not part of this repository; without them the tests are skipped.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { admit } from '../admit.ts';
import { CustomResourceDefinition } from '../apiextensions/crd.ts';
import { gatewayDefinitions } from '../crds/definitions.ts';
import { gatewayKinds } from '../gateway/kinds.ts';
import type { Kind } from '../kind.ts';
import { formatFieldError } from '../schema/errors.ts';
import { customKinds } from './kind.ts';
import type { CustomKind } from './kind.ts';

const root = path.join(import.meta.dirname, '../../..');
const shared = process.env['FAIRWAY_SHARED'] ?? path.join(root, '../shared');
const folder = path.join(shared, 'gateway-api-v1.6.1/experimental');
const skip = existsSync(folder) ? false : `no CRDs at ${folder}; FAIRWAY_SHARED may say where`;

interface Case {
  readonly name: string;
  readonly change: Readonly<Record<string, unknown>>;
  readonly update?: boolean;
}

/** Broken on both sides, in other words: a rule that stumbles over what it reads says so. */
const OTHER_WORDS = new Set([
  'ListenerSet: TLS without certificate',
  'XBackendTrafficPolicy: a budget over no duration',
]);

function readDefinitions(): readonly CustomResourceDefinition[] {
  return readdirSync(folder)
    .flatMap((file) => parseAllDocuments(readFileSync(path.join(folder, file), 'utf8')))
    .map((document) => document.toJS() as CustomResourceDefinition)
    .filter(({ kind }) => kind === 'CustomResourceDefinition');
}

const definitions = skip === false ? readDefinitions() : [];

function changed(base: object, change: Case['change']): object {
  const object = structuredClone(base);
  for (const [at, value] of Object.entries(change)) {
    const keys = at.split(/[.[\]]+/).filter((key) => key !== '');
    const last = keys.pop() ?? '';
    let holder = object as Record<string, unknown>;
    for (const key of keys) holder = holder[key] as Record<string, unknown>;
    if (value === null) delete holder[last];
    else holder[last] = value;
  }
  return object;
}

function customOf(kind: Kind): CustomKind {
  const crd = definitions.find(({ spec }) => spec.names.kind === kind.kind);
  assert.ok(crd, `there is a definition of ${kind.kind}`);
  const served = customKinds(admit(CustomResourceDefinition, crd).object).served;
  const found = served.find(({ version }) => version === kind.version);
  assert.ok(found, `${kind.version} of ${kind.kind} is served`);
  return found;
}

const messages = (kind: Kind, object: object, old: object | undefined) => {
  const stored = old === undefined ? undefined : admit(kind, old).object;
  const { errors, object: admitted, unknown } = admit(kind, object, stored);
  return { errors: errors.map(formatFieldError).toSorted(), admitted, unknown };
};

describe('upstream definitions as definitions of a user', { skip }, () => {
  for (const crd of definitions) {
    test(`${crd.metadata.name} is accepted`, () => {
      const { errors, unknown } = admit(CustomResourceDefinition, crd);
      assert.deepEqual({ errors, unknown }, { errors: [], unknown: [] });
    });
  }

  for (const kind of gatewayKinds) {
    test(`${kind.kind}: the verdicts of our own schema`, () => {
      const custom = customOf(kind);
      const file = path.join(root, 'testdata/validation', `${kind.kind}.json`);
      const { base, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
        readonly base: object;
        readonly cases: readonly Case[];
      };
      assert.ok(cases.length > 0, 'there are cases');
      for (const { name, change, update } of [{ name: 'base', change: {} } as Case, ...cases]) {
        const old = update === true ? base : undefined;
        const ours = messages(kind, changed(base, change), old);
        const theirs = messages(custom, changed(base, change), old);
        if (OTHER_WORDS.has(`${kind.kind}: ${name}`)) {
          assert.equal(theirs.errors.length, ours.errors.length, name);
          assert.notDeepEqual(theirs.errors, ours.errors, `${name} needs no exception any more`);
        } else {
          assert.deepEqual(theirs, ours, name);
        }
      }
    });

    test(`${kind.kind}: the columns of our own kind`, () => {
      const custom = customOf(kind);
      const file = path.join(root, 'testdata/validation', `${kind.kind}.json`);
      const { base } = JSON.parse(readFileSync(file, 'utf8')) as { readonly base: object };
      const status = {
        conditions: [
          { type: 'Accepted', status: 'True' },
          { type: 'Programmed', status: 'False' },
        ],
        addresses: [{ type: 'IPAddress', value: '10.0.0.1' }],
      };
      const { object } = admit(kind, { ...base, status });
      const cells = (columns: Kind['columns']) =>
        columns.map(({ name, type, priority, value }) => [
          name,
          type,
          priority,
          value(object) ?? '',
        ]);
      // A list is one cell for JSONPath, and shown as what it is written as; tables of our own kinds end
      // with the age by themselves.
      const others = new Set(['Hostnames', 'Age']);
      const comparable = (columns: Kind['columns']) =>
        cells(columns).filter(([name]) => !others.has(String(name)));
      assert.deepEqual(comparable(custom.columns), comparable(kind.columns));
      assert.equal(custom.showsAge || custom.columns.length > 0, true);
    });
  }
});

describe('our own definitions and those of upstream', { skip }, () => {
  const own = gatewayDefinitions('2026-01-01T00:00:00Z');

  test('are of the same kinds', () => {
    const nameOf = ({ metadata }: CustomResourceDefinition) => metadata.name ?? '';
    assert.deepEqual(own.map(nameOf).toSorted(), definitions.map(nameOf).toSorted());
  });

  for (const crd of definitions) {
    test(`${crd.metadata.name}: names, versions, columns, annotations`, () => {
      const ours = own.find(({ metadata }) => metadata.name === crd.metadata.name);
      const essence = ({ metadata, spec }: CustomResourceDefinition) => ({
        annotations: metadata.annotations,
        labels: metadata.labels,
        group: spec.group,
        names: spec.names,
        scope: spec.scope,
        versions: spec.versions
          .map(({ name, served, storage, deprecated, subresources, additionalPrinterColumns }) => ({
            name,
            served,
            storage,
            deprecated: deprecated === true,
            hasStatus: subresources?.status !== undefined,
            columns: (additionalPrinterColumns ?? [])
              .filter(({ name: heading }) => heading !== 'Age')
              .map((column) => ({ ...column })),
          }))
          .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      });
      assert.ok(ours, 'there is a definition of our own');
      assert.deepEqual(essence(ours), essence(crd));
    });
  }
});
