// The kind Service: a stable address and name in front of endpoints that come and go.

import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, object } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { canonical } from './canonical.ts';
import { formatLabels, formatLoadBalancer } from './columns.ts';
import { checked } from './fields.ts';
import { checkService } from './checks/service-check.ts';
import { serviceCarryOver, serviceDefaults } from './service-defaults.ts';
import { ServiceSpec, ServiceStatus } from './service-spec.ts';

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(ServiceSpec, 'What the Service offers, and to whom.'), {}),
  status: def(described(ServiceStatus, 'What the system made of it.'), {}),
});
export type Service = Infer<typeof shape>;

const columns: readonly Column[] = [
  { name: 'Type', type: 'string', value: ({ spec }: Service) => spec.type },
  { name: 'Cluster-IP', type: 'string', value: ({ spec }: Service) => spec.clusterIPs?.[0] },
  { name: 'External-IP', type: 'string', value: externalIp },
  { name: 'Port(s)', type: 'string', value: ports },
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    value: ({ spec }: Service) => formatLabels(spec.selector),
  },
];

function externalIp({ spec, status }: Service): string | undefined {
  const externalIPs = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIPs.length > 0 ? externalIPs.join(',') : undefined;
    case 'LoadBalancer': {
      const balancer = formatLoadBalancer(status.loadBalancer.ingress);
      const addresses = [...(balancer === '' ? [] : [balancer]), ...externalIPs].join(',');
      return addresses === '' ? '<pending>' : addresses;
    }
    case 'ExternalName':
      return spec.externalName;
  }
}

/** `80:30080/TCP,53/UDP` */
function ports({ spec }: Service): string | undefined {
  const cells = (spec.ports ?? []).map(({ port, nodePort, protocol }) =>
    (nodePort ?? 0) === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  );
  return cells.length > 0 ? cells.join(',') : undefined;
}

export const Service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  doc: 'A stable address and name for pods, or for something outside the cluster.',
  schema: checked(shape, checkService),
  hasStatus: true,
  columns,
  nameFormat: 'dns1123Label',
  setDefaults: (service) => serviceDefaults(canonical(shape, service)),
  carryOver: serviceCarryOver,
});
