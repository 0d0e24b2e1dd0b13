// The language our Kubernetes schemas are written in. A schema is plain data (a tree of nodes), from
// which come the TypeScript type (`Infer`), pruning and defaulting (normalize.ts), validation
// (validate.ts) and OpenAPI (openapi.ts). Data, and not classes with methods, because four readers
// walk it and each wants its own order.

import type { FieldError } from './errors.ts';

/** One node of a schema tree. `doc` is shown by `kubectl explain`, in our own words. */
export type Node =
  | StringNode
  | IntegerNode
  | NumberNode
  | BooleanNode
  | ObjectNode
  | MapNode
  | ListNode
  | IntOrStringNode
  | AnyNode;

interface Common {
  readonly doc?: string;
  /** The value null is kept. Without it, null counts as absent, as in Kubernetes. */
  readonly nullable?: boolean;
  /** Conditions over the whole value: what an upstream CRD says in CEL. */
  readonly rules?: readonly Rule[];
  /** The same for what upstream checks in Go, with paths and messages of its own. */
  readonly check?: Check;
  /** Rules of a user's CRD, evaluated where `rules` are; they say paths and messages themselves. */
  readonly expressions?: Check;
  /** Limits that no keyword of a node expresses, of a value whose parts may be of any type. */
  readonly constraints?: (self: unknown, path: string) => readonly FieldError[];
  /** Published as it is, instead of what follows from the node. */
  readonly published?: Readonly<Record<string, unknown>>;
}

export interface StringNode extends Common {
  readonly type: 'string';
  readonly minLength?: number;
  readonly maxLength?: number;
  /** An ECMAScript source that RE2 reads the same way. Matched anywhere unless anchored. */
  readonly pattern?: string;
  /** Matches exactly what `pattern` does, where V8 would backtrack without end on upstream's form. */
  readonly matcher?: { test(text: string): boolean };
  readonly enum?: readonly string[];
  /** Of these, date-time, ipv4 and ipv6 are checked; the others are only published. */
  readonly format?: 'date-time' | 'byte' | 'ipv4' | 'ipv6' | 'uri';
}

export interface IntegerNode extends Common {
  readonly type: 'integer';
  readonly format?: 'int32' | 'int64';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly number[];
}

export interface NumberNode extends Common {
  readonly type: 'number';
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface BooleanNode extends Common {
  readonly type: 'boolean';
}

export interface ObjectNode extends Common {
  readonly type: 'object';
  readonly fields: ReadonlyMap<string, Field>;
  /** Server-side apply replaces the whole value. */
  readonly atomic?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** Fields the schema does not name are kept. */
  readonly preserveUnknown?: boolean;
  /** What an upstream CRD says with oneOf, anyOf and not. */
  readonly combined?: Combined;
}

export interface MapNode extends Common {
  readonly type: 'map';
  readonly values: Node;
  readonly atomic?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

export interface ListNode extends Common {
  readonly type: 'list';
  readonly items: Node;
  /** How server-side apply merges it, and what must be unique in it. Absent means atomic. */
  readonly listType?: 'atomic' | 'set' | 'map';
  /** For `map`: the fields that together name an item. */
  readonly keys?: readonly string[];
  /**
   * A key may come twice. The lists of core kinds are merged by key, but the API server does not check
   * them for it: a Node has two addresses of type InternalIP.
   */
  readonly allowsDuplicates?: boolean;
  /** For strategic merge patch, where it differs from `keys`. */
  readonly mergeKey?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface IntOrStringNode extends Common {
  readonly type: 'intOrString';
  readonly pattern?: string;
  readonly maxLength?: number;
}

/** Any JSON value, kept as it is. */
export interface AnyNode extends Common {
  readonly type: 'any';
  /** What is known of the value after all: prunes and defaults it, and adds the paths of what is gone. */
  readonly normalize?: (value: unknown, path: string, unknown: string[]) => unknown;
}

export interface Field {
  readonly node: Node;
  readonly required: boolean;
  /** Filled in when the field is absent; a fresh copy each time. */
  readonly default?: unknown;
}

/**
 * A condition that structure alone cannot express: what an upstream CRD says in CEL. Rules see values
 * after defaulting. They may trust types, required fields, enums and upper limits, but not patterns
 * and lower limits: the API server evaluates them beside such errors (`blocksRules` in errors.ts). A
 * broken rule is reported on its value: `spec.listeners: Invalid value: "array": <message>`.
 */
export interface Rule {
  readonly message: string;
  /** True when `self` is acceptable. `old` is the stored value on an update, else undefined. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a rule knows the type of its own node
  readonly check: (self: any, old: any) => boolean;
  /** Checked only on update, with `old` present. */
  readonly transition?: boolean;
}

/** Says what is wrong with a value; `path` is the value's own path, `old` the stored value on update. */
// oxlint-disable-next-line typescript/no-explicit-any -- a check knows the type of its own node
export type Check = (self: any, path: string, old: any) => readonly FieldError[];

/**
 * Alternatives: published as upstream writes them, and checked by a function that says the same of an
 * object whose fields may yet be of any type.
 */
export interface Combined {
  readonly openApi: Readonly<Record<string, unknown>>;
  readonly check: (self: Readonly<Record<string, unknown>>, path: string) => readonly FieldError[];
}

declare const TYPE: unique symbol;

/** A schema for values of type T: a node that remembers its type for the compiler only. */
export type Schema<T> = Node & { readonly [TYPE]?: T };

/** A field that may be absent; with a default it is always there after defaulting. */
interface OptionalField<T> {
  readonly optional: Schema<T>;
}
interface DefaultedField<T> {
  readonly defaulted: Schema<T>;
  readonly value: unknown;
  readonly required?: boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any schema of any type may be a field
type AnySchema = Schema<any>;
// oxlint-disable-next-line typescript/no-explicit-any
type ShapeField = AnySchema | OptionalField<any> | DefaultedField<any>;
type Shape = Readonly<Record<string, ShapeField>>;

/** The TypeScript type of the values a schema admits, after defaulting. */
export type Infer<S> = S extends { readonly [TYPE]?: infer T } ? T : never;

type FieldType<F> =
  F extends OptionalField<infer T> ? T : F extends DefaultedField<infer T> ? T : Infer<F>;

type OptionalKeys<S> = { [K in keyof S]: S[K] extends OptionalField<unknown> ? K : never }[keyof S];

type FromShape<S> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: FieldType<S[K]>;
} & { readonly [K in OptionalKeys<S>]?: FieldType<S[K]> };

type Flatten<T> = { [K in keyof T]: T[K] };

/** Marks a field that may be absent. */
export function opt<S extends AnySchema>(schema: S): OptionalField<Infer<S>> {
  return { optional: schema };
}

/** Marks a field that is filled with `value` when absent. */
export function def<S extends AnySchema>(schema: S, value: unknown): DefaultedField<Infer<S>> {
  return { defaulted: schema, value };
}

/** A field that is filled when absent and still listed as required, as some upstream CRDs have it. */
export function requiredDef<S extends AnySchema>(
  schema: S,
  value: unknown,
): DefaultedField<Infer<S>> {
  return { defaulted: schema, value, required: true };
}

export function string(options: Omit<StringNode, 'type' | 'enum'> = {}): Schema<string> {
  return { ...options, type: 'string' };
}

/** A string that must be one of a closed list. */
export function oneOf<const E extends readonly string[]>(
  values: E,
  options: Omit<StringNode, 'type' | 'enum'> = {},
): Schema<E[number]> {
  return { ...options, type: 'string', enum: values };
}

export function integer(options: Omit<IntegerNode, 'type'> = {}): Schema<number> {
  return { ...options, type: 'integer' };
}

export function number(options: Omit<NumberNode, 'type'> = {}): Schema<number> {
  return { ...options, type: 'number' };
}

export function boolean(options: Omit<BooleanNode, 'type'> = {}): Schema<boolean> {
  return { ...options, type: 'boolean' };
}

export function intOrString(options: Omit<IntOrStringNode, 'type'> = {}): Schema<number | string> {
  return { ...options, type: 'intOrString' };
}

/** Any JSON value, not looked into. */
export function any(options: Omit<AnyNode, 'type'> = {}): Schema<unknown> {
  return { ...options, type: 'any' };
}

export function object<const S extends Shape>(
  shape: S,
  options: Omit<ObjectNode, 'type' | 'fields'> = {},
): Schema<Flatten<FromShape<S>>> {
  const fields = new Map<string, Field>();
  for (const [name, field] of Object.entries(shape)) fields.set(name, toField(field));
  return { ...options, type: 'object', fields } as Schema<Flatten<FromShape<S>>>;
}

export function map<S extends AnySchema>(
  values: S,
  options: Omit<MapNode, 'type' | 'values'> = {},
): Schema<Readonly<Record<string, Infer<S>>>> {
  return { ...options, type: 'map', values };
}

export function list<S extends AnySchema>(
  items: S,
  options: Omit<ListNode, 'type' | 'items'> = {},
): Schema<readonly Infer<S>[]> {
  return { ...options, type: 'list', items };
}

/** The same schema with other words or bounds: `described(Hostname, 'The name clients use.')`. */
export function described<S extends AnySchema>(schema: S, doc: string): S {
  return { ...schema, doc };
}

function toField(field: ShapeField): Field {
  if ('optional' in field) return { node: field.optional, required: false };
  if ('defaulted' in field) {
    return { node: field.defaulted, required: field.required === true, default: field.value };
  }
  return { node: field as Node, required: true };
}
