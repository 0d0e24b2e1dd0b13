// Whether a schema is structural: every value has one known type, said outside of allOf, anyOf, oneOf
// and not, so that unknown fields can be found and defaults filled in. Errors are sorted, as the API
// server sorts them.

import { patternError } from '../cel/patterns.ts';
import { formatFieldError, fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { isRecord } from '../schema/normalize.ts';
import type { JsonSchema } from './json-schema.ts';

type Level = 'root' | 'item' | 'field';

const PRESERVE = 'x-kubernetes-preserve-unknown-fields';
const EMBEDDED = 'x-kubernetes-embedded-resource';
const INT_OR_STRING = 'x-kubernetes-int-or-string';

export function checkStructural(schema: JsonSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkInvariants(schema, 'root', path, errors);
  checkComplete(schema, path, errors);
  return errors
    .map((error) => ({ error, text: formatFieldError(error) }))
    .toSorted((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ error }) => error);
}

function checkInvariants(
  schema: JsonSchema,
  level: Level,
  path: string,
  errors: FieldError[],
): void {
  const { type = '', items, properties = {}, additionalProperties } = schema;
  if (type === 'array' && items === undefined) {
    errors.push(fieldError.required(`${path}.items`, 'must be specified'));
  }
  if (items !== undefined) checkInvariants(items, 'item', `${path}.items`, errors);
  for (const [name, property] of Object.entries(properties)) {
    checkInvariants(property, 'field', `${path}.properties[${name}]`, errors);
  }
  if (additionalProperties !== undefined) {
    const at = `${path}.additionalProperties`;
    if (level === 'root') errors.push(fieldError.forbidden(at, 'must not be used at the root'));
    if (isRecord(additionalProperties)) checkInvariants(additionalProperties, 'field', at, errors);
  }
  checkExtensions(schema, path, errors);
  checkValueValidation(schema, path, errors, {
    skipAnyOf: isIntOrStringPair(schema.anyOf),
    skipFirstAllOf: isIntOrStringPair(schema.allOf?.[0]?.anyOf),
  });
  checkType(schema, level, path, errors);
  checkMeta(schema, level, path, errors);
}

function checkExtensions(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (schema[INT_OR_STRING] !== true) return;
  for (const other of [PRESERVE, EMBEDDED] as const) {
    if (schema[other] === true) {
      const detail = `must be false if ${INT_OR_STRING} is true`;
      errors.push(fieldError.invalid(`${path}.${other}`, true, detail));
    }
  }
}

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkType(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const { type = '', additionalProperties, properties = {} } = schema;
  const at = `${path}.type`;
  const embedded = schema[EMBEDDED] === true;
  if (embedded && type !== 'object') {
    const detail = `must be object if ${EMBEDDED} is true`;
    errors.push(
      type === '' ? fieldError.required(at, detail) : fieldError.invalid(at, type, detail),
    );
  } else if (type === '' && schema[INT_OR_STRING] !== true && schema[PRESERVE] !== true) {
    errors.push(fieldError.required(at, EMPTY_TYPE[level]));
  }
  if (embedded && additionalProperties !== undefined) {
    const detail = `must not be used if ${EMBEDDED} is set`;
    errors.push(fieldError.forbidden(`${path}.additionalProperties`, detail));
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(fieldError.invalid(at, type, 'must be object at the root'));
  }
  if (embedded && schema[PRESERVE] !== true && Object.keys(properties).length === 0) {
    const detail = `must not be empty if ${EMBEDDED} is true without ${PRESERVE}`;
    errors.push(fieldError.required(`${path}.properties`, detail));
  }
}

function checkMeta(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  if (level !== 'root' && schema[EMBEDDED] !== true) return;
  const { properties = {} } = schema;
  for (const name of ['kind', 'apiVersion']) {
    const property = properties[name];
    if (property !== undefined && property.type !== 'string') {
      const at = `${path}.properties[${name}].type`;
      errors.push(fieldError.invalid(at, property.type ?? '', 'must be string'));
    }
  }
  const { metadata } = properties;
  if (metadata === undefined) return;
  const at = `${path}.properties[metadata]`;
  if (metadata.type !== 'object') {
    errors.push(fieldError.invalid(`${at}.type`, metadata.type ?? '', 'must be object'));
  }
  if (level !== 'root') return;
  const fields = Object.keys(metadata.properties ?? {});
  const allowed = new Set(['type', 'properties', 'default']);
  if (
    !fields.every((name) => name === 'name' || name === 'generateName') ||
    !Object.keys(metadata).every((keyword) => allowed.has(keyword))
  ) {
    const detail =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(fieldError.forbidden(at, detail));
  }
}

/** anyOf: [{type: integer}, {type: string}], the one place where alternatives may name types. */
function isIntOrStringPair(anyOf: readonly JsonSchema[] | undefined): boolean {
  return (
    anyOf?.length === 2 &&
    anyOf[0]?.type === 'integer' &&
    anyOf[1]?.type === 'string' &&
    anyOf.every((each) => Object.keys(each).length === 1)
  );
}

function checkValueValidation(
  schema: JsonSchema,
  path: string,
  errors: FieldError[],
  { skipAnyOf, skipFirstAllOf }: { readonly skipAnyOf: boolean; readonly skipFirstAllOf: boolean },
): void {
  if (!skipAnyOf) {
    schema.anyOf?.forEach((each, i) => checkNested(each, `${path}.anyOf[${i}]`, errors));
  }
  schema.allOf?.forEach((each, i) =>
    checkNested(each, `${path}.allOf[${i}]`, errors, skipFirstAllOf && i === 0),
  );
  schema.oneOf?.forEach((each, i) => checkNested(each, `${path}.oneOf[${i}]`, errors));
  if (schema.not !== undefined) checkNested(schema.not, `${path}.not`, errors);
  const problem = schema.pattern === undefined ? undefined : patternError(schema.pattern);
  if (problem !== undefined) {
    const detail = `must be a valid regular expression, but isn't: ${problem}`;
    errors.push(fieldError.invalid(`${path}.pattern`, schema.pattern, detail));
  }
}

/** Keywords that say what a value is; an alternative may only say what it must be like. */
const FORBIDDEN: readonly (readonly [keyof JsonSchema, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['externalDocs', 'must be undefined to be structural'],
  [PRESERVE, 'must be false to be structural'],
  [EMBEDDED, 'must be false to be structural'],
  [INT_OR_STRING, 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function checkNested(
  schema: JsonSchema,
  path: string,
  errors: FieldError[],
  skipAnyOf = false,
): void {
  checkValueValidation(schema, path, errors, { skipAnyOf, skipFirstAllOf: false });
  if (schema.items !== undefined) checkNested(schema.items, `${path}.items`, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    checkNested(property, `${path}.properties[${name}]`, errors);
  }
  for (const [keyword, detail] of FORBIDDEN) {
    const value = schema[keyword];
    const absent = value === undefined || value === '' || value === false;
    if (!absent && !(Array.isArray(value) && value.length === 0)) {
      errors.push(fieldError.forbidden(`${path}.${keyword}`, detail));
    }
  }
  if (schema.properties?.['metadata'] !== undefined) {
    const detail = 'must not be specified in a nested context';
    errors.push(fieldError.forbidden(`${path}.properties[metadata]`, detail));
  }
}

/** Whatever an alternative speaks of must be specified outside as well. */
function checkComplete(schema: JsonSchema, path: string, errors: FieldError[]): void {
  for (const [each, at] of alternatives(schema, path)) {
    compare(each, schema, { nested: at, outer: path }, errors);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    checkComplete(property, `${path}.properties[${name}]`, errors);
  }
  if (schema.items !== undefined) checkComplete(schema.items, `${path}.items`, errors);
  if (isRecord(schema.additionalProperties)) {
    checkComplete(schema.additionalProperties, `${path}.additionalProperties`, errors);
  }
}

function alternatives(
  schema: JsonSchema,
  path: string,
): readonly (readonly [JsonSchema, string])[] {
  return [
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((junctor) =>
      (schema[junctor] ?? []).map((each, i) => [each, `${path}.${junctor}[${i}]`] as const),
    ),
    ...(schema.not === undefined ? [] : [[schema.not, `${path}.not`] as const]),
  ];
}

function compare(
  nested: JsonSchema,
  outer: JsonSchema | undefined,
  paths: { readonly nested: string; readonly outer: string },
  errors: FieldError[],
): void {
  if (outer === undefined) {
    const detail = `because it is defined in ${paths.nested}`;
    errors.push(fieldError.required(paths.outer, detail));
    return;
  }
  for (const [each, at] of alternatives(nested, paths.nested)) {
    compare(each, outer, { nested: at, outer: paths.outer }, errors);
  }
  if (nested.items !== undefined) {
    const below = { nested: `${paths.nested}.items`, outer: `${paths.outer}.items` };
    compare(nested.items, outer.items, below, errors);
  }
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const below = {
      nested: `${paths.nested}.properties[${name}]`,
      outer: `${paths.outer}.properties[${name}]`,
    };
    compare(property, outer.properties?.[name], below, errors);
  }
}
