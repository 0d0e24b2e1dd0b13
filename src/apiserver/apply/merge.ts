// What is applied, laid over what is there: parts by name, items by their key, leaves replaced whole.
// What does not change keeps its identity.

import { isRecord } from '../../api/schema/normalize.ts';
import type { ListNode, Node } from '../../api/schema/schema.ts';
import { isNamedList, isTakenApart, itemElement, nodeBelow, own } from './structure.ts';
import { fieldElement } from './element.ts';

/** `live` with `applied` laid over it. Either may be undefined, not both. */
export function merge(node: Node, live: unknown, applied: unknown): unknown {
  if (applied === undefined || applied === live) return live;
  if (live === undefined) return applied;
  // null over a container that is taken apart takes nothing away: ownership alone does.
  if (applied === null && isTakenApart(node, live)) return live;
  if (!isTakenApart(node, live) || !isTakenApart(node, applied)) return applied;
  if (isNamedList(node)) return mergeLists(node, live as unknown[], applied as unknown[]);
  return isRecord(live) && isRecord(applied) ? mergeRecords(node, live, applied) : applied;
}

function mergeRecords(
  node: Node,
  live: Readonly<Record<string, unknown>>,
  applied: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  let out: Record<string, unknown> | undefined;
  for (const name of Object.keys(applied)) {
    // Assigning it would set the prototype; no schema means such a field.
    if (name === '__proto__') continue;
    const below = nodeBelow(node, fieldElement(name));
    const before = own(live, name);
    const merged = below === undefined ? applied[name] : merge(below, before, applied[name]);
    if (merged !== before) (out ??= { ...live })[name] = merged;
  }
  return out ?? live;
}

/**
 * Items come in the order they are applied in. Live items that are not applied keep their place among
 * those that are: each comes before the next applied item it preceded. Live [a, b, c, d] under applied
 * [d, b, new] gives [a, c, d, b, new].
 */
function mergeLists(
  node: ListNode,
  live: readonly unknown[],
  applied: readonly unknown[],
): readonly unknown[] {
  const liveNames = live.map((item) => itemElement(node, item));
  const names = applied.map((item) => itemElement(node, item));
  const isApplied = new Set(names);
  const liveItems = uniqueItems(live, liveNames);
  const shared = names.filter((name) => name !== undefined && liveItems.has(name));
  const out: unknown[] = [];
  let at = 0;
  let nextShared = 0;
  for (const [i, item] of applied.entries()) {
    const name = names[i];
    const next = shared[nextShared];
    for (; at < live.length && (next === undefined || liveNames[at] !== next); at++) {
      if (!isApplied.has(liveNames[at])) out.push(live[at]);
      else if (next === undefined) {
        // A live twin of an item already merged: upstream goes on with the applied items there.
        at++;
        break;
      }
    }
    if (name === undefined || !liveItems.has(name)) {
      out.push(item);
      continue;
    }
    if (liveNames[at] === name) at++;
    nextShared++;
    out.push(merge(node.items, liveItems.get(name), item));
  }
  for (; at < live.length; at++) if (!isApplied.has(liveNames[at])) out.push(live[at]);
  return isSame(out, live) ? live : out;
}

/** By name; items that share one are not merged with anything: undefined stands for them. */
function uniqueItems(
  items: readonly unknown[],
  names: readonly (string | undefined)[],
): ReadonlyMap<string, unknown> {
  const out = new Map<string, unknown>();
  for (const [i, name] of names.entries()) {
    if (name !== undefined) out.set(name, out.has(name) ? undefined : items[i]);
  }
  return out;
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
