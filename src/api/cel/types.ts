// What is known of the type of an expression before it is evaluated: enough to find, when a rule is
// written, fields that do not exist and comparisons that can never hold. Where nothing is known,
// nothing is said.

import { isRecord } from '../schema/normalize.ts';
import type { JsonSchema } from '../apiextensions/json-schema.ts';

type ScalarName = 'int' | 'uint' | 'double' | 'string' | 'bool' | 'bytes' | 'null_type';

export type Known =
  | { readonly is: 'scalar'; readonly name: ScalarName }
  | { readonly is: 'schema'; readonly schema: JsonSchema }
  | undefined;

export const scalar = (name: ScalarName): Known => ({ is: 'scalar', name });

const SCALARS: Readonly<Record<string, ScalarName>> = {
  boolean: 'bool',
  integer: 'int',
  number: 'double',
};

/** Formats of strings that are no strings in CEL. */
export const CONVERTED_FORMATS: ReadonlySet<string> = new Set([
  'date-time',
  'date',
  'duration',
  'byte',
]);

export function knownOf(schema: JsonSchema | undefined): Known {
  if (schema === undefined || schema['x-kubernetes-int-or-string'] === true) return undefined;
  const { type = '', format = '' } = schema;
  if (type === 'string') return CONVERTED_FORMATS.has(format) ? undefined : scalar('string');
  const name = SCALARS[type];
  if (name !== undefined) return scalar(name);
  return type === 'object' || type === 'array' ? { is: 'schema', schema } : undefined;
}

/** Field names as CEL spells them: CEL's words and characters it does not have are escaped. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return void while var'.split(
    ' ',
  ),
);

/** `namespace` → `__namespace__`, `x-y` → `x__dash__y`; undefined when CEL cannot name the field. */
export function escapeField(name: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

const META_FIELDS: Readonly<Record<string, JsonSchema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: {
    type: 'object',
    properties: { name: { type: 'string' }, generateName: { type: 'string' } },
  },
};

/** The schema with what CEL sees of every object: its type, its name and no more of its metadata. */
export function withMeta(schema: JsonSchema): JsonSchema {
  return { ...schema, properties: { ...schema.properties, ...META_FIELDS } };
}

export function isObjectRoot(schema: JsonSchema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true;
}

/** Rules do not see values that may be of any type. */
export function isVisible(schema: JsonSchema): boolean {
  return (schema.type ?? '') !== '' || schema['x-kubernetes-int-or-string'] === true;
}

/** A field of a value: its type, or `missing` when the schema has no such field. */
export function fieldOf(known: Known, field: string): Known | 'missing' {
  if (known === undefined) return undefined;
  if (known.is === 'scalar') return 'missing';
  const schema = isObjectRoot(known.schema) ? withMeta(known.schema) : known.schema;
  if (isRecord(schema.additionalProperties)) return knownOf(schema.additionalProperties);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (escapeField(name) === field && isVisible(property)) return knownOf(property);
  }
  return 'missing';
}

/** What a loop over a value goes through: items of a list, keys of a map. */
export function itemOf(known: Known): Known {
  if (known?.is !== 'schema') return undefined;
  return known.schema.type === 'array' ? knownOf(known.schema.items) : scalar('string');
}

/** What an index gives: an item of a list, a value of a map. */
export function elementOf(known: Known): Known {
  if (known?.is !== 'schema') return undefined;
  const { type, items, additionalProperties } = known.schema;
  if (type === 'array') return knownOf(items);
  return isRecord(additionalProperties) ? knownOf(additionalProperties) : undefined;
}

/** The name a type has in messages. */
export function nameOf(known: Known): string {
  if (known === undefined) return 'dyn';
  if (known.is === 'scalar') return known.name;
  return known.schema.type === 'array' ? 'list' : 'map';
}

const NUMBERS = new Set(['int', 'uint', 'double']);

/** False when a comparison of the two can only be a mistake. */
export function comparable(a: Known, b: Known): boolean {
  if (a === undefined || b === undefined) return true;
  const [left, right] = [nameOf(a), nameOf(b)];
  if (left === 'null_type' || right === 'null_type') return true;
  return left === right || (NUMBERS.has(left) && NUMBERS.has(right));
}
