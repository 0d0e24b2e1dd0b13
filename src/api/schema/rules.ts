// Value → which of its rules are broken. The second half of validation: validate.ts comes here only
// with a value whose types, required fields and limits are right. A value's own rules come before
// those of what is in it, as the API server orders CEL errors.

import { fieldError } from './errors.ts';
import type { FieldError } from './errors.ts';
import { indexByKey, keyText } from './keys.ts';
import { isRecord } from './normalize.ts';
import type { ListNode, MapNode, Node, ObjectNode } from './schema.ts';

/** A value under check with its former self, where it has one. */
interface Place {
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
}

/** Adds an error for every broken rule of a value and of all that is in it. */
export function checkRules(node: Node, place: Place, errors: FieldError[]): void {
  const { value, old, path } = place;
  if (value === undefined || value === null || !hasRules(node)) return;
  for (const rule of node.rules ?? []) {
    if (rule.transition === true && (old === undefined || old === null)) continue;
    if (!rule.check(value, old)) {
      errors.push(fieldError.invalid(path, typeName(node), rule.message));
    }
  }
  if (node.expressions !== undefined) errors.push(...node.expressions(value, path, old));
  if (node.type === 'object' && isRecord(value)) checkFields(node, value, place, errors);
  else if (node.type === 'map' && isRecord(value)) checkValues(node, value, place, errors);
  else if (node.type === 'list' && Array.isArray(value)) checkItems(node, value, place, errors);
}

function checkFields(
  node: ObjectNode,
  value: Record<string, unknown>,
  { old, path }: Place,
  errors: FieldError[],
): void {
  for (const [key, field] of node.fields) {
    if (!hasRules(field.node)) continue;
    const at = path === '' ? key : `${path}.${key}`;
    const oldItem = isRecord(old) ? old[key] : undefined;
    checkRules(field.node, { value: value[key], old: oldItem, path: at }, errors);
  }
}

function checkValues(
  node: MapNode,
  value: Record<string, unknown>,
  { old, path }: Place,
  errors: FieldError[],
): void {
  for (const key of Object.keys(value)) {
    const oldItem = isRecord(old) && Object.hasOwn(old, key) ? old[key] : undefined;
    checkRules(node.values, { value: value[key], old: oldItem, path: `${path}[${key}]` }, errors);
  }
}

function checkItems(
  node: ListNode,
  value: readonly unknown[],
  { old, path }: Place,
  errors: FieldError[],
): void {
  // By key, so that a transition rule compares an item with its own former self.
  const oldByKey = indexByKey(node, old);
  value.forEach((item, i) => {
    const oldItem = oldByKey?.get(keyText(node, item));
    checkRules(node.items, { value: item, old: oldItem, path: `${path}[${i}]` }, errors);
  });
}

const known = new WeakMap<Node, boolean>();

/** True when the node or one below it has rules; most of a tree has none and need not be walked. */
export function hasRules(node: Node): boolean {
  let found = known.get(node);
  if (found === undefined) {
    found =
      (node.rules ?? []).length > 0 ||
      node.expressions !== undefined ||
      children(node).some(hasRules);
    known.set(node, found);
  }
  return found;
}

function children(node: Node): readonly Node[] {
  switch (node.type) {
    case 'object':
      return [...node.fields.values()].map((field) => field.node);
    case 'map':
      return [node.values];
    case 'list':
      return [node.items];
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'intOrString':
    case 'any':
      return [];
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
