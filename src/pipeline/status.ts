// The status an object ought to have → the write that gives it that, or nothing when it has it. A
// condition keeps its time as long as its status is the same; what other controllers wrote is kept.

import { isOurController } from '../api/fairway.ts';
import type { Kind } from '../api/kind.ts';
import type { Condition } from '../api/meta.ts';
import { deepEqual } from '../lib/equal.ts';
import { changedKeys, VersionedMap } from '../lib/versioned-map.ts';
import type { StatusWish, WishedListenerStatus, WishedStatus } from '../resolve/resolution.ts';
import type { Verdict } from '../resolve/status/conditions.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { changedIn } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import type { ObjectWrite } from '../store/write.ts';

/** What was found to be as it was wished, by identity, and at which generation of the object. */
const fulfilled = new WeakMap<WishedStatus, object>();
const fulfilledAt = new WeakMap<object, number>();

/** The writes that make statuses what they ought to be. Nothing is written that is already so. */
export function statusWrites(
  snapshot: Snapshot,
  wishes: readonly StatusWish[],
  now: Date,
): readonly ObjectWrite[] {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const writes: ObjectWrite[] = [];
  for (const wish of wishes) {
    const object = snapshot.get(wish.kind, wish.namespace, wish.name);
    if (object === undefined) continue;
    const current = (object as { readonly status?: WrittenStatus }).status ?? {};
    // Most wishes of most rounds are those of the round before.
    if (fulfilled.get(wish.status) === current && fulfilledAt.get(current) === wish.generation) {
      continue;
    }
    const status = fulfil(wish, current, time);
    if (deepEqual(status, current)) {
      fulfilled.set(wish.status, current);
      fulfilledAt.set(current, wish.generation);
      continue;
    }
    const { kind, namespace, name } = wish;
    writes.push({ op: 'status', kind, namespace, name, status });
  }
  return writes;
}

/**
 * The same for kinds with thousands of objects: only what is wished otherwise than at the last call, and
 * what became of objects since, is looked at.
 */
export function createStatusWriter(): (
  snapshot: Snapshot,
  wishes: readonly VersionedMap<StatusWish>[],
  now: Date,
) => readonly ObjectWrite[] {
  let last: readonly VersionedMap<StatusWish>[] = [];
  /** The tables of the kinds that statuses are wished of, as they were at the last call. */
  const tables = new Map<Kind, Table>();
  return (snapshot, wishes, now) => {
    const stale = new Set<StatusWish>();
    wishes.forEach((map, i) => {
      for (const key of changedKeys(last[i] ?? VersionedMap.of<StatusWish>(), map)) {
        const wish = map.get(key);
        if (wish === undefined) continue;
        stale.add(wish);
        if (!tables.has(wish.kind)) tables.set(wish.kind, snapshot.table(wish.kind));
      }
    });
    last = wishes;
    for (const [kind, table] of tables) {
      const current = snapshot.table(kind);
      for (const key of changedIn(table, current)) {
        for (const map of wishes) {
          const wish = map.get(`${kind.kind} ${key}`);
          if (wish !== undefined) stale.add(wish);
        }
      }
      tables.set(kind, current);
    }
    return statusWrites(snapshot, [...stale], now);
  };
}

/** More the API does not take (PolicyStatus.ancestors). */
const ANCESTORS_MAX = 16;

/** As much of any kind's status as is looked at here. */
interface WrittenStatus {
  readonly conditions?: readonly Condition[];
  readonly supportedFeatures?: readonly { readonly name: string }[];
  readonly listeners?: readonly {
    readonly name: string;
    readonly conditions: readonly Condition[];
  }[];
  readonly ancestors?: readonly {
    readonly ancestorRef: object;
    readonly controllerName: string;
    readonly conditions: readonly Condition[];
  }[];
  readonly parents?: readonly {
    readonly parentRef: object;
    readonly controllerName: string;
    readonly conditions: readonly Condition[];
  }[];
}

function fulfil(wish: StatusWish, current: WrittenStatus, time: string): WrittenStatus {
  const stamp = (verdicts: readonly Verdict[], before: readonly Condition[] | undefined) =>
    verdicts.map((v) => toCondition(v, before, wish.generation, time));
  const listener = (listenerWish: WishedListenerStatus) => {
    const before = current.listeners?.find((l) => l.name === listenerWish.name);
    return { ...listenerWish, conditions: stamp(listenerWish.conditions, before?.conditions) };
  };
  const wished: WishedStatus = wish.status;
  switch (wished.kind) {
    case 'class':
      return {
        ...current,
        conditions: stamp(wished.conditions, current.conditions),
        supportedFeatures: wished.features.map((name) => ({ name })),
      };
    case 'gateway':
      return {
        ...withoutAddresses(current),
        ...addressesOf(wished.addresses),
        ...(wished.attachedListenerSets === undefined
          ? {}
          : { attachedListenerSets: wished.attachedListenerSets }),
        conditions: stamp(wished.conditions, current.conditions),
        listeners: wished.listeners.map(listener),
      };
    case 'listenerSet':
      return {
        ...current,
        conditions: stamp(wished.conditions, current.conditions),
        listeners: wished.listeners.map(listener),
      };
    case 'ingress':
      return {
        ...current,
        loadBalancer:
          wished.addresses.length === 0 ? {} : { ingress: wished.addresses.map((ip) => ({ ip })) },
      } as WrittenStatus;
    case 'policy': {
      const ours = (current.ancestors ?? []).filter((a) => isOurController(a.controllerName));
      const others = (current.ancestors ?? []).filter((a) => !isOurController(a.controllerName));
      const room = ANCESTORS_MAX - others.length;
      const ancestors = wished.ancestors
        .slice(0, room)
        .map(({ ancestorRef, controllerName, conditions }) => {
          const before = ours.find((a) => deepEqual(a.ancestorRef, ancestorRef));
          return {
            ancestorRef,
            controllerName,
            conditions: stamp(conditions, before?.conditions),
          };
        });
      if (current.ancestors === undefined && ancestors.length === 0) return current;
      return { ...current, ancestors: [...others, ...ancestors] };
    }
    case 'route': {
      const ours = (current.parents ?? []).filter((p) => isOurController(p.controllerName));
      const others = (current.parents ?? []).filter((p) => !isOurController(p.controllerName));
      const parents = wished.parents.map(({ parentRef, controllerName, conditions }) => {
        const before = ours.find((p) => deepEqual(p.parentRef, parentRef));
        return {
          parentRef,
          controllerName,
          conditions: stamp(conditions, before?.conditions),
        };
      });
      // A route nobody has a word for stays without a status, as it was made.
      if (current.parents === undefined && parents.length === 0) return current;
      return { ...current, parents: [...others, ...parents] };
    }
  }
}

/** Those it had are not those it has. */
function withoutAddresses(status: WrittenStatus & { readonly addresses?: unknown }): WrittenStatus {
  const { addresses: _before, ...others } = status;
  return others;
}

function addressesOf(values: readonly string[]): object {
  return values.length === 0
    ? {}
    : { addresses: values.map((value) => ({ type: 'IPAddress', value })) };
}

function toCondition(
  { type, status, reason, message }: Verdict,
  before: readonly Condition[] | undefined,
  observedGeneration: number,
  time: string,
): Condition {
  const old = before?.find((c) => c.type === type);
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : time;
  return { type, status, reason, message, observedGeneration, lastTransitionTime };
}
