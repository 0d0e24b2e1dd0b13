// HTTPRoute or GRPCRoute → what it contributes to which listeners, and what it is to be told of itself.

import { GRPCRoute } from '../../api/gateway/grpcroute.ts';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import type { Kind } from '../../api/kind.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Memo, same } from '../reader.ts';
import type { Reader } from '../reader.ts';
import { verdict } from '../status/conditions.ts';
import type { Problem, Verdict } from '../status/conditions.ts';
import type { Attachment } from './attach.ts';
import type { BackendUse } from './backends.ts';
import type { ResolvedGateways } from './gateways.ts';
import { grantsOf } from './grants.ts';
import type { Grants } from './grants.ts';
import { resolveGrpcRules } from './grpc-rules.ts';
import { settleKindConflicts } from './kind-conflicts.ts';
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

/** Resolves routes, and remembers those that did not change. */
export function createRouteResolver(): (
  snapshot: Snapshot,
  gateways: ResolvedGateways,
) => readonly ResolvedRoute[] {
  const memo = new Memo<string, ResolvedRoute>();
  let last: readonly ResolvedRoute[] = [];
  return (snapshot, gateways) => {
    const grants = grantsOf(snapshot);
    const written = [...snapshot.list(HTTPRoute), ...snapshot.list(GRPCRoute)];
    const resolved = written.map((route) => {
      const { namespace = '', name = '', uid, generation } = route.metadata;
      const inputs = [route.spec, uid, generation, gateways, grants];
      return memo.get(`${route.kind} ${namespace}/${name}`, snapshot, inputs, (reader) =>
        resolveRoute(route, gateways, grants, reader),
      );
    });
    memo.sweep();
    if (!same(last, resolved)) last = resolved;
    return settleKindConflicts(last);
  };
}

function isGrpc(route: HTTPRoute | GRPCRoute): route is GRPCRoute {
  return route.kind === GRPCRoute.kind;
}

function resolveRoute(
  route: HTTPRoute | GRPCRoute,
  gateways: ResolvedGateways,
  grants: Grants,
  reader: Reader,
): ResolvedRoute {
  const { namespace = '', name = '', generation = 0, creationTimestamp = '' } = route.metadata;
  const kind: Kind = isGrpc(route) ? GRPCRoute : HTTPRoute;
  const rules = isGrpc(route)
    ? resolveGrpcRules(route, { reader, grants })
    : resolveRules(route, { reader, grants });
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
