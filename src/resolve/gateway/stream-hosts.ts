// What TLSRoutes, TCPRoutes and UDPRoutes want of a listener → its hosts, each with the one rule that
// gets its connections. A connection cannot be looked into as a request can, so of several routes for
// one host only the oldest gets any.

import { compareHostnames } from '../../lib/hostname.ts';
import type { StreamHost, StreamRule } from '../../model/model.ts';
import { same } from '../reader.ts';
import type { ResolvedStreamRoute, ResolvedStreamRoutes } from './stream-routes.ts';

/** Hosts by listener id. A listener's list is the same value as long as nothing about it changes. */
export type StreamHostsByListener = ReadonlyMap<string, readonly StreamHost[]>;

interface Made {
  readonly inputs: readonly unknown[];
  readonly hosts: readonly StreamHost[];
}

export function createStreamHostAssembler(): (
  routes: ResolvedStreamRoutes,
) => StreamHostsByListener {
  let made = new Map<string, Made>();
  let lists: StreamHostsByListener = new Map();
  let lastRoutes: ResolvedStreamRoutes | undefined;
  return (routes) => {
    if (routes === lastRoutes) return lists;
    lastRoutes = routes;
    const next = new Map<string, Made>();
    for (const [listener, chosen] of chooseByHost([...routes.values()].toSorted(compareRoutes))) {
      const inputs = [...chosen].flat();
      const known = made.get(listener);
      next.set(
        listener,
        known !== undefined && same(known.inputs, inputs)
          ? known
          : { inputs, hosts: toHosts(chosen) },
      );
    }
    made = next;
    lists = new Map(Array.from(next, ([listener, { hosts }]) => [listener, hosts]));
    return lists;
  };
}

/** The oldest first, then by namespace and name: the Gateway API's order for what else would tie. */
export function compareRoutes(a: ResolvedStreamRoute, b: ResolvedStreamRoute): number {
  return (
    compareText(a.created, b.created) ||
    compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`) ||
    compareText(a.kind.kind, b.kind.kind)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Listener → hostname → the rule that gets it. */
function chooseByHost(
  routes: readonly ResolvedStreamRoute[],
): Map<string, Map<string, StreamRule>> {
  const byListener = new Map<string, Map<string, StreamRule>>();
  for (const route of routes) {
    for (const { listener, hostname, rule } of route.contributions) {
      const hosts = byListener.get(listener) ?? new Map<string, StreamRule>();
      byListener.set(listener, hosts);
      if (!hosts.has(hostname)) hosts.set(hostname, rule);
    }
  }
  return byListener;
}

function toHosts(chosen: ReadonlyMap<string, StreamRule>): readonly StreamHost[] {
  return Array.from(chosen, ([hostname, rule]) => ({ hostname, rule })).toSorted((a, b) =>
    compareHostnames(a.hostname, b.hostname),
  );
}

/** Who gets the connections that a route wants and does not get, by hostname and listener. */
export function overruled(
  route: ResolvedStreamRoute,
  hosts: StreamHostsByListener,
): readonly { readonly listener: string; readonly hostname: string; readonly by: string }[] {
  return route.contributions.flatMap(({ listener, hostname, rule }) => {
    const taken = hosts.get(listener)?.find((h) => h.hostname === hostname);
    if (taken === undefined || taken.rule === rule) return [];
    const { kind, namespace, name } = taken.rule.origin;
    return [{ listener, hostname, by: `${kind} ${namespace}/${name}` }];
  });
}
