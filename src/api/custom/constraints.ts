// The keywords of a CRD's schema that limit values and that our own schema language does not have:
// allOf, anyOf, oneOf, not, enums of any type, exclusive bounds, multipleOf, ranges of formats. A schema
// becomes one function from a value to errors, in the words of the API server's OpenAPI validation.

import { deepEqual } from '../../lib/equal.ts';
import { compilePattern, patternError } from '../cel/patterns.ts';
import type { JsonSchema } from '../apiextensions/json-schema.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { isRecord } from '../schema/normalize.ts';
import { lengthOf } from '../schema/scalars.ts';
import { hasFormat } from './formats.ts';

export type Constraint = (value: unknown, path: string) => readonly FieldError[];

/** What a node of our own already checks, and is not to be said twice. */
export type Native = 'string' | 'integer' | 'number' | 'object' | 'list' | 'none';

/** The constraints of one node that `native` leaves open; undefined when there are none. */
export function constraintsOf(schema: JsonSchema, native: Native): Constraint | undefined {
  const all = [...junctors(schema), ...limits(schema, native)];
  return all.length === 0 ? undefined : (value, path) => all.flatMap((each) => each(value, path));
}

function junctors({ allOf = [], anyOf = [], oneOf = [], not }: JsonSchema): readonly Constraint[] {
  const out: Constraint[] = [];
  if (anyOf.length > 0) out.push(anyOfConstraint(anyOf));
  if (oneOf.length > 0) out.push(oneOfConstraint(oneOf));
  if (allOf.length > 0) out.push(allOfConstraint(allOf));
  if (not !== undefined) {
    const inner = nestedConstraint(not);
    out.push((value, path) =>
      inner(value, path).errors.length === 0
        ? [composite(path, 'must not validate the schema (not)')]
        : [],
    );
  }
  return out;
}

/** Errors of this sort name their field in the text, and none as their path. */
function composite(path: string, detail: string): FieldError {
  return fieldError.invalid('', '', `${JSON.stringify(path)} ${detail}`);
}

function anyOfConstraint(schemas: readonly JsonSchema[]): Constraint {
  const inner = schemas.map(nestedConstraint);
  return (value, path) => {
    const outcomes = inner.map((each) => each(value, path));
    if (outcomes.some(({ errors }) => errors.length === 0)) return [];
    return [composite(path, 'must validate at least one schema (anyOf)'), ...best(outcomes)];
  };
}

function oneOfConstraint(schemas: readonly JsonSchema[]): Constraint {
  const inner = schemas.map(nestedConstraint);
  return (value, path) => {
    const outcomes = inner.map((each) => each(value, path));
    const valid = outcomes.filter(({ errors }) => errors.length === 0).length;
    if (valid === 1) return [];
    const detail = 'must validate one and only one schema (oneOf)';
    return valid === 0
      ? [composite(path, `${detail}. Found none valid`), ...best(outcomes)]
      : [composite(path, `${detail}. Found ${valid} valid alternatives`)];
  };
}

function allOfConstraint(schemas: readonly JsonSchema[]): Constraint {
  const inner = schemas.map(nestedConstraint);
  return (value, path) => {
    const errors = inner.flatMap((each) => each(value, path).errors);
    return errors.length === 0
      ? []
      : [composite(path, 'must validate all the schemas (allOf)'), ...errors];
  };
}

interface Outcome {
  readonly errors: readonly FieldError[];
  /** Fields and items that were right. */
  readonly matches: number;
}

/** Of several alternatives that fail, what is wrong with the one that is most nearly right. */
function best(outcomes: readonly Outcome[]): readonly FieldError[] {
  return outcomes.reduce((most, each) => (each.matches > most.matches ? each : most)).errors;
}

/** A schema within allOf, anyOf, oneOf or not, with the values it looks into. */
function nestedConstraint(schema: JsonSchema): (value: unknown, path: string) => Outcome {
  const { required = [], items, type } = schema;
  const properties = Object.entries(schema.properties ?? {}).map(
    ([key, property]) => [key, nestedConstraint(property)] as const,
  );
  const each = items === undefined ? undefined : nestedConstraint(items);
  const own = constraintsOf(schema, 'none') ?? (() => []);
  return (value, path) => {
    const errors = [...own(value, path)];
    let matches = 0;
    const add = (outcome: Outcome) => {
      errors.push(...outcome.errors);
      matches += outcome.matches + (outcome.errors.length === 0 ? 1 : 0);
    };
    if (type !== undefined && !hasType(type, value))
      errors.push(fieldError.type(path, value, type));
    if (isRecord(value)) {
      for (const key of required) {
        if (!Object.hasOwn(value, key)) errors.push(fieldError.required(join(path, key)));
      }
      for (const [key, constraint] of properties) {
        if (Object.hasOwn(value, key)) add(constraint(value[key], join(path, key)));
      }
    }
    if (each !== undefined && Array.isArray(value)) {
      value.forEach((item, i) => add(each(item, `${path}[${i}]`)));
    }
    return { errors, matches };
  };
}

function hasType(type: string, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isRecord(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function limits(schema: JsonSchema, native: Native): readonly Constraint[] {
  return [
    ...enumConstraint(schema, native),
    ...textConstraints(schema, native),
    ...numberConstraints(schema, native),
    ...countConstraints(schema, native),
  ];
}

function enumConstraint({ enum: values }: JsonSchema, native: Native): readonly Constraint[] {
  if (values === undefined || native === 'string' || native === 'integer') return [];
  const shown = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return [
    (value, path) =>
      values.some((allowed) => deepEqual(allowed, value))
        ? []
        : [fieldError.unsupported(path, value, shown)],
  ];
}

function textConstraints(schema: JsonSchema, native: Native): readonly Constraint[] {
  const { minLength, maxLength, pattern, format } = schema;
  const out: Constraint[] = [];
  const onText = (constraint: (value: string, path: string) => readonly FieldError[]) =>
    out.push((value, path) => (typeof value === 'string' ? constraint(value, path) : []));
  if (format !== undefined) {
    onText((value, path) =>
      hasFormat(format, value) ? [] : [fieldError.format(path, value, format)],
    );
  }
  if (native === 'string') return out;
  if (maxLength !== undefined) {
    onText((value, path) =>
      lengthOf(value) > maxLength ? [fieldError.tooLong(path, maxLength)] : [],
    );
  }
  if (minLength !== undefined) {
    onText((value, path) =>
      lengthOf(value) < minLength
        ? [invalid(path, value, `should be at least ${minLength} chars long`)]
        : [],
    );
  }
  if (pattern !== undefined && patternError(pattern) === undefined) {
    const matcher = compilePattern(pattern);
    onText((value, path) =>
      matcher.test(value) ? [] : [invalid(path, value, `should match '${pattern}'`)],
    );
  }
  return out;
}

/** Ranges of the formats of whole numbers. */
const INTEGER_FORMATS: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

function numberConstraints(schema: JsonSchema, native: Native): readonly Constraint[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format = '' } = schema;
  const out: Constraint[] = [];
  const onNumber = (holds: (value: number) => boolean, detail: string) =>
    out.push((value, path) =>
      typeof value !== 'number' || holds(value) ? [] : [invalid(path, value, detail)],
    );
  const isNative = native === 'integer' || native === 'number';
  if (minimum !== undefined) {
    if (exclusiveMinimum === true)
      onNumber((v) => v > minimum, `should be greater than ${minimum}`);
    else if (!isNative) {
      onNumber((v) => v >= minimum, `should be greater than or equal to ${minimum}`);
    }
  }
  if (maximum !== undefined) {
    if (exclusiveMaximum === true) onNumber((v) => v < maximum, `should be less than ${maximum}`);
    else if (!isNative) onNumber((v) => v <= maximum, `should be less than or equal to ${maximum}`);
  }
  if (multipleOf !== undefined && multipleOf > 0) {
    onNumber((v) => Number.isInteger(v / multipleOf), `should be a multiple of ${multipleOf}`);
  }
  const range = INTEGER_FORMATS[format];
  if (range !== undefined) {
    onNumber(
      (v) => v >= range[0] && v <= range[1],
      `must be of type integer with format ${format}`,
    );
  }
  return out;
}

function countConstraints(schema: JsonSchema, native: Native): readonly Constraint[] {
  const { minItems, maxItems, minProperties, maxProperties } = schema;
  const out: Constraint[] = [];
  const onCount = (min: number | undefined, max: number | undefined, of: Counted) => {
    if (min !== undefined || max !== undefined) {
      out.push((value, path) => countErrors(of.count(value), path, { min, max, noun: of.noun }));
    }
  };
  if (native !== 'list') onCount(minItems, maxItems, ITEMS);
  if (native !== 'object') onCount(minProperties, maxProperties, PROPERTIES);
  return out;
}

interface Counted {
  readonly noun: string;
  readonly count: (value: unknown) => number | undefined;
}

const ITEMS: Counted = {
  noun: 'items',
  count: (value) => (Array.isArray(value) ? value.length : undefined),
};
const PROPERTIES: Counted = {
  noun: 'properties',
  count: (value) => (isRecord(value) ? Object.keys(value).length : undefined),
};

function countErrors(
  count: number | undefined,
  path: string,
  { min, max, noun }: { min: number | undefined; max: number | undefined; noun: string },
): readonly FieldError[] {
  if (count === undefined) return [];
  if (max !== undefined && count > max) return [fieldError.tooMany(path, count, max)];
  return min !== undefined && count < min
    ? [invalid(path, count, `should have at least ${min} ${noun}`)]
    : [];
}

function invalid(path: string, value: unknown, detail: string): FieldError {
  return fieldError.invalid(path, value, `${path} in body ${detail}`);
}
