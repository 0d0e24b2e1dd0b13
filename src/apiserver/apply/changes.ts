// Which paths one object has that another has not, or has otherwise. A whole new container counts with
// itself and all it holds: who adds labels by an update owns `.metadata.labels` and each label.

import { isRecord } from '../../api/schema/normalize.ts';
import type { ListNode, Node } from '../../api/schema/schema.ts';
import { deepEqual } from '../../lib/equal.ts';
import { compareElements } from './element.ts';
import { asMember, EMPTY } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { isNamedList, isTakenApart, itemsByElement, own, partsOf } from './structure.ts';

/** An object before it is created: metadata is not something anybody adds. */
const NOTHING = { metadata: {} };

/** The paths that `to` adds to `from` or changes in it. */
export function changedFields(schema: Node, from: unknown, to: unknown): FieldSet {
  return below(schema, from ?? NOTHING, to, true) ?? EMPTY;
}

/** The paths of `from` that `to` no longer has. */
export function removedFields(schema: Node, from: unknown, to: unknown): FieldSet {
  return below(schema, to ?? NOTHING, from, false) ?? EMPTY;
}

/**
 * The node of the set for a value: undefined when nothing differs. With `modified` false only what is
 * absent in `from` counts. `to` is present; `from` may be undefined.
 */
function below(node: Node, from: unknown, to: unknown, modified: boolean): FieldSet | undefined {
  if (from === to) return undefined;
  if (!isTakenApart(node, to)) {
    // null empties a container: what was in it is gone, and nothing is new.
    const emptied = to === null && isTakenApart(node, from) && !isBare(from);
    return from === undefined || (modified && !emptied && !deepEqual(from, to)) ? EMPTY : undefined;
  }
  const comparable = isTakenApart(node, from) || from === null;
  if (comparable && isBare(from) && isBare(to)) {
    return modified && !deepEqual(from, to) ? EMPTY : undefined;
  }
  const parts = partsBelow(node, comparable ? from : undefined, to, modified);
  if (comparable || (from !== undefined && !modified)) return parts;
  return parts === undefined ? EMPTY : asMember(parts);
}

/** Holds nothing: null, {} or []. Two such containers are compared as leaves. */
function isBare(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function partsBelow(
  node: Node,
  from: unknown,
  to: unknown,
  modified: boolean,
): FieldSet | undefined {
  if (isNamedList(node)) return items(node, from, to, modified);
  return isRecord(to) ? entries(node, from, to, modified) : undefined;
}

function entries(
  node: Node,
  from: unknown,
  to: Readonly<Record<string, unknown>>,
  modified: boolean,
): FieldSet | undefined {
  const old = isRecord(from) ? from : undefined;
  let out: Record<string, FieldSet> | undefined;
  for (const part of partsOf(node, to)) {
    const value = own(to, part.name);
    if (value === undefined) continue;
    const before = old === undefined ? undefined : own(old, part.name);
    const child = below(part.node, before, value, modified);
    if (child !== undefined) (out ??= {})[part.element] = child;
  }
  return out;
}

function items(
  node: ListNode,
  from: unknown,
  to: unknown,
  modified: boolean,
): FieldSet | undefined {
  const before = itemsByElement(node, from);
  const found: [string, FieldSet][] = [];
  for (const [element, now] of itemsByElement(node, to)) {
    const child = namesakes(node, before.get(element), now, modified);
    if (child !== undefined) found.push([element, child]);
  }
  if (found.length === 0) return undefined;
  if (found.length > 1) found.sort(([a], [b]) => compareElements(a, b));
  return Object.fromEntries(found);
}

/** Items of one name: two or more of them are one leaf together. */
function namesakes(
  node: ListNode,
  before: readonly unknown[] | undefined,
  now: readonly unknown[],
  modified: boolean,
): FieldSet | undefined {
  const old = before ?? [];
  if (now.length === 1) {
    return below(node.items, old.length === 1 ? old[0] : undefined, now[0], modified);
  }
  if (old.length < 2) return EMPTY;
  return modified && !deepEqual(old, now) ? EMPTY : undefined;
}
