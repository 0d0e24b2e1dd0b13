// Value → what is wrong with it, in Kubernetes' words. Works on normalized values. Structure first,
// then rules: like the API server, no rule is looked at while the object has errors that a rule could
// stumble over (`blocksRules`), and the answer then says so.

import { blocksRules, fieldError } from './errors.ts';
import type { FieldError } from './errors.ts';
import { indexByKey, keyOf, keyText } from './keys.ts';
import { isRecord } from './normalize.ts';
import { checkRules, hasRules } from './rules.ts';
import { checkBounds, checkEnum, checkString } from './scalars.ts';
import type { ListNode, MapNode, Node, ObjectNode } from './schema.ts';

/** Errors reported for one object; more are of no use to a reader, and hostile input has no end. */
const ERRORS_MAX = 100;

/** Validates a normalized value. `old` is the stored value when this is an update. */
export function validate(node: Node, value: unknown, old?: unknown): readonly FieldError[] {
  const errors: FieldError[] = [];
  walk(node, value, old, '', errors);
  if (hasRules(node)) {
    if (errors.some(blocksRules)) errors.push(fieldError.rulesNotChecked());
    else checkRules(node, { value, old, path: '' }, errors);
  }
  return errors;
}

function walk(node: Node, value: unknown, old: unknown, path: string, errors: FieldError[]): void {
  if (errors.length >= ERRORS_MAX) return;
  if (value === null && node.nullable === true) return;
  const before = errors.length;
  walkStructure(node, value, old, path, errors);
  if (node.constraints !== undefined) errors.push(...node.constraints(value, path));
  // A check trusts the types of what is below it.
  if (node.check !== undefined && errors.length === before) {
    errors.push(...node.check(value, path, old));
  }
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
      else walkMap(node, value, isRecord(old) ? old : undefined, path, errors);
      return;
    case 'list':
      if (!Array.isArray(value)) errors.push(fieldError.type(path, value, 'array'));
      else walkList(node, value, old, path, errors);
      return;
    case 'string':
      if (typeof value !== 'string') errors.push(fieldError.type(path, value, 'string'));
      else checkString(node, value, path, errors);
      checkEnum(node, value, path, errors);
      return;
    case 'integer':
      if (!Number.isInteger(value)) errors.push(fieldError.type(path, value, 'integer'));
      if (typeof value === 'number') checkBounds(node, value, path, errors);
      checkEnum(node, value, path, errors);
      return;
    case 'number':
      if (typeof value !== 'number') errors.push(fieldError.type(path, value, 'number'));
      else checkBounds(node, value, path, errors);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') errors.push(fieldError.type(path, value, 'boolean'));
      return;
    case 'intOrString':
      if (typeof value === 'string') checkString(node, value, path, errors);
      else if (!Number.isInteger(value)) {
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
  if (node.combined !== undefined) errors.push(...node.combined.check(value, path));
}

function walkMap(
  node: MapNode,
  value: Record<string, unknown>,
  old: Record<string, unknown> | undefined,
  path: string,
  errors: FieldError[],
): void {
  for (const key of Object.keys(value)) {
    // With a dot and not in brackets: so the API server names map values in errors of structure.
    walk(node.values, value[key], old?.[key], `${path}.${key}`, errors);
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
  old: unknown,
  path: string,
  errors: FieldError[],
): void {
  const oldByKey = indexByKey(node, old);
  value.forEach((item, i) => {
    const oldItem = oldByKey?.get(keyText(node, item));
    walk(node.items, item, oldItem, `${path}[${i}]`, errors);
  });
  if (node.minItems !== undefined && value.length < node.minItems) {
    const detail = `${path} in body should have at least ${node.minItems} items`;
    errors.push(fieldError.invalid(path, value.length, detail));
  }
  if (node.maxItems !== undefined && value.length > node.maxItems) {
    errors.push(fieldError.tooMany(path, value.length, node.maxItems));
  }
  if (node.listType === 'set' || node.listType === 'map') checkUnique(node, value, path, errors);
}

/** Reports, as the API server does, the second of several items with one key and not the third. */
function checkUnique(
  node: ListNode,
  value: readonly unknown[],
  path: string,
  errors: FieldError[],
): void {
  const stray = node.listType === 'map' ? value.findIndex((item) => !isRecord(item)) : -1;
  if (stray !== -1 && value[stray] !== null) {
    const detail = 'must be an object for an array of list-type map';
    errors.push(fieldError.invalid(`${path}[${stray}]`, value[stray], detail));
    return;
  }
  if (value.length < 2 || node.allowsDuplicates === true) return;
  const count = new Map<string, number>();
  value.forEach((item, i) => {
    const key = keyText(node, item);
    const before = count.get(key) ?? 0;
    if (before === 1) errors.push(fieldError.duplicate(`${path}[${i}]`, keyOf(node, item)));
    count.set(key, before + 1);
  });
}
