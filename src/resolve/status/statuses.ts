// What Gateways and routes are to be told of themselves, from what became of their listeners and
// parents (Gateway API conditions; facts of GEP-1364).

import { Gateway } from '../../api/gateway/gateway.ts';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import type { ResolvedGateway } from '../gateway/gateways.ts';
import { isServing } from '../gateway/listeners.ts';
import type { ResolvedListener } from '../gateway/listeners.ts';
import type { ResolvedRoute } from '../gateway/routes.ts';
import type { StatusWish, WishedListenerStatus } from '../resolution.ts';
import { verdict, verdictOf } from './conditions.ts';
import type { Verdict } from './conditions.ts';

export function gatewayStatus(
  gateway: ResolvedGateway,
  attached: ReadonlyMap<string, number>,
): StatusWish {
  return {
    kind: Gateway,
    namespace: gateway.namespace,
    name: gateway.name,
    generation: gateway.generation,
    status: {
      kind: 'gateway',
      conditions: gatewayConditions(gateway),
      addresses: gateway.address === '' ? [] : [gateway.address],
      listeners: gateway.listeners.map((listener) => listenerStatus(listener, attached)),
    },
  };
}

function gatewayConditions(gateway: ResolvedGateway): readonly Verdict[] {
  const bad = gateway.listeners.filter((l) => !isServing(l));
  const names = bad.map((l) => `"${l.name}"`).join(', ');
  const accepted =
    bad.length === 0
      ? verdict('Accepted', 'True', 'Accepted', 'Fairway serves this Gateway')
      : bad.length < gateway.listeners.length
        ? verdict('Accepted', 'True', 'ListenersNotValid', `not served: listener ${names}`)
        : verdict('Accepted', 'False', 'ListenersNotValid', `no listener can be served: ${names}`);
  return [accepted, gatewayProgrammed(gateway, accepted)];
}

function gatewayProgrammed(gateway: ResolvedGateway, accepted: Verdict): Verdict {
  if (gateway.address === '') {
    const message = 'no address is free in the range for Gateways';
    return verdict('Programmed', 'False', 'AddressNotAssigned', message);
  }
  return accepted.status === 'True'
    ? verdict('Programmed', 'True', 'Programmed', `serving on ${gateway.address}`)
    : verdict('Programmed', 'False', 'Invalid', accepted.message);
}

function listenerStatus(
  listener: ResolvedListener,
  attached: ReadonlyMap<string, number>,
): WishedListenerStatus {
  const refused = [...listener.unaccepted, ...listener.conflicts];
  const serving = isServing(listener);
  return {
    name: listener.name,
    supportedKinds: listener.kinds,
    attachedRoutes: attached.get(listener.id) ?? 0,
    conditions: [
      verdictOf('Accepted', refused, { reason: 'Accepted', message: 'the listener is valid' }),
      serving
        ? verdict('Programmed', 'True', 'Programmed', 'the listener takes connections')
        : verdict('Programmed', 'False', 'Invalid', whyNotServing(listener)),
      verdictOf('ResolvedRefs', listener.unresolved, {
        reason: 'ResolvedRefs',
        message: 'every reference leads to an object',
      }),
      conflicted(listener),
    ],
  };
}

function whyNotServing(listener: ResolvedListener): string {
  const problems = [...listener.unaccepted, ...listener.conflicts, ...listener.unresolved];
  return problems.map((p) => p.message).join('; ') || 'the listener has no certificate';
}

function conflicted(listener: ResolvedListener): Verdict {
  const [first] = listener.conflicts;
  return first === undefined
    ? verdict('Conflicted', 'False', 'NoConflicts', 'no other listener stands in its way')
    : verdict('Conflicted', 'True', first.reason, first.message);
}

/** Of routes that are as they were; a wish that is the same is known to be fulfilled. */
const wishes = new WeakMap<ResolvedRoute, StatusWish>();

export function routeStatus(route: ResolvedRoute): StatusWish {
  const known = wishes.get(route);
  if (known !== undefined) return known;
  const wish: StatusWish = {
    kind: HTTPRoute,
    namespace: route.namespace,
    name: route.name,
    generation: route.generation,
    status: {
      kind: 'route',
      parents: route.parents.map(({ parentRef, conditions }) => ({ parentRef, conditions })),
    },
  };
  wishes.set(route, wish);
  return wish;
}

/** How many routes each listener has attached, by listener id. */
export function countAttached(routes: readonly ResolvedRoute[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const route of routes) {
    for (const id of new Set(route.parents.flatMap((p) => p.listeners))) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}
