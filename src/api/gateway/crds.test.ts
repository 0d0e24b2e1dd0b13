// Our schemas against the upstream CRDs of Gateway API v1.6.1, experimental channel: names, structure
// keyword by keyword, and at every node the messages of its rules. The CRDs are not part of this
// repository; without them the tests are skipped.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { Kind } from '../kind.ts';
import { toOpenApi } from '../schema/openapi.ts';
import type { OpenApiSchema } from '../schema/openapi.ts';
import type { Node } from '../schema/schema.ts';
import { gatewayKinds } from './kinds.ts';

const root = path.join(import.meta.dirname, '../../..');
const shared = process.env['FAIRWAY_SHARED'] ?? path.join(root, '../shared');
const folder = path.join(shared, 'gateway-api-v1.6.1/experimental');
const skip = existsSync(folder) ? false : `no CRDs at ${folder}; FAIRWAY_SHARED may say where`;

interface CrdSchema extends OpenApiSchema {
  readonly properties?: Readonly<Record<string, CrdSchema>>;
  readonly required?: readonly string[];
  readonly items?: CrdSchema;
  readonly additionalProperties?: CrdSchema;
  readonly 'x-kubernetes-validations'?: readonly { readonly message: string }[];
}

interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly subresources: { readonly status?: object };
  readonly schema: { readonly openAPIV3Schema: CrdSchema };
  readonly additionalPrinterColumns?: readonly {
    readonly name: string;
    readonly type: string;
    readonly priority?: number;
  }[];
}

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
    };
    readonly versions: readonly CrdVersion[];
  };
}

function readCrds(): readonly Crd[] {
  return readdirSync(folder)
    .flatMap((file) => parseAllDocuments(readFileSync(path.join(folder, file), 'utf8')))
    .map((document) => document.toJS() as Crd & { readonly kind: string })
    .filter(({ kind }) => kind === 'CustomResourceDefinition');
}

const crds = skip === false ? readCrds() : [];

/** Where an old version of upstream says something else than v1, which we hold every version to. */
const OLD_VERSIONS: Readonly<Record<string, readonly string[]>> = {
  'TCPRoute v1alpha2': ['spec.rules maxItems', 'spec.rules rules'],
  'UDPRoute v1alpha2': ['spec.rules maxItems', 'spec.rules rules'],
  'TLSRoute v1alpha2': [
    'spec required',
    'spec.hostnames minItems',
    'spec.hostnames rules',
    'spec.rules maxItems',
    'spec.rules rules',
  ],
};

/** Keywords by `path keyword`, as `spec.rules[] type`: two schemas can then be compared line by line. */
type Lines = Map<string, unknown>;

function addKeywords(schema: CrdSchema, at: string, lines: Lines): void {
  const { properties = {}, items, additionalProperties, required, ...keywords } = schema;
  for (const [keyword, value] of Object.entries(keywords)) {
    if (keyword === 'description' || keyword === 'x-kubernetes-validations') continue;
    lines.set(`${at} ${keyword}`, value);
  }
  if (required !== undefined) lines.set(`${at} required`, required.toSorted());
  for (const [name, property] of Object.entries(properties)) {
    addKeywords(property, at === '' ? name : `${at}.${name}`, lines);
  }
  if (items !== undefined) addKeywords(items, `${at}[]`, lines);
  if (additionalProperties !== undefined) addKeywords(additionalProperties, `${at}{}`, lines);
}

function addCrdRules(schema: CrdSchema, at: string, lines: Lines): void {
  const messages = schema['x-kubernetes-validations']?.map(({ message }) => message) ?? [];
  if (messages.length > 0) lines.set(`${at} rules`, messages);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    addCrdRules(property, at === '' ? name : `${at}.${name}`, lines);
  }
  if (schema.items !== undefined) addCrdRules(schema.items, `${at}[]`, lines);
  if (schema.additionalProperties !== undefined) {
    addCrdRules(schema.additionalProperties, `${at}{}`, lines);
  }
}

function addOurRules(node: Node, at: string, lines: Lines): void {
  const messages = (node.rules ?? []).map(({ message }) => message);
  if (messages.length > 0) lines.set(`${at} rules`, messages);
  if (node.type === 'list') addOurRules(node.items, `${at}[]`, lines);
  if (node.type === 'map') addOurRules(node.values, `${at}{}`, lines);
  if (node.type !== 'object') return;
  for (const [name, field] of node.fields) {
    addOurRules(field.node, at === '' ? name : `${at}.${name}`, lines);
  }
}

/** What every object has is checked elsewhere: a CRD does not describe it. */
function withoutMeta(schema: CrdSchema): CrdSchema {
  const { apiVersion, kind, metadata, ...properties } = schema.properties ?? {};
  assert.ok(apiVersion && kind && metadata, 'every kind has apiVersion, kind and metadata');
  const required = (schema.required ?? []).filter((name) => name in properties);
  return { ...schema, properties, required };
}

function linesOf(crd: CrdSchema): Lines {
  const lines: Lines = new Map();
  addKeywords(withoutMeta(crd), '', lines);
  addCrdRules(crd, '', lines);
  return lines;
}

function ourLines(kind: Kind): Lines {
  const lines: Lines = new Map();
  addKeywords(withoutMeta(toOpenApi(kind.schema)), '', lines);
  addOurRules(kind.schema, '', lines);
  return lines;
}

function crdOf(kind: Kind): Crd {
  const found = crds.find(({ spec }) => spec.names.kind === kind.kind && spec.group === kind.group);
  assert.ok(found, `there is a CRD for ${kind.kind}`);
  return found;
}

const sorted = (lines: Lines) =>
  Object.fromEntries([...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)));

describe('schemas and upstream CRDs', { skip }, () => {
  test('there is a kind for every CRD', () => {
    const name = (group: string, kind: string) => `${group}/${kind}`;
    assert.deepEqual(
      gatewayKinds.map(({ group, kind }) => name(group, kind)).toSorted(),
      crds.map(({ spec }) => name(spec.group, spec.names.kind)).toSorted(),
    );
  });

  for (const kind of gatewayKinds) {
    test(`${kind.kind} has upstream's names, versions and columns`, () => {
      const { group, scope, names, versions } = crdOf(kind).spec;
      const served = versions.filter((version) => version.served);
      const current = served.find((version) => version.name === kind.version);
      assert.ok(current, `${kind.version} is served`);
      assert.deepEqual(
        {
          group: kind.group,
          plural: kind.plural,
          singular: kind.singular,
          shortNames: kind.shortNames,
          categories: kind.categories,
          namespaced: kind.namespaced,
          versions: kind.versions.toSorted(),
          hasStatus: kind.hasStatus,
          columns: kind.columns.map(({ name, type, priority }) => ({ name, type, priority })),
        },
        {
          group,
          plural: names.plural,
          singular: names.singular,
          shortNames: names.shortNames ?? [],
          categories: names.categories,
          namespaced: scope === 'Namespaced',
          versions: served.map(({ name }) => name).toSorted(),
          hasStatus: current.subresources.status !== undefined,
          columns: (current.additionalPrinterColumns ?? [])
            .filter(({ name }) => name !== 'Age')
            .map(({ name, type, priority }) => ({ name, type, priority })),
        },
      );
    });

    test(`${kind.kind} has upstream's structure and rules`, () => {
      const ours = ourLines(kind);
      for (const { name, schema } of crdOf(kind).spec.versions) {
        const theirs = linesOf(schema.openAPIV3Schema);
        const old = OLD_VERSIONS[`${kind.kind} ${name}`];
        if (old === undefined) {
          assert.deepEqual(sorted(ours), sorted(theirs), `${kind.kind} ${name}`);
        } else {
          const differing = [...new Set([...ours.keys(), ...theirs.keys()])].filter(
            (line) => JSON.stringify(ours.get(line)) !== JSON.stringify(theirs.get(line)),
          );
          assert.deepEqual(differing.toSorted(), old, `${kind.kind} ${name}`);
        }
      }
    });
  }

  test('the comparison sees hundreds of rules', () => {
    const messages = crds.flatMap(({ spec }) =>
      spec.versions.flatMap(({ schema }) => {
        const lines: Lines = new Map();
        addCrdRules(schema.openAPIV3Schema, '', lines);
        return [...lines.values()].flat();
      }),
    );
    assert.ok(messages.length > 300, `${messages.length} rules`);
  });
});
