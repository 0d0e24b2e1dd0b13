// Value → what is wrong with it, in Kubernetes' words. Works on normalized values. Structure first:
// rules and checks of a value run only when nothing below it is structurally wrong, so that they may
// trust its types, as CEL rules do in a CRD.

import { fieldError } from './errors.ts';
import type { FieldError } from './errors.ts';
import { isRecord } from './normalize.ts';
import type { IntegerNode, ListNode, MapNode, Node, ObjectNode, StringNode } from './schema.ts';

/** Errors reported for one object; more are of no use to a reader, and hostile input has no end. */
const ERRORS_MAX = 100;

/** Validates a normalized value. `old` is the stored value when this is an update. */
export function validate(node: Node, value: unknown, old?: unknown): readonly FieldError[] {
  const errors: FieldError[] = [];
  walk(node, value, old, '', errors);
  return errors;
}

function walk(node: Node, value: unknown, old: unknown, path: string, errors: FieldError[]): void {
  if (errors.length >= ERRORS_MAX) return;
  if (value === null && node.nullable === true) return;
  const before = errors.length;
  walkStructure(node, value, old, path, errors);
  if (errors.length > before) return;
  for (const rule of node.rules ?? []) {
    if (rule.transition === true && old === undefined) continue;
    if (!rule.check(value, old)) errors.push(fieldError.invalid(path, typeName(node), rule.message));
  }
  if (node.check !== undefined) errors.push(...node.check(value, path, old));
}

function walkStructure(
  node: Node,
  value: unknown,
  old: unknown,
  path: string,
  errors: FieldError[],
): void {
  switch (node.type) {
    case 'object':
      if (!isRecord(value)) errors.push(fieldError.type(path, value, 'object'));
      else walkObject(node, value, isRecord(old) ? old : undefined, path, errors);
      return;
    case 'map':
      if (!isRecord(value)) errors.push(fieldError.type(path, value, 'object'));
      else walkMap(node, value, path, errors);
      return;
    case 'list':
      if (!Array.isArray(value)) errors.push(fieldError.type(path, value, 'array'));
      else walkList(node, value, Array.isArray(old) ? old : undefined, path, errors);
      return;
    case 'string':
      if (typeof value !== 'string') errors.push(fieldError.type(path, value, 'string'));
      else checkString(node, value, path, errors);
      return;
    case 'integer':
      if (!Number.isInteger(value)) errors.push(fieldError.type(path, value, 'integer'));
      else checkInteger(node, value as number, path, errors);
      return;
    case 'number':
      if (typeof value !== 'number') errors.push(fieldError.type(path, value, 'number'));
      else checkBounds(node.minimum, node.maximum, value, path, errors);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') errors.push(fieldError.type(path, value, 'boolean'));
      return;
    case 'intOrString':
      if (typeof value === 'string') {
        checkString({ ...node, type: 'string' }, value, path, errors);
      } else if (!Number.isInteger(value)) {
        errors.push(fieldError.type(path, value, 'integer,string'));
      }
      return;
    case 'any':
      return;
  }
}

function walkObject(
  node: ObjectNode,
  value: Record<string, unknown>,
  old: Record<string, unknown> | undefined,
  path: string,
  errors: FieldError[],
): void {
  for (const [key, field] of node.fields) {
    const at = path === '' ? key : `${path}.${key}`;
    const item = value[key];
    if (item === undefined) {
      if (field.required) errors.push(fieldError.required(at));
    } else {
      walk(field.node, item, old?.[key], at, errors);
    }
  }
  checkProperties(node, value, path, errors);
}

function walkMap(
  node: MapNode,
  value: Record<string, unknown>,
  path: string,
  errors: FieldError[],
): void {
  for (const key of Object.keys(value)) {
    walk(node.values, value[key], undefined, `${path}[${key}]`, errors);
  }
  checkProperties(node, value, path, errors);
}

function checkProperties(
  node: ObjectNode | MapNode,
  value: Record<string, unknown>,
  path: string,
  errors: FieldError[],
): void {
  const { minProperties, maxProperties } = node;
  if (minProperties === undefined && maxProperties === undefined) return;
  const count = Object.keys(value).length;
  if (maxProperties !== undefined && count > maxProperties) {
    errors.push(fieldError.tooMany(path, count, maxProperties));
  }
  if (minProperties !== undefined && count < minProperties) {
    const detail = `${path} in body should have at least ${minProperties} properties`;
    errors.push(fieldError.invalid(path, count, detail));
  }
}

function walkList(
  node: ListNode,
  value: readonly unknown[],
  old: readonly unknown[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (node.maxItems !== undefined && value.length > node.maxItems) {
    // Not looked into: a list far over its limit would only repeat itself.
    errors.push(fieldError.tooMany(path, value.length, node.maxItems));
    return;
  }
  if (node.minItems !== undefined && value.length < node.minItems) {
    const detail = `${path} in body should have at least ${node.minItems} items`;
    errors.push(fieldError.invalid(path, value.length, detail));
  }
  const before = errors.length;
  const oldByKey = old === undefined ? undefined : indexByKey(node, old);
  value.forEach((item, i) => {
    const oldItem = oldByKey?.get(itemKey(node, item));
    walk(node.items, item, oldItem, `${path}[${i}]`, errors);
  });
  if (errors.length === before) checkUnique(node, value, path, errors);
}

function checkUnique(
  node: ListNode,
  value: readonly unknown[],
  path: string,
  errors: FieldError[],
): void {
  if (node.listType !== 'set' && node.listType !== 'map') return;
  const seen = new Set<string>();
  value.forEach((item, i) => {
    const key = itemKey(node, item);
    if (seen.has(key)) {
      errors.push(fieldError.duplicate(`${path}[${i}]`, keyOf(node, item)));
    }
    seen.add(key);
  });
}

/** What names a list item: its key fields for `map`, the whole value for `set`. */
function keyOf(node: ListNode, item: unknown): unknown {
  if (node.listType !== 'map' || !isRecord(item)) return item;
  return Object.fromEntries((node.keys ?? []).map((key) => [key, item[key]]));
}

function itemKey(node: ListNode, item: unknown): string {
  return JSON.stringify(keyOf(node, item));
}

/** Old items by key, so that a transition rule compares an item with its own former self. */
function indexByKey(node: ListNode, old: readonly unknown[]): Map<string, unknown> | undefined {
  if (node.listType !== 'map') return undefined;
  return new Map(old.map((item) => [itemKey(node, item), item]));
}

const patterns = new Map<string, RegExp>();

function matches(pattern: string, value: string): boolean {
  let regexp = patterns.get(pattern);
  if (regexp === undefined) {
    regexp = new RegExp(pattern, 'u');
    patterns.set(pattern, regexp);
  }
  return regexp.test(value);
}

/** Length as Kubernetes counts it: characters, not UTF-16 units. */
function lengthOf(value: string): number {
  let length = value.length;
  for (let i = 0; i < value.length; i++) {
    if ((value.charCodeAt(i) & 0xfc00) === 0xd800) length--;
  }
  return length;
}

function checkString(node: StringNode, value: string, path: string, errors: FieldError[]): void {
  const { minLength, maxLength, pattern } = node;
  if (node.enum !== undefined && !node.enum.includes(value)) {
    errors.push(fieldError.unsupported(path, value, node.enum));
    return;
  }
  if (maxLength !== undefined && lengthOf(value) > maxLength) {
    // Reported alone: a pattern may be slow on what is far too long.
    errors.push(fieldError.tooLong(path, maxLength));
    return;
  }
  if (minLength !== undefined && lengthOf(value) < minLength) {
    const detail = `${path} in body should be at least ${minLength} chars long`;
    errors.push(fieldError.invalid(path, value, detail));
  }
  if (pattern !== undefined && !matches(pattern, value)) {
    errors.push(fieldError.invalid(path, value, `${path} in body should match '${pattern}'`));
  }
  if (node.format === 'date-time' && Number.isNaN(Date.parse(value))) {
    const detail = `${path} in body must be of type date-time: ${JSON.stringify(value)}`;
    errors.push(fieldError.invalid(path, value, detail));
  }
}

function checkInteger(node: IntegerNode, value: number, path: string, errors: FieldError[]): void {
  if (node.enum !== undefined && !node.enum.includes(value)) {
    errors.push(fieldError.unsupported(path, value, node.enum));
    return;
  }
  checkBounds(node.minimum, node.maximum, value, path, errors);
}

function checkBounds(
  minimum: number | undefined,
  maximum: number | undefined,
  value: number,
  path: string,
  errors: FieldError[],
): void {
  if (minimum !== undefined && value < minimum) {
    const detail = `${path} in body should be greater than or equal to ${minimum}`;
    errors.push(fieldError.invalid(path, value, detail));
  }
  if (maximum !== undefined && value > maximum) {
    const detail = `${path} in body should be less than or equal to ${maximum}`;
    errors.push(fieldError.invalid(path, value, detail));
  }
}

/** The type a broken rule is reported with, as the API server names it. */
function typeName(node: Node): string {
  switch (node.type) {
    case 'map':
      return 'object';
    case 'list':
      return 'array';
    case 'intOrString':
    case 'any':
      return 'any';
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'object':
      return node.type;
  }
}
