// JSON patch (RFC 6902): a list of operations, done one after the other, or not at all. Where
// kube-apiserver takes more than the RFC (replacing a member that is not there, indexes from the end),
// so does this: clients have come to rely on it.
//
// The document is copied as it is written to: `owned` holds the containers that are already ours.

import { isRecord } from '../../api/schema/normalize.ts';
import { deepEqual } from '../../lib/equal.ts';
import { PatchRefusal, jsonType, undecodable, unfit } from './errors.ts';
import { arrayIndex, parsePointer } from './pointer.ts';
import { getOwn, jsonSize, setOwn } from './values.ts';
import type { JsonObject } from './values.ts';

/** Operations one patch may hold, as in kube-apiserver. */
export const OPERATIONS_MAX = 10_000;

/** Bytes that the copy operations of one patch may add, as in kube-apiserver. */
export const COPIED_BYTES_MAX = 3 * 1024 * 1024;

interface Document {
  root: unknown;
  owned: WeakSet<object>;
  copiedBytes: number;
}

type Container = unknown[] | Record<string, unknown>;

interface Operation {
  readonly name: string;
  readonly path: string;
  readonly tokens: readonly string[];
}

/** Applies a patch. The result shares with target and patch what no operation has changed. */
export function applyJsonPatch(target: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp');
  if (patch.length > OPERATIONS_MAX) {
    const message = `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`;
    throw new PatchRefusal(413, message);
  }
  const stray: unknown = patch.find((operation) => !isRecord(operation));
  if (stray !== undefined) throw undecodable(stray, 'handlers.jsonPatchOp');
  const document: Document = { root: target, owned: new WeakSet(), copiedBytes: 0 };
  for (const operation of patch as readonly JsonObject[]) applyOperation(document, operation);
  if (!isRecord(document.root)) {
    throw unfit(`the patch makes the object ${jsonType(document.root)}, not an object`);
  }
  return document.root;
}

function applyOperation(document: Document, operation: JsonObject): void {
  const name = getOwn(operation, 'op');
  switch (name) {
    case 'add':
      return add(document, at(operation, name, 'path'), valueOf(operation, name));
    case 'remove':
      return remove(document, at(operation, name, 'path'));
    case 'replace':
      return replace(document, at(operation, name, 'path'), valueOf(operation, name));
    case 'move':
      return move(document, at(operation, name, 'from'), at(operation, name, 'path'));
    case 'copy':
      return copy(document, at(operation, name, 'from'), at(operation, name, 'path'));
    case 'test':
      return test(document, at(operation, name, 'path'), valueOf(operation, name));
    default:
      throw unfit(`Unexpected kind: ${typeof name === 'string' ? name : 'unknown'}`);
  }
}

/** One of the two places an operation names. */
function at(operation: JsonObject, name: string, field: 'path' | 'from'): Operation {
  const path = getOwn(operation, field);
  if (typeof path !== 'string') throw unfit(`${name} operation failed to decode ${field}`);
  const tokens = parsePointer(path);
  if (tokens === undefined) {
    throw unfit(`${name} operation failed to decode ${field}: "${path}" is no JSON pointer`);
  }
  return { name, path, tokens };
}

function valueOf(operation: JsonObject, name: string): unknown {
  if (!Object.hasOwn(operation, 'value')) throw unfit(`${name} operation has no value`);
  return operation['value'];
}

function add(document: Document, place: Operation, value: unknown): void {
  const { name, path, tokens } = place;
  const key = tokens.at(-1);
  if (key === undefined) {
    document.root = value;
    return;
  }
  const parent = writableParent(document, place);
  if (!Array.isArray(parent)) {
    setOwn(parent, key, value);
    return;
  }
  const index = key === '-' ? parent.length : arrayIndex(key, parent.length + 1);
  if (index === undefined) throw badIndex(name, path, key);
  parent.splice(index, 0, value);
}

function remove(document: Document, place: Operation): void {
  const { name, path, tokens } = place;
  const key = tokens.at(-1);
  if (key === undefined) throw unfit(`${name} operation does not apply: the whole object`);
  const parent = writableParent(document, place);
  if (Array.isArray(parent)) {
    const index = arrayIndex(key, parent.length);
    if (index === undefined) throw badIndex(name, path, key);
    parent.splice(index, 1);
  } else if (Object.hasOwn(parent, key)) delete parent[key];
  else {
    throw unfit(`error in ${name} for path: '${path}': Unable to remove nonexistent key: ${key}`);
  }
}

function replace(document: Document, place: Operation, value: unknown): void {
  const { name, path, tokens } = place;
  const key = tokens.at(-1);
  if (key === undefined) {
    document.root = value;
    return;
  }
  const parent = writableParent(document, place);
  if (Array.isArray(parent)) {
    const index = arrayIndex(key, parent.length);
    if (index === undefined) throw missing(name, 'key', path);
    parent[index] = value;
  } else setOwn(parent, key, value);
}

function move(document: Document, from: Operation, to: Operation): void {
  if (to.path.startsWith(`${from.path}/`)) {
    throw unfit(`move operation does not apply: ${to.path} is inside of ${from.path}`);
  }
  const value = read(document, from);
  if (value === undefined) throw missing(from.name, 'from path', from.path);
  if (from.path === to.path) return;
  remove(document, from);
  add(document, to, value);
}

function copy(document: Document, from: Operation, to: Operation): void {
  const value = read(document, from);
  if (value === undefined) throw missing(from.name, 'from path', from.path);
  document.copiedBytes += jsonSize(value);
  if (document.copiedBytes > COPIED_BYTES_MAX) {
    const message = `Unable to complete the copy, the accumulated size increase of copy is ${document.copiedBytes}, exceeding the limit ${COPIED_BYTES_MAX}`;
    throw unfit(message);
  }
  // The value will be in two places, perhaps one inside of the other: neither may be written to
  // without a copy of its own.
  document.owned = new WeakSet();
  add(document, to, value);
}

function test(document: Document, place: Operation, expected: unknown): void {
  const { name, path, tokens } = place;
  const value = read(document, place);
  if (value === undefined) {
    const parent = follow(document.root, tokens.slice(0, -1));
    // As in kube-apiserver: a member that is not there equals null.
    if (isRecord(parent) && expected === null) return;
    if (!isRecord(parent)) throw missing(name, 'path', path);
  }
  if (!deepEqual(value, expected)) throw unfit(`testing value ${path} failed: test failed`);
}

/** The value at a place; undefined where there is none. */
function read(document: Document, { tokens }: Operation): unknown {
  return follow(document.root, tokens);
}

function follow(root: unknown, tokens: readonly string[]): unknown {
  let value = root;
  for (const token of tokens) {
    if (Array.isArray(value)) {
      const index = arrayIndex(token, value.length);
      value = index === undefined ? undefined : value[index];
    } else value = isRecord(value) ? getOwn(value, token) : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

/** The container that the last name of a place is in, with all on the way to it made ours. */
function writableParent(document: Document, { name, path, tokens }: Operation): Container {
  const root = own(document, document.root);
  if (root === undefined) throw missing(name, 'path', path);
  document.root = root;
  let parent: Container = root;
  for (const token of tokens.slice(0, -1)) {
    const child = own(document, follow(parent, [token]));
    if (child === undefined) throw missing(name, 'path', path);
    if (Array.isArray(parent)) parent[arrayIndex(token, parent.length) ?? 0] = child;
    else setOwn(parent, token, child);
    parent = child;
  }
  return parent;
}

function own(document: Document, value: unknown): Container | undefined {
  if (!Array.isArray(value) && !isRecord(value)) return undefined;
  if (document.owned.has(value)) return value;
  const copied: Container = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
  document.owned.add(copied);
  return copied;
}

function missing(name: string, what: string, path: string): PatchRefusal {
  return unfit(
    `${name} operation does not apply: doc is missing ${what}: "${path}": missing value`,
  );
}

function badIndex(name: string, path: string, key: string): PatchRefusal {
  return unfit(
    `error in ${name} for path: '${path}': Unable to access invalid index: ${key}: invalid index referenced`,
  );
}
