// Services → the ports of the model: where clients dial them, and the endpoints behind.

import { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Backend, BackendProtocol, Frontend, ServicePort } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { BackendPolicies, ResolvedPolicy } from '../gateway/backend-tls.ts';
import type { BackendManner, BackendUse } from '../gateway/backends.ts';
import { Memo, same } from '../reader.ts';
import { endpointsOf } from './endpoints.ts';
import type { SliceIndex } from './slices.ts';

/** Says that another proxy serves the Service, or that no proxy does. */
const LEFT_ALONE_LABELS = [
  'service.kubernetes.io/service-proxy-name',
  'service.kubernetes.io/headless',
];
const NO_SLICES: readonly EndpointSlice[] = [];

/** Resolves the ports of all Services, and remembers those that did not change. */
export function createServiceResolver(): (
  snapshot: Snapshot,
  slices: SliceIndex,
) => readonly ServicePort[] {
  const memo = new Memo<string, readonly ServicePort[]>();
  let last: readonly ServicePort[] = [];
  return (snapshot, slices) => {
    const ports = snapshot.list(Service).flatMap((service) => {
      const key = keyOf(service);
      const own = slices.get(key) ?? NO_SLICES;
      const inputs = [service.spec, service.status, service.metadata.labels, own];
      return memo.get(key, snapshot, inputs, () => resolveService(service, own));
    });
    memo.sweep();
    if (!same(last, ports)) last = ports;
    return last;
  };
}

type Port = NonNullable<Service['spec']['ports']>[number];

function resolveService(
  service: Service,
  slices: readonly EndpointSlice[],
): readonly ServicePort[] {
  if (service.spec.type === 'ExternalName') return [];
  const { labels = {} } = service.metadata;
  if (LEFT_ALONE_LABELS.some((label) => labels[label] !== undefined)) return [];
  const { spec } = service;
  const { loadBalancerSourceRanges: ranges = [], healthCheckNodePort = 0 } = spec;
  return (spec.ports ?? [])
    .map((port, i): ServicePort => {
      const name = port.name ?? '';
      const affinity = spec.sessionAffinity === 'ClientIP';
      return {
        id: `${keyOf(service)}:${port.port}/${port.protocol}`,
        service: keyOf(service),
        portName: name,
        protocol: port.protocol,
        frontends: frontendsOf(service, port),
        affinitySeconds: affinity
          ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
          : 0,
        internalPolicy: spec.internalTrafficPolicy ?? 'Cluster',
        externalPolicy: spec.externalTrafficPolicy ?? 'Cluster',
        ...(ranges.length === 0 ? {} : { sourceRanges: ranges.map((range) => range.trim()) }),
        ...(healthCheckNodePort === 0 ? {} : { healthCheckNodePort }),
        endpoints: endpointsOf(slices, name, port.protocol),
        origin: {
          kind: 'Service',
          namespace: service.metadata.namespace ?? '',
          name: service.metadata.name ?? '',
          field: `spec.ports[${i}]`,
        },
      };
    })
    .filter((port) => port.frontends.length > 0);
}

/** Where clients dial the port. None for a headless Service. */
function frontendsOf({ spec, status }: Service, port: Port): readonly Frontend[] {
  const clusterIPs = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  const ingress = status?.loadBalancer.ingress ?? [];
  return [
    ...clusterIPs
      .filter((address) => address !== 'None' && address !== '')
      .map((address) => ({ kind: 'clusterIP' as const, address, port: port.port })),
    ...(spec.externalIPs ?? []).map((address) => ({
      kind: 'externalIP' as const,
      address,
      port: port.port,
    })),
    ...ingress
      // With mode Proxy the load balancer itself does the relaying (KEP-1860).
      .filter((i) => i.ip !== undefined && i.ipMode !== 'Proxy')
      .map((i) => ({ kind: 'loadBalancer' as const, address: i.ip ?? '', port: port.port })),
    ...(port.nodePort === undefined || port.nodePort === 0
      ? []
      : [{ kind: 'nodePort' as const, address: '', port: port.nodePort }]),
  ];
}

/** Resolves the backends that routes use, and remembers those that did not change. */
export function createBackendResolver(): (
  snapshot: Snapshot,
  slices: SliceIndex,
  uses: ReadonlyMap<string, BackendUse>,
  policies: BackendPolicies,
) => ReadonlyMap<string, Backend> {
  const memo = new Memo<string, Backend>();
  let last: ReadonlyMap<string, Backend> = new Map();
  return (snapshot, slices, uses, policies) => {
    const backends = new Map<string, Backend>();
    for (const use of uses.values()) {
      const service = snapshot.get(Service, use.namespace, use.name);
      const own = slices.get(`${use.namespace}/${use.name}`) ?? NO_SLICES;
      // Connections are handed on as they are, whatever a policy wants of requests.
      const policy =
        use.carries === 'streams'
          ? undefined
          : policies.find(`${use.namespace}/${use.name}`, use.portName);
      const inputs = [service?.spec, own, policy];
      backends.set(
        use.key,
        memo.get(use.key, snapshot, inputs, () => resolveBackend(use, service, own, policy)),
      );
    }
    memo.sweep();
    if (!same([...last.values()], [...backends.values()])) last = backends;
    return last;
  };
}

function resolveBackend(
  use: BackendUse,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  policy: ResolvedPolicy | undefined,
): Backend {
  const { manner } = use;
  const security = manner === undefined ? securityOf(policy) : mannerTls(manner);
  const ports = service?.spec.ports ?? [];
  const index = ports.findIndex((p) => p.port === use.port && p.protocol === use.protocol);
  const port = ports[index];
  return {
    key: use.key,
    protocol: manner?.protocol ?? protocolFor(use, port?.appProtocol),
    ...security,
    ...(manner?.balance === undefined ? {} : { balance: manner.balance }),
    endpoints:
      security.fault !== undefined
        ? []
        : manner?.viaClusterIp === true
          ? clusterEndpoint(service, use.port)
          : endpointsOf(slices, port?.name ?? '', use.protocol),
    origin: {
      kind: 'Service',
      namespace: use.namespace,
      name: use.name,
      field: `spec.ports[${index}]`,
    },
  };
}

function mannerTls({ tls }: BackendManner): Pick<Backend, 'tls' | 'fault'> {
  return tls === undefined ? {} : { tls };
}

/** The address of the Service in place of its endpoints; none for a headless one. */
function clusterEndpoint(service: Service | undefined, port: number): Backend['endpoints'] {
  const address = service?.spec.clusterIP;
  if (address === undefined || address === '' || address === 'None') return [];
  const { namespace = '', name = '' } = service?.metadata ?? {};
  const target = `Service ${namespace}/${name}`;
  return [
    { address, port, ready: true, serving: true, terminating: false, node: '', zone: '', target },
  ];
}

/** A policy that is of no use closes the port: what it was to protect must not go out in plain text. */
function securityOf(policy: ResolvedPolicy | undefined): Pick<Backend, 'tls' | 'fault'> {
  if (policy === undefined) return {};
  if (policy.tls !== null) return { tls: policy.tls };
  const { namespace, name, unaccepted } = policy;
  const why = unaccepted.map((p) => p.message).join('; ');
  return { fault: `BackendTLSPolicy ${namespace}/${name} is of no use: ${why}` };
}

function protocolFor(use: BackendUse, appProtocol: string | undefined): BackendProtocol {
  switch (use.carries) {
    case 'streams':
      return use.protocol === 'UDP' ? 'udp' : 'tcp';
    case 'calls':
      return 'h2c';
    case 'requests':
      return protocolOf(appProtocol);
  }
}

/** KEP-3726: what the port says its pods speak. What is not known is HTTP/1.1, as if nothing were said. */
function protocolOf(appProtocol: string | undefined): BackendProtocol {
  switch (appProtocol) {
    case 'kubernetes.io/h2c':
      return 'h2c';
    case 'kubernetes.io/ws':
      return 'ws';
    default:
      return 'http';
  }
}

function keyOf({ metadata }: Service): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}
