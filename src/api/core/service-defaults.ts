// What the API server fills into a Service before it looks at it, and what an update keeps of the stored
// one (k8s.io/kubernetes pkg/apis/core/v1/defaults.go and pkg/registry/core/service). Addresses and
// node ports are not given here: that is the allocators' work.

import { deepEqual } from '../../lib/equal.ts';
import { changed, isObject, mapItems } from './defaulting.ts';
import { withGivenInstead } from './service-carry-over.ts';
import type { Service } from './service.ts';
import type { ServicePort, ServiceSpec } from './service-spec.ts';
import {
  isExternallyAccessible,
  needsClusterIp,
  needsHealthCheck,
  needsNodePorts,
} from './service-type.ts';

/** Three hours. */
const AFFINITY_TIMEOUT_SECONDS = 10_800;

/** Fills in what one field takes from another. The Service may still be invalid in any way. */
export function serviceDefaults(service: Service): Service {
  const { spec, status } = service;
  if (!isObject(spec)) return service;
  const nextSpec = fillSpec(spec);
  const nextStatus = spec.type === 'LoadBalancer' && isObject(status) ? fillStatus(status) : status;
  if (nextSpec === spec && nextStatus === status) return service;
  return { ...service, spec: nextSpec, status: nextStatus };
}

function fillSpec(spec: ServiceSpec): ServiceSpec {
  const changes: { -readonly [K in keyof ServiceSpec]?: ServiceSpec[K] | undefined } = {
    ...affinity(spec),
  };
  if (spec.clusterIP === '') changes.clusterIP = undefined;
  else if (spec.clusterIP !== undefined && (spec.clusterIPs ?? []).length === 0) {
    changes.clusterIPs = [spec.clusterIP];
  }
  if (Array.isArray(spec.ports)) {
    const ports = mapItems<ServicePort>(spec.ports, fillPort);
    if (ports !== spec.ports) changes.ports = ports;
  }
  if (spec.externalTrafficPolicy === undefined && isExternallyAccessible(spec)) {
    changes.externalTrafficPolicy = 'Cluster';
  }
  if (spec.internalTrafficPolicy === undefined && needsClusterIp(spec)) {
    changes.internalTrafficPolicy = 'Cluster';
  }
  if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === undefined) {
    changes.allocateLoadBalancerNodePorts = true;
  }
  if (spec.healthCheckNodePort === 0) changes.healthCheckNodePort = undefined;
  return changed(spec, changes);
}

function affinity(spec: ServiceSpec): {
  sessionAffinityConfig?: ServiceSpec['sessionAffinityConfig'] | undefined;
} {
  if (spec.sessionAffinity === 'None') {
    return spec.sessionAffinityConfig === undefined ? {} : { sessionAffinityConfig: undefined };
  }
  if (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds !== undefined) return {};
  return {
    sessionAffinityConfig: { clientIP: { timeoutSeconds: AFFINITY_TIMEOUT_SECONDS } },
  };
}

function fillPort(port: ServicePort): ServicePort {
  if (!isObject(port)) return port;
  const changes: { targetPort?: number; nodePort?: undefined } = {};
  const { targetPort } = port;
  if (targetPort === undefined || targetPort === 0 || targetPort === '') {
    changes.targetPort = port.port;
  }
  if (port.nodePort === 0) changes.nodePort = undefined;
  return changed(port, changes);
}

function fillStatus(status: Service['status']): Service['status'] {
  const ingress = status.loadBalancer?.ingress;
  if (!Array.isArray(ingress)) return status;
  const next = mapItems<NonNullable<typeof ingress>[number]>(ingress, (item) =>
    isObject(item) && (item.ip ?? '') !== '' && item.ipMode === undefined
      ? { ...item, ipMode: 'VIP' }
      : item,
  );
  return next === ingress
    ? status
    : { ...status, loadBalancer: { ...status.loadBalancer, ingress: next } };
}

/**
 * `wanted` completed from the stored Service: what the allocators gave it stays its own while it
 * still needs it, and goes when its new type has no use for it and the writer did not ask for it.
 */
export function serviceCarryOver(old: Service, written: Service): Service {
  const wanted = withGivenInstead(old, written);
  const released = changed(wanted.spec, releasedFields(old.spec, wanted.spec));
  const spec = changed(released, keptFields(old.spec, released));
  return spec === wanted.spec ? wanted : { ...wanted, spec };
}

type SpecChanges = { -readonly [K in keyof ServiceSpec]?: ServiceSpec[K] | undefined };

function keptFields(old: ServiceSpec, wanted: ServiceSpec): SpecChanges {
  const kept: SpecChanges = {};
  if (needsClusterIp(old) && needsClusterIp(wanted))
    Object.assign(kept, keptAddresses(old, wanted));
  if (needsNodePorts(old) && needsNodePorts(wanted) && wanted.ports !== undefined) {
    kept.ports = keptNodePorts(old.ports ?? [], wanted.ports);
  }
  if (needsHealthCheck(old) && needsHealthCheck(wanted)) {
    kept.healthCheckNodePort = wanted.healthCheckNodePort ?? old.healthCheckNodePort;
  }
  return kept;
}

function keptAddresses(old: ServiceSpec, wanted: ServiceSpec): SpecChanges {
  const clusterIP = wanted.clusterIP ?? old.clusterIP;
  // A writer who knows only clusterIP names the first of the addresses it already has.
  const knowsOne = wanted.clusterIPs?.length === 1 && wanted.clusterIPs[0] === old.clusterIPs?.[0];
  const clusterIPs =
    wanted.clusterIPs === undefined || (knowsOne && wanted.ipFamilyPolicy === undefined)
      ? old.clusterIPs
      : wanted.clusterIPs;
  const ipFamilyPolicy = wanted.ipFamilyPolicy ?? old.ipFamilyPolicy;
  const ipFamilies =
    wanted.ipFamilies ?? (deepEqual(clusterIPs, old.clusterIPs) ? old.ipFamilies : undefined);
  if (ipFamilyPolicy !== 'SingleStack')
    return { clusterIP, clusterIPs, ipFamilyPolicy, ipFamilies };
  return {
    clusterIP,
    // Asking for one family is clear enough: the second address is given back.
    clusterIPs: deepEqual(clusterIPs, old.clusterIPs) ? clusterIPs?.slice(0, 1) : clusterIPs,
    ipFamilyPolicy,
    ipFamilies: deepEqual(ipFamilies, old.ipFamilies) ? ipFamilies?.slice(0, 1) : ipFamilies,
  };
}

/** Node ports go with the name of the port: its number may have changed. */
function keptNodePorts(
  old: readonly ServicePort[],
  wanted: readonly ServicePort[],
): readonly ServicePort[] {
  const byName = new Map(old.map((port) => [port.name ?? '', port.nodePort]));
  const taken = new Set(wanted.map((port) => port.nodePort));
  return mapItems(wanted, (port) => {
    const nodePort = byName.get(port.name ?? '');
    if (port.nodePort !== undefined || nodePort === undefined || taken.has(nodePort)) return port;
    return { ...port, nodePort };
  });
}

function releasedFields(old: ServiceSpec, wanted: ServiceSpec): SpecChanges {
  const released: SpecChanges = {};
  const release = (...fields: readonly (keyof ServiceSpec)[]): void => {
    for (const field of fields) {
      if (deepEqual(old[field], wanted[field])) released[field] = undefined;
    }
  };
  if (needsClusterIp(old) && !needsClusterIp(wanted)) {
    if (deepEqual(old.clusterIPs, wanted.clusterIPs)) release('clusterIP', 'clusterIPs');
    release('ipFamilies', 'ipFamilyPolicy');
  }
  if (needsHealthCheck(old) && !needsHealthCheck(wanted)) release('healthCheckNodePort');
  if (old.type === 'LoadBalancer' && wanted.type !== 'LoadBalancer') {
    release('allocateLoadBalancerNodePorts', 'loadBalancerClass');
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(wanted)) {
    release('externalTrafficPolicy');
  }
  if (needsNodePorts(old) && !needsNodePorts(wanted)) {
    const given = new Set((old.ports ?? []).map((port) => port.nodePort));
    const ports = wanted.ports ?? [];
    if (ports.every((port) => port.nodePort === undefined || given.has(port.nodePort))) {
      released.ports = mapItems(ports, (port) => changed(port, { nodePort: undefined }));
    }
  }
  return released;
}
