// The annotation in which client-side apply remembers what it applied. When kubectl goes over to
// server-side apply, the fields still as last applied are its own, and no conflicts; and the annotation
// is kept up to date, so that one can go back.

import { isRecord, normalize } from '../../api/schema/normalize.ts';
import type { Node } from '../../api/schema/schema.ts';
import { changedFields, removedFields } from './changes.ts';
import { compareText } from './element.ts';
import { difference, EMPTY, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldsOf } from './owned.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The one manager this is done for; whoever does not want it takes another name. */
export const KUBECTL = 'kubectl';

/** What the annotations of an object may hold together, names and values, in bytes. */
export const ANNOTATIONS_BYTES_MAX = 256 * 1024;

type Json = Readonly<Record<string, unknown>>;

/** The fields that are in `live` as client-side apply left them. */
export function fieldsAsLastApplied(schema: Node, live: Json, apiVersion: string): FieldSet {
  const text = annotationsOf(live)[LAST_APPLIED];
  const applied = typeof text === 'string' ? parse(text) : undefined;
  if (!isRecord(applied) || applied['apiVersion'] !== apiVersion) return EMPTY;
  // With defaults, as live has them: else a list that is owned as a whole would always differ.
  const full = normalize(schema, applied).value;
  const differing = union(changedFields(schema, full, live), removedFields(schema, full, live));
  return difference(fieldsOf(schema, applied), differing);
}

/** The object with the annotation saying what was applied, where it has the annotation. */
export function rememberApplied(object: Json, applied: Json): Json {
  const annotations = annotationsOf(object);
  const before = annotations[LAST_APPLIED];
  if (typeof before !== 'string' || before === '') return object;
  const text = `${JSON.stringify(sorted(withoutAnnotation(applied)))}\n`;
  if (text === before) return object;
  const { [LAST_APPLIED]: _, ...others } = annotations;
  const next = { ...others, [LAST_APPLIED]: text };
  const fits = bytesOf(next) <= ANNOTATIONS_BYTES_MAX;
  return withAnnotations(object, fits ? next : others);
}

function withoutAnnotation(applied: Json): Json {
  const annotations = annotationsOf(applied);
  if (!Object.hasOwn(annotations, LAST_APPLIED)) return applied;
  const { [LAST_APPLIED]: _, ...others } = annotations;
  return withAnnotations(applied, others);
}

function withAnnotations(object: Json, annotations: Json): Json {
  return { ...object, metadata: { ...(object['metadata'] as Json), annotations } };
}

function annotationsOf(object: Json): Json {
  const metadata = object['metadata'];
  const annotations = isRecord(metadata) ? metadata['annotations'] : undefined;
  return isRecord(annotations) ? annotations : {};
}

function bytesOf(annotations: Json): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(String(value));
  }
  return bytes;
}

/** Keys in order, as Go writes maps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => compareText(a, b));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
