// What the tests of this folder share: a kind with every form of value, and short ways to write to it.

import assert from 'node:assert/strict';

import { ObjectMeta } from '../../api/meta.ts';
import {
  any,
  boolean,
  def,
  integer,
  list,
  map,
  object,
  opt,
  string,
} from '../../api/schema/schema.ts';
import type { Node } from '../../api/schema/schema.ts';
import { apply } from './apply.ts';
import type { Applied } from './apply.ts';
import type { ManagedFieldsEntry } from './managers.ts';
import { trackUpdate } from './track.ts';
import { withManagedFields } from './apply.ts';
import { normalize } from '../../api/schema/normalize.ts';

export type Json = Readonly<Record<string, unknown>>;

const Port = object({
  name: opt(string()),
  port: integer(),
  protocol: def(string(), 'TCP'),
  target: opt(integer()),
});

export const Thing: Node = object({
  apiVersion: string(),
  kind: string(),
  metadata: ObjectMeta,
  spec: opt(
    object({
      replicas: opt(integer()),
      paused: opt(boolean()),
      mode: def(string(), 'auto'),
      selector: opt(map(string(), { atomic: true })),
      options: opt(map(object({ value: opt(string()), note: opt(string()) }))),
      tags: opt(list(string(), { listType: 'set' })),
      numbers: opt(list(integer(), { listType: 'set' })),
      ports: opt(list(Port, { listType: 'map', keys: ['port', 'protocol'] })),
      rules: opt(list(object({ path: opt(string()), type: def(string(), 'Prefix') }))),
      nested: opt(object({ a: opt(string()), b: opt(string()) })),
      free: opt(any()),
    }),
  ),
  status: opt(object({ ready: opt(integer()), phase: opt(string()) })),
});

export const NOW = '2026-01-01T00:00:00Z';
export const LATER = '2026-01-01T00:01:00Z';
export const apiVersion = 'example.com/v1';

export function thing(spec?: Json, metadata: Json = {}): Json {
  return {
    apiVersion,
    kind: 'Thing',
    metadata: { name: 'a', ...metadata },
    ...(spec === undefined ? {} : { spec }),
  };
}

export interface Options {
  readonly force?: boolean;
  readonly now?: string;
  readonly subresource?: string;
  readonly schema?: Node;
  readonly complete?: (object: Json) => Json;
}

export function tryApply(
  live: Json | undefined,
  manager: string,
  applied: Json,
  { force = false, now = NOW, subresource, schema = Thing, complete }: Options = {},
): Applied {
  const version = String(applied['apiVersion']);
  const writer = { manager, apiVersion: version, now, schema };
  return apply({
    ...writer,
    live,
    applied,
    force,
    ...(subresource === undefined ? {} : { subresource }),
    ...(complete === undefined ? {} : { complete }),
  });
}

/** Applies, and gives the object to store. */
export function applied(
  live: Json | undefined,
  manager: string,
  object: Json,
  options: Options = {},
): Json {
  const result = tryApply(live, manager, object, options);
  assert.equal(result.outcome, 'applied', JSON.stringify(result));
  return (result as Extract<Applied, { outcome: 'applied' }>).object;
}

/** Writes as create, update and patch do, and gives the object to store. */
export function updated(
  before: Json | undefined,
  manager: string,
  after: Json,
  { now = NOW, subresource, schema = Thing }: Options = {},
): Json {
  const full = normalize(schema, after).value as Json;
  const version = String(after['apiVersion']);
  const entries = trackUpdate({
    before,
    after: full,
    manager,
    apiVersion: version,
    now,
    schema,
    ...(subresource === undefined ? {} : { subresource }),
  });
  return withManagedFields(full, entries);
}

export function entriesOf(object: Json): readonly ManagedFieldsEntry[] {
  const { managedFields } = object['metadata'] as { managedFields?: readonly ManagedFieldsEntry[] };
  return managedFields ?? [];
}

/** The fields of one manager, whatever the operation. */
export function fieldsOwnedBy(object: Json, manager: string): unknown {
  return entriesOf(object).find((entry) => entry.manager === manager)?.fieldsV1;
}

export function specOf(object: Json): unknown {
  return object['spec'];
}
