// Which template pods of a StatefulSet are to have, and which they had before: one ControllerRevision
// each (k8s.io/kubernetes pkg/controller/history).

import { StatefulSet } from '../../../api/apps/stateful-set.ts';
import type { PodTemplateSpec } from '../../../api/core/pod-template.ts';
import { deepEqual } from '../../../lib/equal.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { ObjectWrite } from '../../../store/write.ts';
import { valueHash } from '../../shared/hash.ts';
import { compareAge, controllerReference, uidOf } from '../../shared/metadata.ts';
import { putWrite, removeWrites } from '../../shared/writes.ts';
import { ControllerRevision, revisionData, templateOf } from './controller-revision.ts';

const HASH_LABEL = 'controller.kubernetes.io/hash';

/** A revision by its name, which pods carry as a label. */
export interface Revision {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

export interface Revisions {
  /** What pods had before the update under way; the same as `update` when there is none. */
  readonly current: Revision;
  /** What pods are to have. */
  readonly update: Revision;
  readonly writes: readonly ObjectWrite[];
  /** How often a name was taken by somebody else's revision. */
  readonly collisionCount: number;
}

/** The revisions of a set, which has `owned` so far; the present template is given one if it has none. */
export function revisionsOf(
  snapshot: Snapshot,
  set: StatefulSet,
  owned: readonly ControllerRevision[],
): Revisions {
  const { template } = set.spec;
  const sorted = owned.toSorted((a, b) => a.revision - b.revision || compareAge(a, b));
  const latest = sorted.at(-1);
  const same = sorted.findLast((revision) => deepEqual(templateOf(revision), template));
  const next = (latest?.revision ?? 0) + 1;
  const currentOf = (update: Revision): Revision => {
    const stored = sorted.find(({ metadata }) => metadata.name === set.status.currentRevision);
    const found = stored === undefined ? undefined : templateOf(stored);
    return found === undefined ? update : { name: stored?.metadata.name ?? '', template: found };
  };
  const collisionCount = set.status.collisionCount ?? 0;
  if (same !== undefined) {
    const update = { name: same.metadata.name ?? '', template };
    // Going back to an earlier template makes it the latest again.
    const writes =
      same === latest ? [] : [putWrite(snapshot, ControllerRevision, { ...same, revision: next })];
    return { current: currentOf(update), update, writes, collisionCount };
  }
  const made = newRevision(snapshot, set, next, collisionCount);
  const update = { name: made.revision.metadata.name ?? '', template };
  return {
    current: currentOf(update),
    update,
    writes: [putWrite(snapshot, ControllerRevision, made.revision)],
    collisionCount: made.collisionCount,
  };
}

function newRevision(
  snapshot: Snapshot,
  set: StatefulSet,
  revision: number,
  collisionCount: number,
): { revision: ControllerRevision; collisionCount: number } {
  const { namespace = '', name: setName = '' } = set.metadata;
  const { template } = set.spec;
  for (let count = collisionCount; ; count++) {
    const hash = valueHash(template, count);
    const name = `${setName}-${hash}`;
    if (snapshot.get(ControllerRevision, namespace, name) !== undefined) continue;
    const created: ControllerRevision = {
      apiVersion: 'apps/v1',
      kind: ControllerRevision.kind,
      metadata: {
        name,
        namespace,
        labels: { ...template.metadata.labels, [HASH_LABEL]: hash },
        ownerReferences: [controllerReference(StatefulSet, set)],
      },
      data: revisionData(template),
      revision,
    };
    return { revision: created, collisionCount: count };
  }
}

/** Revisions beyond the number that is kept and that nobody uses, the oldest first. */
export function outdatedRevisions(
  set: StatefulSet,
  owned: readonly ControllerRevision[],
  used: ReadonlySet<string>,
): readonly ObjectWrite[] {
  const unused = owned
    .filter(({ metadata }) => !used.has(metadata.name ?? ''))
    .toSorted((a, b) => a.revision - b.revision || compareAge(a, b));
  const excess = unused.length - set.spec.revisionHistoryLimit;
  if (excess <= 0) return [];
  return unused.slice(0, excess).flatMap((revision) => removeWrites(ControllerRevision, revision));
}

/** The revisions of a set among all there are. */
export function ownedRevisions(
  snapshot: Snapshot,
  set: StatefulSet,
): readonly ControllerRevision[] {
  const { namespace = '' } = set.metadata;
  return snapshot
    .table(ControllerRevision)
    .inNamespace(namespace)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === uidOf(set)));
}
