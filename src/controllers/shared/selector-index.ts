// Selectors by the objects they select: from the labels of one pod to the Services and ReplicaSets that
// may be about it, without asking every selector there is. A selector is filed under one of the labels
// it demands; whatever it selects has that label.

import type { LabelSelector } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';
import { compareText } from './metadata.ts';
import type { Labels } from './metadata.ts';

interface Filed {
  readonly bucket: string;
  readonly selector: LabelSelector;
}

export class SelectorIndex {
  readonly #filed = new Map<string, Filed>();
  readonly #buckets = new Map<string, Set<string>>();

  /** Files a selector under an id of the caller's; an empty one selects nothing and is left out. */
  set(id: string, namespace: string, selector: LabelSelector | undefined): void {
    this.delete(id);
    if (selector === undefined) return;
    const labels = Object.entries(selector.matchLabels ?? {});
    if (labels.length === 0 && (selector.matchExpressions ?? []).length === 0) return;
    const bucket = bucketOf(namespace, labels.toSorted(([a], [b]) => compareText(a, b))[0]);
    this.#filed.set(id, { bucket, selector });
    const ids = this.#buckets.get(bucket);
    if (ids === undefined) this.#buckets.set(bucket, new Set([id]));
    else ids.add(id);
  }

  delete(id: string): void {
    const filed = this.#filed.get(id);
    if (filed === undefined) return;
    this.#filed.delete(id);
    const ids = this.#buckets.get(filed.bucket);
    ids?.delete(id);
    if (ids?.size === 0) this.#buckets.delete(filed.bucket);
  }

  /** Calls `each` with the id of every selector of the namespace that selects these labels. */
  forEachMatch(namespace: string, labels: Labels | undefined, each: (id: string) => void): void {
    // Selectors without a demanded label have to be asked each time.
    this.#ask(bucketOf(namespace, undefined), labels, each);
    for (const label of Object.entries(labels ?? {})) {
      this.#ask(bucketOf(namespace, label), labels, each);
    }
  }

  #ask(bucket: string, labels: Labels | undefined, each: (id: string) => void): void {
    for (const id of this.#buckets.get(bucket) ?? []) {
      const filed = this.#filed.get(id);
      if (filed !== undefined && matchesSelector(filed.selector, labels)) each(id);
    }
  }
}

/** Label keys hold no second `=` and namespaces no slash: two buckets never share a name. */
export function bucketOf(namespace: string, label: readonly [string, string] | undefined): string {
  return label === undefined ? namespace : `${namespace}/${label[0]}=${label[1]}`;
}
