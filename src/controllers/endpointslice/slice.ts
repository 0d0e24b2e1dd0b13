// What every slice of a Service has in common: labels, owner and name.

import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Endpoint, EndpointPort } from '../../api/discovery/endpoint-slice.ts';
import { controllerReference } from '../shared/metadata.ts';
import type { Labels } from '../shared/metadata.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** When the change that led to the last write of a slice happened. */
export const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Who makes slices from selectors. */
export const SLICE_MANAGER = 'endpointslice-controller.k8s.io';

export type Family = 'IPv4' | 'IPv6';

/** Endpoints that all have the same ports. */
export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** The labels of a Service's slices: its own but for the reserved ones. */
export function sliceLabels({ metadata, spec }: Service): Labels {
  const {
    [SERVICE_NAME_LABEL]: _service,
    [MANAGED_BY_LABEL]: _manager,
    [HEADLESS_LABEL]: _headless,
    ...own
  } = metadata.labels ?? {};
  const [clusterIP = ''] = spec.clusterIPs ?? [];
  return {
    ...own,
    ...(clusterIP === '' || clusterIP === 'None' ? { [HEADLESS_LABEL]: '' } : {}),
    [SERVICE_NAME_LABEL]: metadata.name ?? '',
    [MANAGED_BY_LABEL]: SLICE_MANAGER,
  };
}

/** The families a Service has endpoints of. */
export function familiesOf({ spec }: Service): readonly Family[] {
  return spec.ipFamilies ?? ['IPv4'];
}

/** A new slice of the Service, without name and time. */
export function newSlice(service: Service, family: Family, group: EndpointGroup): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: EndpointSlice.kind,
    metadata: {
      generateName: `${service.metadata.name ?? ''}-`,
      namespace: service.metadata.namespace ?? '',
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(Service, service)],
    },
    addressType: family,
    endpoints: group.endpoints,
    ports: group.ports,
  };
}

/** RFC 3339 with as many digits of the second as it takes, as Go writes it. */
export function triggerTime(now: Date): string {
  return now.toISOString().replace(/\.?0*Z$/, 'Z');
}

/** Groups with the same key share slices, whatever the order of their ports. */
export function portMapKey(ports: readonly EndpointPort[] | undefined): string {
  return (ports ?? [])
    .map(({ name, protocol, port, appProtocol }) =>
      JSON.stringify([name, protocol, port ?? null, appProtocol ?? null]),
    )
    .toSorted()
    .join();
}
