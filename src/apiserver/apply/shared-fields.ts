// Who owns which fields is, of thousands of objects made alike, the same tree thousands of times, and
// often larger than the object. It is kept once.

import type { ObjectMeta } from '../../api/meta.ts';

type ManagedFields = NonNullable<ObjectMeta['managedFields']>;

/** Trees that are remembered; of the others each object has its own. */
const TREES_MAX = 512;
/** The text of a larger tree is not worth remembering. */
const TREE_CHARS_MAX = 16 * 1024;

/** Trees by their JSON, the one used last at the end. */
const trees = new Map<string, unknown>();

/** The same managed fields, with trees that others have as well. */
export function shareFields(managedFields: ManagedFields): ManagedFields {
  return managedFields.map((entry) =>
    entry.fieldsV1 === undefined ? entry : { ...entry, fieldsV1: share(entry.fieldsV1) },
  );
}

function share<T>(tree: T): T {
  const text = JSON.stringify(tree);
  if (text.length > TREE_CHARS_MAX) return tree;
  const known = trees.get(text) ?? tree;
  trees.delete(text);
  trees.set(text, known);
  if (trees.size > TREES_MAX) {
    const [oldest] = trees.keys();
    if (oldest !== undefined) trees.delete(oldest);
  }
  return known as T;
}
