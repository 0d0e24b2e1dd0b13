// Pods of a Service → its endpoints, in groups of the same ports (k8s.io/endpointslice podToEndpoint).

import type { Pod } from '../../api/core/pod.ts';
import type { Service } from '../../api/core/service.ts';
import type { Endpoint, EndpointPort } from '../../api/discovery/endpoint-slice.ts';
import { isTerminating } from '../shared/metadata.ts';
import { isFinished, isReady } from '../shared/pods.ts';
import { endpointPorts } from './ports.ts';
import { portMapKey } from './slice.ts';
import type { EndpointGroup, Family } from './slice.ts';

/** The zone of every node there is; empty for a node that is in none. */
export type Zones = ReadonlyMap<string, string>;

const MODE_ANNOTATION = 'service.kubernetes.io/topology-mode';
const OLD_MODE_ANNOTATION = 'service.kubernetes.io/topology-aware-hints';

/**
 * Endpoints by Service, family and pod: a pod that did not change gives the very same endpoint, so that
 * one pod among thousands is told from the others by its identity. To be thrown away with the zones.
 */
export type EndpointMemo = WeakMap<Service, Map<Family, WeakMap<Pod, Endpoint>>>;

export interface PodGroupOptions {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly zones: Zones;
  readonly family: Family;
  readonly memo: EndpointMemo;
}

/** Endpoints of one family, the pods in the order given. Groups without an endpoint are left out. */
export function groupsOfPods(options: PodGroupOptions): ReadonlyMap<string, EndpointGroup> {
  const { service, pods, zones, family } = options;
  const known = knownEndpoints(options);
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (isFinished(pod)) continue;
    const zone = zones.get(pod.spec.nodeName ?? '');
    // A pod on a node that is not there is about to go, unless all addresses are wanted.
    if (zone === undefined && service.spec.publishNotReadyAddresses !== true) continue;
    const addresses = addressesOf(pod, family);
    if (addresses.length === 0) continue;
    const endpoint = known.get(pod) ?? endpointOf({ service, pod, zone: zone ?? '', addresses });
    known.set(pod, endpoint);
    const ports = endpointPorts(service, pod);
    const key = portMapKey(ports);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ports, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  return groups;
}

function knownEndpoints({ service, family, memo }: PodGroupOptions): WeakMap<Pod, Endpoint> {
  const families = memo.get(service) ?? new Map<Family, WeakMap<Pod, Endpoint>>();
  memo.set(service, families);
  const known = families.get(family) ?? new WeakMap<Pod, Endpoint>();
  families.set(family, known);
  return known;
}

function addressesOf({ status }: Pod, family: Family): readonly string[] {
  const ips = status.podIPs?.map(({ ip }) => ip) ?? [status.podIP ?? ''];
  return ips.filter((ip) => ip !== '' && ip.includes(':') === (family === 'IPv6'));
}

interface EndpointOptions {
  readonly service: Service;
  readonly pod: Pod;
  readonly zone: string;
  readonly addresses: readonly string[];
}

function endpointOf({ service, pod, zone, addresses }: EndpointOptions): Endpoint {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const { nodeName = '', hostname = '', subdomain } = pod.spec;
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  // Never ready while it ends: consumers older than the condition serving go by this one.
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hints = ready ? hintsOf(service, zone, nodeName) : undefined;
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname !== '' && subdomain === service.metadata.name ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName === '' ? {} : { nodeName }),
    ...(zone === '' ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/**
 * KEP-4444: every ready endpoint is for its own zone, and its own node where that is asked for. The
 * older annotation goes before the field; its shares by CPU of each zone are not given here, as in a
 * cluster that has nodes in one zone only.
 */
function hintsOf(
  { spec, metadata }: Service,
  zone: string,
  nodeName: string,
): Endpoint['hints'] | undefined {
  const { annotations = {} } = metadata;
  const mode = annotations[OLD_MODE_ANNOTATION] ?? annotations[MODE_ANNOTATION];
  if (spec.trafficDistribution === undefined || mode === 'Auto' || mode === 'auto')
    return undefined;
  const byNode = spec.trafficDistribution === 'PreferSameNode' && nodeName !== '';
  if (zone === '' && !byNode) return undefined;
  return {
    ...(zone === '' ? {} : { forZones: [{ name: zone }] }),
    ...(byNode ? { forNodes: [{ name: nodeName }] } : {}),
  };
}
