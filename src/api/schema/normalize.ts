// Value as written → value as stored: unknown fields pruned, null and absent fields defaulted. The
// input is never changed; the result shares with it only what a schema does not look into. A value of
// the wrong type is kept as it is, and so is null in a list, for validate.ts to complain about.

import type { MapNode, Node, ObjectNode } from './schema.ts';

export interface Normalized {
  readonly value: unknown;
  /** Paths of the fields that the schema does not know, and which are therefore gone. */
  readonly unknown: readonly string[];
}

/** Prunes and defaults `value` by `node`. */
export function normalize(node: Node, value: unknown): Normalized {
  const unknown: string[] = [];
  return { value: walk(node, value, '', unknown), unknown };
}

function walk(node: Node, value: unknown, path: string, unknown: string[]): unknown {
  switch (node.type) {
    case 'object':
      return isRecord(value) ? walkObject(node, value, path, unknown) : value;
    case 'map':
      return isRecord(value) ? walkMap(node, value, path, unknown) : value;
    case 'list':
      return Array.isArray(value)
        ? value.map((item, i) => walk(node.items, item, `${path}[${i}]`, unknown))
        : value;
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'intOrString':
      return value;
    case 'any':
      return node.normalize === undefined ? value : node.normalize(value, path, unknown);
  }
}

function walkObject(
  node: ObjectNode,
  value: Record<string, unknown>,
  path: string,
  unknown: string[],
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const field = node.fields.get(key);
    const item = value[key];
    if (item === undefined) continue;
    if (field === undefined) {
      if (node.preserveUnknown === true && key !== '__proto__') out[key] = item;
      else unknown.push(join(path, key));
    } else if (item !== null || field.node.nullable === true) {
      out[key] = walk(field.node, item, join(path, key), unknown);
    }
  }
  for (const [key, field] of node.fields) {
    if (field.default !== undefined && !(key in out)) {
      // Defaults have defaults of their own, and walking copies what one object may not share.
      out[key] = walk(field.node, field.default, join(path, key), unknown);
    }
  }
  return out;
}

/** Copies a map; a key that would reach the prototype counts as unknown, as no schema means it. */
function walkMap(
  node: MapNode,
  value: Record<string, unknown>,
  path: string,
  unknown: string[],
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (key === '__proto__') unknown.push(`${path}[${key}]`);
    else if (item !== null || node.values.nullable === true) {
      out[key] = walk(node.values, item, `${path}[${key}]`, unknown);
    }
  }
  return out;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
