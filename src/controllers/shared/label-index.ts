// Objects by their labels: from a selector to its pods without looking at every pod there is.

import type { KubeObject } from '../../api/kind.ts';
import type { LabelSelector } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';
import { compareObjects } from '../../store/table.ts';
import type { Changed } from './changes.ts';
import { objectKey } from './metadata.ts';
import { bucketOf } from './selector-index.ts';

export class LabelIndex<T extends KubeObject> {
  /** By label, and once more by namespace alone. */
  readonly #buckets = new Map<string, Map<string, T>>();

  update({ before, after }: Changed<T>): void {
    const names = after === undefined ? [] : bucketsOf(after);
    if (before !== undefined) {
      for (const name of bucketsOf(before)) if (!names.includes(name)) this.#delete(name, before);
    }
    if (after !== undefined) for (const name of names) this.#set(name, after);
  }

  /** The objects of a namespace that a selector selects, by name. An empty one selects nothing. */
  select(namespace: string, selector: LabelSelector): readonly T[] {
    const labels = Object.entries(selector.matchLabels ?? {});
    if (labels.length === 0 && (selector.matchExpressions ?? []).length === 0) return [];
    let smallest = this.#buckets.get(bucketOf(namespace, undefined));
    for (const label of labels) {
      const bucket = this.#buckets.get(bucketOf(namespace, label));
      if (bucket === undefined) return [];
      if (smallest === undefined || bucket.size < smallest.size) smallest = bucket;
    }
    return [...(smallest?.values() ?? [])]
      .filter((object) => matchesSelector(selector, object.metadata.labels))
      .toSorted(compareObjects);
  }

  #set(name: string, object: T): void {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) this.#buckets.set(name, new Map([[objectKey(object), object]]));
    else bucket.set(objectKey(object), object);
  }

  #delete(name: string, object: T): void {
    const bucket = this.#buckets.get(name);
    bucket?.delete(objectKey(object));
    if (bucket?.size === 0) this.#buckets.delete(name);
  }
}

function bucketsOf({ metadata }: KubeObject): readonly string[] {
  const namespace = metadata.namespace ?? '';
  const labels = Object.entries(metadata.labels ?? {});
  return [bucketOf(namespace, undefined), ...labels.map((label) => bucketOf(namespace, label))];
}
