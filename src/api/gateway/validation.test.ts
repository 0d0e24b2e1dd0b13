// Objects and what the API server says of them: testdata/validation has one file per kind, with a
// valid object and changes to it. Every rule of every kind is broken by one case at least.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { admit } from '../admit.ts';
import type { Kind } from '../kind.ts';
import { blocksRules, fieldError, formatFieldError } from '../schema/errors.ts';
import { hasRules } from '../schema/rules.ts';
import type { Node } from '../schema/schema.ts';
import { gatewayKinds } from './kinds.ts';

interface Case {
  readonly name: string;
  /** Values by path, `spec.rules[0].filters`; null takes the field away. */
  readonly change: Readonly<Record<string, unknown>>;
  /** The changed object replaces the base. */
  readonly update?: boolean;
  /** Sorted. None: the changed object is valid. */
  readonly errors?: readonly string[];
}

interface CaseFile {
  readonly base: object;
  readonly cases: readonly Case[];
}

const folder = path.join(import.meta.dirname, '../../../testdata/validation');

function readCases(kind: Kind): CaseFile {
  return JSON.parse(readFileSync(path.join(folder, `${kind.kind}.json`), 'utf8')) as CaseFile;
}

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

const notChecked = formatFieldError(fieldError.rulesNotChecked());

describe('objects and what is wrong with them', () => {
  test('there is a file for every kind and no other', () => {
    assert.deepEqual(
      readdirSync(folder).toSorted(),
      gatewayKinds.map(({ kind }) => `${kind}.json`).toSorted(),
    );
  });

  for (const kind of gatewayKinds) {
    const { base, cases } = readCases(kind);

    test(`${kind.kind}: the object that the cases change is valid`, () => {
      const { errors, unknown } = admit(kind, base);
      assert.deepEqual({ errors, unknown }, { errors: [], unknown: [] });
    });

    for (const { name, change, update, errors: expected = [] } of cases) {
      test(`${kind.kind}: ${name}`, () => {
        const old = update === true ? admit(kind, base).object : undefined;
        const { errors, unknown } = admit(kind, changed(base, change), old);
        const messages = errors.map(formatFieldError);
        assert.deepEqual(messages.filter((message) => message !== notChecked).toSorted(), expected);
        assert.equal(
          messages.includes(notChecked),
          hasRules(kind.schema) && errors.some(blocksRules),
        );
        assert.deepEqual(unknown, []);
      });
    }
  }

  test('every rule is broken by a case', () => {
    const rules = new Set(gatewayKinds.flatMap(({ schema }) => messagesOf(schema)));
    const broken = gatewayKinds.flatMap((kind) =>
      readCases(kind).cases.flatMap(({ errors = [] }) => errors),
    );
    const untouched = [...rules].filter((rule) => !broken.some((error) => error.endsWith(rule)));
    assert.ok(rules.size > 90, `${rules.size} rules`);
    assert.deepEqual(untouched, [
      // Tested below: 129 matches are too long for a file.
      'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128',
      // An enum says the same, and no rule is looked at while an enum is broken.
      "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
    ]);
  });

  for (const [count, verdict] of [
    [128, 'are allowed'],
    [129, 'are too many'],
  ] as const) {
    test(`HTTPRoute: ${count} matches ${verdict}`, () => {
      const kind = gatewayKinds.find((candidate) => candidate.kind === 'HTTPRoute');
      assert.ok(kind);
      const matches = (length: number) => Array.from({ length }, () => ({}));
      const rules = [{ matches: matches(64) }, { matches: matches(count - 65) }, {}];
      const { errors } = admit(kind, changed(readCases(kind).base, { 'spec.rules': rules }));
      assert.deepEqual(
        errors.map(({ path: at, message }) => [at, message.slice(-21)]),
        count > 128 ? [['spec.rules', 'must be less than 128']] : [],
      );
    });
  }
});

function messagesOf(node: Node): readonly string[] {
  const own = (node.rules ?? []).map(({ message }) => message);
  switch (node.type) {
    case 'object':
      return [...own, ...[...node.fields.values()].flatMap((field) => messagesOf(field.node))];
    case 'map':
      return [...own, ...messagesOf(node.values)];
    case 'list':
      return [...own, ...messagesOf(node.items)];
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'intOrString':
    case 'any':
      return own;
  }
}
