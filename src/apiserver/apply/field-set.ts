// Sets of field paths: who owns what. A set is the very tree that metadata.managedFields carries as
// fieldsV1, so that nothing is translated on the way in or out:
//
//   { "f:metadata": { "f:labels": { ".": {}, "f:app": {} } } }   owns .metadata.labels and its .app
//
// A node without children is a path in the set; a node with children is one only if it has ".". The
// root is no path. Sets are canonical (steps in upstream's order, no empty branches) and immutable.

import { isRecord } from '../../api/schema/normalize.ts';
import { canonicalElement, compareElements, printElement } from './element.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** The empty set, and also the node of a path without children. */
export const EMPTY: FieldSet = Object.freeze({});

/** How deep a tree from a client may go; objects are never that deep. */
export const FIELD_SET_DEPTH_MAX = 100;

type Draft = Record<string, FieldSet>;

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** For a node below the root: the path to it is in the set. */
export function isMember(node: FieldSet): boolean {
  return node['.'] !== undefined || isEmpty(node);
}

/** The same node, with the path to it in the set. */
export function asMember(node: FieldSet): FieldSet {
  return isMember(node) ? node : { '.': EMPTY, ...node };
}

/** All that is in `a` or in `b`. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  return mergeChildren(a, b);
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const member = isMember(a) || isMember(b);
  const both = isEmpty(a) ? b : isEmpty(b) ? a : mergeChildren(a, b);
  return member ? asMember(both) : both;
}

function mergeChildren(a: FieldSet, b: FieldSet): FieldSet {
  const out: Draft = {};
  let added = false;
  for (const element in b) if (element !== '.' && a[element] === undefined) added = true;
  const elements = added ? sortedUnion(a, b) : Object.keys(a);
  for (const element of elements) {
    if (element === '.') continue;
    const [x, y] = [a[element], b[element]];
    out[element] = x === undefined ? (y as FieldSet) : y === undefined ? x : unionNodes(x, y);
  }
  return out;
}

function sortedUnion(a: FieldSet, b: FieldSet): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted(compareElements);
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return a === b ? a : (commonChildren(a, b) ?? EMPTY);
}

function commonNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a;
  const member = isMember(a) && isMember(b);
  const children = commonChildren(a, b);
  if (children === undefined) return member ? EMPTY : undefined;
  return member ? asMember(children) : children;
}

function commonChildren(a: FieldSet, b: FieldSet): FieldSet | undefined {
  let out: Draft | undefined;
  for (const element in a) {
    const [x, y] = [a[element], b[element]];
    if (element === '.' || x === undefined || y === undefined) continue;
    const both = commonNodes(x, y);
    if (both !== undefined) (out ??= {})[element] = both;
  }
  return out;
}

/**
 * What is in `a` and not in `b`, path by path: taking away `.spec` leaves `.spec.replicas`. Returns
 * `a` itself when nothing is taken.
 */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return EMPTY;
  return isEmpty(a) || isEmpty(b) ? a : (restOfChildren(a, b) ?? EMPTY);
}

function restOfNode(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return undefined;
  const isIn = isMember(a);
  const stays = isIn && !isMember(b);
  const children = isEmpty(a) ? undefined : restOfChildren(a, b);
  if (isIn === stays && (children === a || isEmpty(a))) return a;
  if (children === undefined) return stays ? EMPTY : undefined;
  return stays ? asMember(children) : withoutMembership(children);
}

function withoutMembership(node: FieldSet): FieldSet {
  if (node['.'] === undefined) return node;
  const { '.': _, ...children } = node;
  return children;
}

function restOfChildren(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const out: Draft = {};
  let count = 0;
  let same = true;
  for (const element in a) {
    if (element === '.') continue;
    const [x, y] = [a[element] as FieldSet, b[element]];
    const rest = y === undefined ? x : restOfNode(x, y);
    if (rest !== x) same = false;
    if (rest === undefined) continue;
    out[element] = rest;
    count++;
  }
  if (same && count > 0) return a;
  return count > 0 ? out : undefined;
}

/** The same paths, no more and no fewer. */
export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  let count = 0;
  for (const element in a) {
    const y = b[element];
    if (y === undefined || !sameSet(a[element] as FieldSet, y)) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** Every path as conflicts print it, in upstream's order: the paths of a node, then those below. */
export function printPaths(set: FieldSet, prefix = ''): readonly string[] {
  const here: string[] = [];
  const below: string[] = [];
  for (const element in set) {
    if (element === '.') continue;
    const node = set[element] as FieldSet;
    const path = prefix + printElement(element);
    if (isMember(node)) here.push(path);
    if (!isEmpty(node)) below.push(...printPaths(node, path));
  }
  return [...here, ...below];
}

/** A malformed step, with the steps before it. */
export interface FieldSetProblem {
  readonly at: readonly string[];
  readonly message: string;
}

export type ParsedFieldSet = { readonly set: FieldSet } | { readonly problem: FieldSetProblem };

/** Reads fieldsV1 and brings it into canonical form. Absent means the empty set. */
export function parseFieldSet(json: unknown): ParsedFieldSet {
  if (json === undefined || json === null) return { set: EMPTY };
  const seen = CANONICAL.get(json as object);
  if (seen !== undefined) return seen;
  if (!isRecord(json)) return { problem: { at: [], message: 'must be an object' } };
  const parsed = parseNode(json, []);
  CANONICAL.set(json, parsed);
  if ('set' in parsed) markCanonical(parsed.set);
  return parsed;
}

/** Sets already read or made here: objects are immutable, so a stored set is read once. */
const CANONICAL = new WeakMap<object, ParsedFieldSet>();

/** Says of a set made by these functions that it need not be read again when it comes back. */
export function markCanonical(set: FieldSet): void {
  if (!CANONICAL.has(set)) CANONICAL.set(set, { set });
}

function parseNode(json: Readonly<Record<string, unknown>>, at: readonly string[]): ParsedFieldSet {
  if (at.length > FIELD_SET_DEPTH_MAX) return { problem: { at, message: 'is nested too deeply' } };
  const children = new Map<string, FieldSet>();
  let member = false;
  for (const [text, value] of Object.entries(json)) {
    if (text === '.') {
      member = true;
      continue;
    }
    const step = canonicalElement(text);
    if ('unknown' in step) continue;
    if ('malformed' in step) return { problem: { at: [...at, text], message: step.malformed } };
    if (!isRecord(value)) return { problem: { at: [...at, text], message: 'must be an object' } };
    const child = parseNode(value, [...at, text]);
    if ('problem' in child) return child;
    const twin = children.get(step.element);
    children.set(step.element, twin === undefined ? child.set : unionNodes(twin, child.set));
  }
  if (children.size === 0) return { set: EMPTY };
  const out: Draft = member && at.length > 0 ? { '.': EMPTY } : {};
  for (const element of [...children.keys()].toSorted(compareElements)) {
    out[element] = children.get(element) as FieldSet;
  }
  return { set: out };
}
