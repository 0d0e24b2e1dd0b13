// What Gateways and routes are to be told of themselves, from what became of their listeners and
// parents (Gateway API conditions; facts of GEP-1364).

import { Gateway } from '../../api/gateway/gateway.ts';
import { ListenerSet } from '../../api/gateway/listenerset.ts';
import { allListeners } from '../gateway/gateways.ts';
import type { ResolvedGateway } from '../gateway/gateways.ts';
import type { ResolvedListenerSet } from '../gateway/listener-sets.ts';
import { isServing } from '../gateway/listeners.ts';
import type { ResolvedListener } from '../gateway/listeners.ts';
import type { ResolvedRouteBase } from '../gateway/routes.ts';
import type { StatusWish, WishedListenerStatus } from '../resolution.ts';
import { same } from '../reader.ts';
import { verdict, verdictOf } from './conditions.ts';
import type { Problem, Verdict } from './conditions.ts';

/** How many routes are attached to a listener, by its id. */
export type Attached = (listener: string) => number;

/** Makes the statuses of a Gateway and its ListenerSets; the same ones as long as nothing is different. */
export function createGatewayStatusMaker(): (
  gateway: ResolvedGateway,
  attached: Attached,
) => readonly StatusWish[] {
  const made = new WeakMap<
    ResolvedGateway,
    { readonly counts: readonly number[]; readonly wishes: readonly StatusWish[] }
  >();
  return (gateway, attached) => {
    const known = made.get(gateway);
    const counts = allListeners(gateway).map(({ id }) => attached(id));
    if (known !== undefined && same(known.counts, counts)) return known.wishes;
    const wishes = [gatewayStatus(gateway, attached), ...listenerSetStatuses(gateway, attached)];
    made.set(gateway, { counts, wishes });
    return wishes;
  };
}

function gatewayStatus(gateway: ResolvedGateway, attached: Attached): StatusWish {
  return {
    kind: Gateway,
    namespace: gateway.namespace,
    name: gateway.name,
    generation: gateway.generation,
    status: {
      kind: 'gateway',
      conditions: gatewayConditions(gateway),
      addresses: gateway.assigned.addresses,
      listeners: gateway.listeners.map((listener) => listenerStatus(listener, gateway, attached)),
      ...(gateway.takesSets || gateway.sets.length > 0
        ? { attachedListenerSets: gateway.sets.filter(isAccepted).length }
        : {}),
    },
  };
}

/** Taken in by the Gateway, and with a listener that works. */
function isAccepted({ refused, listeners }: ResolvedListenerSet): boolean {
  return refused === undefined && listeners.some(isServing);
}

/** The statuses of the ListenerSets of a Gateway. */
function listenerSetStatuses(gateway: ResolvedGateway, attached: Attached): readonly StatusWish[] {
  return gateway.sets.map((set) => ({
    kind: ListenerSet,
    namespace: set.namespace,
    name: set.name,
    generation: set.generation,
    status: {
      kind: 'listenerSet',
      conditions: listenerSetConditions(set, gateway),
      listeners: set.listeners.map((listener) => listenerStatus(listener, gateway, attached)),
    },
  }));
}

function listenerSetConditions(
  set: ResolvedListenerSet,
  gateway: ResolvedGateway,
): readonly Verdict[] {
  const { refused, listeners } = set;
  const both = (reason: string, message: string): readonly Verdict[] => [
    verdict('Accepted', 'False', reason, message),
    verdict('Programmed', 'False', reason, message),
  ];
  if (refused !== undefined) return both(refused.reason, refused.message);
  const bad = listeners.filter((l) => !isServing(l)).map((l) => `"${l.name}"`);
  const names = bad.join(', ');
  if (bad.length === listeners.length) {
    return both('ListenersNotValid', `no listener can be served: ${names}`);
  }
  const accepted =
    bad.length === 0
      ? verdict('Accepted', 'True', 'Accepted', `Gateway ${gateway.key} takes the listeners in`)
      : verdict('Accepted', 'True', 'ListenersNotValid', `not served: listener ${names}`);
  return [accepted, gatewayProgrammed(gateway, accepted)];
}

function gatewayConditions(gateway: ResolvedGateway): readonly Verdict[] {
  const bad = gateway.listeners.filter((l) => !isServing(l));
  const names = bad.map((l) => `"${l.name}"`).join(', ');
  const accepted =
    gateway.unaccepted.length > 0
      ? verdictOf('Accepted', gateway.unaccepted, { reason: 'Accepted', message: '' })
      : bad.length === 0
        ? verdict('Accepted', 'True', 'Accepted', 'Fairway serves this Gateway')
        : bad.length < gateway.listeners.length
          ? verdict('Accepted', 'True', 'ListenersNotValid', `not served: listener ${names}`)
          : verdict(
              'Accepted',
              'False',
              'ListenersNotValid',
              `no listener can be served: ${names}`,
            );
  const programmed = gatewayProgrammed(gateway, accepted);
  const insecure = gateway.isInsecure ? [INSECURE] : [];
  if (!gateway.hasReferences) return [accepted, programmed, ...insecure];
  const resolvedRefs = verdictOf('ResolvedRefs', gateway.unresolved, {
    reason: 'ResolvedRefs',
    message: 'every reference leads to an object',
  });
  return [accepted, programmed, resolvedRefs, ...insecure];
}

const INSECURE = verdict(
  'InsecureFrontendValidationMode',
  'True',
  'ConfigurationChanged',
  'with AllowInsecureFallback, clients are let in whose certificate is not valid',
);

function gatewayProgrammed(gateway: ResolvedGateway, accepted: Verdict): Verdict {
  const { addresses, unusable } = gateway.assigned;
  if (unusable.length > 0) {
    const message = unusable.map((p) => p.message).join('; ');
    return verdict('Programmed', 'False', 'AddressNotUsable', message);
  }
  if (addresses.length === 0 && accepted.status === 'True') {
    const message = 'no address is free in the range for Gateways';
    return verdict('Programmed', 'False', 'AddressNotAssigned', message);
  }
  return accepted.status === 'True'
    ? verdict('Programmed', 'True', 'Programmed', `serving on ${addresses.join(', ')}`)
    : verdict('Programmed', 'False', 'Invalid', accepted.message);
}

function listenerStatus(
  listener: ResolvedListener,
  gateway: ResolvedGateway,
  attached: Attached,
): WishedListenerStatus {
  const refused = [...listener.unaccepted, ...listener.conflicts];
  const { unaccepted, assigned } = gateway;
  const valid = isServing(listener) && unaccepted.length === 0;
  const serving = valid && assigned.addresses.length > 0;
  return {
    name: listener.name,
    supportedKinds: listener.kinds,
    attachedRoutes: attached(listener.id),
    conditions: [
      verdictOf('Accepted', refused, { reason: 'Accepted', message: 'the listener is valid' }),
      serving
        ? verdict('Programmed', 'True', 'Programmed', 'the listener takes connections')
        : verdict(
            'Programmed',
            'False',
            // A listener that another one stands in the way of says so in both conditions.
            // One that only lacks an address is not invalid.
            listener.conflicts[0]?.reason ?? (valid ? 'Pending' : 'Invalid'),
            valid ? 'the Gateway has no address' : whyNotServing(listener, unaccepted),
          ),
      verdictOf('ResolvedRefs', listener.unresolved, {
        reason: 'ResolvedRefs',
        message: 'every reference leads to an object',
      }),
      conflicted(listener),
    ],
  };
}

function whyNotServing(listener: ResolvedListener, unaccepted: readonly Problem[]): string {
  const problems = [
    ...unaccepted,
    ...listener.unaccepted,
    ...listener.conflicts,
    ...listener.unresolved,
  ];
  return problems.map((p) => p.message).join('; ') || 'the listener has no certificate';
}

function conflicted(listener: ResolvedListener): Verdict {
  const [first] = listener.conflicts;
  return first === undefined
    ? verdict('Conflicted', 'False', 'NoConflicts', 'no other listener stands in its way')
    : verdict('Conflicted', 'True', first.reason, first.message);
}

/** Of routes that are as they were; a wish that is the same is known to be fulfilled. */
const wishes = new WeakMap<ResolvedRouteBase, StatusWish>();

export function routeStatus(route: ResolvedRouteBase): StatusWish {
  const known = wishes.get(route);
  if (known !== undefined) return known;
  const wish: StatusWish = {
    kind: route.kind,
    namespace: route.namespace,
    name: route.name,
    generation: route.generation,
    status: {
      kind: 'route',
      parents: route.parents.map(({ parentRef, controllerName, conditions }) => ({
        parentRef,
        controllerName,
        conditions,
      })),
    },
  };
  wishes.set(route, wish);
  return wish;
}
