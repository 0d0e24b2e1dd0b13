// One Service, its slices and the endpoints it ought to have → writes (k8s.io/endpointslice Reconcile).

import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Service } from '../../api/core/service.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { freeNames } from '../shared/hash.ts';
import { isTerminating, uidOf } from '../shared/metadata.ts';
import { putWrite, removeWrites } from '../shared/writes.ts';
import { pack } from './pack.ts';
import {
  newSlice,
  portMapKey,
  sliceLabels,
  TRIGGER_TIME_ANNOTATION,
  triggerTime,
} from './slice.ts';
import type { EndpointGroup, Family } from './slice.ts';

/** Kubernetes' default; the API allows 1000. */
const ENDPOINTS_MAX = 100;

export interface SlicePlanOptions {
  readonly snapshot: Snapshot;
  readonly service: Service;
  /** The slices our controller keeps under the name of the Service, by name. */
  readonly slices: readonly EndpointSlice[];
  /** The endpoints of each family, by the key of their ports. Other families have no slices. */
  readonly groups: ReadonlyMap<Family, ReadonlyMap<string, EndpointGroup>>;
  readonly now: Date;
}

/** What is to become of the slices of one family. */
interface SliceChanges {
  readonly creates: readonly EndpointSlice[];
  readonly updates: readonly EndpointSlice[];
  readonly deletes: readonly EndpointSlice[];
}

export function planSlices(options: SlicePlanOptions): readonly ObjectWrite[] {
  const { slices, groups } = options;
  const isServed = ({ addressType }: EndpointSlice): boolean => groups.has(addressType as Family);
  const unserved = slices.filter((slice) => !isServed(slice));
  const changes = [...groups].map(([family, wanted]) => {
    const own = slices.filter(({ addressType }) => addressType === family);
    return recycle(options.service, planFamily(options.service, family, own, wanted));
  });
  return writesOf(options, {
    creates: changes.flatMap(({ creates }) => creates),
    updates: changes.flatMap(({ updates }) => updates),
    deletes: [...changes.flatMap(({ deletes }) => deletes), ...unserved],
  });
}

function planFamily(
  service: Service,
  family: Family,
  slices: readonly EndpointSlice[],
  groups: ReadonlyMap<string, EndpointGroup>,
): SliceChanges {
  const labels = sliceLabels(service);
  const isStale = ({ metadata }: EndpointSlice): boolean => !deepEqual(metadata.labels, labels);
  const owned = slices.filter((slice) => isOwnedBy(slice, service));
  const byPorts = Map.groupBy(owned, (slice) => portMapKey(slice.ports));
  const creates: EndpointSlice[] = [];
  const updates: EndpointSlice[] = [];
  // Slices of a Service that had the same name before, and of ports nobody has any more.
  const deletes = slices.filter(
    (slice) => !isOwnedBy(slice, service) || !groups.has(portMapKey(slice.ports)),
  );
  for (const [key, group] of groups) {
    const packed = pack({
      slices: byPorts.get(key) ?? [],
      desired: group.endpoints,
      endpointsMax: ENDPOINTS_MAX,
      isStale,
    });
    for (const endpoints of packed.creates) {
      creates.push(newSlice(service, family, { ports: group.ports, endpoints }));
    }
    for (const { slice, endpoints } of packed.updates) {
      updates.push({ ...slice, endpoints, metadata: { ...slice.metadata, labels } });
    }
    deletes.push(...packed.deletes);
  }
  if (slices.length > deletes.length || creates.length > 0) return { creates, updates, deletes };
  // A Service without endpoints has one empty slice, which tells it from one not looked at yet.
  const placeholder = newSlice(service, family, { ports: [], endpoints: [] });
  const [only] = deletes;
  return deletes.length === 1 && only !== undefined && isLike(only, placeholder)
    ? { creates, updates, deletes: [] }
    : { creates: [placeholder], updates, deletes };
}

function isOwnedBy({ metadata }: EndpointSlice, service: Service): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === uidOf(service)) === true;
}

function isLike(slice: EndpointSlice, placeholder: EndpointSlice): boolean {
  return (
    isEmpty(slice) &&
    deepEqual(slice.metadata.labels, placeholder.metadata.labels) &&
    deepEqual(slice.metadata.ownerReferences, placeholder.metadata.ownerReferences)
  );
}

function isEmpty({ endpoints, ports = [] }: EndpointSlice): boolean {
  return endpoints.length === 0 && ports.length === 0;
}

/** Rather than deleting one slice and making another, the first is written anew. */
function recycle(service: Service, changes: SliceChanges): SliceChanges {
  const creates = [...changes.creates];
  const updates = [...changes.updates];
  const deletes: EndpointSlice[] = [];
  for (const slice of changes.deletes) {
    const next = isOwnedBy(slice, service) ? creates.pop() : undefined;
    if (next === undefined) deletes.push(slice);
    else {
      const { labels } = next.metadata;
      updates.push({ ...next, metadata: { ...slice.metadata, labels } });
    }
  }
  return { creates, updates, deletes };
}

function writesOf(
  { snapshot, service, now }: SlicePlanOptions,
  { creates, updates, deletes }: SliceChanges,
): readonly ObjectWrite[] {
  const { namespace = '', name: serviceName = '' } = service.metadata;
  const table = snapshot.table(EndpointSlice);
  const isTaken = (name: string): boolean => table.get(namespace, name) !== undefined;
  const nextName = freeNames(`${serviceName}-`, uidOf(service), isTaken);
  // Slices made while their Service goes would only have to be collected.
  const made = isTerminating(service) ? [] : creates;
  const named = made.map((slice) => ({
    ...slice,
    metadata: { ...slice.metadata, name: nextName() },
  }));
  return [
    ...[...named, ...updates].map((slice) => putWrite(snapshot, EndpointSlice, dated(slice, now))),
    ...deletes.flatMap((slice) => removeWrites(EndpointSlice, slice)),
  ];
}

function dated(slice: EndpointSlice, now: Date): EndpointSlice {
  const annotations = {
    ...slice.metadata.annotations,
    [TRIGGER_TIME_ANNOTATION]: triggerTime(now),
  };
  return { ...slice, metadata: { ...slice.metadata, annotations } };
}
