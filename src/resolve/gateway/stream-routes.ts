// TLSRoute, TCPRoute and UDPRoute → where the connections or datagrams of which listeners go, and what
// the route is to be told of itself.

import { TCPRoute } from '../../api/gateway/tcproute.ts';
import { TLSRoute } from '../../api/gateway/tlsroute.ts';
import { UDPRoute } from '../../api/gateway/udproute.ts';
import { XBackend } from '../../api/gateway/xbackend.ts';
import type { Kind } from '../../api/kind.ts';
import type { Origin, StreamBackend, StreamRule } from '../../model/model.ts';
import type { VersionedMap } from '../../lib/versioned-map.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Reader } from '../reader.ts';
import { Results } from '../results.ts';
import type { Problem } from '../status/conditions.ts';
import { resolveBackendRef } from './backends.ts';
import type { BackendUse } from './backends.ts';
import { securedKey } from './backend-tls.ts';
import type { BackendPolicies } from './backend-tls.ts';
import { wantsTls } from './external-backends.ts';
import type { ResolvedGateways } from './gateways.ts';
import { grantsOf } from './grants.ts';
import type { Surroundings } from './grants.ts';
import { attachedVerdict, refusedVerdict, resolvedRefsVerdict, resolveParents } from './parents.ts';
import type { ParentOutcome } from './parents.ts';
import type { ResolvedRouteBase } from './routes.ts';

type AnyStreamRoute = TLSRoute | TCPRoute | UDPRoute;
export const STREAM_KINDS: readonly Kind<AnyStreamRoute>[] = [TLSRoute, TCPRoute, UDPRoute];

export interface ResolvedStreamRoute extends ResolvedRouteBase {
  /** creationTimestamp: of two routes for one host, the older one gets the connections. */
  readonly created: string;
  readonly contributions: readonly StreamContribution[];
  /** For connections that are handed on as they are. */
  readonly rule: StreamRule;
  /** For those whose bytes are plain here, and go on in TLS where a policy or an XBackend says so; else the same. */
  readonly securedRule: StreamRule;
}

/** One host of one listener that the route wants connections of. */
export interface StreamContribution {
  readonly listener: string;
  readonly hostname: string;
  readonly rule: StreamRule;
}

/** All stream routes, by `Kind namespace/name`. The same value as long as none of them changes. */
export type ResolvedStreamRoutes = VersionedMap<ResolvedStreamRoute>;

/** What readers know by this name: which ports of Services a policy is for. */
const SECURED = 'BackendTLSPolicy';

/** Resolves routes, and remembers those that did not change. */
export function createStreamRouteResolver(
  externalNames: boolean,
): (
  snapshot: Snapshot,
  gateways: ResolvedGateways,
  policies: BackendPolicies,
) => ResolvedStreamRoutes {
  let gateways: ResolvedGateways;
  let policies: BackendPolicies;
  const routes = new Results<AnyStreamRoute, ResolvedStreamRoute>({
    kinds: STREAM_KINDS,
    make: (kind, route, reader) =>
      resolveRoute(
        kind,
        route,
        { gateways, policies },
        { reader, grants: grantsOf(reader), externalNames },
      ),
  });
  return (snapshot, gatewaysNow, policiesNow) => {
    gateways = gatewaysNow;
    policies = policiesNow;
    return routes.update(snapshot, {
      Gateway: gateways.byKey,
      ListenerSet: gateways.sets,
      [SECURED]: policies.secured,
    });
  };
}

function resolveRoute(
  kind: Kind,
  route: AnyStreamRoute,
  { gateways, policies }: { gateways: ResolvedGateways; policies: BackendPolicies },
  surroundings: Surroundings,
): ResolvedStreamRoute {
  const { namespace = '', name = '', generation = 0, creationTimestamp = '' } = route.metadata;
  const { rule, uses, unresolved } = resolveRule(kind, route, surroundings);
  const secured = secure(rule, uses, policies, surroundings.reader);
  const { parentRefs = [] } = route.spec;
  const hostnames = 'hostnames' in route.spec ? route.spec.hostnames : [];
  const attaching = { kind: kind.kind, namespace, parentRefs, hostnames };
  const { outcomes, problems } = resolveParents(attaching, gateways, surroundings.reader);
  const resolvedRefs = resolvedRefsVerdict(unresolved);
  return {
    kind,
    namespace,
    name,
    generation,
    created: creationTimestamp,
    rule,
    securedRule: secured.rule,
    uses: usedBy(outcomes, uses, secured.uses),
    parents: outcomes.map(({ parentRef, controllerName, attachments, refused }) => ({
      parentRef,
      controllerName,
      conditions: [
        refused === undefined ? attachedVerdict(attachments) : refusedVerdict(refused),
        resolvedRefs,
      ],
      listeners: attachments.map(({ listener }) => listener.id),
    })),
    contributions: outcomes.flatMap(({ attachments }) =>
      attachments.flatMap(({ listener, hostnames: common }) =>
        common.map((hostname) => ({
          listener: listener.id,
          hostname,
          rule: listener.mode === 'passthrough' ? rule : secured.rule,
        })),
      ),
    ),
    problems: [...unresolved, ...problems],
  };
}

/** The same rule, with backends in TLS where that is said of them. */
function secure(
  rule: StreamRule,
  uses: readonly BackendUse[],
  policies: BackendPolicies,
  reader: Reader,
): { readonly rule: StreamRule; readonly uses: readonly BackendUse[] } {
  const secured = uses.map((use): BackendUse => {
    if (use.protocol !== 'TCP') return use;
    if (!isSecured(use, policies, reader)) return use;
    const key = `${use.kind} ${use.namespace}/${use.name}:${use.port}/TLS`;
    return { ...use, key, carries: 'securedStreams' };
  });
  if (secured.every((use, i) => use === uses[i])) return { rule, uses };
  const keys = new Map(uses.map(({ key }, i) => [key, secured[i]?.key ?? key]));
  const backends = rule.backends.map((weighted) =>
    weighted.backend === null
      ? weighted
      : { ...weighted, backend: keys.get(weighted.backend) ?? weighted.backend },
  );
  return { rule: { ...rule, backends }, uses: secured };
}

/** Whether what is plain here goes on in TLS: as a policy for the Service says, or the XBackend itself. */
function isSecured(use: BackendUse, policies: BackendPolicies, reader: Reader): boolean {
  const { kind, namespace, name, portName } = use;
  if (kind === 'XBackend') {
    const backend = reader.get(XBackend, namespace, name);
    return backend !== undefined && wantsTls(backend);
  }
  return [portName, ''].some((section) =>
    reader.find(SECURED, policies.secured, securedKey(`${namespace}/${name}`, section)),
  );
}

/** Of both ways to speak to backends, those some listener needs. */
function usedBy(
  outcomes: readonly ParentOutcome[],
  plain: readonly BackendUse[],
  secured: readonly BackendUse[],
): readonly BackendUse[] {
  if (plain === secured) return plain;
  const modes = outcomes.flatMap(({ attachments }) => attachments.map((a) => a.listener.mode));
  return [
    ...(modes.includes('passthrough') ? plain : []),
    ...(modes.some((mode) => mode !== 'passthrough') ? secured : []),
  ];
}

/** The schema allows one rule; of more, which no version of the API has use for, the first counts. */
function resolveRule(
  kind: Kind,
  route: AnyStreamRoute,
  surroundings: Surroundings,
): {
  readonly rule: StreamRule;
  readonly uses: readonly BackendUse[];
  readonly unresolved: readonly Problem[];
} {
  const { namespace = '', name = '' } = route.metadata;
  const originAt = (field: string): Origin => ({ kind: kind.kind, namespace, name, field });
  const uses: BackendUse[] = [];
  const unresolved: Problem[] = [];
  const [written] = route.spec.rules;
  const backends = (written?.backendRefs ?? []).map((ref, i): StreamBackend => {
    const { weight } = ref;
    const origin = originAt(`spec.rules[0].backendRefs[${i}]`);
    const protocol = kind.kind === UDPRoute.kind ? 'UDP' : 'TCP';
    const resolved = resolveBackendRef(ref, origin, surroundings, protocol);
    if ('problem' in resolved) {
      unresolved.push(resolved.problem);
      return { backend: null, weight, reason: resolved.problem.message, origin };
    }
    uses.push(resolved.use);
    return { backend: resolved.use.key, weight, origin };
  });
  const rule = written?.name === undefined ? 'rule 0' : `rule "${written.name}"`;
  return {
    rule: {
      id: `${kind.kind} ${namespace}/${name} ${rule}`,
      backends,
      origin: originAt('spec.rules[0]'),
    },
    uses,
    unresolved,
  };
}
