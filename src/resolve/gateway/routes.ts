// HTTPRoute or GRPCRoute → what it contributes to which listeners, and what it is to be told of itself.

import { GRPCRoute } from '../../api/gateway/grpcroute.ts';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import type { Kind } from '../../api/kind.ts';
import type { VersionedMap } from '../../lib/versioned-map.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Reader } from '../reader.ts';
import { Results } from '../results.ts';
import { verdict } from '../status/conditions.ts';
import type { Problem, Verdict } from '../status/conditions.ts';
import type { Attachment } from './attach.ts';
import type { BackendUse } from './backends.ts';
import type { ResolvedGateways } from './gateways.ts';
import { grantsOf } from './grants.ts';
import { resolveGrpcRules } from './grpc-rules.ts';
import { createKindReferee } from './kind-conflicts.ts';
import { attachedVerdict, refusedVerdict, resolvedRefsVerdict, resolveParents } from './parents.ts';
import type { ParentOutcome } from './parents.ts';
import { resolveRules } from './rules.ts';
import type { RankedRule, ResolvedRules } from './rules.ts';

/** What routes of every kind come to. */
export interface ResolvedRouteBase {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** One for each parent that is a Gateway of ours, in the order of the route's parentRefs. */
  readonly parents: readonly ResolvedParent[];
  readonly uses: readonly BackendUse[];
  readonly problems: readonly Problem[];
}

export interface ResolvedRoute extends ResolvedRouteBase {
  /** creationTimestamp */
  readonly created: string;
  readonly contributions: readonly Contribution[];
}

export interface ResolvedParent {
  readonly parentRef: object;
  /** As the class of the Gateway has it. */
  readonly controllerName: string;
  readonly conditions: readonly Verdict[];
  /** Ids of the listeners it is attached to. */
  readonly listeners: readonly string[];
}

/** Rules for one host of one listener. The same value as long as nothing about it changes. */
export interface Contribution {
  readonly listener: string;
  readonly hostname: string;
  readonly rules: readonly RankedRule[];
}

/** All routes that take requests, by `Kind namespace/name`. The same value as long as none changes. */
export type ResolvedRoutes = VersionedMap<ResolvedRoute>;

const KINDS: readonly Kind<HTTPRoute | GRPCRoute>[] = [HTTPRoute, GRPCRoute];

export interface RouteResolver {
  (snapshot: Snapshot, gateways: ResolvedGateways): ResolvedRoutes;
  /** How many routes, and rules of routes, were ever resolved: what tests count. */
  readonly counts: () => { readonly routes: number; readonly rules: number };
}

/** Resolves routes, and remembers those that did not change. */
export function createRouteResolver(externalNames: boolean): RouteResolver {
  // What a route does is no matter of who takes it in: a Gateway that changes changes no rules.
  const rulesOf = new Results<HTTPRoute | GRPCRoute, ResolvedRules>({
    kinds: KINDS,
    make: (_kind, route, reader) => {
      const surroundings = { reader, grants: grantsOf(reader), externalNames };
      return isGrpc(route)
        ? resolveGrpcRules(route, surroundings)
        : resolveRules(route, surroundings);
    },
  });
  let gateways: ResolvedGateways;
  const routes = new Results<HTTPRoute | GRPCRoute, ResolvedRoute>({
    kinds: KINDS,
    make: (kind, route, reader, { rules }) => {
      const { namespace = '', name = '' } = route.metadata;
      const own = reader.find(
        'rules',
        rules as VersionedMap<ResolvedRules>,
        keyOf(kind, namespace, name),
      );
      return resolveRoute(kind, route, own as ResolvedRules, gateways, reader);
    },
  });
  const settle = createKindReferee();
  const resolve = (snapshot: Snapshot, now: ResolvedGateways): ResolvedRoutes => {
    gateways = now;
    const rules = rulesOf.update(snapshot);
    const { byKey, sets } = gateways;
    return settle(routes.update(snapshot, { Gateway: byKey, ListenerSet: sets, rules }));
  };
  return Object.assign(resolve, {
    counts: () => ({ routes: routes.made, rules: rulesOf.made }),
  });
}

function keyOf({ kind }: Kind, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}

function isGrpc(route: HTTPRoute | GRPCRoute): route is GRPCRoute {
  return route.kind === GRPCRoute.kind;
}

function resolveRoute(
  kind: Kind,
  route: HTTPRoute | GRPCRoute,
  rules: ResolvedRules,
  gateways: ResolvedGateways,
  reader: Reader,
): ResolvedRoute {
  const { namespace = '', name = '', generation = 0, creationTimestamp = '' } = route.metadata;
  const contributions: Contribution[] = [];
  const { parentRefs = [], hostnames = [] } = route.spec;
  const attaching = { kind: kind.kind, namespace, parentRefs, hostnames };
  const { outcomes, problems } = resolveParents(attaching, gateways, reader);
  const parents = outcomes.map((o) =>
    resolveParent(o, (route.spec.rules ?? []).length, rules, contributions),
  );
  return {
    kind,
    created: creationTimestamp,
    namespace,
    name,
    generation,
    parents,
    contributions,
    uses: rules.uses,
    problems: [...rules.unresolved, ...rules.unsupported, ...rules.warnings, ...problems],
  };
}

function resolveParent(
  { parentRef, controllerName, attachments, refused }: ParentOutcome,
  ruleCount: number,
  rules: ResolvedRules,
  contributions: Contribution[],
): ResolvedParent {
  const resolvedRefs = resolvedRefsVerdict(rules.unresolved);
  if (refused !== undefined) {
    const conditions = [refusedVerdict(refused), resolvedRefs];
    return { parentRef, controllerName, conditions, listeners: [] };
  }
  // Even of a route that is not accepted: what it asks for and does not get is answered with 500, and
  // never left to the rules of others.
  for (const { listener, hostnames } of attachments) {
    for (const hostname of hostnames) {
      contributions.push({ listener: listener.id, hostname, rules: rules.rules });
    }
  }
  const [accepted, ...others] = acceptance(rules, attachments, ruleCount);
  return {
    parentRef,
    controllerName,
    conditions: [accepted, resolvedRefs, ...others],
    listeners: accepted.status === 'True' ? attachments.map(({ listener }) => listener.id) : [],
  };
}

/** A route is accepted as long as one of its rules is; of the others, it is told which. */
function acceptance(
  { dropped, unsupported }: ResolvedRules,
  attachments: readonly Attachment[],
  ruleCount: number,
): readonly [Verdict, ...Verdict[]] {
  const [first] = unsupported;
  if (first !== undefined && dropped.filter((d) => d.isWhole).length === ruleCount) {
    const messages = [...new Set(unsupported.map((p) => p.message))];
    return [verdict('Accepted', 'False', first.reason, messages.join('; '))];
  }
  const accepted = attachedVerdict(attachments);
  if (first === undefined) return [accepted];
  // The message must begin with these two words (RouteConditionPartiallyInvalid).
  const message = dropped.map(({ ruleIndex, isWhole, problems }) => {
    const why = [...new Set(problems.map((p) => p.message))].join(', ');
    return `Dropped Rule ${ruleIndex}${isWhole ? '' : ' in part'}: ${why}`;
  });
  return [accepted, verdict('PartiallyInvalid', 'True', first.reason, message.join('; '))];
}
