// EndpointSlices of a Service → the endpoints of one of its ports. Slices are merged, and an address
// that stands in two of them counts once, as it does while endpoints move between slices.

import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Endpoint } from '../../model/model.ts';

/** The endpoints of the service port of that name and protocol, sorted by address and port. */
export function endpointsOf(
  slices: readonly EndpointSlice[],
  portName: string,
  protocol: string,
): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue;
    for (const port of slice.ports ?? []) {
      if (port.port === undefined) continue;
      if ((port.name ?? '') !== portName || (port.protocol ?? 'TCP') !== protocol) continue;
      for (const endpoint of slice.endpoints) addEndpoint(found, endpoint, port.port);
    }
  }
  return [...found.values()].toSorted(compareEndpoints);
}

type SliceEndpoint = EndpointSlice['endpoints'][number];

function addEndpoint(found: Map<string, Endpoint>, endpoint: SliceEndpoint, port: number): void {
  const { conditions, targetRef, hints } = endpoint;
  // All addresses of an endpoint are the same place; the first one is enough.
  const address = endpoint.addresses[0];
  if (address === undefined) return;
  // What is not said counts in the endpoint's favour (discovery.k8s.io EndpointConditions).
  const ready = conditions.ready ?? true;
  const resolved: Endpoint = {
    address,
    port,
    ready,
    serving: conditions.serving ?? ready,
    terminating: conditions.terminating ?? false,
    node: endpoint.nodeName ?? '',
    zone: endpoint.zone ?? '',
    target:
      targetRef === undefined
        ? ''
        : `${targetRef.kind ?? ''} ${targetRef.namespace ?? ''}/${targetRef.name ?? ''}`,
    ...(hints === undefined ? {} : { hints: hintsOf(hints) }),
  };
  const key = `${address}|${port}`;
  // Of two entries for one address, the one that says it is ready is the newer one.
  if (found.get(key)?.ready !== true) found.set(key, resolved);
}

function hintsOf({ forZones = [], forNodes = [] }: NonNullable<SliceEndpoint['hints']>) {
  return { zones: forZones.map((z) => z.name), nodes: forNodes.map((n) => n.name) };
}

function compareEndpoints(a: Endpoint, b: Endpoint): number {
  return (a.address < b.address ? -1 : a.address > b.address ? 1 : 0) || a.port - b.port;
}
