// Services → the ports of the model: where clients dial them, and the endpoints behind.

import { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { changedKeys, VersionedMap } from '../../lib/versioned-map.ts';
import type { Backend, BackendProtocol, Frontend, ServicePort } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { changedIn, splitKey } from '../../store/table.ts';
import type { Table } from '../../store/table.ts';
import type { BackendPolicies, ResolvedPolicy } from '../gateway/backend-tls.ts';
import type { BackendManner, BackendUse } from '../gateway/backends.ts';
import { targetOf } from '../gateway/backends.ts';
import { externalBackend, externalNameHost } from '../gateway/external-backends.ts';
import type { Externals } from '../gateway/external-backends.ts';
import { trafficOf } from '../gateway/traffic-policy.ts';
import type { TrafficPolicies } from '../gateway/traffic-policy.ts';
import { same } from '../reader.ts';
import { BALANCE_ANNOTATION, balanceOf } from './balance.ts';
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
  let table: Table<Service> | undefined;
  let slices: SliceIndex = VersionedMap.of();
  const portsOf = new Map<
    string,
    { readonly inputs: readonly unknown[]; ports: readonly ServicePort[] }
  >();
  let last: readonly ServicePort[] = [];
  return (snapshot, nextSlices) => {
    const services = snapshot.table(Service);
    if (services === table && nextSlices === slices) return last;
    const stale = new Set([
      ...(table === undefined ? services.objects.map(keyOf) : changedIn(table, services)),
      ...changedKeys(slices, nextSlices),
    ]);
    [table, slices] = [services, nextSlices];
    let isChanged = false;
    for (const key of stale) {
      const service = services.get(...splitKey(key))?.object;
      const before = portsOf.get(key);
      if (service === undefined) {
        isChanged ||= (before?.ports.length ?? 0) > 0;
        portsOf.delete(key);
        continue;
      }
      const own = slices.get(key) ?? NO_SLICES;
      const inputs = [service.spec, service.status, service.metadata.labels, own];
      if (before !== undefined && same(before.inputs, inputs)) continue;
      portsOf.set(key, { inputs, ports: resolveService(service, own) });
      isChanged = true;
    }
    if (isChanged) last = services.objects.flatMap((s) => portsOf.get(keyOf(s))?.ports ?? []);
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

/** What holds for backends besides what they are: compared one by one. */
export interface Policies {
  readonly tls: BackendPolicies;
  readonly traffic: TrafficPolicies;
  readonly externals: Externals;
}

export interface BackendResolver {
  (
    snapshot: Snapshot,
    slices: SliceIndex,
    uses: VersionedMap<BackendUse>,
    policies: Policies,
  ): VersionedMap<Backend>;
  /** How many backends were ever made: what tests count. */
  readonly made: () => number;
}

/** Resolves the backends that routes use, and remembers those that did not change. */
export function createBackendResolver(): BackendResolver {
  let table: Table<Service> | undefined;
  let slices: SliceIndex = VersionedMap.of();
  let uses = VersionedMap.of<BackendUse>();
  let policies: Policies | undefined;
  let backends = VersionedMap.of<Backend>();
  let made = 0;
  /** Keys of backends by Service. */
  const keysOf = new Map<string, Set<string>>();
  const inputsOf = new Map<string, readonly unknown[]>();
  const resolve = (
    snapshot: Snapshot,
    nextSlices: SliceIndex,
    nextUses: VersionedMap<BackendUse>,
    nextPolicies: Policies,
  ): VersionedMap<Backend> => {
    const services = snapshot.table(Service);
    const stale = new Set(changedKeys(uses, nextUses));
    for (const key of stale) {
      noteUse(keysOf, uses.get(key), false);
      noteUse(keysOf, nextUses.get(key), true);
    }
    if (policies === undefined || !same(Object.values(policies), Object.values(nextPolicies)))
      for (const key of nextUses.keys()) stale.add(key);
    const changed = services === table || table === undefined ? [] : changedIn(table, services);
    for (const service of [...changed, ...changedKeys(slices, nextSlices)]) {
      for (const key of keysOf.get(service) ?? []) stale.add(key);
    }
    [table, slices, uses, policies] = [services, nextSlices, nextUses, nextPolicies];
    const changes: [string, Backend | undefined][] = [];
    for (const key of stale) {
      const use = uses.get(key);
      if (use === undefined) {
        inputsOf.delete(key);
        changes.push([key, undefined]);
        continue;
      }
      const name = `${use.namespace}/${use.name}`;
      const service = services.get(use.namespace, use.name)?.object;
      const own = slices.get(name) ?? NO_SLICES;
      // Connections that go through in TLS of their own stay as they are, whatever a policy wants.
      const policy =
        use.carries === 'streams' || use.kind !== 'Service'
          ? undefined
          : policies.tls.find(name, use.portName);
      const isSent = use.carries === 'requests' || use.carries === 'calls';
      const sending = isSent ? policies.traffic.find(targetOf(use)) : undefined;
      const external = use.kind === 'XBackend' ? policies.externals.get(name) : undefined;
      const balance = service?.metadata.annotations?.[BALANCE_ANNOTATION];
      const inputs = [use.kind, service?.spec, balance, own, policy, sending, external, use.manner];
      if (same(inputsOf.get(key) ?? [], inputs)) continue;
      inputsOf.set(key, inputs);
      const backend =
        use.kind === 'XBackend'
          ? externalBackend(use, external)
          : resolveBackend(use, service, own, policy);
      changes.push([key, { ...backend, ...trafficOf(sending) }]);
      made++;
    }
    backends = backends.with(changes);
    return backends;
  };
  return Object.assign(resolve, { made: () => made });
}

function noteUse(
  keysOf: Map<string, Set<string>>,
  use: BackendUse | undefined,
  isThere: boolean,
): void {
  if (use === undefined) return;
  const service = `${use.namespace}/${use.name}`;
  const keys = keysOf.get(service) ?? new Set();
  if (isThere) keys.add(use.key);
  else keys.delete(use.key);
  if (keys.size === 0) keysOf.delete(service);
  else keysOf.set(service, keys);
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
  const balance = balanceOf(service);
  return {
    key: use.key,
    protocol: manner?.protocol ?? protocolFor(use, port?.appProtocol),
    ...security,
    ...((manner?.balance ?? balance) === undefined ? {} : { balance: manner?.balance ?? balance }),
    ...(service?.spec.type === 'ExternalName' && security.fault === undefined
      ? { host: externalNameHost(service, use.port) }
      : {}),
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
    case 'securedStreams':
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
