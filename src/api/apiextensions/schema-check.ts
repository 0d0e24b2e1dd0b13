// What is wrong with the schema of one version of a CustomResourceDefinition: keywords that are not
// allowed, list types that do not fit, defaults that would not be valid, rules that do not compile.
// Whether the schema is structural is said by structural-check.ts.

import { relocate } from '../custom/relocate.ts';
import { customSchema } from '../custom/schema.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { isRecord, normalize } from '../schema/normalize.ts';
import { validate } from '../schema/validate.ts';
import type { JsonSchema } from './json-schema.ts';
import { checkListType } from './list-check.ts';
import { checkRules } from './rule-check.ts';
import { checkStructural } from './structural-check.ts';

/** Checks the schema at `path`; `hasStatus` says that the version has the status subresource. */
export function checkVersionSchema(
  schema: JsonSchema,
  path: string,
  hasStatus: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (hasStatus) checkRootWithStatus(schema, path, errors);
  if (schema.nullable === true) {
    errors.push(fieldError.forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  }
  errors.push(...checkStructural(schema, path));
  walk(schema, { path, isRoot: true, nested: false, inMeta: false }, errors);
  if (errors.length > 0) return errors;
  checkDefaults(schema, path, errors);
  // Rules are typed by the schema, so that it has to be right first.
  if (errors.length === 0) checkRules(schema, path, errors);
  return errors;
}

const ROOT_KEYWORDS = new Map(
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations'
    .split(' ')
    .map((name) => [
      name
        .replace(/^X(?=[A-Z])/, 'x-kubernetes')
        .replaceAll(/[A-Z]/g, (letter, at: number) =>
          at === 0
            ? letter.toLowerCase()
            : name.startsWith('X')
              ? `-${letter.toLowerCase()}`
              : letter,
        ),
      name,
    ]),
);

function checkRootWithStatus(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (schema.type !== undefined && schema.type !== 'object') {
    const detail =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    errors.push(fieldError.invalid(`${path}.type`, schema.type, detail));
  }
  const other = Object.keys(schema).find((keyword) => !ROOT_KEYWORDS.has(keyword));
  if (other === undefined) return;
  const allowed = [...ROOT_KEYWORDS.values()].join(' ');
  const detail = `only [${allowed}] fields are allowed at the root of the schema if the status subresource is enabled`;
  errors.push(fieldError.invalid(path, other, detail));
}

interface Where {
  readonly path: string;
  readonly isRoot: boolean;
  /** Within allOf, anyOf, oneOf or not. */
  readonly nested: boolean;
  /** Within apiVersion, kind or metadata. */
  readonly inMeta: boolean;
  /** Why defaults are not allowed here. */
  readonly noDefaults?: string;
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const REFUSED = [
  'id',
  'additionalItems',
  'patternProperties',
  'definitions',
  'dependencies',
  '$ref',
];
const META = new Set(['metadata', 'kind', 'apiVersion']);

function walk(schema: JsonSchema, where: Where, errors: FieldError[]): void {
  checkKeywords(schema, where, errors);
  checkListType(schema, where.path, errors);
  const { path, isRoot } = where;
  const { properties = {}, additionalProperties, items, not } = schema;
  const below = { ...where, isRoot: false };
  if (
    additionalProperties !== undefined &&
    Object.keys(properties).length > 0 &&
    additionalProperties !== true
  ) {
    const detail = 'additionalProperties and properties are mutual exclusive';
    errors.push(fieldError.forbidden(`${path}.additionalProperties`, detail));
  }
  if (isRecord(additionalProperties)) {
    walk(
      additionalProperties,
      {
        ...below,
        path: `${path}.additionalProperties`,
        ...(where.inMeta
          ? { noDefaults: 'inside additionalProperties applying to object metadata' }
          : {}),
      },
      errors,
    );
  }
  const isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [name, property] of Object.entries(properties)) {
    const at = `${path}.properties[${name}]`;
    const meta = isObject && META.has(name) ? { inMeta: true } : {};
    const noDefaults = isRoot && META.has(name) ? { noDefaults: `in top-level ${name}` } : {};
    walk(property, { ...below, path: at, ...meta, ...noDefaults }, errors);
  }
  if (items !== undefined) walk(items, { ...below, path: `${path}.items` }, errors);
  if (not !== undefined) walk(not, { ...below, path: `${path}.not`, nested: true }, errors);
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) {
    schema[junctor]?.forEach((each, i) =>
      walk(each, { ...below, path: `${path}.${junctor}[${i}]`, nested: true }, errors),
    );
  }
}

function checkKeywords(schema: JsonSchema, where: Where, errors: FieldError[]): void {
  const { path, noDefaults, inMeta } = where;
  const { type } = schema;
  const forbid = (keyword: string, detail: string) =>
    errors.push(fieldError.forbidden(`${path}.${keyword}`, detail));
  if (type !== undefined && type !== '' && !TYPES.includes(type)) {
    errors.push(fieldError.unsupported(`${path}.type`, type, TYPES));
  }
  if (type === 'null') forbid('type', 'type cannot be set to null, use nullable as an alternative');
  if (schema.default !== undefined && noDefaults !== undefined) {
    forbid('default', `must not be set ${noDefaults}`);
  }
  for (const keyword of REFUSED) {
    if (keyword in schema) forbid(keyword, `${keyword} is not supported`);
  }
  if (schema.uniqueItems === true) {
    const detail =
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    forbid('uniqueItems', detail);
  }
  if (inMeta && schema['x-kubernetes-embedded-resource'] === true) {
    forbid('x-kubernetes-embedded-resource', 'must not be used inside of resource meta');
  }
  const preserve = schema['x-kubernetes-preserve-unknown-fields'];
  if (preserve === false) {
    const at = `${path}.x-kubernetes-preserve-unknown-fields`;
    errors.push(fieldError.invalid(at, false, 'must be true or undefined'));
  }
}

/** A default must be what the schema would make of it, and valid. */
function checkDefaults(schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { properties = {}, items, additionalProperties } = schema;
  for (const [name, property] of Object.entries(properties)) {
    checkDefault(property, `${path}.properties[${name}]`, errors);
  }
  if (items !== undefined) checkDefault(items, `${path}.items`, errors);
  if (isRecord(additionalProperties)) {
    checkDefault(additionalProperties, `${path}.additionalProperties`, errors);
  }
}

function checkDefault(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (schema.default !== undefined) {
    const at = `${path}.default`;
    // The default is the value of a field, which is where nodes for any schema are made.
    const holder = customSchema({
      type: 'object',
      properties: { default: { ...schema, default: undefined } },
    });
    const field = holder.type === 'object' ? holder.fields.get('default') : undefined;
    if (field === undefined) return;
    const { value, unknown } = normalize(field.node, schema.default);
    if (unknown.length > 0) {
      const detail = 'must not have unknown fields';
      errors.push(fieldError.invalid(at, schema.default, detail));
    }
    if (schema.default !== null || schema.nullable !== true) {
      errors.push(...relocate(validate(field.node, value), at));
    }
  }
  checkDefaults(schema, path, errors);
}
