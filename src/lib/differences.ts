// Two sorted lists that share the items that did not change → the items that differ, by comparing
// identities along both: a few nanoseconds for each that is the same.

export interface Difference<T> {
  readonly item: T;
  /** In the second list; otherwise it was in the first one only, and nothing took its place. */
  readonly isThere: boolean;
}

/** In the order of the lists, each of which is strictly ascending. */
export function differences<T>(
  before: readonly T[],
  after: readonly T[],
  compare: (a: T, b: T) => number,
): readonly Difference<T>[] {
  const out: Difference<T>[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
      continue;
    }
    const order =
      i === before.length ? 1 : j === after.length ? -1 : compare(before[i] as T, after[j] as T);
    if (order < 0) out.push({ item: before[i] as T, isThere: false });
    else out.push({ item: after[j] as T, isThere: true });
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return out;
}
