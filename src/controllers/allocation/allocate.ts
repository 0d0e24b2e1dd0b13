// One Service → the same with addresses and node ports, and what it was refused. The API server fails a
// request for the first refusal; what comes from files is given as much as can be, and told the rest.

import { refusedRequests, withRefusedRequests } from '../../api/core/service-carry-over.ts';
import type { RefusedRequest } from '../../api/core/service-carry-over.ts';
import type { ServiceSpec } from '../../api/core/service-spec.ts';
import { isHeadless, needsClusterIp } from '../../api/core/service-type.ts';
import type { Service } from '../../api/core/service.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { deepEqual } from '../../lib/equal.ts';
import { objectKey } from '../shared/metadata.ts';
import { ownerOf } from './allocations.ts';
import type { Allocations } from './allocations.ts';
import { decideAddress } from './cluster-ip.ts';
import { decideFamilies } from './families.ts';
import { decideNodePorts } from './node-ports.ts';
import { firstError, refusalMessage } from './refusal.ts';
import type { AllocationError, Refusal } from './refusal.ts';

/**
 * Gives a Service that is being created or updated its addresses and node ports, all or none; takes
 * nothing down in `allocations`. `old` is the stored Service on an update. The Service is admitted, and
 * completed from `old` by its kind's carryOver.
 */
export function allocateService(
  service: Service,
  allocations: Allocations,
  old?: Service,
): { readonly service: Service } | { readonly error: AllocationError } {
  const { spec, refusals } = decide(service.spec, { service, allocations, stored: old });
  const error = firstError(refusals);
  if (error !== undefined) return { error };
  return { service: deepEqual(spec, service.spec) ? service : { ...service, spec } };
}

export interface Settled {
  /** With the refused requests noted on it; the same object when nothing is to be changed. */
  readonly service: Service;
  readonly isSatisfied: boolean;
}

/**
 * Gives a Service as much as can be of what it asks for. `asked` is `current` with what was refused
 * before on it again; what `current` has is kept where it still fits.
 */
export function settleService(asked: Service, current: Service, allocations: Allocations): Settled {
  const options = { service: asked, allocations, current: current.spec };
  const { spec, refusals } = decide(asked.spec, options);
  const settled = { ...current, spec };
  if (refusals.length === 0) {
    // An empty list says that the decision is new; carryOver would take the old one for it otherwise.
    const isNews = refusedRequests(current).length > 0;
    const service = withRefusedRequests(settled, isNews ? [] : undefined);
    return { service: deepEqual(service, current) ? current : service, isSatisfied: true };
  }
  const requests = refusals.map((refusal) => requestOf(refusal, asked.spec, spec));
  const service = withRefusedRequests(settled, requests);
  return { service: deepEqual(service, current) ? current : service, isSatisfied: false };
}

interface DecideOptions {
  readonly service: Service;
  readonly allocations: Allocations;
  readonly stored?: Service | undefined;
  readonly current?: ServiceSpec;
}

interface Decided {
  readonly spec: ServiceSpec;
  /** In the order in which the API server comes upon them. */
  readonly refusals: readonly Refusal[];
}

function decide(spec: ServiceSpec, options: DecideOptions): Decided {
  const { service, allocations, stored, current } = options;
  if (!needsClusterIp(spec)) return { spec, refusals: [] };
  const owner = ownerOf(stored ?? service);
  const configured = allocations.ranges.map(({ family }) => family);
  const decided = decideFamilies(spec, stored?.spec, configured);
  const { ipFamilies: families, ipFamilyPolicy, errors } = decided;
  const had = current?.clusterIPs ?? [];
  const address = isHeadless(spec)
    ? undefined
    : decideAddress({ spec, owner, families, current: had }, allocations);
  const wish = { spec, owner, key: objectKey(service), current };
  const { ports, healthCheckNodePort, refusals } = decideNodePorts(wish, allocations.ports);
  return {
    spec: {
      ...spec,
      ...(address === undefined
        ? {}
        : { clusterIP: address.clusterIPs[0] ?? '', clusterIPs: address.clusterIPs }),
      ipFamilies: address?.ipFamilies ?? families,
      ipFamilyPolicy,
      ...(ports === undefined ? {} : { ports }),
      ...(healthCheckNodePort === undefined ? {} : { healthCheckNodePort }),
    },
    refusals: [...familyRefusals(errors), ...(address?.refusals ?? []), ...refusals],
  };
}

function familyRefusals(errors: readonly FieldError[]): readonly Refusal[] {
  const fields = ['ipFamilyPolicy', 'clusterIPs', 'ipFamilies'] as const;
  return fields.flatMap((field): readonly Refusal[] => {
    const own = errors.filter(({ path }) => path.startsWith(`spec.${field}`));
    if (own.length === 0) return [];
    return [{ step: 'families', field, error: { type: 'invalid', errors: own } }];
  });
}

function requestOf(
  { field, port, error }: Refusal,
  asked: ServiceSpec,
  given: ServiceSpec,
): RefusedRequest {
  const message = refusalMessage(error);
  if (field !== 'nodePort') {
    return { field, asked: asked[field] ?? null, given: given[field] ?? null, message };
  }
  const nodePortOf = (spec: ServiceSpec): number =>
    spec.ports?.find(({ name = '' }) => name === port)?.nodePort ?? 0;
  return { field, port: port ?? '', asked: nodePortOf(asked), given: nodePortOf(given), message };
}
