// HTTPRoute → what it contributes to which listeners, and what it is to be told of itself.

import { Namespace } from '../../api/core/namespace.ts';
import { Gateway } from '../../api/gateway/gateway.ts';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Memo, same } from '../reader.ts';
import type { Reader } from '../reader.ts';
import { problem, verdict, verdictOf } from '../status/conditions.ts';
import type { Problem, Verdict } from '../status/conditions.ts';
import { attach } from './attach.ts';
import type { BackendUse } from './backends.ts';
import type { ResolvedGateway, ResolvedGateways } from './gateways.ts';
import { grantsOf } from './grants.ts';
import type { Grants } from './grants.ts';
import { GATEWAY_GROUP } from './listeners.ts';
import { resolveRules } from './rules.ts';
import type { RankedRule, ResolvedRules } from './rules.ts';

export interface ResolvedRoute {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** One for each parent that is a Gateway of ours, in the order of the route's parentRefs. */
  readonly parents: readonly ResolvedParent[];
  readonly contributions: readonly Contribution[];
  readonly uses: readonly BackendUse[];
  readonly problems: readonly Problem[];
}

export interface ResolvedParent {
  readonly parentRef: object;
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
    const resolved = snapshot.list(HTTPRoute).map((route) => {
      const { namespace = '', name = '', uid, generation } = route.metadata;
      const inputs = [route.spec, uid, generation, gateways, grants];
      return memo.get(`${namespace}/${name}`, snapshot, inputs, (reader) =>
        resolveRoute(route, gateways, grants, reader),
      );
    });
    memo.sweep();
    if (!same(last, resolved)) last = resolved;
    return last;
  };
}

function resolveRoute(
  route: HTTPRoute,
  gateways: ResolvedGateways,
  grants: Grants,
  reader: Reader,
): ResolvedRoute {
  const { namespace = '', name = '', generation = 0 } = route.metadata;
  const rules = resolveRules(route, { reader, grants });
  const parents: ResolvedParent[] = [];
  const contributions: Contribution[] = [];
  const problems = [...rules.unresolved, ...rules.unsupported, ...rules.warnings];
  (route.spec.parentRefs ?? []).forEach((ref, i) => {
    const field = `spec.parentRefs[${i}]`;
    const found = findGateway(ref, namespace, field, gateways, reader);
    if (found === undefined) return;
    if ('reason' in found) problems.push(found);
    else
      parents.push(
        resolveParent(
          { route, ref, field, gateway: found, rules, reader },
          contributions,
          problems,
        ),
      );
  });
  if ((route.spec.parentRefs ?? []).length === 0) {
    problems.push({
      ...problem('NoParents', 'spec', 'the route has no parentRefs, so nothing is sent through it'),
      severity: 'warning',
    });
  }
  return { namespace, name, generation, parents, contributions, uses: rules.uses, problems };
}

type ParentRef = NonNullable<HTTPRoute['spec']['parentRefs']>[number];

/** The Gateway a parentRef means; undefined when it is somebody else's to look after. */
function findGateway(
  ref: ParentRef,
  routeNamespace: string,
  field: string,
  gateways: ResolvedGateways,
  reader: Reader,
): ResolvedGateway | Problem | undefined {
  if (ref.group !== GATEWAY_GROUP || ref.kind !== 'Gateway') {
    return {
      ...problem(
        'UnsupportedParent',
        field,
        `parents of kind ${ref.kind} are not served by this version of Fairway`,
      ),
      severity: 'warning',
    };
  }
  const namespace = ref.namespace ?? routeNamespace;
  const gateway = gateways.get(`${namespace}/${ref.name}`);
  if (gateway !== undefined) return gateway;
  // The Gateway of another controller says so itself.
  if (reader.get(Gateway, namespace, ref.name) !== undefined) return undefined;
  return problem('ParentNotFound', field, `Gateway ${namespace}/${ref.name} does not exist`);
}

interface ParentContext {
  readonly route: HTTPRoute;
  readonly ref: ParentRef;
  readonly field: string;
  readonly gateway: ResolvedGateway;
  readonly rules: ResolvedRules;
  readonly reader: Reader;
}

function resolveParent(
  { route, ref, field, gateway, rules, reader }: ParentContext,
  contributions: Contribution[],
  problems: Problem[],
): ResolvedParent {
  const { namespace = '' } = route.metadata;
  const wanted = {
    kind: 'HTTPRoute',
    namespace,
    namespaceObject: reader.get(Namespace, '', namespace),
    hostnames: (route.spec.hostnames ?? []).map((h) => h.toLowerCase()),
  };
  const outcome = attach(wanted, ref, gateway, field);
  const resolvedRefs = verdictOf('ResolvedRefs', rules.unresolved, {
    reason: 'ResolvedRefs',
    message: 'every reference leads to an object',
  });
  if ('refused' in outcome) {
    problems.push(outcome.refused);
    const { reason, message } = outcome.refused;
    const conditions = [verdict('Accepted', 'False', reason, message), resolvedRefs];
    return { parentRef: ref, conditions, listeners: [] };
  }
  // Even of a route that is not accepted: what it asks for and does not get is answered with 500, and
  // never left to the rules of others.
  for (const { listener, hostnames } of outcome.attachments) {
    for (const hostname of hostnames) {
      contributions.push({ listener: listener.id, hostname, rules: rules.rules });
    }
  }
  const listeners = outcome.attachments.map(({ listener }) => listener.id);
  const [accepted, ...others] = acceptance(rules, listeners, route.spec.rules.length);
  return {
    parentRef: ref,
    conditions: [accepted, resolvedRefs, ...others],
    listeners: accepted.status === 'True' ? listeners : [],
  };
}

/** A route is accepted as long as one of its rules is; of the others, it is told which. */
function acceptance(
  { dropped, unsupported }: ResolvedRules,
  listeners: readonly string[],
  ruleCount: number,
): readonly [Verdict, ...Verdict[]] {
  const [first] = unsupported;
  if (first !== undefined && dropped.filter((d) => d.isWhole).length === ruleCount) {
    const messages = [...new Set(unsupported.map((p) => p.message))];
    return [verdict('Accepted', 'False', first.reason, messages.join('; '))];
  }
  const names = listeners.map((id) => id.slice(id.lastIndexOf('/') + 1)).join(', ');
  const accepted = verdict('Accepted', 'True', 'Accepted', `attached to listener ${names}`);
  if (first === undefined) return [accepted];
  // The message must begin with these two words (RouteConditionPartiallyInvalid).
  const message = dropped.map(({ ruleIndex, isWhole, problems }) => {
    const why = [...new Set(problems.map((p) => p.message))].join(', ');
    return `Dropped Rule ${ruleIndex}${isWhole ? '' : ' in part'}: ${why}`;
  });
  return [accepted, verdict('PartiallyInvalid', 'True', first.reason, message.join('; '))];
}
