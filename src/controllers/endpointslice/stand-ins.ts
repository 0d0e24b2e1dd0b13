// Addresses a Service names in place of its pods → endpoints, in groups of the same ports.

import type { Service } from '../../api/core/service.ts';
import type { Endpoint } from '../../api/discovery/endpoint-slice.ts';
import type { StandIn } from '../service-address/service-address.ts';
import { endpointPort } from './ports.ts';
import { portMapKey } from './slice.ts';
import type { EndpointGroup } from './slice.ts';

/** The loopback range is this machine: such an endpoint is on the node this process is. */
const LOOPBACK_PREFIX = '127.';

/** All ports of the Service lead to each stand-in; those with the same port number share a slice. */
export function groupsOfStandIns(
  service: Service,
  standIns: readonly StandIn[],
  node: { readonly name: string; readonly zone: string },
): ReadonlyMap<string, EndpointGroup> {
  const groups = new Map<string, EndpointGroup>();
  for (const [port, sharing] of Map.groupBy(standIns, (standIn) => standIn.port)) {
    const ports = (service.spec.ports ?? []).map((one) => endpointPort(one, port));
    const addresses = [...new Set(sharing.map(({ address }) => address))];
    const endpoints = addresses.map((address): Endpoint => {
      const isHere = address.startsWith(LOOPBACK_PREFIX) && node.name !== '';
      return {
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        ...(isHere ? { nodeName: node.name } : {}),
        ...(isHere && node.zone !== '' ? { zone: node.zone } : {}),
      };
    });
    const key = portMapKey(ports);
    const known = groups.get(key);
    groups.set(key, { ports, endpoints: [...(known?.endpoints ?? []), ...endpoints] });
  }
  return groups;
}
