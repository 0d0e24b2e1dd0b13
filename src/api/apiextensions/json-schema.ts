// The schema language of CustomResourceDefinitions (JSONSchemaProps): its keywords as types, and the
// reading of a schema as written. Keywords it does not have are taken away and reported, as for any
// other kind; the language is recursive, which our own schema trees are not.

import { isRecord } from '../schema/normalize.ts';

/** One entry of x-kubernetes-validations. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** A schema whose keywords have the right types: what `schemaTypeErrors` finds nothing wrong with. */
export interface JsonSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
  /** Keywords that are read only to be refused with their names. */
  readonly $ref?: unknown;
  readonly id?: unknown;
  readonly definitions?: unknown;
  readonly dependencies?: unknown;
  readonly patternProperties?: unknown;
  readonly additionalItems?: unknown;
  readonly externalDocs?: unknown;
}

/** Schemas within schemas; no real one comes near, and every reader of a schema is recursive. */
export const SCHEMA_DEPTH_MAX = 64;

type Shape =
  | 'string'
  | 'number'
  | 'count'
  | 'boolean'
  | 'strings'
  | 'values'
  | 'any'
  | 'schema'
  | 'schemas'
  | 'schemaMap'
  | 'schemaOrBoolean'
  | 'rules';

const KEYWORDS: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['type', 'string'],
  ['title', 'string'],
  ['description', 'string'],
  ['format', 'string'],
  ['pattern', 'string'],
  ['nullable', 'boolean'],
  ['uniqueItems', 'boolean'],
  ['exclusiveMinimum', 'boolean'],
  ['exclusiveMaximum', 'boolean'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['multipleOf', 'number'],
  ['minLength', 'count'],
  ['maxLength', 'count'],
  ['minItems', 'count'],
  ['maxItems', 'count'],
  ['minProperties', 'count'],
  ['maxProperties', 'count'],
  ['required', 'strings'],
  ['enum', 'values'],
  ['default', 'any'],
  ['example', 'any'],
  ['externalDocs', 'any'],
  ['$ref', 'any'],
  ['$schema', 'any'],
  ['id', 'any'],
  ['definitions', 'any'],
  ['dependencies', 'any'],
  ['patternProperties', 'any'],
  ['additionalItems', 'any'],
  ['items', 'schema'],
  ['not', 'schema'],
  ['properties', 'schemaMap'],
  ['additionalProperties', 'schemaOrBoolean'],
  ['allOf', 'schemas'],
  ['anyOf', 'schemas'],
  ['oneOf', 'schemas'],
  ['x-kubernetes-preserve-unknown-fields', 'boolean'],
  ['x-kubernetes-embedded-resource', 'boolean'],
  ['x-kubernetes-int-or-string', 'boolean'],
  ['x-kubernetes-list-type', 'string'],
  ['x-kubernetes-list-map-keys', 'strings'],
  ['x-kubernetes-map-type', 'string'],
  ['x-kubernetes-validations', 'rules'],
]);

const RULE_KEYWORDS: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['rule', 'string'],
  ['message', 'string'],
  ['messageExpression', 'string'],
  ['reason', 'string'],
  ['fieldPath', 'string'],
  ['optionalOldSelf', 'boolean'],
]);

/** Takes away what is no keyword, and null; adds the paths of what is gone to `unknown`. */
export function pruneSchema(value: unknown, path: string, unknown: string[], depth = 0): unknown {
  // Deeper levels are left as they are: schemaTypeErrors refuses the schema for them.
  if (!isRecord(value) || depth > SCHEMA_DEPTH_MAX) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const shape = KEYWORDS.get(key);
    if (shape === undefined) unknown.push(`${path}.${key}`);
    else if (item !== null) out[key] = pruneKeyword(shape, item, `${path}.${key}`, unknown, depth);
  }
  return out;
}

function pruneKeyword(
  shape: Shape,
  item: unknown,
  path: string,
  unknown: string[],
  depth: number,
): unknown {
  const prune = (schema: unknown, at: string) => pruneSchema(schema, at, unknown, depth + 1);
  switch (shape) {
    case 'schema':
    case 'schemaOrBoolean':
      return prune(item, path);
    case 'schemas':
      return Array.isArray(item) ? item.map((schema, i) => prune(schema, `${path}[${i}]`)) : item;
    case 'schemaMap':
      return isRecord(item)
        ? Object.fromEntries(
            Object.entries(item).map(([key, schema]) => [key, prune(schema, `${path}[${key}]`)]),
          )
        : item;
    case 'rules':
      return Array.isArray(item)
        ? item.map((rule: unknown, i) => pruneRule(rule, `${path}[${i}]`, unknown))
        : item;
    case 'string':
    case 'number':
    case 'count':
    case 'boolean':
    case 'strings':
    case 'values':
    case 'any':
      return item;
  }
}

function pruneRule(rule: unknown, path: string, unknown: string[]): unknown {
  if (!isRecord(rule)) return rule;
  const known = Object.entries(rule).filter(([key, item]) => {
    if (!RULE_KEYWORDS.has(key)) unknown.push(`${path}.${key}`);
    return RULE_KEYWORDS.has(key) && item !== null;
  });
  return Object.fromEntries(known);
}

/** A keyword of the wrong type: the path, what was found and what should be there. */
export interface SchemaTypeError {
  readonly path: string;
  readonly value: unknown;
  readonly expected: string;
}

/** Finds keywords whose values have the wrong type. None: the value is a JsonSchema. */
export function schemaTypeErrors(value: unknown, path: string): readonly SchemaTypeError[] {
  const errors: SchemaTypeError[] = [];
  checkSchema(value, path, errors, 0);
  return errors;
}

function checkSchema(value: unknown, path: string, errors: SchemaTypeError[], depth: number): void {
  if (!isRecord(value)) {
    errors.push({ path, value, expected: 'object' });
  } else if (depth > SCHEMA_DEPTH_MAX) {
    errors.push({ path, value: depth, expected: `schema of at most ${SCHEMA_DEPTH_MAX} levels` });
  } else {
    for (const [key, item] of Object.entries(value)) {
      const shape = KEYWORDS.get(key);
      if (shape !== undefined) checkKeyword(shape, item, `${path}.${key}`, errors, depth);
    }
  }
}

function checkKeyword(
  shape: Shape,
  value: unknown,
  path: string,
  errors: SchemaTypeError[],
  depth: number,
): void {
  const expect = (holds: boolean, expected: string) => {
    if (!holds) errors.push({ path, value, expected });
  };
  switch (shape) {
    case 'any':
      return;
    case 'string':
    case 'number':
    case 'boolean':
      return expect(typeof value === shape, shape);
    case 'count':
      return expect(Number.isInteger(value), 'integer');
    case 'values':
      return expect(Array.isArray(value), 'array');
    case 'strings':
      return expect(
        Array.isArray(value) && value.every((item) => typeof item === 'string'),
        'array of strings',
      );
    case 'schema':
      return checkSchema(value, path, errors, depth + 1);
    case 'schemaOrBoolean':
      if (typeof value !== 'boolean') checkSchema(value, path, errors, depth + 1);
      return;
    case 'schemas':
      expect(Array.isArray(value), 'array');
      if (!Array.isArray(value)) return;
      value.forEach((item, i) => checkSchema(item, `${path}[${i}]`, errors, depth + 1));
      return;
    case 'schemaMap':
      expect(isRecord(value), 'object');
      if (!isRecord(value)) return;
      for (const [key, item] of Object.entries(value)) {
        checkSchema(item, `${path}[${key}]`, errors, depth + 1);
      }
      return;
    case 'rules':
      expect(Array.isArray(value), 'array');
      if (!Array.isArray(value)) return;
      value.forEach((rule: unknown, i) => checkRule(rule, `${path}[${i}]`, errors));
  }
}

function checkRule(rule: unknown, path: string, errors: SchemaTypeError[]): void {
  if (!isRecord(rule)) {
    errors.push({ path, value: rule, expected: 'object' });
    return;
  }
  // Without the text of a rule there is nothing to say of the rest.
  if (rule['rule'] === undefined)
    errors.push({ path: `${path}.rule`, value: null, expected: 'string' });
  for (const [key, item] of Object.entries(rule)) {
    const shape = RULE_KEYWORDS.get(key);
    if (shape !== undefined) checkKeyword(shape, item, `${path}.${key}`, errors, 0);
  }
}
