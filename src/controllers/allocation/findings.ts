// What Services asked for and were not given: addresses and node ports outside of the range, or taken.

import { refusedRequests } from '../../api/core/service-carry-over.ts';
import type { RefusedRequest } from '../../api/core/service-carry-over.ts';
import { needsClusterIp } from '../../api/core/service-type.ts';
import { Service } from '../../api/core/service.ts';
import type { Finding } from '../../api/finding.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { refOf } from '../shared/findings.ts';
import { objectKey } from '../shared/metadata.ts';

/** One finding for each request that was refused, in the words of Kubernetes' API server. */
export function allocationFindings(snapshot: Snapshot): readonly Finding[] {
  return snapshot.list(Service).flatMap((service) => {
    if (!needsClusterIp(service.spec)) return [];
    return refusedRequests(service).map((request) => findingOf(snapshot, service, request));
  });
}

function findingOf(snapshot: Snapshot, service: Service, request: RefusedRequest): Finding {
  const { message, given } = request;
  const origin = { object: refOf(service), field: pathOf(service, request) };
  if (!isNothing(given)) {
    const hint = insteadHint(request, service);
    return { severity: 'warning', reason: 'NotAllocated', message, hint, origin };
  }
  const holder = holderOf(snapshot, service, request);
  const hint =
    holder === undefined
      ? undefined
      : `${objectKey(holder)} has it. Ask for another one, or for none to be given any.`;
  return {
    severity: 'error',
    reason: 'NotAllocated',
    message,
    ...(hint === undefined ? {} : { hint }),
    origin,
  };
}

function insteadHint({ field, given }: RefusedRequest, { spec }: Service): string {
  const shown = Array.isArray(given) ? given.join(', ') : String(given);
  switch (field) {
    case 'clusterIPs':
      return `The Service is served at ${shown} instead.`;
    case 'nodePort':
    case 'healthCheckNodePort':
      return `Port ${shown} is used instead.`;
    case 'ipFamilies':
    case 'ipFamilyPolicy':
      return `The Service is served with ${(spec.ipFamilies ?? []).join(' and ')} alone.`;
  }
}

/** The field as its writer knows it: most write clusterIP, and the system adds the list. */
function pathOf({ spec }: Service, { field, port }: RefusedRequest): string {
  if (field === 'clusterIPs') return 'spec.clusterIP';
  if (field !== 'nodePort') return `spec.${field}`;
  const index = (spec.ports ?? []).findIndex(({ name = '' }) => name === (port ?? ''));
  return `spec.ports[${Math.max(0, index)}].nodePort`;
}

function isNothing(given: unknown): boolean {
  return (
    given === null || given === 0 || given === '' || (Array.isArray(given) && given.length === 0)
  );
}

/** Who has what was asked for. */
function holderOf(
  snapshot: Snapshot,
  service: Service,
  { field, asked }: RefusedRequest,
): Service | undefined {
  return snapshot.list(Service).find((other) => {
    if (other === service || !needsClusterIp(other.spec)) return false;
    const { clusterIPs = [], ports = [], healthCheckNodePort } = other.spec;
    if (field === 'clusterIPs') {
      return Array.isArray(asked) && clusterIPs.some((ip) => asked.includes(ip));
    }
    return (
      typeof asked === 'number' &&
      (healthCheckNodePort === asked || ports.some(({ nodePort }) => nodePort === asked))
    );
  });
}
