// What is wrong with a field of an object, in the words and kinds of Kubernetes' own field errors
// (k8s.io/apimachinery/pkg/util/validation/field): kubectl users know them, and clients match on them.

/** Kinds of field errors; the value is the `reason` of a cause in a Status answer. */
export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueForbidden';

export interface FieldError {
  readonly reason: FieldErrorReason;
  /** The field, as `spec.rules[0].matches[1].path.type`. Empty for the object: Kubernetes' `<nil>`. */
  readonly path: string;
  /** What is wrong, without the path: `Unsupported value: "Foo": supported values: "A", "B"`. */
  readonly message: string;
}

/** `spec.port: Invalid value: 0: must be between 1 and 65535, inclusive` */
export function formatFieldError(error: FieldError): string {
  return error.path === '' ? error.message : `${error.path}: ${error.message}`;
}

export const fieldError = {
  required: (path: string, detail = ''): FieldError => ({
    reason: 'FieldValueRequired',
    path,
    message: detail === '' ? 'Required value' : `Required value: ${detail}`,
  }),
  invalid: (path: string, value: unknown, detail: string): FieldError => ({
    reason: 'FieldValueInvalid',
    path,
    message: `Invalid value: ${show(value)}: ${detail}`,
  }),
  type: (path: string, value: unknown, expected: string): FieldError => ({
    reason: 'FieldValueTypeInvalid',
    path,
    message: `Invalid value: ${JSON.stringify(jsonType(value))}: ${path} in body must be of type ${expected}: ${JSON.stringify(jsonType(value))}`,
  }),
  format: (path: string, value: string, format: string): FieldError => ({
    reason: 'FieldValueTypeInvalid',
    path,
    message: `Invalid value: ${show(value)}: ${path} in body must be of type ${format}: ${show(value)}`,
  }),
  unsupported: (
    path: string,
    value: unknown,
    supported: readonly (string | number)[],
  ): FieldError => ({
    reason: 'FieldValueNotSupported',
    path,
    message: `Unsupported value: ${show(value)}: supported values: ${supported.map((v) => show(String(v))).join(', ')}`,
  }),
  duplicate: (path: string, value: unknown): FieldError => ({
    reason: 'FieldValueDuplicate',
    path,
    message: `Duplicate value: ${show(value)}`,
  }),
  tooLong: (path: string, limitBytes: number): FieldError => ({
    reason: 'FieldValueTooLong',
    path,
    message: `Too long: may not be more than ${limitBytes} ${limitBytes === 1 ? 'byte' : 'bytes'}`,
  }),
  tooMany: (path: string, count: number, limit: number): FieldError => ({
    reason: 'FieldValueTooMany',
    path,
    message: `Too many: ${count}: must have at most ${limit} ${limit === 1 ? 'item' : 'items'}`,
  }),
  forbidden: (path: string, detail: string): FieldError => ({
    reason: 'FieldValueForbidden',
    path,
    message: `Forbidden: ${detail}`,
  }),
  /** Said once of an object whose rules were left alone: see `blocksRules`. */
  rulesNotChecked: (): FieldError => ({
    reason: 'FieldValueInvalid',
    path: '',
    message:
      'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  }),
};

/**
 * True for errors after which the API server evaluates no rule of the whole object: a rule could
 * stumble over the value, or cost too much on it. A broken pattern or bound does not block.
 */
export function blocksRules(error: FieldError): boolean {
  switch (error.reason) {
    case 'FieldValueRequired':
    case 'FieldValueTypeInvalid':
    case 'FieldValueNotSupported':
    case 'FieldValueTooLong':
    case 'FieldValueTooMany':
      return true;
    case 'FieldValueInvalid':
    case 'FieldValueDuplicate':
    case 'FieldValueForbidden':
      return false;
  }
}

/** The JSON type of a value, as the OpenAPI validator names it. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function show(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}
