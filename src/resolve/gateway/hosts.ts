// What all routes contribute to a listener → its hosts, each with its rules in order of precedence.
// Only hosts whose contributions changed are looked at, and only those with other rules are made anew.

import { compareHostnames } from '../../lib/hostname.ts';
import { changedKeys, VersionedMap } from '../../lib/versioned-map.ts';
import type { Host } from '../../model/model.ts';
import { same } from '../reader.ts';
import type { Contribution, ResolvedRoute, ResolvedRoutes } from './routes.ts';
import { compareRanked } from './rules.ts';
import type { RankedRule } from './rules.ts';

/** Hosts by listener id. A listener's list is the same value as long as none of its hosts changes. */
export type HostsByListener = ReadonlyMap<string, readonly Host[]>;

/** The rules one route has for a host. */
interface Part {
  /** Key of the route. */
  readonly route: string;
  readonly rules: readonly RankedRule[];
}

interface Made {
  readonly parts: readonly Part[];
  /** In order of precedence. */
  readonly ranked: readonly RankedRule[];
  readonly host: Host;
}

/** The hosts of a listener, by hostname, and the same in order. */
class ListenerHosts {
  readonly made = new Map<string, Made>();
  list: readonly Host[] = [];
}

export interface HostAssembler {
  (routes: ResolvedRoutes): HostsByListener;
  /** How many hosts were ever made: what tests count. */
  readonly made: () => number;
}

export function createHostAssembler(): HostAssembler {
  const listeners = new Map<string, ListenerHosts>();
  let last: ResolvedRoutes = VersionedMap.of();
  let lists = new Map<string, readonly Host[]>();
  let made = 0;
  const assemble = (routes: ResolvedRoutes): HostsByListener => {
    const changes = changesOf(last, routes);
    last = routes;
    if (changes.size === 0) return lists;
    const next = new Map(lists);
    for (const [listener, byHost] of changes) {
      const hosts = listeners.get(listener) ?? new ListenerHosts();
      listeners.set(listener, hosts);
      const changed: Changed[] = [];
      for (const [hostname, parts] of byHost) {
        const before = hosts.made.get(hostname);
        const after = remake(hostname, before, parts);
        if (after === undefined) hosts.made.delete(hostname);
        else hosts.made.set(hostname, after);
        if (before?.host === after?.host) continue;
        if (after !== undefined) made++;
        changed.push({ hostname, host: after?.host });
      }
      if (changed.length > 0) hosts.list = changeList(hosts.list, changed);
      if (hosts.list.length > 0) next.set(listener, hosts.list);
      else {
        next.delete(listener);
        listeners.delete(listener);
      }
    }
    lists = next;
    return lists;
  };
  return Object.assign(assemble, { made: () => made });
}

/** Listener → hostname → route → what it has for the host now. */
type Changes = Map<string, Map<string, Map<string, Part | undefined>>>;

function changesOf(before: ResolvedRoutes, after: ResolvedRoutes): Changes {
  const changes: Changes = new Map();
  for (const key of changedKeys(before, after)) {
    for (const contribution of before.get(key)?.contributions ?? []) {
      partsFor(changes, contribution).set(key, undefined);
    }
    for (const contribution of contributionsOf(after.get(key))) {
      const parts = partsFor(changes, contribution);
      const { rules } = contribution;
      const known = parts.get(key);
      // Twice, when two of its parentRefs lead to one listener.
      parts.set(key, {
        route: key,
        rules: known === undefined ? rules : [...known.rules, ...rules],
      });
    }
  }
  return changes;
}

function contributionsOf(route: ResolvedRoute | undefined): readonly Contribution[] {
  return route?.contributions ?? [];
}

function partsFor(changes: Changes, { listener, hostname }: Contribution) {
  const byHost = changes.get(listener) ?? new Map<string, Map<string, Part | undefined>>();
  changes.set(listener, byHost);
  const parts = byHost.get(hostname) ?? new Map<string, Part | undefined>();
  byHost.set(hostname, parts);
  return parts;
}

/** The host with some parts changed; the one there was when its rules are the same; undefined without parts. */
function remake(
  hostname: string,
  before: Made | undefined,
  changed: ReadonlyMap<string, Part | undefined>,
): Made | undefined {
  const isKept = ({ route }: Part): boolean => !changed.has(route);
  const fresh = [...changed.values()].filter((part) => part !== undefined);
  const parts = [...(before?.parts ?? []).filter(isKept), ...fresh];
  if (parts.length === 0) return undefined;
  const gone = new Set<RankedRule>();
  for (const part of before?.parts ?? []) {
    if (!isKept(part)) for (const rule of part.rules) gone.add(rule);
  }
  // What is left is in order already, and sorting costs little more than finding that out.
  const ranked = [
    ...(before?.ranked ?? []).filter((rule) => !gone.has(rule)),
    ...fresh.flatMap((part) => part.rules),
  ].sort(compareRanked);
  if (before !== undefined && same(before.ranked, ranked)) return { ...before, parts };
  return { parts, ranked, host: { hostname, rules: ranked.map((r) => r.rule) } };
}

interface Changed {
  readonly hostname: string;
  /** Undefined when it is gone. */
  readonly host: Host | undefined;
}

/** Up to this share of a list, putting each host in its place is cheaper than sorting anew. */
const FEW_CHANGES = 1 / 16;

/** A sorted list of hosts with some changed. */
function changeList(before: readonly Host[], changed: readonly Changed[]): readonly Host[] {
  if (changed.length > before.length * FEW_CHANGES) {
    const byName = new Map<string, Host | undefined>(before.map((host) => [host.hostname, host]));
    for (const { hostname, host } of changed) byName.set(hostname, host);
    return [...byName.values()]
      .filter((host) => host !== undefined)
      .toSorted((a, b) => compareHostnames(a.hostname, b.hostname));
  }
  const list = [...before];
  for (const { hostname, host } of changed) {
    const at = placeOf(list, hostname);
    const isThere = list[at]?.hostname === hostname;
    if (host === undefined) list.splice(at, isThere ? 1 : 0);
    else list.splice(at, isThere ? 1 : 0, host);
  }
  return list;
}

/** Where a host of that name is in a sorted list, or would be. */
function placeOf(list: readonly Host[], hostname: string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareHostnames((list[middle] as Host).hostname, hostname) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
