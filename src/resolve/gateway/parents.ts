// What a route's parentRefs come to, whatever the kind of the route: the Gateways meant, and for each
// what the route is attached to or why not.

import { Namespace } from '../../api/core/namespace.ts';
import { Gateway } from '../../api/gateway/gateway.ts';
import type { HTTPRoute } from '../../api/gateway/httproute.ts';
import { ListenerSet } from '../../api/gateway/listenerset.ts';
import type { Kind } from '../../api/kind.ts';
import type { Reader } from '../reader.ts';
import { problem, verdict, verdictOf } from '../status/conditions.ts';
import type { Problem, Verdict } from '../status/conditions.ts';
import { attach } from './attach.ts';
import type { Attachment, AttachTarget } from './attach.ts';
import type { ResolvedGateways } from './gateways.ts';
import { GATEWAY_GROUP } from './names.ts';

export type ParentRef = NonNullable<HTTPRoute['spec']['parentRefs']>[number];

/** What attaching needs to know of a route. */
export interface AttachingRoute {
  readonly kind: string;
  readonly namespace: string;
  readonly parentRefs: readonly ParentRef[];
  readonly hostnames: readonly string[];
}

/** A parent of ours, and what came of asking it. */
export interface ParentOutcome {
  readonly parentRef: ParentRef;
  /** As the class of the Gateway has it. */
  readonly controllerName: string;
  /** Empty when `refused` is set. */
  readonly attachments: readonly Attachment[];
  readonly refused?: Problem;
}

export interface ParentOutcomes {
  /** One for each parent that is a Gateway of ours, in the order of the route's parentRefs. */
  readonly outcomes: readonly ParentOutcome[];
  readonly problems: readonly Problem[];
}

/** Asks every parent of a route. */
export function resolveParents(
  route: AttachingRoute,
  gateways: ResolvedGateways,
  reader: Reader,
): ParentOutcomes {
  const outcomes: ParentOutcome[] = [];
  const problems: Problem[] = [];
  const wanted = {
    kind: route.kind,
    namespace: route.namespace,
    namespaceObject: reader.get(Namespace, '', route.namespace),
    hostnames: route.hostnames.map((h) => h.toLowerCase()),
  };
  route.parentRefs.forEach((ref, i) => {
    const field = `spec.parentRefs[${i}]`;
    const found = findParent(ref, route.namespace, field, gateways, reader);
    if (found === undefined) return;
    if ('reason' in found) {
      problems.push(found);
      return;
    }
    const outcome = attach(wanted, ref, found, field);
    const { controllerName } = found;
    if ('refused' in outcome) {
      const { refused } = outcome;
      problems.push(refused);
      outcomes.push({ parentRef: ref, controllerName, attachments: [], refused });
    } else {
      outcomes.push({ parentRef: ref, controllerName, attachments: outcome.attachments });
    }
  });
  if (route.parentRefs.length === 0) {
    problems.push({
      ...problem('NoParents', 'spec', 'the route has no parentRefs, so nothing is sent through it'),
      severity: 'warning',
    });
  }
  return { outcomes, problems };
}

/** The parent a parentRef means; undefined when it is somebody else's to look after. */
function findParent(
  ref: ParentRef,
  routeNamespace: string,
  field: string,
  gateways: ResolvedGateways,
  reader: Reader,
): (AttachTarget & { readonly controllerName: string }) | Problem | undefined {
  const key = `${ref.namespace ?? routeNamespace}/${ref.name}`;
  const what = ref.group === GATEWAY_GROUP ? ref.kind : `${ref.kind}.${ref.group}`;
  switch (what) {
    case Gateway.kind: {
      const gateway = reader.find('Gateway', gateways.byKey, key);
      if (gateway !== undefined) return { title: `Gateway ${key}`, ...gateway };
      return elsewhere(Gateway, key, field, reader);
    }
    case ListenerSet.kind: {
      const set = reader.find('ListenerSet', gateways.sets, key);
      if (set !== undefined) return { title: `ListenerSet ${key}`, ...set };
      return elsewhere(ListenerSet, key, field, reader);
    }
    default:
      return {
        ...problem(
          'UnsupportedParent',
          field,
          `parents of kind ${ref.kind} are not served by this version of Fairway`,
        ),
        severity: 'warning',
      };
  }
}

/** A parent that is not ours says so itself; one that does not exist says nothing. */
function elsewhere(kind: Kind, key: string, field: string, reader: Reader): Problem | undefined {
  const [namespace = '', name = ''] = key.split('/');
  if (reader.get(kind, namespace, name) !== undefined) return undefined;
  return problem('ParentNotFound', field, `${kind.kind} ${key} does not exist`);
}

/** That the route is not attached, and why. */
export function refusedVerdict({ reason, message }: Problem): Verdict {
  return verdict('Accepted', 'False', reason, message);
}

export function attachedVerdict(attachments: readonly Attachment[]): Verdict {
  const names = attachments.map(({ listener }) => listener.name).join(', ');
  return verdict('Accepted', 'True', 'Accepted', `attached to listener ${names}`);
}

export function resolvedRefsVerdict(unresolved: readonly Problem[]): Verdict {
  return verdictOf('ResolvedRefs', unresolved, {
    reason: 'ResolvedRefs',
    message: 'every reference leads to an object',
  });
}
