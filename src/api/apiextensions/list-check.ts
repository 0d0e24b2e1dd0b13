// x-kubernetes-list-type, -list-map-keys and -map-type: what is wrong with how values are to be merged.

import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import type { JsonSchema } from './json-schema.ts';

const LIST_TYPE = 'x-kubernetes-list-type';
const MAP_KEYS = 'x-kubernetes-list-map-keys';
const MAP_TYPE = 'x-kubernetes-map-type';

export function checkListType(schema: JsonSchema, path: string, errors: FieldError[]): void {
  checkMapType(schema, path, errors);
  const listType = schema[LIST_TYPE];
  const keys = schema[MAP_KEYS] ?? [];
  if (listType !== undefined) checkListTypeItself(schema, listType, path, errors);
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(
      listType === undefined
        ? fieldError.required(`${path}.${LIST_TYPE}`, detail)
        : fieldError.invalid(`${path}.${LIST_TYPE}`, listType, detail),
    );
  }
  if (listType === 'map') checkMapList(schema, keys, path, errors);
  if ((listType === 'map' || listType === 'set') && schema.items?.nullable === true) {
    const detail = `cannot be nullable when ${LIST_TYPE} is ${listType}`;
    errors.push(fieldError.forbidden(`${path}.items.nullable`, detail));
  }
}

function checkMapType(schema: JsonSchema, path: string, errors: FieldError[]): void {
  const mapType = schema[MAP_TYPE];
  if (mapType === undefined) return;
  checkType(schema, 'object', `must be object if ${MAP_TYPE} is specified`, path, errors);
  if (mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(fieldError.unsupported(`${path}.${MAP_TYPE}`, mapType, ['atomic', 'granular']));
  }
}

function checkType(
  { type = '' }: JsonSchema,
  wanted: string,
  detail: string,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.type`;
  if (type === '') errors.push(fieldError.required(at, detail));
  else if (type !== wanted) errors.push(fieldError.invalid(at, type, detail));
}

function checkListTypeItself(
  schema: JsonSchema,
  listType: string,
  path: string,
  errors: FieldError[],
): void {
  const detail = `must be array if ${LIST_TYPE} is specified`;
  if (schema.type !== 'array') checkType(schema, 'array', detail, path, errors);
  else if (listType === 'set') checkSetItems(schema.items ?? {}, `${path}.items`, errors);
  if (!['atomic', 'set', 'map'].includes(listType)) {
    const supported = ['atomic', 'set', 'map'];
    errors.push(fieldError.unsupported(`${path}.${LIST_TYPE}`, listType, supported));
  }
}

/** Items of a set are compared as a whole, and so must be merged as a whole. */
function checkSetItems(items: JsonSchema, path: string, errors: FieldError[]): void {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items[LIST_TYPE];
  const mapType = items[MAP_TYPE];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
    errors.push(fieldError.invalid(`${path}.${LIST_TYPE}`, listType, detail));
  }
  if (items.type === 'object' && mapType !== 'atomic') {
    errors.push(fieldError.invalid(`${path}.${MAP_TYPE}`, mapType ?? null, detail));
  }
}

function checkMapList(
  { items }: JsonSchema,
  keys: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.${MAP_KEYS}`;
  if (keys.length === 0) {
    errors.push(fieldError.required(at, `must not be empty if ${LIST_TYPE} is map`));
  }
  if (items === undefined) {
    errors.push(fieldError.required(`${path}.items`, `must have a schema if ${LIST_TYPE} is map`));
    return;
  }
  if (items.type !== 'object') {
    const detail = `must be object if parent array's ${LIST_TYPE} is map`;
    errors.push(fieldError.invalid(`${path}.items.type`, items.type ?? '', detail));
    return;
  }
  const seen = new Set<string>();
  for (const key of keys) {
    checkKey(items, key, path, errors);
    if (items.properties?.[key] === undefined) {
      errors.push(fieldError.invalid(at, keys, 'entries must all be names of item properties'));
    }
    if (seen.has(key))
      errors.push(fieldError.invalid(at, keys, 'must not contain duplicate entries'));
    seen.add(key);
  }
}

function checkKey(items: JsonSchema, key: string, path: string, errors: FieldError[]): void {
  const property = items.properties?.[key];
  if (property === undefined) return;
  const at = `${path}.items.properties[${key}]`;
  if (property.type === 'array' || property.type === 'object') {
    const detail = `must be a scalar type if parent array's ${LIST_TYPE} is map`;
    errors.push(fieldError.invalid(`${at}.type`, items.type, detail));
  }
  const isKey = `this property is in ${MAP_KEYS}, so it`;
  if (items.required?.includes(key) !== true && property.default === undefined) {
    const detail = `${isKey} must have a default or be a required property`;
    errors.push(fieldError.required(`${at}.default`, detail));
  }
  if (property.nullable === true) {
    errors.push(fieldError.forbidden(`${at}.nullable`, `${isKey} cannot be nullable`));
  }
}
