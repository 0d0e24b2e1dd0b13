// A JSON value and its schema → the value CEL sees: whole numbers as int, times and durations as such,
// fields under the names CEL can spell, and of an object only what the schema names.

import { celList, celMap, run } from '@bufbuild/cel';
import type { CelInput, CelValue } from '@bufbuild/cel';
import type { JsonSchema } from '../apiextensions/json-schema.ts';
import { isRecord } from '../schema/normalize.ts';
import { escapeField, isObjectRoot, isVisible, withMeta } from './types.ts';

/** Converts a value; `isRoot` says that it is a whole object with metadata. */
export function toCelValue(schema: JsonSchema, value: unknown, isRoot = false): CelInput {
  if (value === null || value === undefined) return null;
  if (schema['x-kubernetes-int-or-string'] === true) return untyped(value);
  switch (schema.type) {
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : untyped(value);
    case 'number':
      return typeof value === 'number' ? value : untyped(value);
    case 'string':
      return typeof value === 'string' ? formatted(value, schema.format) : untyped(value);
    case 'array':
      return Array.isArray(value)
        ? celList(value.map((item) => toCelValue(schema.items ?? {}, item)))
        : untyped(value);
    case 'object':
      return isRecord(value) ? fields(schema, value, isRoot) : untyped(value);
    default:
      return untyped(value);
  }
}

function fields(schema: JsonSchema, value: Record<string, unknown>, isRoot: boolean): CelInput {
  const { additionalProperties } = schema;
  const out = new Map<string, CelInput>();
  if (isRecord(additionalProperties)) {
    const each: JsonSchema = additionalProperties;
    for (const [key, item] of Object.entries(value)) out.set(key, toCelValue(each, item));
    return celMap(out);
  }
  const { properties = {} } = isRoot || isObjectRoot(schema) ? withMeta(schema) : schema;
  for (const [name, property] of Object.entries(properties)) {
    const item = Object.hasOwn(value, name) ? value[name] : undefined;
    const key = item === undefined || !isVisible(property) ? undefined : escapeField(name);
    if (key !== undefined) out.set(key, toCelValue(property, item));
  }
  return celMap(out);
}

/** A value that is not of the type its schema names, or may be a number or a text. */
function untyped(value: unknown): CelInput {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

/** Text that is no text in CEL. A text that does not have its format stays text: the format is refused. */
function formatted(value: string, format: string | undefined): CelInput {
  switch (format) {
    case 'date-time':
      return converted('timestamp(text)', value);
    case 'date':
      return converted('timestamp(text)', `${value}T00:00:00Z`) ?? value;
    case 'duration':
      return converted('duration(text)', value);
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    default:
      return value;
  }
}

/** The evaluator's own reading of times and durations. */
function converted(expression: string, text: string): CelInput {
  const result = run(expression, { text });
  return result instanceof Error ? text : (result as CelValue);
}
