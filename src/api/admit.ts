// Object as written → object as stored, or what is wrong with it: prune, default, validate, in the
// order the API server does it. Every way in (files, our API, a cluster) goes through here.

import { nearest } from '../lib/nearest.ts';
import { validateMetadata } from './core/metadata.ts';
import type { Kind, KubeObject } from './kind.ts';
import type { FieldError } from './schema/errors.ts';
import { normalize } from './schema/normalize.ts';
import type { Node } from './schema/schema.ts';
import { validate } from './schema/validate.ts';

export interface UnknownField {
  /** As `spec.rules[0].backendRef`. */
  readonly path: string;
  /** The known field of the same object that looks most like it. */
  readonly nearest?: string;
}

export interface Admission<T> {
  /** Trustworthy only when there are no errors. */
  readonly object: T;
  readonly errors: readonly FieldError[];
  /** Fields that were dropped because the kind does not have them. */
  readonly unknown: readonly UnknownField[];
}

/** Admits one object of a kind. `old` is the stored object when this is an update. */
export function admit<T extends KubeObject>(
  kind: Kind<T>,
  written: unknown,
  old?: T,
): Admission<T> {
  const { value, unknown } = normalize(kind.schema, written);
  const object = kind.setDefaults === undefined ? (value as T) : kind.setDefaults(value as T);
  return {
    object,
    errors: [
      ...validateMetadata(kind, object.metadata, old?.metadata),
      ...validate(kind.schema, object, old),
    ],
    unknown: unknown.map((path) => ({ path, ...nearestField(kind.schema, path) })),
  };
}

function nearestField(schema: Node, path: string): { nearest?: string } {
  const segments = path.split('.');
  const last = segments.pop() ?? '';
  let node: Node | undefined = schema;
  for (const segment of segments) node = child(node, segment);
  if (node?.type !== 'object') return {};
  const found = nearest(last, [...node.fields.keys()]);
  return found === undefined ? {} : { nearest: found };
}

/** The schema below one path segment, as `rules[0]`. */
function child(node: Node | undefined, segment: string): Node | undefined {
  const [name = '', ...brackets] = segment.split('[');
  const field = node?.type === 'object' ? node.fields.get(name)?.node : undefined;
  return brackets.reduce<Node | undefined>((next) => {
    if (next?.type === 'list') return next.items;
    return next?.type === 'map' ? next.values : undefined;
  }, field);
}
