// What must hold of an applied object before it can be merged at all: items of keyed lists need their
// keys, and no two may share them. Its values are checked in the merged object, as in any write.

import { fieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { isRecord } from '../../api/schema/normalize.ts';
import type { ListNode, Node } from '../../api/schema/schema.ts';
import { isNamedList, isTakenApart, itemElement, nodeBelow } from './structure.ts';
import { fieldElement } from './element.ts';

export function checkApplied(
  schema: Node,
  applied: Readonly<Record<string, unknown>>,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { metadata } = applied;
  const managedFields = isRecord(metadata) ? metadata['managedFields'] : undefined;
  if (managedFields !== undefined && managedFields !== null) {
    errors.push(
      fieldError.forbidden(
        'metadata.managedFields',
        'must not be set in an apply; leave it out of the manifest',
      ),
    );
  }
  walk(schema, applied, '', errors);
  return errors;
}

function walk(node: Node, value: unknown, path: string, errors: FieldError[]): void {
  if (!isTakenApart(node, value)) return;
  if (isNamedList(node)) return walkList(node, value as unknown[], path, errors);
  for (const [name, item] of Object.entries(value as object)) {
    const below = nodeBelow(node, fieldElement(name));
    if (below === undefined || !isContainer(item)) continue;
    walk(below, item, join(node, path, name), errors);
  }
}

function walkList(
  node: ListNode,
  list: readonly unknown[],
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    const at = `${path}[${i}]`;
    const element = itemElement(node, item);
    if (element === undefined) errors.push(unnamed(node, item, at));
    else if (seen.has(element)) {
      errors.push(fieldError.duplicate(at, JSON.parse(element.slice(2)) as unknown));
    } else seen.add(element);
    walk(node.items, item, at, errors);
  }
}

function unnamed(node: ListNode, item: unknown, path: string): FieldError {
  if (node.listType === 'set') {
    return fieldError.invalid(path, item, 'an item of a set must be a string, number or boolean');
  }
  if (!isRecord(item)) return fieldError.type(path, item, 'object');
  const keys = node.keys ?? [];
  const [first = ''] = keys;
  return fieldError.required(
    keys.length === 1 ? `${path}.${first}` : path,
    `one of ${keys.join(', ')} must be set: items of this list are told apart by it`,
  );
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function join(node: Node, path: string, name: string): string {
  if (node.type !== 'object') return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
}
