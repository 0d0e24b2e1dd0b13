// EndpointSlices by the Service they belong to. A Service's list is the same value as long as none of
// its slices changes, which is what everything made from it is remembered by.

import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { VersionedMap } from '../../lib/versioned-map.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { changedIn, compareObjects, splitKey } from '../../store/table.ts';
import type { Table } from '../../store/table.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Slices by `namespace/service`, sorted by name. */
export type SliceIndex = VersionedMap<readonly EndpointSlice[]>;

export function createSliceIndexer(): (snapshot: Snapshot) => SliceIndex {
  let table: Table<EndpointSlice> | undefined;
  let index: SliceIndex = VersionedMap.of();
  return (snapshot) => {
    const now = snapshot.table(EndpointSlice);
    if (now !== table) {
      index = table === undefined ? indexAll(now.objects) : update(index, table, now);
      table = now;
    }
    return index;
  };
}

function indexAll(slices: readonly EndpointSlice[]): SliceIndex {
  const groups = Map.groupBy(slices, serviceOf);
  groups.delete(undefined);
  return VersionedMap.of(groups as Map<string, EndpointSlice[]>);
}

function update(
  index: SliceIndex,
  before: Table<EndpointSlice>,
  after: Table<EndpointSlice>,
): SliceIndex {
  const groups = new Map<string, readonly EndpointSlice[]>();
  const groupOf = (key: string): readonly EndpointSlice[] =>
    groups.get(key) ?? index.get(key) ?? [];
  for (const key of changedIn(before, after)) {
    const [namespace, name] = splitKey(key);
    const old = before.get(namespace, name)?.object;
    const slice = after.get(namespace, name)?.object;
    if (old === slice) continue;
    const from = old === undefined ? undefined : serviceOf(old);
    if (from !== undefined) {
      groups.set(
        from,
        groupOf(from).filter((other) => other !== old),
      );
    }
    const to = slice === undefined ? undefined : serviceOf(slice);
    if (slice !== undefined && to !== undefined) {
      groups.set(to, [...groupOf(to), slice].toSorted(compareObjects));
    }
  }
  return index.with(
    Array.from(groups, ([key, group]) => [key, group.length === 0 ? undefined : group] as const),
  );
}

function serviceOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`;
}
