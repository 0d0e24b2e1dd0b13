// Which slices are written for a change of endpoints: as few as can be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Endpoint } from '../../api/discovery/endpoint-slice.ts';
import { objectOf } from '../testing/lab.ts';
import { pack } from './pack.ts';

function endpoint(number: number, ready = true): Endpoint {
  return { addresses: [`10.0.${number >> 8}.${number & 255}`], conditions: { ready } };
}

function endpoints(from: number, count: number): readonly Endpoint[] {
  return Array.from({ length: count }, (_, i) => endpoint(from + i));
}

function slice(name: string, own: readonly Endpoint[]): EndpointSlice {
  return objectOf(EndpointSlice, {
    metadata: { name },
    addressType: 'IPv4',
    endpoints: own.map((one) => ({ ...one, addresses: [...one.addresses] })),
    ports: [],
  });
}

interface Row {
  readonly what: string;
  readonly slices: readonly (readonly Endpoint[])[];
  readonly desired: readonly Endpoint[];
  readonly stale?: boolean;
  /** Slices that are written, as `a:3`; how many endpoints new ones have; slices that go. */
  readonly updates?: readonly string[];
  readonly creates?: readonly number[];
  readonly deletes?: readonly string[];
}

/** At most ten endpoints in a slice; slices are called a, b, c. */
const rows: readonly Row[] = [
  {
    what: 'endpoints that are there need no write',
    slices: [endpoints(0, 4), endpoints(4, 4)],
    desired: endpoints(0, 8),
  },
  {
    what: 'the first endpoints make slices, full ones first',
    slices: [],
    desired: endpoints(0, 25),
    creates: [10, 10, 5],
  },
  {
    what: 'an endpoint that changed is written where it is',
    slices: [endpoints(0, 4), endpoints(4, 4)],
    desired: [...endpoints(0, 5), endpoint(5, false), ...endpoints(6, 2)],
    updates: ['b:4'],
  },
  {
    what: 'an endpoint that is gone leaves a gap: nothing is moved into it from elsewhere',
    slices: [endpoints(0, 10), endpoints(10, 10)],
    desired: [...endpoints(1, 9), ...endpoints(10, 10)],
    updates: ['a:9'],
  },
  {
    what: 'a slice that has become empty goes',
    slices: [endpoints(0, 2), endpoints(2, 3)],
    desired: endpoints(2, 3),
    deletes: ['a'],
  },
  {
    what: 'a new endpoint goes into a slice that is written anyway',
    slices: [endpoints(0, 9), endpoints(10, 4)],
    desired: [...endpoints(0, 9), ...endpoints(11, 3), endpoint(50)],
    updates: ['b:4'],
  },
  {
    what: 'of those that are written anyway, the fullest is filled first',
    slices: [endpoints(0, 5), endpoints(10, 9)],
    desired: [...endpoints(1, 4), ...endpoints(11, 8), ...endpoints(50, 3)],
    updates: ['a:5', 'b:10'],
  },
  {
    what: 'what is left goes into the one slice that ends closest to full',
    slices: [endpoints(0, 4), endpoints(10, 7), endpoints(20, 9)],
    desired: [...endpoints(0, 4), ...endpoints(10, 7), ...endpoints(20, 9), ...endpoints(50, 2)],
    updates: ['b:9'],
  },
  {
    what: 'what fits into no slice as a whole makes a new one: two writes would be worse',
    slices: [endpoints(0, 8), endpoints(10, 8)],
    desired: [...endpoints(0, 8), ...endpoints(10, 8), ...endpoints(50, 3)],
    creates: [3],
  },
  {
    what: 'a slice with other labels is written, and filled on the way',
    slices: [endpoints(0, 4)],
    desired: [...endpoints(0, 4), endpoint(50)],
    stale: true,
    updates: ['a:5'],
  },
  {
    what: 'an endpoint in two slices stays in the first',
    slices: [endpoints(0, 3), endpoints(2, 3)],
    desired: endpoints(0, 5),
    updates: ['b:2'],
  },
];

for (const { what, slices, desired, stale = false, ...expected } of rows) {
  test(what, () => {
    const own = slices.map((list, i) => slice('abc'[i] ?? '', list));
    const packed = pack({ slices: own, desired, endpointsMax: 10, isStale: () => stale });
    const updates = packed.updates.map(
      ({ slice: { metadata }, endpoints: list }) => `${metadata.name}:${list.length}`,
    );
    assert.deepEqual(
      {
        updates: updates.toSorted(),
        creates: packed.creates.map((list) => list.length),
        deletes: packed.deletes.map(({ metadata }) => metadata.name),
      },
      { updates: [], creates: [], deletes: [], ...expected },
    );
  });
}
