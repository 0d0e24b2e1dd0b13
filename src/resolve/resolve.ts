// Snapshot → model, statuses, findings. Pure, and never throws for what a user wrote: one bad object
// costs its own traffic and no other's. Everything is remembered by identity, so that a change costs
// what it changes. (Next on the tour: ../model/model.ts.)

import type { Finding, Origin as FindingOrigin } from '../api/finding.ts';
import { BackendTLSPolicy } from '../api/gateway/backendtlspolicy.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { ListenerSet } from '../api/gateway/listenerset.ts';
import type { Certificate, Model } from '../model/model.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { assignAddresses } from './gateway/addresses.ts';
import type { BackendUse } from './gateway/backends.ts';
import {
  createBackendPolicyResolver,
  policyProblems,
  policyStatus,
} from './gateway/backend-tls.ts';
import type { BackendPolicies, ResolvedPolicy, ServiceUser } from './gateway/backend-tls.ts';
import { classStatuses, serves } from './gateway/classes.ts';
import { createEntryPointAssembler } from './gateway/entry-points.ts';
import { allListeners, createGatewayResolver } from './gateway/gateways.ts';
import type { ResolvedGateways } from './gateway/gateways.ts';
import { createHostAssembler } from './gateway/hosts.ts';
import { createRouteResolver } from './gateway/routes.ts';
import type { ResolvedRoute, ResolvedRouteBase } from './gateway/routes.ts';
import { createStreamHostAssembler, overruled } from './gateway/stream-hosts.ts';
import type { StreamHostsByListener } from './gateway/stream-hosts.ts';
import { createStreamRouteResolver } from './gateway/stream-routes.ts';
import type { ResolvedStreamRoute } from './gateway/stream-routes.ts';
import { createIngressResolver } from './ingress/ingress.ts';
import { createPolicyApplier } from './policies/traffic.ts';
import type { Resolution, StatusWish } from './resolution.ts';
import { createBackendResolver, createServiceResolver } from './services/services.ts';
import { createSliceIndexer } from './services/slices.ts';
import type { Problem } from './status/conditions.ts';
import {
  countAttached,
  gatewayStatus,
  listenerSetStatuses,
  routeStatus,
} from './status/statuses.ts';

export interface ResolveOptions {
  /** Where addresses of Gateways come from. */
  readonly gatewayCidr: string;
  /** GatewayClasses served whatever their controller; `*` for all. */
  readonly adoptedClasses: readonly string[];
}

export type Resolver = (snapshot: Snapshot) => Resolution;

/** Makes a resolver. It remembers what it resolved; a new one gives the same results, only slower. */
export function createResolver(options: ResolveOptions): Resolver {
  const resolveGateways = createGatewayResolver();
  const resolvePolicies = createBackendPolicyResolver();
  const resolveRoutes = createRouteResolver();
  const resolveStreamRoutes = createStreamRouteResolver();
  const assembleHosts = createHostAssembler();
  const assembleStreamHosts = createStreamHostAssembler();
  const assembleEntryPoints = createEntryPointAssembler();
  const indexSlices = createSliceIndexer();
  const resolveServices = createServiceResolver();
  const applyPolicies = createPolicyApplier();
  const resolveIngresses = createIngressResolver(options.gatewayCidr);
  const resolveBackends = createBackendResolver();
  return (snapshot) => {
    const { ours, findings } = chooseGateways(snapshot, options);
    const addresses = assignAddresses(ours, options.gatewayCidr);
    const gateways = resolveGateways(snapshot, ours, addresses);
    const routes = resolveRoutes(snapshot, gateways);
    const streamRoutes = resolveStreamRoutes(snapshot, gateways);
    const hosts = assembleHosts(routes);
    const streamHosts = assembleStreamHosts(streamRoutes);
    const allRoutes = [...routes, ...streamRoutes];
    const slices = indexSlices(snapshot);
    const policies = resolvePolicies(snapshot);
    const ingresses = resolveIngresses(snapshot);
    const traffic = applyPolicies(snapshot, assembleEntryPoints(gateways, hosts, streamHosts));
    const model: Model = {
      entryPoints: [
        ...traffic.entryPoints,
        ...ingresses.entryPoints,
      ],
      backends: resolveBackends(snapshot, slices, new Map([...usedBackends(allRoutes), ...ingresses.uses]), policies),
      certificates: new Map([...usedCertificates(gateways), ...ingresses.certificates]),
      services: resolveServices(snapshot, slices),
    };
    const attached = countAttached(allRoutes);
    return {
      model,
      statuses: [
        ...classStatuses(snapshot),
        ...[...gateways.values()].flatMap((gateway) => [
          gatewayStatus(gateway, attached),
          ...listenerSetStatuses(gateway, attached),
        ]),
        ...allRoutes.map(routeStatus),
        ...policyStatuses(policies, gateways, routes),
        ...ingresses.statuses,
        ...traffic.statuses,
      ],
      findings: [
        ...findings,
        ...gatewayFindings(gateways),
        ...allRoutes.flatMap(routeFindings),
        ...policies.all.flatMap((policy) => policyFindings(policy, policies)),
        ...streamRoutes.flatMap((route) => overruledFindings(route, streamHosts)),
        ...ingresses.findings,
        ...traffic.findings,
      ],
    };
  };
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

function usedBackends(
  routes: readonly (ResolvedRouteBase & { readonly contributions: readonly unknown[] })[],
): ReadonlyMap<string, BackendUse> {
  const uses = new Map<string, BackendUse>();
  for (const route of routes) {
    if (route.contributions.length === 0) continue;
    for (const use of route.uses) uses.set(use.key, use);
  }
  return uses;
}

function usedCertificates(gateways: ResolvedGateways): ReadonlyMap<string, Certificate> {
  const certificates = new Map<string, Certificate>();
  for (const gateway of gateways.values()) {
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
  return certificates;
}

function gatewayFindings(gateways: ResolvedGateways): readonly Finding[] {
  return [...gateways.values()].flatMap((gateway) => {
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

const routeFindingLists = new WeakMap<ResolvedRouteBase, readonly Finding[]>();

function routeFindings(route: ResolvedRouteBase): readonly Finding[] {
  let findings = routeFindingLists.get(route);
  if (findings === undefined) {
    const { kind, namespace, name } = route;
    const object = { kind: kind.kind, namespace, name };
    findings = route.problems.map((p) => toFinding(p, { object }));
    routeFindingLists.set(route, findings);
  }
  return findings;
}

function policyStatuses(
  policies: BackendPolicies,
  gateways: ResolvedGateways,
  routes: readonly ResolvedRoute[],
): readonly StatusWish[] {
  if (policies.all.length === 0) return [];
  const gatewayOf = new Map(
    [...gateways.values()].flatMap((gateway) =>
      allListeners(gateway).map((l) => [l.id, gateway.key]),
    ),
  );
  const users = routes.flatMap(({ contributions, uses }): readonly ServiceUser[] => {
    const own = new Set(contributions.map(({ listener }) => gatewayOf.get(listener) ?? ''));
    return uses.flatMap(({ namespace, name, portName }) =>
      Array.from(own, (gateway) => ({ service: `${namespace}/${name}`, portName, gateway })),
    );
  });
  return policies.all.map((policy) => policyStatus(policy, policies, users));
}

function policyFindings(policy: ResolvedPolicy, policies: BackendPolicies): readonly Finding[] {
  const { namespace, name } = policy;
  const object = { kind: BackendTLSPolicy.kind, namespace, name };
  return policyProblems(policy, policies).map((p) => toFinding(p, { object }));
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

function toFinding(problem: Problem, origin: FindingOrigin): Finding {
  const { severity = 'error', reason, message, hint, field } = problem;
  return {
    severity,
    reason,
    message,
    ...(hint === undefined ? {} : { hint }),
    origin: { ...origin, field },
  };
}
