// HTTPRoutes and GRPCRoutes may not share a host of a listener: a call is a request, and which kind of
// rule should take it could not be said. Of two that would, the older is accepted and the other is not
// (GRPCRoute.spec.hostnames: "MUST accept exactly one of these two routes").

import { intersectHostnames } from '../../lib/hostname.ts';
import { problem, verdict } from '../status/conditions.ts';
import type { Verdict } from '../status/conditions.ts';
import type { ResolvedParent, ResolvedRoute } from './routes.ts';

/** The same routes, those that came second detached from the listeners in question. */
export function settleKindConflicts(routes: readonly ResolvedRoute[]): readonly ResolvedRoute[] {
  const kindsOf = new Map<string, Set<string>>();
  for (const { kind, contributions } of routes) {
    for (const { listener } of contributions) {
      const kinds = kindsOf.get(listener) ?? new Set();
      kindsOf.set(listener, kinds.add(kind.kind));
    }
  }
  const contested = new Set([...kindsOf].filter(([, kinds]) => kinds.size > 1).map(([l]) => l));
  if (contested.size === 0) return routes;
  const losses = findLosses(routes.toSorted(compareAge), contested);
  return routes.map((route) => {
    const lost = losses.get(route);
    return lost === undefined ? route : detach(route, lost);
  });
}

function compareAge(a: ResolvedRoute, b: ResolvedRoute): number {
  return compareText(a.created, b.created) || compareText(nameOf(a), nameOf(b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function nameOf({ namespace, name }: ResolvedRoute): string {
  return `${namespace}/${name}`;
}

interface Claim {
  readonly route: ResolvedRoute;
  readonly hostname: string;
}

/** Listener → the route that was there first. */
type Lost = ReadonlyMap<string, ResolvedRoute>;

/** Goes through the routes from the oldest on; who meets the other kind has lost the listener. */
function findLosses(
  routes: readonly ResolvedRoute[],
  contested: ReadonlySet<string>,
): ReadonlyMap<ResolvedRoute, Lost> {
  const claims = new Map<string, Claim[]>();
  const losses = new Map<ResolvedRoute, Map<string, ResolvedRoute>>();
  for (const route of routes) {
    const byListener = Map.groupBy(route.contributions, (c) => c.listener);
    for (const [listener, contributions] of byListener) {
      if (!contested.has(listener)) continue;
      const taken = claims.get(listener) ?? [];
      claims.set(listener, taken);
      const first = taken.find(
        (claim) =>
          claim.route.kind !== route.kind &&
          contributions.some((c) => intersectHostnames(c.hostname, claim.hostname) !== undefined),
      );
      if (first === undefined) {
        taken.push(...contributions.map(({ hostname }) => ({ route, hostname })));
      } else {
        const lost = losses.get(route) ?? new Map<string, ResolvedRoute>();
        losses.set(route, lost.set(listener, first.route));
      }
    }
  }
  return losses;
}

function detach(route: ResolvedRoute, lost: Lost): ResolvedRoute {
  const problems = Array.from(lost, ([listener, first]) =>
    problem(
      'HostnameConflict',
      'spec.hostnames',
      `listener ${listener}: ${first.kind.kind} ${nameOf(first)}, which is older, has a host in common with this ${route.kind.kind}, and one host can have routes of one kind only`,
      'give the two routes different hostnames',
    ),
  );
  return {
    ...route,
    parents: route.parents.map((parent) => detachParent(parent, lost, problems[0]?.message ?? '')),
    contributions: route.contributions.filter(({ listener }) => !lost.has(listener)),
    problems: [...route.problems, ...problems],
  };
}

function detachParent(parent: ResolvedParent, lost: Lost, message: string): ResolvedParent {
  const listeners = parent.listeners.filter((listener) => !lost.has(listener));
  if (listeners.length === parent.listeners.length || listeners.length > 0) {
    return { ...parent, listeners };
  }
  const refused = verdict('Accepted', 'False', 'HostnameConflict', message);
  const conditions = parent.conditions.map((c): Verdict => (c.type === 'Accepted' ? refused : c));
  return { ...parent, conditions, listeners };
}
