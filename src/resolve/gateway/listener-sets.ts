// ListenerSet → listeners that join a Gateway, as far as it lets them. The Gateway's own listeners come
// first, then the sets from the oldest on: where two collide, the later one is not served.

import { Namespace } from '../../api/core/namespace.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import { ListenerSet } from '../../api/gateway/listenerset.ts';
import { matchesSelector } from '../../api/selectors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Reader } from '../reader.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { conflictWith } from './conflicts.ts';
import type { Surroundings } from './grants.ts';
import { resolveListener } from './listeners.ts';
import type { ResolvedListener } from './listeners.ts';
import { GATEWAY_GROUP } from './names.ts';

export interface ResolvedListenerSet {
  /** `namespace/name` */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** As the class of its Gateway has it. */
  readonly controllerName: string;
  /** Why the Gateway does not take it in; its listeners are left out then. */
  readonly refused: Problem | undefined;
  readonly listeners: readonly ResolvedListener[];
}

/** The sets that name each Gateway, by its `namespace/name`, the oldest first. */
export function setsByGateway(snapshot: Snapshot): ReadonlyMap<string, readonly ListenerSet[]> {
  const naming = snapshot
    .list(ListenerSet)
    .filter(
      ({ spec: { parentRef } }) =>
        parentRef.group === GATEWAY_GROUP && parentRef.kind === 'Gateway',
    )
    .toSorted(compareAge);
  return Map.groupBy(naming, ({ metadata, spec: { parentRef } }) => {
    return `${parentRef.namespace ?? metadata.namespace ?? ''}/${parentRef.name}`;
  });
}

function compareAge(a: ListenerSet, b: ListenerSet): number {
  const { creationTimestamp: olderA = '' } = a.metadata;
  const { creationTimestamp: olderB = '' } = b.metadata;
  return compareText(olderA, olderB) || compareText(keyOf(a), keyOf(b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keyOf({ metadata }: ListenerSet): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** What sets join. */
interface Joined {
  /** The Gateway's own listeners. */
  readonly own: readonly ResolvedListener[];
  readonly controllerName: string;
}

/** Resolves the sets of a Gateway. */
export function resolveListenerSets(
  gateway: Gateway,
  sets: readonly ListenerSet[],
  { own, controllerName }: Joined,
  surroundings: Surroundings,
): readonly ResolvedListenerSet[] {
  const taken = [...own];
  return sets.map((set) => {
    const { namespace = '', name = '', generation = 0 } = set.metadata;
    const refused = refusalOf(gateway, set, surroundings.reader);
    const listeners =
      refused !== undefined
        ? []
        : set.spec.listeners.map((_, i) => {
            const listener = resolveListener(gateway, set, i, surroundings);
            const conflict = conflictWith(listener, taken);
            if (conflict !== undefined) return { ...listener, conflicts: [conflict] };
            taken.push(listener);
            return listener;
          });
    return { key: keyOf(set), namespace, name, generation, controllerName, refused, listeners };
  });
}

function refusalOf(gateway: Gateway, set: ListenerSet, reader: Reader): Problem | undefined {
  const { namespace = '' } = set.metadata;
  if (allows(gateway, namespace, reader)) return undefined;
  const { namespace: gatewayNamespace = '', name = '' } = gateway.metadata;
  return problem(
    'NotAllowed',
    'spec.parentRef',
    `Gateway ${gatewayNamespace}/${name} takes no ListenerSets from namespace "${namespace}"`,
    'change spec.allowedListeners of the Gateway, which allows none unless it says so',
  );
}

function allows({ metadata, spec }: Gateway, namespace: string, reader: Reader): boolean {
  const { from, selector } = spec.allowedListeners?.namespaces ?? { from: 'None' as const };
  switch (from) {
    case 'None':
      return false;
    case 'All':
      return true;
    case 'Same':
      return namespace === metadata.namespace;
    case 'Selector': {
      const labels = reader.get(Namespace, '', namespace)?.metadata.labels;
      return selector !== undefined && matchesSelector(selector, labels);
    }
  }
}
