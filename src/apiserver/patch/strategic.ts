// Strategic merge patch: as JSON merge patch, but lists are merged as the schema of the kind says, and
// objects of the patch may carry directives (directives.ts). kubectl apply, edit and patch send it for
// built-in kinds. Judged against k8s.io/apimachinery pkg/util/strategicpatch; kinder than that in three
// places: `$patch: merge` is the default spelt out, `$patch: replace` keeps its fields where there was
// nothing to replace, and an order for a list that is empty is no error.

import { isRecord } from '../../api/schema/normalize.ts';
import type { Node } from '../../api/schema/schema.ts';
import { directiveOf, parseObject, plainObject, plainValue } from './directives.ts';
import type { ObjectPatch } from './directives.ts';
import { jsonType, malformed } from './errors.ts';
import { listStrategy, memberNode } from './strategies.ts';
import type { ListStrategy } from './strategies.ts';
import { deleteFromSet, mergeByKey, mergeSet, setOrder } from './strategic-lists.ts';
import { getOwn, setOwn } from './values.ts';
import type { JsonObject } from './values.ts';

type List = readonly unknown[];

/** `patch` is of limited depth. The result shares with both what the patch does not touch. */
export function applyStrategicPatch(schema: Node, target: JsonObject, patch: unknown): JsonObject {
  if (!isRecord(patch)) {
    const type = 'map[string]interface {}';
    throw malformed(`json: cannot unmarshal ${jsonType(patch)} into Go value of type ${type}`);
  }
  return mergeObject({ node: schema, name: '' }, target, patch);
}

/** Where in the schema an object stands; `name` is the field that holds it or its list. */
interface Place {
  readonly node: Node | undefined;
  readonly name: string;
}

function mergeObject(place: Place, original: JsonObject, patch: JsonObject): JsonObject {
  const directive = directiveOf(patch);
  if (directive === 'delete') return {};
  if (directive === 'replace') return plainObject(patch);
  const parsed = parseObject(patch);
  const merged = retainedOf(original, parsed);
  const names = new Set([...parsed.orders.keys(), ...parsed.fields.keys()]);
  for (const name of names) {
    const value = parsed.orders.has(name)
      ? orderedList(place, name, getOwn(merged, name), parsed)
      : mergeValue(place, name, getOwn(merged, name), parsed.fields.get(name));
    if (value === undefined) delete merged[name];
    else setOwn(merged, name, value);
  }
  for (const [name, list] of parsed.deletions) {
    const value = getOwn(merged, name);
    if (Array.isArray(value)) setOwn(merged, name, deleteFromSet(value, list));
  }
  return merged;
}

function retainedOf(original: JsonObject, { retain }: ObjectPatch): Record<string, unknown> {
  if (retain === undefined) return { ...original };
  return Object.fromEntries(Object.entries(original).filter(([key]) => retain.has(key)));
}

/** The value of one member after the patch; undefined when it goes. */
function mergeValue(place: Place, name: string, original: unknown, patch: unknown): unknown {
  if (patch === null) return undefined;
  const node = memberNode(place.node, name);
  if (isRecord(patch) && isRecord(original)) return mergeObject({ node, name }, original, patch);
  if (Array.isArray(patch) && Array.isArray(original)) {
    return mergeList({ node, name }, strategyOf(place, name), original, patch);
  }
  return plainValue(patch);
}

function strategyOf({ node: parent, name: parentName }: Place, name: string): ListStrategy {
  const node = memberNode(parent, name);
  return node?.type === 'list' ? listStrategy(node, parentName, name) : { type: 'replace' };
}

function mergeList(place: Place, strategy: ListStrategy, original: List, patch: List): List {
  switch (strategy.type) {
    case 'replace':
      return plainValue(patch) as List;
    case 'set':
      return mergeSet(original, patch);
    case 'map': {
      const { node, name } = place;
      const itemPlace = { node: node?.type === 'list' ? node.items : undefined, name };
      return mergeByKey(original, patch, strategy.key, (item, itemPatch) =>
        mergeObject(itemPlace, item, itemPatch),
      );
    }
  }
}

/** A list with `$setElementOrder`: merged as always, and then put in order. */
function orderedList(place: Place, name: string, value: unknown, parsed: ObjectPatch): unknown {
  const order = parsed.orders.get(name) ?? [];
  const node = memberNode(place.node, name);
  if (place.node?.type === 'object' && node === undefined) {
    throw malformed(`unable to find api field for the json field "${name}"`);
  }
  const patch = listOf(parsed.fields.has(name) ? parsed.fields.get(name) : [], name);
  const original = listOf(value ?? [], name);
  if (value === undefined && patch.length === 0) {
    return parsed.fields.has(name) ? [] : undefined;
  }
  const strategy = strategyOf(place, name);
  const changes = parsed.fields.has(name);
  const merged = changes ? mergeList({ node, name }, strategy, original, patch) : original;
  return setOrder(merged, order, { original, patch }, strategy);
}

function listOf(value: unknown, name: string): List {
  if (Array.isArray(value)) return value;
  throw malformed(`$setElementOrder/${name}: expected a list of ${name}, got ${jsonType(value)}`);
}
