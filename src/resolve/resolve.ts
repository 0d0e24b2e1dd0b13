// Snapshot → model, statuses, findings. Pure, and never throws for what a user wrote: one bad object
// costs its own traffic and no other's. Everything is remembered by identity, so that a change costs
// what it changes. (Next on the tour: ../model/model.ts.)

import type { Finding } from '../api/finding.ts';
import { BackendTLSPolicy } from '../api/gateway/backendtlspolicy.ts';
import { CONTROLLER_NAME } from '../api/fairway.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { GatewayClass } from '../api/gateway/gatewayclass.ts';
import { GRPCRoute } from '../api/gateway/grpcroute.ts';
import { HTTPRoute } from '../api/gateway/httproute.ts';
import { ListenerSet } from '../api/gateway/listenerset.ts';
import { changedKeys, VersionedMap } from '../lib/versioned-map.ts';
import type { Certificate, Model } from '../model/model.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { assignAddresses } from './gateway/addresses.ts';
import type { BackendUse } from './gateway/backends.ts';
import {
  createBackendPolicyResolver,
  policyProblems,
  policyStatus,
} from './gateway/backend-tls.ts';
import type { BackendPolicies, ResolvedPolicy } from './gateway/backend-tls.ts';
import { classStatus, resolveClasses, serves } from './gateway/classes.ts';
import { createEntryPointAssembler } from './gateway/entry-points.ts';
import { allListeners, createGatewayResolver } from './gateway/gateways.ts';
import type { ResolvedGateways } from './gateway/gateways.ts';
import {
  createExternalResolver,
  externalFindings,
  externalStatus,
} from './gateway/external-backends.ts';
import type { Externals } from './gateway/external-backends.ts';
import { createHostAssembler } from './gateway/hosts.ts';
import { createRouteResolver } from './gateway/routes.ts';
import type { ResolvedRoute } from './gateway/routes.ts';
import { compareRoutes, createStreamHostAssembler, overruled } from './gateway/stream-hosts.ts';
import type { StreamHostsByListener } from './gateway/stream-hosts.ts';
import { createIngressResolver } from './ingress/ingress.ts';
import { createPolicyApplier } from './policies/traffic.ts';
import { createStreamRouteResolver, STREAM_KINDS } from './gateway/stream-routes.ts';
import type { ResolvedStreamRoute, ResolvedStreamRoutes } from './gateway/stream-routes.ts';
import { createTally } from './gateway/tally.ts';
import type { Tally } from './gateway/tally.ts';
import { same } from './reader.ts';
import {
  createTrafficPolicyResolver,
  trafficPolicyFindings,
  trafficPolicyStatus,
} from './gateway/traffic-policy.ts';
import type { TrafficPolicies } from './gateway/traffic-policy.ts';
import type { Resolution, StatusWish } from './resolution.ts';
import { createBalanceFinder } from './services/balance.ts';
import { createBackendResolver, createServiceResolver } from './services/services.ts';
import { createSliceIndexer } from './services/slices.ts';
import { toFinding } from './status/findings.ts';
import { createGatewayStatusMaker } from './status/statuses.ts';

export interface ResolveOptions {
  /** Where addresses of Gateways come from. */
  readonly gatewayCidr: string;
  /** GatewayClasses served whatever their controller; `*` for all. */
  readonly adoptedClasses: readonly string[];
  /** Whether Services of type ExternalName may be backends; absent: they may not. */
  readonly externalNames?: boolean;
}

export interface Resolver {
  (snapshot: Snapshot): Resolution;
  /** How much was ever made anew: what tests count. */
  readonly counts: () => Readonly<Record<'routes' | 'rules' | 'hosts' | 'backends', number>>;
}

/** Makes a resolver. It remembers what it resolved; a new one gives the same results, only slower. */
export function createResolver(options: ResolveOptions): Resolver {
  const resolveGateways = createGatewayResolver();
  const resolvePolicies = createBackendPolicyResolver();
  const { externalNames = false } = options;
  const resolveTraffic = createTrafficPolicyResolver();
  const resolveExternals = createExternalResolver();
  const resolveRoutes = createRouteResolver(externalNames);
  const resolveStreamRoutes = createStreamRouteResolver(externalNames);
  const tallyRoutes = createTally<ResolvedRoute>([HTTPRoute.kind, GRPCRoute.kind]);
  const tallyStreamRoutes = createTally<ResolvedStreamRoute>(STREAM_KINDS.map((k) => k.kind));
  const uniteUses = createUnion<BackendUse>();
  const assembleHosts = createHostAssembler();
  const assembleStreamHosts = createStreamHostAssembler();
  const findOverruled = createOverruledFinder();
  const assembleEntryPoints = createEntryPointAssembler();
  const statusesOf = createGatewayStatusMaker();
  const indexSlices = createSliceIndexer();
  const resolveServices = createServiceResolver();
  const findBalanceFaults = createBalanceFinder();
  const uniteCertificates = createCertificateUnion();
  const applyPolicies = createPolicyApplier();
  const resolveIngresses = createIngressResolver(options.gatewayCidr, externalNames);
  const resolveBackends = createBackendResolver();
  const resolve = (snapshot: Snapshot): Resolution => {
    const classes = resolveClasses(snapshot);
    const { ours, findings } = chooseGateways(snapshot, options);
    const addresses = assignAddresses(ours, options.gatewayCidr);
    const gateways = resolveGateways(snapshot, ours, addresses);
    const routes = resolveRoutes(snapshot, gateways);
    const policies = resolvePolicies(snapshot);
    const streamRoutes = resolveStreamRoutes(snapshot, gateways, policies);
    const hosts = assembleHosts(routes);
    const streamHosts = assembleStreamHosts(streamRoutes);
    const tally = tallyRoutes(routes);
    const streamTally = tallyStreamRoutes(streamRoutes);
    const attached = (listener: string): number =>
      (tally.attached.get(listener) ?? 0) + (streamTally.attached.get(listener) ?? 0);
    const slices = indexSlices(snapshot);
    const ingresses = resolveIngresses(snapshot);
    const ruled = applyPolicies(snapshot, assembleEntryPoints(gateways, hosts, streamHosts));
    const traffic = resolveTraffic(snapshot);
    const externals = resolveExternals(snapshot);
    const uses = uniteUses([tally.uses, streamTally.uses, ingresses.uses]);
    const model: Model = {
      entryPoints: [...ruled.entryPoints, ...ingresses.entryPoints],
      backends: resolveBackends(snapshot, slices, uses, { tls: policies, traffic, externals }),
      certificates: uniteCertificates(
        usedCertificates(gateways, externals),
        ingresses.certificates,
      ),
      services: resolveServices(snapshot, slices),
    };
    return {
      model,
      statuses: [
        ...classes.map(classStatus),
        ...gateways.all.flatMap((gateway) => statusesOf(gateway, attached)),
        ...policyStatuses(policies, gateways, [tally, streamTally]),
        ...ingresses.statuses,
        ...ruled.statuses,
        ...backendStatuses(traffic, externals, gateways, [tally, streamTally]),
      ],
      routeStatuses: [tally.statuses, streamTally.statuses],
      findings: [
        ...findings,
        ...classes.flatMap(({ name, problems }) =>
          problems.map((p) =>
            toFinding(p, { object: { kind: GatewayClass.kind, namespace: '', name } }),
          ),
        ),
        ...gatewayFindings(gateways),
        ...findBalanceFaults(snapshot),
        ...tally.findings,
        ...streamTally.findings,
        ...policies.all.flatMap((policy) => policyFindings(policy, policies)),
        ...traffic.all.flatMap((policy) => trafficPolicyFindings(policy, traffic)),
        ...[...externals.values()].flatMap(externalFindings),
        ...findOverruled(streamRoutes, streamHosts),
        ...ingresses.findings,
        ...ruled.findings,
      ],
    };
  };
  return Object.assign(resolve, {
    counts: () => ({
      ...resolveRoutes.counts(),
      hosts: assembleHosts.made(),
      backends: resolveBackends.made(),
    }),
  });
}

function chooseGateways(
  snapshot: Snapshot,
  options: ResolveOptions,
): { ours: readonly Gateway[]; findings: readonly Finding[] } {
  const ours: Gateway[] = [];
  const findings: Finding[] = [];
  for (const gateway of snapshot.list(Gateway)) {
    const verdict = serves(gateway, snapshot, { adopted: options.adoptedClasses });
    if (verdict.ours) ours.push(gateway);
    else findings.push(verdict.finding);
  }
  return { ours, findings };
}

const certificateMaps = new WeakMap<
  ResolvedGateways,
  { readonly externals: Externals; readonly certificates: ReadonlyMap<string, Certificate> }
>();

/** Gateways whose requests or connections go to a target of policies. */
function gatewaysOf(
  target: string,
  gatewayOf: ReadonlyMap<string, string>,
  tallies: readonly Tally[],
): ReadonlySet<string> {
  const listeners = tallies.flatMap(({ usersOf }) => usersOf(target).map((u) => u.listener));
  return new Set(listeners.map((listener) => gatewayOf.get(listener) ?? ''));
}

function backendStatuses(
  traffic: TrafficPolicies,
  externals: Externals,
  gateways: ResolvedGateways,
  tallies: readonly Tally[],
): readonly StatusWish[] {
  if (traffic.all.length + externals.size === 0) return [];
  const gatewayOf = new Map(
    gateways.all.flatMap((gateway) => allListeners(gateway).map((l) => [l.id, gateway.key])),
  );
  const controllerOf = controllersOf(gateways);
  const find = (target: string): ReadonlySet<string> => gatewaysOf(target, gatewayOf, tallies);
  return [
    ...traffic.all.map((policy) => trafficPolicyStatus(policy, traffic, find, controllerOf)),
    ...[...externals.values()].map((external) =>
      externalStatus(
        external,
        find(`XBackend ${external.namespace}/${external.name}`),
        controllerOf,
      ),
    ),
  ];
}

function usedCertificates(
  gateways: ResolvedGateways,
  externals: Externals,
): ReadonlyMap<string, Certificate> {
  const known = certificateMaps.get(gateways);
  if (known?.externals === externals) return known.certificates;
  const certificates = new Map<string, Certificate>();
  for (const { certificate } of externals.values()) {
    if (certificate !== undefined) certificates.set(certificate.key, certificate);
  }
  for (const gateway of gateways.all) {
    const { backendCertificate } = gateway;
    if (backendCertificate !== undefined) {
      certificates.set(backendCertificate.key, backendCertificate);
    }
    for (const listener of allListeners(gateway)) {
      for (const certificate of listener.certificates) {
        certificates.set(certificate.key, certificate);
      }
    }
  }
  certificateMaps.set(gateways, { externals, certificates });
  return certificates;
}

/** Both as one map; the same value as long as both are the same. */
function createCertificateUnion(): (
  gateways: ReadonlyMap<string, Certificate>,
  ingresses: ReadonlyMap<string, Certificate>,
) => ReadonlyMap<string, Certificate> {
  let inputs: readonly unknown[] = [];
  let union: ReadonlyMap<string, Certificate> = new Map();
  return (gateways, ingresses) => {
    if (ingresses.size === 0) return gateways;
    if (!same(inputs, [gateways, ingresses])) {
      inputs = [gateways, ingresses];
      union = new Map([...gateways, ...ingresses]);
    }
    return union;
  };
}

function gatewayFindings(gateways: ResolvedGateways): readonly Finding[] {
  return gateways.all.flatMap((gateway) => {
    const { namespace, name, sets, unaccepted, unresolved, assigned } = gateway;
    const own = { object: { kind: Gateway.kind, namespace, name } };
    return [
      ...[...unaccepted, ...assigned.unusable, ...unresolved].map((p) => toFinding(p, own)),
      ...sets.flatMap(({ refused, ...set }) =>
        refused === undefined
          ? []
          : [
              toFinding(refused, {
                object: { kind: ListenerSet.kind, namespace: set.namespace, name: set.name },
              }),
            ],
      ),
      ...allListeners(gateway).flatMap((listener) =>
        [...listener.unaccepted, ...listener.unresolved, ...listener.conflicts].map((p) => {
          // What is said of clients stands in the Gateway, whoever the listener belongs to.
          const isOwn = p.field.startsWith(listener.field);
          return toFinding(p, isOwn ? { object: { ...listener.owner } } : own);
        }),
      ),
    ];
  });
}

/** Under which of our names a Gateway, by its key, is served. */
function controllersOf({ byKey }: ResolvedGateways): (gateway: string) => string {
  return (gateway) => byKey.get(gateway)?.controllerName ?? CONTROLLER_NAME;
}

function policyStatuses(
  policies: BackendPolicies,
  gateways: ResolvedGateways,
  tallies: readonly Tally[],
): readonly StatusWish[] {
  if (policies.all.length === 0) return [];
  const gatewayOf = new Map(
    gateways.all.flatMap((gateway) => allListeners(gateway).map((l) => [l.id, gateway.key])),
  );
  const controllerOf = controllersOf(gateways);
  return policies.all.map((policy) => {
    const services = new Set(policy.targets.map(({ service }) => service));
    const users = [...services].flatMap((service) =>
      tallies
        .flatMap(({ usersOf }) => usersOf(`Service ${service}`))
        .map(({ portName, listener }) => ({
          service,
          portName,
          gateway: gatewayOf.get(listener) ?? '',
        })),
    );
    return policyStatus(policy, policies, users, controllerOf);
  });
}

function policyFindings(policy: ResolvedPolicy, policies: BackendPolicies): readonly Finding[] {
  const { namespace, name } = policy;
  const object = { kind: BackendTLSPolicy.kind, namespace, name };
  return policyProblems(policy, policies).map((p) => toFinding(p, { object }));
}

/** Looks again only when there is something else to see. */
function createOverruledFinder(): (
  routes: ResolvedStreamRoutes,
  hosts: StreamHostsByListener,
) => readonly Finding[] {
  let seen: readonly unknown[] = [];
  let findings: readonly Finding[] = [];
  return (routes, hosts) => {
    if (!same(seen, [routes, hosts])) {
      seen = [routes, hosts];
      findings = [...routes.values()]
        .toSorted(compareRoutes)
        .flatMap((route) => overruledFindings(route, hosts));
    }
    return findings;
  };
}

function overruledFindings(
  route: ResolvedStreamRoute,
  hosts: StreamHostsByListener,
): readonly Finding[] {
  const { kind, namespace, name } = route;
  return overruled(route, hosts).map(({ listener, hostname, by }) => ({
    severity: 'warning',
    reason: 'Overruled',
    message: `listener ${listener}: connections${hostname === '' ? '' : ` for ${hostname}`} go to ${by}, which is older`,
    hint: 'attach the route to another listener, or give it other hostnames',
    origin: { object: { kind: kind.kind, namespace, name }, field: 'spec.parentRefs' },
  }));
}

/** Several maps as one, of whose keys the later ones win. */
function createUnion<V>(): (maps: readonly VersionedMap<V>[]) => VersionedMap<V> {
  let last: readonly VersionedMap<V>[] = [];
  let union = VersionedMap.of<V>();
  return (maps) => {
    const keys = new Set(
      maps.flatMap((map, i) => [...changedKeys(last[i] ?? VersionedMap.of<V>(), map)]),
    );
    last = maps;
    const find = (key: string): V | undefined => maps.findLast((m) => m.has(key))?.get(key);
    union = union.with(Array.from(keys, (key) => [key, find(key)] as const));
    return union;
  };
}
