// Where in the files something stands: an object and a field → file, line and column. Found only when
// somebody wants to see it.

import { SERVED_KINDS } from '../api/kinds.ts';
import type { ObjectRef, Origin, Position } from '../api/finding.ts';
import type { Source } from '../sources/source.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** Finds the position of an origin; undefined for what was written in no file. */
export type Locator = (origin: Origin) => Position | undefined;

export function createLocator(sources: readonly Source[], snapshot: () => Snapshot): Locator {
  const locateObject = (object: ObjectRef, field: string): Position | undefined => {
    const kind = SERVED_KINDS.find((k) => k.kind === object.kind);
    if (kind === undefined) return undefined;
    const ref = snapshot().sourceOf(kind, object.namespace, object.name);
    if (ref === undefined) return undefined;
    return sources.find((s) => s.name === ref.source)?.locate(ref, field);
  };
  return ({ object, field = '', position }) =>
    position ?? (object === undefined ? undefined : locateObject(object, field));
}

/** `web.yaml:12:5` */
export function formatPosition({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}
