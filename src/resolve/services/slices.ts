// EndpointSlices by the Service they belong to. A Service's list is the same value as long as none of
// its slices changes, which is what everything made from it is remembered by.

import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { same } from '../reader.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Slices by `namespace/service`. */
export type SliceIndex = ReadonlyMap<string, readonly EndpointSlice[]>;

export function createSliceIndexer(): (snapshot: Snapshot) => SliceIndex {
  let table: unknown;
  let index: SliceIndex = new Map();
  return (snapshot) => {
    const now = snapshot.table(EndpointSlice);
    if (now !== table) {
      table = now;
      index = reindex(now.objects, index);
    }
    return index;
  };
}

function reindex(slices: readonly EndpointSlice[], before: SliceIndex): SliceIndex {
  const next = new Map<string, readonly EndpointSlice[]>();
  for (const [key, group] of Map.groupBy(slices, serviceOf)) {
    if (key === undefined) continue;
    const known = before.get(key);
    next.set(key, known !== undefined && same(known, group) ? known : group);
  }
  return next;
}

function serviceOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`;
}
