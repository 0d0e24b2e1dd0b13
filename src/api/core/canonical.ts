// Value as normalized → value as the API server's Go types hold it. There an empty string is an absent
// one (`protocol: ""` in a chart gets the default), and a quantity has one text (`0.5` is `500m`).
// Optional steps of a kind's defaulting; the input is never changed.

import type { Field, Node, Schema } from '../schema/schema.ts';
import { isRecord } from '../schema/normalize.ts';
import { mapItems } from './defaulting.ts';
import type { QuantityNode } from './fields.ts';
import { formatQuantity, parseQuantity } from './quantity.ts';

/**
 * Fills or drops empty strings where the schema has a default or a closed list, and writes quantities
 * in canonical form. Returns the same object when there is nothing to do.
 */
export function canonical<T>(schema: Schema<T>, object: T): T {
  return walk(schema, object) as T;
}

function walk(node: Node, value: unknown): unknown {
  if (!matters(node)) return value;
  switch (node.type) {
    case 'object':
      return isRecord(value) ? walkObject(node.fields, value) : value;
    case 'map':
      return isRecord(value) ? mapValues(value, (item) => walk(node.values, item)) : value;
    case 'list':
      return Array.isArray(value) ? mapItems(value, (item) => walk(node.items, item)) : value;
    case 'string':
      return isQuantity(node) ? canonicalQuantity(value) : value;
    case 'integer':
    case 'number':
    case 'boolean':
    case 'intOrString':
    case 'any':
      return value;
  }
}

function walkObject(
  fields: ReadonlyMap<string, Field>,
  value: Record<string, unknown>,
): Record<string, unknown> {
  let out = value;
  for (const [key, field] of fields) {
    const item = value[key];
    if (item === undefined) continue;
    const next = item === '' && emptyIsAbsent(field) ? field.default : walk(field.node, item);
    if (next === item) continue;
    if (out === value) out = { ...value };
    if (next === undefined) delete out[key];
    else out[key] = next;
  }
  return out;
}

function mapValues(
  record: Record<string, unknown>,
  each: (item: unknown) => unknown,
): Record<string, unknown> {
  let out = record;
  for (const key of Object.keys(record)) {
    const next = each(record[key]);
    if (next === record[key]) continue;
    if (out === record) out = { ...record };
    out[key] = next;
  }
  return out;
}

/** A number is a quantity as well, as YAML reads `cpu: 0.5`. */
function canonicalQuantity(value: unknown): unknown {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return value;
  const quantity = parseQuantity(text);
  return quantity === undefined ? text : formatQuantity(quantity);
}

function emptyIsAbsent({ node, default: value }: Field): boolean {
  if (node.type !== 'string') return false;
  return (typeof value === 'string' && value !== '') || node.enum?.includes('') === false;
}

function isQuantity(node: Node): node is QuantityNode {
  return node.type === 'string' && 'quantity' in node;
}

/** Nodes with anything to do in or below them: most of a Pod's schema has not. */
const mattersByNode = new WeakMap<Node, boolean>();

function matters(node: Node): boolean {
  let known = mattersByNode.get(node);
  if (known === undefined) {
    known = computeMatters(node);
    mattersByNode.set(node, known);
  }
  return known;
}

function computeMatters(node: Node): boolean {
  switch (node.type) {
    case 'object':
      return [...node.fields.values()].some((field) => emptyIsAbsent(field) || matters(field.node));
    case 'map':
      return matters(node.values);
    case 'list':
      return matters(node.items);
    case 'string':
      return isQuantity(node);
    case 'integer':
    case 'number':
    case 'boolean':
    case 'intOrString':
    case 'any':
      return false;
  }
}
