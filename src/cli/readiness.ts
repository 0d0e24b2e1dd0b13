// Whether everything that was asked for is up: every Gateway and each of its listeners programmed, every
// workload with the replicas it wants. What is not is named, so that a wait that fails says what it waited for.

import { Deployment } from '../api/apps/deployment.ts';
import { StatefulSet } from '../api/apps/stateful-set.ts';
import { Pod } from '../api/core/pod.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { ListenerSet } from '../api/gateway/listenerset.ts';
import type { Snapshot } from '../store/snapshot.ts';

type ListenerStatus = NonNullable<Gateway['status']['listeners']>[number];

/** What is not ready, in words; empty when all is. */
export function notReady(snapshot: Snapshot, podsRun: boolean): readonly string[] {
  const gateways = snapshot.list(Gateway).flatMap(({ metadata, status }) => {
    const programmed = status.conditions.find((c) => c.type === 'Programmed');
    if (programmed?.status === 'True') {
      return unserved(`Gateway ${keyOf(metadata)}`, status.listeners ?? []);
    }
    return [`Gateway ${keyOf(metadata)}: ${programmed?.message ?? 'nobody serves it'}`];
  });
  // Of a set that is not taken in, a finding says why: it will not become ready by waiting.
  const sets = snapshot
    .list(ListenerSet)
    .flatMap(({ metadata, status }) =>
      unserved(`ListenerSet ${keyOf(metadata)}`, status.listeners ?? []),
    );
  const all = [...gateways, ...sets];
  return podsRun ? [...all, ...workloads(snapshot), ...pods(snapshot)] : all;
}

/** Listeners that are good and yet not served. What is wrong with the others, a finding says. */
function unserved(owner: string, listeners: readonly ListenerStatus[]): readonly string[] {
  return listeners.flatMap(({ name, conditions }) => {
    const find = (type: string) => conditions.find((c) => c.type === type);
    const accepted = find('Accepted');
    const isWanted = accepted?.status === 'True' || accepted?.reason === 'PortUnavailable';
    const programmed = find('Programmed');
    if (!isWanted || programmed?.status === 'True') return [];
    return [`${owner}: listener ${name}: ${programmed?.message ?? 'nobody serves it'}`];
  });
}

function workloads(snapshot: Snapshot): readonly string[] {
  const all = [
    ...snapshot.list(Deployment).map((object) => ({ kind: 'Deployment', object })),
    ...snapshot.list(StatefulSet).map((object) => ({ kind: 'StatefulSet', object })),
  ];
  return all.flatMap(({ kind, object: { metadata, spec, status } }) => {
    const ready = status?.readyReplicas ?? 0;
    const wanted = spec.replicas ?? 1;
    return ready >= wanted ? [] : [`${kind} ${keyOf(metadata)}: ${ready} of ${wanted} pods ready`];
  });
}

/** Pods of no workload. */
function pods(snapshot: Snapshot): readonly string[] {
  return snapshot.list(Pod).flatMap(({ metadata, status }) => {
    const isOwned = (metadata.ownerReferences ?? []).length > 0;
    const isReady = status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
    const hasEnded = status.phase === 'Succeeded';
    return isOwned || isReady === true || hasEnded ? [] : [`Pod ${keyOf(metadata)}: not ready`];
  });
}

function keyOf({ namespace = '', name = '' }: { namespace?: string; name?: string }): string {
  return `${namespace}/${name}`;
}
