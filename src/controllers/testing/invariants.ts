// What has to hold of any objects that controllers have come to rest on.

import assert from 'node:assert/strict';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { StatefulSet } from '../../api/apps/stateful-set.ts';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { needsClusterIp } from '../../api/core/service-type.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { matchesLabels } from '../../api/selectors.ts';
import { parseIPv4, parseRange, rangeHas } from '../../lib/ipv4.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { allocationFindings } from '../allocation/findings.ts';
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL, SLICE_MANAGER } from '../endpointslice/slice.ts';
import { serviceAddressOf } from '../service-address/service-address.ts';
import { controllerOf } from '../shared/metadata.ts';
import { isActive, isFinished, isReady } from '../shared/pods.ts';
import { OPTIONS } from './lab.ts';

/** Fails when an invariant does not hold. */
export function checkInvariants(snapshot: Snapshot): void {
  checkAddresses(snapshot);
  checkNodePorts(snapshot);
  checkLoadBalancers(snapshot);
  for (const service of snapshot.list(Service)) checkSlices(snapshot, service);
  checkOwners(snapshot);
}

function checkUnique(values: readonly unknown[], what: string): void {
  assert.equal(new Set(values).size, values.length, `${what}: ${values.join(' ')}`);
}

function checkAddresses(snapshot: Snapshot): void {
  const services = snapshot.list(Service).filter(({ spec }) => needsClusterIp(spec));
  const addresses = services.flatMap(({ spec }) => spec.clusterIPs ?? []);
  const given = addresses.filter((address) => address !== 'None');
  checkUnique(given, 'cluster IPs');
  const range = parseRange(OPTIONS.serviceCidr);
  assert.ok(range !== undefined);
  for (const address of given) assert.ok(rangeHas(range, parseIPv4(address) ?? 0), address);
  const findings = allocationFindings(snapshot);
  for (const { severity, hint, message } of findings) {
    assert.ok(
      severity !== 'error' || hint?.includes(' has it') === true,
      `nobody has it: ${message}`,
    );
  }
  const refused = new Set(findings.map(({ origin }) => origin.object?.name));
  for (const { spec, metadata } of services) {
    const isServed = (spec.clusterIPs ?? []).length > 0;
    assert.ok(isServed || refused.has(metadata.name), `${metadata.name} has no address`);
  }
}

function checkNodePorts(snapshot: Snapshot): void {
  // One number may serve several protocols of one Service, and nothing else.
  const ports = snapshot.list(Service).flatMap(({ spec, metadata }) => {
    const own = (spec.ports ?? []).flatMap(({ nodePort = 0 }) =>
      nodePort === 0 ? [] : [nodePort],
    );
    const healthCheck = spec.healthCheckNodePort ?? 0;
    if (spec.type === 'ClusterIP') assert.deepEqual(own, [], metadata.name);
    return [...new Set([...own, ...(healthCheck === 0 ? [] : [healthCheck])])];
  });
  checkUnique(ports, 'node ports');
  for (const port of ports) assert.ok(port >= 30_000 && port <= 32_767, String(port));
}

function checkLoadBalancers(snapshot: Snapshot): void {
  const balanced = snapshot.list(Service).flatMap(({ spec, status, metadata }) => {
    const ips = (status.loadBalancer.ingress ?? []).map(({ ip }) => ip);
    if (spec.type !== 'LoadBalancer') assert.deepEqual(ips, [], metadata.name);
    return ips;
  });
  checkUnique(balanced, 'load balancer addresses');
}

/** Every pod that a selector selects and that has an address is in exactly one slice. */
function checkSlices(snapshot: Snapshot, service: Service): void {
  const { namespace = '', name = '' } = service.metadata;
  const slices = snapshot
    .table(EndpointSlice)
    .inNamespace(namespace)
    .filter(
      ({ metadata }) =>
        metadata.labels?.[SERVICE_NAME_LABEL] === name &&
        metadata.labels[MANAGED_BY_LABEL] === SLICE_MANAGER,
    );
  for (const { endpoints } of slices) assert.ok(endpoints.length <= 100, `${name} is overfull`);
  const selector = service.spec.selector ?? {};
  const isKept = service.spec.type !== 'ExternalName' && Object.keys(selector).length > 0;
  if (serviceAddressOf(service).type === 'standIns') return;
  const nodes = new Set(snapshot.list(Node).map(({ metadata }) => metadata.name));
  const wanted = snapshot
    .table(Pod)
    .inNamespace(namespace)
    .filter(
      (pod) =>
        isKept &&
        matchesLabels(selector, pod.metadata.labels) &&
        !isFinished(pod) &&
        (pod.status.podIP ?? '') !== '' &&
        nodes.has(pod.spec.nodeName),
    )
    .map((pod) => `${pod.metadata.name} ${endpointState(service, pod)}`);
  const found = slices.flatMap(({ endpoints }) =>
    endpoints.map(({ targetRef, conditions, addresses }) => {
      const { ready, serving, terminating } = conditions;
      return `${targetRef?.name} ${addresses.join()} ${ready} ${serving} ${terminating}`;
    }),
  );
  assert.deepEqual(found.toSorted(), wanted.toSorted(), `endpoints of ${name}`);
  if (isKept) assert.ok(slices.length > 0, `${name} has no slice at all`);
  else assert.equal(slices.length, 0, `${name} has slices`);
}

function endpointState({ spec }: Service, pod: Pod): string {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = spec.publishNotReadyAddresses === true || (serving && !terminating);
  return `${pod.status.podIP} ${ready} ${serving} ${terminating}`;
}

/** No pod is managed by an owner that is gone, and every ReplicaSet has the pods it asks for. */
function checkOwners(snapshot: Snapshot): void {
  const sets = [...snapshot.list(ReplicaSet), ...snapshot.list(StatefulSet)];
  const uids = new Set(sets.map(({ metadata }) => metadata.uid));
  const active = snapshot.list(Pod).filter(isActive);
  for (const pod of active) {
    const owner = controllerOf(pod);
    assert.ok(owner === undefined || uids.has(owner.uid), `${pod.metadata.name} is an orphan`);
  }
  for (const { metadata, spec, status } of snapshot.list(ReplicaSet)) {
    const owned = active.filter((pod) => controllerOf(pod)?.uid === metadata.uid);
    assert.equal(owned.length, spec.replicas, `pods of ${metadata.name}`);
    assert.equal(status.replicas, spec.replicas, `status of ${metadata.name}`);
  }
}
