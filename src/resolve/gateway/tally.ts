// What all routes of a group of kinds come to together, kept up to date by the routes that changed: how
// many each listener has, which backends they use, what there is to say of them.

import type { Finding } from '../../api/finding.ts';
import { changedKeys, VersionedMap } from '../../lib/versioned-map.ts';
import type { StatusWish } from '../resolution.ts';
import { toFinding } from '../status/findings.ts';
import { routeStatus } from '../status/statuses.ts';
import { targetOf } from './backends.ts';
import type { BackendUse } from './backends.ts';
import type { ResolvedRouteBase } from './routes.ts';

/** A route that sends what it gets at its listeners to backends. */
interface CountedRoute extends ResolvedRouteBase {
  readonly contributions: readonly { readonly listener: string }[];
}

export interface Tally {
  /** How many routes each listener has attached, by listener id. */
  readonly attached: ReadonlyMap<string, number>;
  /** Backends of routes that are attached anywhere, by key. */
  readonly uses: VersionedMap<BackendUse>;
  readonly statuses: VersionedMap<StatusWish>;
  /** In the order of kind, namespace and name. */
  readonly findings: readonly Finding[];
  /** The ids of listeners whose requests go to a target of policies (`Service shop/cart`), by the name of its port. */
  readonly usersOf: (
    target: string,
  ) => readonly { readonly portName: string; readonly listener: string }[];
}

/** `kinds` in the order their findings are told. */
export function createTally<R extends CountedRoute>(
  kinds: readonly string[],
): (routes: VersionedMap<R>) => Tally {
  const attached = new Counts();
  const uses = new Map<string, { readonly use: BackendUse; count: number }>();
  const users = new Map<string, Counts>();
  const findingsOf = new Map<
    string,
    { readonly route: R; readonly findings: readonly Finding[] }
  >();
  const usersOf: Tally['usersOf'] = (target) =>
    Array.from(users.get(target)?.keys() ?? [], (key) => {
      const bar = key.indexOf('|');
      return { portName: key.slice(0, bar), listener: key.slice(bar + 1) };
    });
  let last = VersionedMap.of<R>();
  let tally: Tally = {
    attached,
    uses: VersionedMap.of(),
    statuses: VersionedMap.of(),
    findings: [],
    usersOf,
  };
  const count = (route: R, by: 1 | -1): void => {
    for (const id of new Set(route.parents.flatMap((p) => p.listeners))) attached.add(id, by);
    if (route.contributions.length === 0) return;
    const listeners = new Set(route.contributions.map(({ listener }) => listener));
    for (const use of route.uses) {
      const entry = uses.get(use.key) ?? { use, count: 0 };
      entry.count += by;
      if (entry.count === 0) uses.delete(use.key);
      else uses.set(use.key, entry);
      const target = targetOf(use);
      const own = users.get(target) ?? new Counts();
      users.set(target, own);
      // Who hands connections on as they are has no use for what policies say of a Service.
      if (use.carries !== 'streams' || use.kind !== 'Service') {
        for (const listener of listeners) own.add(`${use.portName}|${listener}`, by);
      }
      if (own.size === 0) users.delete(target);
    }
  };
  return (routes) => {
    const changed = changedKeys(last, routes);
    if (changed.size === 0) return tally;
    const statuses: [string, StatusWish | undefined][] = [];
    const usesChanged = new Set<string>();
    let findingsChanged = false;
    for (const key of changed) {
      const [before, after] = [last.get(key), routes.get(key)];
      // What comes is counted first, so that what stays never seems to go.
      if (after !== undefined) count(after, 1);
      if (before !== undefined) count(before, -1);
      for (const route of [before, after])
        for (const use of route?.uses ?? []) usesChanged.add(use.key);
      statuses.push([key, after === undefined ? undefined : routeStatus(after)]);
      const had = findingsOf.delete(key);
      const hasProblems = after !== undefined && after.problems.length > 0;
      if (hasProblems) findingsOf.set(key, { route: after, findings: findingsAbout(after) });
      findingsChanged ||= had || hasProblems;
    }
    last = routes;
    tally = {
      attached,
      uses: tally.uses.with(Array.from(usesChanged, (key) => [key, uses.get(key)?.use] as const)),
      statuses: tally.statuses.with(statuses),
      findings: findingsChanged ? inOrder([...findingsOf.values()], kinds) : tally.findings,
      usersOf,
    };
    return tally;
  };
}

/** How many there are of each; what there is none of is not in it. */
class Counts extends Map<string, number> {
  add(key: string, by: number): void {
    const count = (this.get(key) ?? 0) + by;
    if (count === 0) this.delete(key);
    else this.set(key, count);
  }
}

function findingsAbout({ kind, namespace, name, problems }: ResolvedRouteBase): readonly Finding[] {
  return problems.map((p) => toFinding(p, { object: { kind: kind.kind, namespace, name } }));
}

function inOrder(
  all: { readonly route: ResolvedRouteBase; readonly findings: readonly Finding[] }[],
  kinds: readonly string[],
): readonly Finding[] {
  return all
    .toSorted(
      ({ route: a }, { route: b }) =>
        kinds.indexOf(a.kind.kind) - kinds.indexOf(b.kind.kind) ||
        compareText(a.namespace, b.namespace) ||
        compareText(a.name, b.name),
    )
    .flatMap(({ findings }) => findings);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
