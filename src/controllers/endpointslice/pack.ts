// Endpoints of one group → slices, with as few writes as can be (k8s.io/endpointslice
// reconcileByPortMapping). A slice that needs no write is left as it is, even when it is not full.

import type { Endpoint, EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { deepEqual } from '../../lib/equal.ts';

export interface Packed {
  /** Slices to be written, with the endpoints they are to have. */
  readonly updates: readonly SliceUpdate[];
  /** Endpoints of slices to be made. */
  readonly creates: readonly (readonly Endpoint[])[];
  readonly deletes: readonly EndpointSlice[];
}

interface SliceUpdate {
  readonly slice: EndpointSlice;
  readonly endpoints: readonly Endpoint[];
}

interface Draft {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
}

export interface PackOptions {
  /** The slices there are for these ports. */
  readonly slices: readonly EndpointSlice[];
  readonly desired: readonly Endpoint[];
  readonly endpointsMax: number;
  /** True for a slice that has to be written in any case. */
  readonly isStale: (slice: EndpointSlice) => boolean;
}

export function pack({ slices, desired, endpointsMax, isStale }: PackOptions): Packed {
  const waiting = new Map(desired.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const updates: Draft[] = [];
  const unchanged: EndpointSlice[] = [];
  const deletes: EndpointSlice[] = [];
  for (const slice of slices) {
    const { kept, isChanged } = keep(slice, waiting);
    if (!isChanged && !isStale(slice)) unchanged.push(slice);
    else if (isChanged && kept.length === 0) deletes.push(slice);
    else updates.push({ slice, endpoints: kept });
  }
  // What is written anyway is filled up, the fullest first.
  for (const { endpoints } of updates.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    fill(endpoints, waiting, endpointsMax);
  }
  const creates: Endpoint[][] = [];
  while (waiting.size > 0) {
    const slice =
      waiting.size < endpointsMax
        ? closestToFull(unchanged, waiting.size, endpointsMax)
        : undefined;
    const endpoints = [...(slice?.endpoints ?? [])];
    fill(endpoints, waiting, endpointsMax);
    if (slice === undefined) creates.push(endpoints);
    else {
      updates.push({ slice, endpoints });
      unchanged.splice(unchanged.indexOf(slice), 1);
    }
  }
  return { updates, creates, deletes };
}

/** The endpoints of a slice that are still wanted, as they are now; they wait no longer. */
function keep(
  slice: EndpointSlice,
  waiting: Map<string, Endpoint>,
): { kept: Endpoint[]; isChanged: boolean } {
  const kept: Endpoint[] = [];
  let isChanged = false;
  for (const endpoint of slice.endpoints) {
    const key = endpointKey(endpoint);
    const wanted = waiting.get(key);
    waiting.delete(key);
    if (wanted !== undefined) kept.push(wanted);
    if (!deepEqual(wanted, endpoint)) isChanged = true;
  }
  return { kept, isChanged };
}

function fill(endpoints: Endpoint[], waiting: Map<string, Endpoint>, endpointsMax: number): void {
  for (const [key, endpoint] of waiting) {
    if (endpoints.length >= endpointsMax) return;
    endpoints.push(endpoint);
    waiting.delete(key);
  }
}

/** Of the slices that can take all that waits, the one that ends closest to full. */
function closestToFull(
  slices: readonly EndpointSlice[],
  waitingCount: number,
  endpointsMax: number,
): EndpointSlice | undefined {
  let closest: EndpointSlice | undefined;
  let closestRoom = endpointsMax;
  for (const slice of slices) {
    const room = endpointsMax - slice.endpoints.length - waitingCount;
    if (room < 0 || room >= closestRoom) continue;
    closest = slice;
    closestRoom = room;
  }
  return closest;
}

/** What makes an endpoint the same one although its conditions and its place change. */
function endpointKey(endpoint: Endpoint): string {
  let key = keys.get(endpoint);
  if (key === undefined) {
    const { addresses, hostname = '', targetRef } = endpoint;
    const { namespace = '', name = '' } = targetRef ?? {};
    key = `${namespace}/${name} ${hostname} ${addresses.toSorted().join()}`;
    keys.set(endpoint, key);
  }
  return key;
}

/** Endpoints stay the same objects from one run to the next as long as they do not change. */
const keys = new WeakMap<Endpoint, string>();
