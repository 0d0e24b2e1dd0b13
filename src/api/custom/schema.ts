// A structural OpenAPI schema of a CustomResourceDefinition → a schema in our own language, so that
// pruning, defaulting, validation, merging and everything else treats kinds of users as it treats ours.

import { compilePattern, patternError } from '../cel/patterns.ts';
import type { JsonSchema } from '../apiextensions/json-schema.ts';
import { ObjectMeta } from '../meta.ts';
import { isRecord, normalize } from '../schema/normalize.ts';
import type { Field, Node, ObjectNode } from '../schema/schema.ts';
import { validate } from '../schema/validate.ts';
import { constraintsOf } from './constraints.ts';
import type { Native } from './constraints.ts';
import { expressionsOf } from './expressions.ts';
import { relocate } from './relocate.ts';

type Common = Pick<Node, 'doc' | 'nullable' | 'constraints' | 'expressions'>;

/** Builds the schema of one version; `schema` has passed validation of its CRD. */
export function customSchema(schema: JsonSchema): Node {
  const node = objectNode(schema, true);
  return { ...node, published: published(schema) };
}

/** What clients are told: the schema as written, with what every object has. */
function published(schema: JsonSchema): Readonly<Record<string, unknown>> {
  const meta = {
    apiVersion: { type: 'string', description: 'API group and version of the kind.' },
    kind: { type: 'string', description: 'Kind of the object.' },
    metadata: { type: 'object', description: 'Name, labels and annotations of the object.' },
  };
  return { ...schema, properties: { ...schema.properties, ...meta } };
}

function toNode(schema: JsonSchema): Node {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return { type: 'intOrString', ...common(withoutIntOrString(schema), 'none') };
  }
  switch (schema.type) {
    case 'object':
      return objectOrMap(schema);
    case 'array':
      return listNode(schema);
    case 'string':
      return stringNode(schema);
    case 'integer':
      return {
        type: 'integer',
        ...bounds(schema),
        ...integerEnum(schema),
        ...common(schema, 'integer'),
      };
    case 'number':
      return { type: 'number', ...bounds(schema), ...common(schema, 'number') };
    case 'boolean':
      return { type: 'boolean', ...common(schema, 'none') };
    default:
      return anyNode(schema);
  }
}

function common(schema: JsonSchema, native: Native, isRoot = false): Common {
  const constraints = constraintsOf(schema, native);
  const expressions = expressionsOf(schema, isRoot);
  return {
    ...(schema.description === undefined ? {} : { doc: schema.description }),
    ...(schema.nullable === true ? { nullable: true } : {}),
    ...(constraints === undefined ? {} : { constraints }),
    ...(expressions === undefined ? {} : { expressions }),
  };
}

/** The alternatives every such schema spells out say only what the extension says. */
function withoutIntOrString(schema: JsonSchema): JsonSchema {
  const { anyOf, allOf, ...rest } = schema;
  const isPair = (alternatives: readonly JsonSchema[] | undefined) =>
    alternatives?.length === 2 &&
    alternatives.every(({ type }) => type === 'integer' || type === 'string');
  return {
    ...rest,
    ...(anyOf === undefined || isPair(anyOf) ? {} : { anyOf }),
    ...(allOf === undefined ? {} : { allOf: allOf.filter((each) => !isPair(each.anyOf)) }),
  };
}

function objectOrMap(schema: JsonSchema): Node {
  const { additionalProperties } = schema;
  if (additionalProperties === undefined || additionalProperties === false)
    return objectNode(schema);
  // With properties beside it, `true` says the same as keeping what is unknown.
  if (additionalProperties === true && schema.properties !== undefined) {
    return objectNode({ ...schema, 'x-kubernetes-preserve-unknown-fields': true });
  }
  const values: Node =
    additionalProperties === true ? { type: 'any' } : toNode(additionalProperties);
  return { type: 'map', values, ...sizes(schema), ...atomic(schema), ...common(schema, 'object') };
}

function objectNode(schema: JsonSchema, isRoot = false): ObjectNode {
  const fields = new Map<string, Field>();
  const required = new Set(schema.required);
  const isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  if (isObject) for (const [name, field] of META_FIELDS) fields.set(name, field);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (isObject && name === 'metadata') continue;
    const node = toNode(property);
    const isKey = isObject && (name === 'apiVersion' || name === 'kind');
    fields.set(name, {
      node,
      required: required.has(name) || isKey,
      ...(property.default === undefined ? {} : { default: property.default }),
    });
  }
  // A field may be required that no property describes: nobody can give it unless it is kept.
  for (const name of required) {
    if (!fields.has(name)) fields.set(name, { node: { type: 'any' }, required: true });
  }
  return {
    type: 'object',
    fields,
    ...sizes(schema),
    ...atomic(schema),
    ...(schema['x-kubernetes-preserve-unknown-fields'] === true ? { preserveUnknown: true } : {}),
    ...common(schema, 'object', isRoot),
  };
}

const META_FIELDS: readonly (readonly [string, Field])[] = [
  [
    'apiVersion',
    { node: { type: 'string', doc: 'API group and version of the kind.' }, required: true },
  ],
  ['kind', { node: { type: 'string', doc: 'Kind of the object.' }, required: true }],
  ['metadata', { node: ObjectMeta, required: false, default: {} }],
];

function listNode(schema: JsonSchema): Node {
  const { minItems, maxItems } = schema;
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  return {
    type: 'list',
    items: toNode(schema.items ?? {}),
    ...(listType === 'atomic' || listType === 'set' || listType === 'map' ? { listType } : {}),
    ...(keys === undefined ? {} : { keys }),
    ...(minItems === undefined ? {} : { minItems }),
    ...(maxItems === undefined ? {} : { maxItems }),
    ...common(schema, 'list'),
  };
}

function stringNode(schema: JsonSchema): Node {
  const { minLength, maxLength, pattern, enum: values } = schema;
  const texts = values?.filter((value) => typeof value === 'string');
  return {
    type: 'string',
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(pattern === undefined || patternError(pattern) !== undefined
      ? {}
      : { pattern, matcher: compilePattern(pattern) }),
    ...(texts === undefined ? {} : { enum: texts }),
    ...common(schema, 'string'),
  };
}

function integerEnum({ enum: values }: JsonSchema): { enum?: readonly number[] } {
  return values === undefined ? {} : { enum: values.filter((value) => typeof value === 'number') };
}

/** Inclusive bounds; exclusive ones are constraints. */
function bounds(schema: JsonSchema): { minimum?: number; maximum?: number } {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return {
    ...(minimum === undefined || exclusiveMinimum === true ? {} : { minimum }),
    ...(maximum === undefined || exclusiveMaximum === true ? {} : { maximum }),
  };
}

function sizes({ minProperties, maxProperties }: JsonSchema) {
  return {
    ...(minProperties === undefined ? {} : { minProperties }),
    ...(maxProperties === undefined ? {} : { maxProperties }),
  };
}

function atomic(schema: JsonSchema): { atomic?: boolean } {
  return schema['x-kubernetes-map-type'] === 'atomic' ? { atomic: true } : {};
}

/** A value of any type, whose fields are known all the same if it is an object with properties. */
function anyNode(schema: JsonSchema): Node {
  const node = { type: 'any' as const, ...common(schema, 'none') };
  const { properties, required = [] } = schema;
  if (properties === undefined) return node;
  const inner = objectNode({
    properties,
    required,
    'x-kubernetes-preserve-unknown-fields': true,
  });
  return {
    ...node,
    normalize: (value, path, unknown) => {
      if (!isRecord(value)) return value;
      const { value: out, unknown: gone } = normalize(inner, value);
      unknown.push(...gone.map((at) => `${path}.${at}`));
      return out;
    },
    constraints: (value, path) => [
      ...(node.constraints?.(value, path) ?? []),
      ...(isRecord(value) ? relocate(validate(inner, value), path) : []),
    ],
  };
}
