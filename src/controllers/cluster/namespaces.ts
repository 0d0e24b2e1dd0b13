// A Namespace for every namespace that anything is in, as in a folder of files few people write them
// down; and the end of those that are deleted, with all that is in them.

import { Event } from '../../api/core/event.ts';
import { Namespace } from '../../api/core/namespace.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Table } from '../../store/table.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller } from '../controller.ts';
import { compareText, isTerminating } from '../shared/metadata.ts';
import { putWrite, removeWrites, statusWrite } from '../shared/writes.ts';

/** Selectors choose a namespace by its name with this label. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

export interface NamespaceOptions {
  /** The kinds whose objects keep a namespace alive and go with it. */
  readonly kinds: () => readonly Kind[];
}

/**
 * A Namespace without a source is one of ours and goes when nothing is left in it: whoever creates one
 * for a client has to give it a source.
 */
export function createNamespaceController({ kinds }: NamespaceOptions): Controller {
  const used = new WeakMap<Table, ReadonlySet<string>>();
  let seen: readonly unknown[] = [];
  let wrote = false;
  return {
    name: 'namespace',
    reconcile(snapshot: Snapshot): readonly ObjectWrite[] {
      const namespaced = kinds().filter((kind) => kind.namespaced);
      const events = snapshot.table(Event);
      const namespaces = snapshot.table(Namespace);
      const tables = namespaced.map((kind) => snapshot.table(kind));
      const now = [namespaces, ...tables];
      if (!wrote && now.every((table, i) => table === seen[i])) return [];
      seen = now;
      const names = new Set<string>();
      for (const table of tables) {
        // What is told of things that are gone keeps nothing alive.
        if (table === events) continue;
        const own = used.get(table) ?? namespacesIn(table);
        used.set(table, own);
        for (const name of own) names.add(name);
      }
      const writes = [
        ...[...names].toSorted(compareText).flatMap((name) => create(snapshot, name)),
        ...namespaces.objects.flatMap((namespace) => {
          if (isTerminating(namespace)) return end(snapshot, namespace, namespaced);
          const { name = '' } = namespace.metadata;
          const isOurs = namespaces.get('', name)?.source === undefined;
          return isOurs && !names.has(name)
            ? removeWrites(Namespace, namespace)
            : complete(snapshot, namespace);
        }),
      ];
      wrote = writes.length > 0;
      return writes;
    },
  };
}

function namespacesIn(table: Table): ReadonlySet<string> {
  return new Set(table.namespaces);
}

function create(snapshot: Snapshot, name: string): readonly ObjectWrite[] {
  if (name === '' || snapshot.get(Namespace, '', name) !== undefined) return [];
  const namespace: Namespace = {
    apiVersion: 'v1',
    kind: Namespace.kind,
    metadata: { name, labels: { [NAME_LABEL]: name } },
    spec: {},
    status: { phase: 'Active' },
  };
  return [putWrite(snapshot, Namespace, namespace)];
}

/** The label and the phase, on a Namespace that somebody else made. */
function complete(snapshot: Snapshot, namespace: Namespace): readonly ObjectWrite[] {
  const { metadata, status } = namespace;
  const { name = '', labels = {} } = metadata;
  const writes: ObjectWrite[] = [];
  if (labels[NAME_LABEL] !== name) {
    const labelled = { ...metadata, labels: { ...labels, [NAME_LABEL]: name } };
    writes.push(putWrite(snapshot, Namespace, { ...namespace, metadata: labelled }));
  }
  if (status?.phase !== 'Active') {
    writes.push(statusWrite(Namespace, namespace, { ...status, phase: 'Active' }));
  }
  return writes;
}

/** Deletes what is in the namespace, and then the namespace itself. */
function end(
  snapshot: Snapshot,
  namespace: Namespace,
  kinds: readonly Kind[],
): readonly ObjectWrite[] {
  const { metadata, status } = namespace;
  const { name = '', finalizers = [] } = metadata;
  const content = kinds.flatMap((kind) =>
    snapshot
      .table(kind)
      .inNamespace(name)
      .map((object): readonly [Kind, KubeObject] => [kind, object]),
  );
  if (content.length === 0 && finalizers.length === 0) {
    return [{ op: 'delete', kind: Namespace, namespace: '', name }];
  }
  return [
    ...(status?.phase === 'Terminating'
      ? []
      : [statusWrite(Namespace, namespace, { ...status, phase: 'Terminating' })]),
    ...content.flatMap(([kind, object]) => removeWrites(kind, object)),
  ];
}
