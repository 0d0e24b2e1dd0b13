// What all routes contribute to a listener → its hosts, each with its rules in order of precedence.
// Only hosts whose contributions changed are sorted anew.

import { compareHostnames } from '../../lib/hostname.ts';
import type { Host } from '../../model/model.ts';
import { same } from '../reader.ts';
import type { Contribution, ResolvedRoute } from './routes.ts';
import { compareRanked } from './rules.ts';

/** Hosts by listener id. A listener's list is the same value as long as none of its hosts changes. */
export type HostsByListener = ReadonlyMap<string, readonly Host[]>;

interface Made {
  readonly contributions: readonly Contribution[];
  readonly host: Host;
}

export function createHostAssembler(): (routes: readonly ResolvedRoute[]) => HostsByListener {
  let made = new Map<string, Made>();
  let lists = new Map<string, readonly Host[]>();
  let lastRoutes: readonly ResolvedRoute[] | undefined;
  return (routes) => {
    if (routes === lastRoutes) return lists;
    lastRoutes = routes;
    const nextMade = new Map<string, Made>();
    const byListener = new Map<string, Host[]>();
    for (const [key, contributions] of groupByHost(routes)) {
      const known = made.get(key);
      const entry =
        known !== undefined && same(known.contributions, contributions)
          ? known
          : { contributions, host: assemble(contributions) };
      nextMade.set(key, entry);
      const { listener } = contributions[0] as Contribution;
      const hosts = byListener.get(listener);
      if (hosts === undefined) byListener.set(listener, [entry.host]);
      else hosts.push(entry.host);
    }
    const nextLists = new Map<string, readonly Host[]>();
    for (const [listener, hosts] of byListener) {
      hosts.sort((a, b) => compareHostnames(a.hostname, b.hostname));
      const before = lists.get(listener);
      nextLists.set(listener, before !== undefined && same(before, hosts) ? before : hosts);
    }
    made = nextMade;
    lists = nextLists;
    return lists;
  };
}

function groupByHost(routes: readonly ResolvedRoute[]): Map<string, Contribution[]> {
  const groups = new Map<string, Contribution[]>();
  for (const route of routes) {
    for (const contribution of route.contributions) {
      const key = `${contribution.listener}|${contribution.hostname}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [contribution]);
      else group.push(contribution);
    }
  }
  return groups;
}

function assemble(contributions: readonly Contribution[]): Host {
  const ranked = contributions.flatMap((c) => c.rules).toSorted(compareRanked);
  const { hostname } = contributions[0] as Contribution;
  return { hostname, rules: ranked.map((r) => r.rule) };
}
