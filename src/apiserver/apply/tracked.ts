// What of an object is tracked by field managers, and what a write may change at all: identity and
// bookkeeping of the server belong to nobody, and a subresource sees its own part only. Upstream
// filters finished sets; here the schema that the sets are made by has the rest marked, so that it is
// never walked.

import type { Field, Node, ObjectNode } from '../../api/schema/schema.ts';

/** Stands where nothing is tracked. */
export const UNTRACKED: Node = { type: 'any', doc: 'Not tracked.' };

/** Fields of metadata that the server alone writes, or that name the object. */
const SERVER_METADATA: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/** Which part of an object a write is about. */
export interface Scope {
  /** `status`, another subresource, or empty for the object itself. */
  readonly subresource: string;
  /** Status is a subresource of the kind; without, it is written with the object. */
  readonly hasStatus: boolean;
}

type Part = 'object' | 'status' | 'everything';

const VIEWS = new WeakMap<Node, Map<Part, Node>>();

/** The schema with everything marked that a write of this scope does not own. */
export function trackedSchema(schema: Node, scope: Scope): Node {
  const part = partOf(scope);
  let views = VIEWS.get(schema);
  if (views === undefined) VIEWS.set(schema, (views = new Map<Part, Node>()));
  let view = views.get(part);
  if (view === undefined) views.set(part, (view = makeView(schema, part)));
  return view;
}

function partOf({ subresource, hasStatus }: Scope): Part {
  if (!hasStatus) return 'everything';
  return subresource === 'status' ? 'status' : subresource === '' ? 'object' : 'everything';
}

function makeView(schema: Node, part: Part): Node {
  if (schema.type !== 'object') return schema;
  const fields = new Map<string, Field>(schema.fields);
  for (const name of ['apiVersion', 'kind']) fields.set(name, untracked);
  const metadata = fields.get('metadata')?.node;
  if (metadata?.type === 'object') {
    fields.set('metadata', { node: withoutServerFields(metadata), required: true });
  }
  if (part === 'object') fields.set('status', untracked);
  if (part !== 'status') return { ...schema, fields };
  for (const name of fields.keys()) if (name !== 'status') fields.set(name, untracked);
  return { ...schema, fields, preserveUnknown: false };
}

function withoutServerFields(metadata: ObjectNode): ObjectNode {
  const fields = new Map<string, Field>(metadata.fields);
  for (const name of SERVER_METADATA) fields.set(name, untracked);
  return { ...metadata, fields };
}

const untracked: Field = { node: UNTRACKED, required: false };

/**
 * The object as written, with what the scope may not change taken from `live`, or left out where
 * there is no live object: status in a write of the object, everything but status in a write of the
 * status. resourceVersion and uid stay as written: they are the writer's guard.
 */
export function resetFields(
  written: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>> | undefined,
  scope: Scope,
): Readonly<Record<string, unknown>> {
  switch (partOf(scope)) {
    case 'everything':
      return written;
    case 'object':
      if (written['status'] === live?.['status']) return written;
      return withField(written, 'status', live?.['status']);
    case 'status':
      return withField(guarded(written, live), 'status', written['status']);
  }
}

function guarded(
  written: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> {
  const metadata = recordOf(written['metadata']);
  const base = live ?? { apiVersion: written['apiVersion'], kind: written['kind'] };
  const guards = ['name', 'namespace', 'resourceVersion', 'uid']
    .filter((name) => metadata[name] !== undefined)
    .map((name) => [name, metadata[name]]);
  const own: unknown = Object.fromEntries(guards);
  return { ...base, metadata: { ...recordOf(base['metadata']), ...recordOf(own) } };
}

function withField(
  object: Readonly<Record<string, unknown>>,
  name: string,
  value: unknown,
): Readonly<Record<string, unknown>> {
  const { [name]: _, ...rest } = object;
  return value === undefined ? rest : { ...rest, [name]: value };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
