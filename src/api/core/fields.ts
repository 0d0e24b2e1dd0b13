// The few forms of field that nearly every core kind is made of, so that a schema reads as a list of
// names and meanings. Required fields that Go keeps without `omitempty` are written with requiredDef
// and their zero value: Kubernetes reports them when it validates, beside all other errors, and not
// while it decodes.

import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { boolean, integer, list, map, requiredDef, string } from '../schema/schema.ts';
import type { Check, Infer, Schema, StringNode } from '../schema/schema.ts';
import { QUANTITY_ERROR, parseQuantity } from './quantity.ts';

/** The protocols of ports, in the order Kubernetes lists them in errors. */
export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'] as const;

export function text(doc: string): Schema<string> {
  return string({ doc });
}

/** A string that has to be there: '' when absent, which a check then reports as required. */
export function requiredText(doc: string) {
  return requiredDef(string({ doc }), '');
}

/**
 * A string of a closed list that a check enforces, because Kubernetes words the error otherwise than
 * `Unsupported value`, or accepts more than the list in some cases.
 */
export function choice<T extends string>(doc: string): Schema<T> {
  return string({ doc }) as Schema<T>;
}

export function flag(doc: string): Schema<boolean> {
  return boolean({ doc });
}

export function int32(doc: string): Schema<number> {
  return integer({ format: 'int32', doc });
}

export function int64(doc: string): Schema<number> {
  return integer({ format: 'int64', doc });
}

/**
 * A schema whose values are also checked in code. Apart from `object`, so that the check can be
 * written for the type of the schema.
 */
export function checked<T>(schema: Schema<T>, check: Check): Schema<T> {
  return { ...schema, check };
}

/** A point in time as RFC 3339 text. */
export function time(doc: string): Schema<string> {
  return string({ format: 'date-time', doc });
}

/** Bytes as base64 text. */
export function bytes(doc?: string): Schema<string> {
  return string({ format: 'byte', check: checkBase64, ...(doc === undefined ? {} : { doc }) });
}

/** Strings that server-side apply replaces as a whole. */
export function texts(doc: string): Schema<readonly string[]> {
  return list(string(), { listType: 'atomic', doc });
}

export function textMap(doc: string): Schema<Readonly<Record<string, string>>> {
  return map(string(), { doc });
}

/** A list that server-side apply replaces as a whole. */
export function atomicList<S extends Schema<unknown>>(
  items: S,
  doc: string,
): Schema<readonly Infer<S>[]> {
  return list(items, { listType: 'atomic', doc }) as Schema<readonly Infer<S>[]>;
}

/** A node of a quantity, as `500m` or `1Gi`. canonical.ts turns what is written into canonical form. */
export interface QuantityNode extends StringNode {
  readonly quantity: true;
}

export function quantity(doc?: string): Schema<string> {
  const node: QuantityNode = {
    type: 'string',
    quantity: true,
    check: checkQuantity,
    ...(doc === undefined ? {} : { doc }),
  };
  return node;
}

/** A list each value is in once, as far as server-side apply goes; others may repeat themselves. */
export function setList<S extends Schema<unknown>>(
  items: S,
  doc: string,
): Schema<readonly Infer<S>[]> {
  const node = { ...list(items, { listType: 'set', doc }), allowsDuplicates: true };
  return node as Schema<readonly Infer<S>[]>;
}

interface KeyedOptions {
  /** The fields that together name an item. */
  readonly keys: readonly string[];
  /** The one field strategic merge goes by, where there are several keys. */
  readonly mergeKey?: string;
  readonly doc: string;
}

/**
 * A list whose items are merged by key. Unlike a CRD's, such a list of a core kind may hold one key
 * twice: two InternalIP addresses of a Node, an environment variable set again. Where it may not,
 * the kind's own check says so.
 */
export function keyed<S extends Schema<unknown>>(
  items: S,
  options: KeyedOptions,
): Schema<readonly Infer<S>[]> {
  const node = { ...list(items, { listType: 'map', ...options }), allowsDuplicates: true };
  return node as Schema<readonly Infer<S>[]>;
}

function checkQuantity(value: string, path: string): readonly FieldError[] {
  return parseQuantity(value) === undefined
    ? [fieldError.invalid(path, value, QUANTITY_ERROR)]
    : [];
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What is not base64 is not shown: it may well be the secret itself, written without encoding. */
function checkBase64(value: string, path: string): readonly FieldError[] {
  // Go's decoder skips line ends, as YAML block scalars leave them.
  return BASE64.test(value.replaceAll(/[\r\n]/g, ''))
    ? []
    : [fieldError.invalid(path, '<contents redacted>', 'illegal base64 data')];
}
