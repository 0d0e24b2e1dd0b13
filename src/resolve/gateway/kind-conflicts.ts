// HTTPRoutes and GRPCRoutes may not share a host of a listener: a call is a request, and which kind of
// rule should take it could not be said. Of two that would, the older is accepted and the other is not
// (GRPCRoute.spec.hostnames: "MUST accept exactly one of these two routes").

import { intersectHostnames } from '../../lib/hostname.ts';
import { changedKeys, VersionedMap } from '../../lib/versioned-map.ts';
import { same } from '../reader.ts';
import { problem, verdict } from '../status/conditions.ts';
import type { Verdict } from '../status/conditions.ts';
import type { ResolvedParent, ResolvedRoute, ResolvedRoutes } from './routes.ts';

/** The same routes, those that came second detached from the listeners in question. */
export function createKindReferee(): (routes: ResolvedRoutes) => ResolvedRoutes {
  /** Keys of routes by listener, and by kind. */
  const attached = new Map<string, Map<string, Set<string>>>();
  const contested = new Set<string>();
  let last: ResolvedRoutes = VersionedMap.of();
  let settled: ResolvedRoutes | undefined;
  /** What became of those that came second, and of which route and losses it was made. */
  let detached = new Map<string, Detached>();
  return (routes) => {
    const changed = changedKeys(last, routes);
    for (const key of changed) {
      note(attached, contested, key, last.get(key), false);
      note(attached, contested, key, routes.get(key), true);
    }
    last = routes;
    if (contested.size === 0) {
      settled = undefined;
      detached.clear();
      return routes;
    }
    if (settled !== undefined && changed.size === 0) return settled;
    const keys = new Set(
      [...contested].flatMap((l) => [...(attached.get(l)?.values() ?? [])].flatMap((k) => [...k])),
    );
    const candidates = Array.from(keys, (key): [string, ResolvedRoute] => [
      key,
      routes.get(key) as ResolvedRoute,
    ]);
    const losses = findLosses(candidates.map(([, route]) => route).toSorted(compareAge), contested);
    const next = new Map<string, Detached>();
    for (const [key, route] of candidates) {
      const lost = losses.get(route);
      if (lost === undefined) continue;
      const known = detached.get(key);
      const inputs = [route, ...lost.keys(), ...lost.values()];
      next.set(
        key,
        known !== undefined && same(known.inputs, inputs)
          ? known
          : { inputs, route: detach(route, lost) },
      );
    }
    const changes = new Map<string, ResolvedRoute | undefined>();
    for (const key of [...changed, ...detached.keys()]) changes.set(key, routes.get(key));
    for (const [key, { route }] of next) changes.set(key, route);
    settled = (settled ?? VersionedMap.of(routes)).with(changes);
    detached = next;
    return settled;
  };
}

interface Detached {
  readonly inputs: readonly unknown[];
  readonly route: ResolvedRoute;
}

/** Takes down that a route is attached to its listeners, or no longer is. */
function note(
  attached: Map<string, Map<string, Set<string>>>,
  contested: Set<string>,
  key: string,
  route: ResolvedRoute | undefined,
  isThere: boolean,
): void {
  if (route === undefined) return;
  const { kind } = route.kind;
  for (const { listener } of route.contributions) {
    const byKind = attached.get(listener) ?? new Map<string, Set<string>>();
    attached.set(listener, byKind);
    const keys = byKind.get(kind) ?? new Set();
    byKind.set(kind, keys);
    if (isThere) keys.add(key);
    else keys.delete(key);
    if (keys.size === 0) byKind.delete(kind);
    if (byKind.size > 1) contested.add(listener);
    else contested.delete(listener);
    if (byKind.size === 0) attached.delete(listener);
  }
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
