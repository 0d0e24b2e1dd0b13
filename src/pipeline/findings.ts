// Findings about objects that no resolver makes, because they are about running or carrying rather than
// about routing: addresses that cannot be given, Services no target carries yet.

import type { Finding } from '../api/finding.ts';
import { ConfigMap } from '../api/core/config-map.ts';
import { Pod } from '../api/core/pod.ts';
import { Secret } from '../api/core/secret.ts';
import { Service } from '../api/core/service.ts';
import { createControllerFinder } from '../controllers/findings.ts';
import { podFindings } from '../runtime/findings.ts';
import type { PodFindingsOptions } from '../runtime/findings.ts';
import { servedPorts } from '../lib/privileged-ports.ts';
import { whenChanged } from '../store/remember.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** Says what is wrong with pods; looks again only when something changed that pods are made of. */
export function createPodFinder(
  options: (snapshot: Snapshot) => PodFindingsOptions,
): (snapshot: Snapshot) => readonly Finding[] {
  let seen: readonly unknown[] = [];
  let findings: readonly Finding[] = [];
  return (snapshot) => {
    const tables = [snapshot.table(Pod), snapshot.table(Secret), snapshot.table(ConfigMap)];
    if (!tables.every((table, i) => table === seen[i])) {
      seen = tables;
      findings = podFindings(snapshot, options(snapshot));
    }
    return findings;
  };
}

/** Finds everything that can be said of snapshots without running them. */
export function createStaticFinder(): (snapshot: Snapshot) => readonly Finding[] {
  const findInControllers = createControllerFinder();
  const findUncarried = whenChanged([Service], (s) => s.list(Service).flatMap(uncarried));
  return (snapshot) => [...findInControllers(snapshot), ...findUncarried(snapshot)];
}

/** Finds ports of Services that are served at another number, for want of a privilege. */
export function createMovedPortFinder(
  firstOpenPort: number,
): (snapshot: Snapshot) => readonly Finding[] {
  return firstOpenPort === 0
    ? () => []
    : whenChanged([Service], (snapshot) => movedPortFindings(snapshot, firstOpenPort));
}

function movedPortFindings(snapshot: Snapshot, firstOpenPort: number): readonly Finding[] {
  return snapshot.list(Service).flatMap(({ metadata, spec }) => {
    const { namespace = '', name = '' } = metadata;
    const ports = spec.ports ?? [];
    const address = spec.clusterIP ?? '';
    if (address === '' || address === 'None') return [];
    const asked = ports.map(({ port }) => port);
    const moved = [...servedPorts(asked, firstOpenPort)].filter(([from, to]) => from !== to);
    return moved.map(([from, to]): Finding => {
      const field = `spec.ports[${asked.indexOf(from)}].port`;
      return {
        severity: 'info',
        reason: 'PortMoved',
        message: `port ${from} is served at ${address}:${to}: ports below ${firstOpenPort} need a privilege this user does not have`,
        hint: `Pods find it in ${variableOf(name)}_SERVICE_PORT, which says ${to}.`,
        origin: { object: { kind: Service.kind, namespace, name }, field },
      };
    });
  });
}

function variableOf(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

/** What a Service asks for that nothing in this version carries. */
function uncarried(service: Service): readonly Finding[] {
  const { spec, metadata } = service;
  const object = {
    kind: 'Service',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
  };
  const findings: Finding[] = [];
  if (spec.type === 'ExternalName') {
    findings.push({
      severity: 'info',
      reason: 'NotServed',
      message: `ExternalName is a DNS name only, and this version of Fairway serves no cluster DNS: ${spec.externalName ?? ''} is reached by its own name`,
      origin: { object, field: 'spec.type' },
    });
  }
  if ((spec.externalIPs ?? []).length > 0) {
    findings.push({
      severity: 'warning',
      reason: 'NotServed',
      message:
        'externalIPs are not served: an address of somebody else could be taken over by them',
      hint: 'use the address of a Gateway or of a Service of type LoadBalancer',
      origin: { object, field: 'spec.externalIPs' },
    });
  }
  (spec.ports ?? []).forEach((port, i) => {
    if (port.protocol !== 'SCTP') return;
    findings.push({
      severity: 'warning',
      reason: 'NotServed',
      message: `port ${port.port}: SCTP is not carried in user space`,
      origin: { object, field: `spec.ports[${i}].protocol` },
    });
  });
  return findings;
}
