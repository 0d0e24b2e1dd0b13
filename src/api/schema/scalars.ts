// Strings and numbers → what is wrong with them: lengths, patterns, formats, enums and bounds, in the
// words of the API server's OpenAPI validation.

import { fieldError } from './errors.ts';
import type { FieldError } from './errors.ts';
import { isDateTime, isIPv4, isIPv6 } from './formats.ts';
import type { IntegerNode, StringNode } from './schema.ts';

const patterns = new Map<string, RegExp>();

/** Compiles a pattern once. Matching by characters, not UTF-16 units, is what RE2 does. */
function matcherOf(pattern: string): RegExp {
  let regexp = patterns.get(pattern);
  if (regexp === undefined) {
    regexp = new RegExp(pattern, 'u');
    patterns.set(pattern, regexp);
  }
  return regexp;
}

/** Length as Kubernetes counts it: characters, not UTF-16 units. */
export function lengthOf(value: string): number {
  let length = value.length;
  for (let i = 0; i < value.length; i++) {
    if ((value.charCodeAt(i) & 0xfc00) === 0xd800) length--;
  }
  return length;
}

type TextNode = Pick<StringNode, 'minLength' | 'maxLength' | 'pattern' | 'matcher' | 'format'>;

/** Of length and pattern only the first broken one is reported: a pattern may be slow on long text. */
export function checkString(
  node: TextNode,
  value: string,
  path: string,
  errors: FieldError[],
): void {
  const { minLength, maxLength, pattern, matcher, format } = node;
  if (maxLength !== undefined && value.length > maxLength && lengthOf(value) > maxLength) {
    errors.push(fieldError.tooLong(path, maxLength));
  } else if (minLength !== undefined && lengthOf(value) < minLength) {
    const detail = `${path} in body should be at least ${minLength} chars long`;
    errors.push(fieldError.invalid(path, value, detail));
  } else if (pattern !== undefined && !(matcher ?? matcherOf(pattern)).test(value)) {
    errors.push(fieldError.invalid(path, value, `${path} in body should match '${pattern}'`));
  }
  if (format !== undefined && !hasFormat(format, value)) {
    errors.push(fieldError.format(path, value, format));
  }
}

function hasFormat(format: NonNullable<StringNode['format']>, value: string): boolean {
  switch (format) {
    case 'date-time':
      return isDateTime(value);
    case 'ipv4':
      return isIPv4(value, true);
    case 'ipv6':
      return isIPv6(value);
    case 'byte':
    case 'uri':
      return true;
  }
}

/** Checked whatever the type of the value: 5 is neither a string nor one of the supported. */
export function checkEnum(
  node: StringNode | IntegerNode,
  value: unknown,
  path: string,
  errors: FieldError[],
): void {
  const values: readonly unknown[] | undefined = node.enum;
  if (node.enum !== undefined && values?.includes(value) === false) {
    errors.push(fieldError.unsupported(path, value, node.enum));
  }
}

/** Both bounds are inclusive. */
export function checkBounds(
  bounds: { readonly minimum?: number; readonly maximum?: number },
  value: number,
  path: string,
  errors: FieldError[],
): void {
  const { minimum, maximum } = bounds;
  if (minimum !== undefined && value < minimum) {
    const detail = `${path} in body should be greater than or equal to ${minimum}`;
    errors.push(fieldError.invalid(path, value, detail));
  }
  if (maximum !== undefined && value > maximum) {
    const detail = `${path} in body should be less than or equal to ${maximum}`;
    errors.push(fieldError.invalid(path, value, detail));
  }
}
