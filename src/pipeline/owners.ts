// From an object to what the user wrote: of a pod, the Deployment whose ReplicaSet made it, the
// StatefulSet, or the pod itself.

import { dirname, resolve } from 'node:path';
import { SERVED_KINDS } from '../api/kinds.ts';
import { Pod } from '../api/core/pod.ts';
import type { Finding, ObjectRef } from '../api/finding.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { SourceRef } from '../store/table.ts';

interface Written {
  readonly object: ObjectRef;
  /** Absent when nothing up to the last owner was written in a file. */
  readonly source?: SourceRef;
}

/** The nearest of an object and its controlling owners that was written in a file; else the last owner. */
function climb(snapshot: Snapshot, start: ObjectRef): Written {
  let ref = start;
  for (;;) {
    const { kind: kindName, namespace, name } = ref;
    const kind = SERVED_KINDS.find((k) => k.kind === kindName);
    const entry = kind === undefined ? undefined : snapshot.table(kind).get(namespace, name);
    if (entry?.source !== undefined) return { object: ref, source: entry.source };
    const owner = entry?.object.metadata.ownerReferences?.find((o) => o.controller === true);
    if (owner === undefined) return { object: ref };
    ref = { kind: owner.kind, namespace, name: owner.name };
  }
}

/** The object in a file that a pod comes from, and where the pod's own fields are in it. */
export function writtenIn(
  snapshot: Snapshot,
  pod: Pod,
): { readonly object: ObjectRef; readonly prefix: string } {
  const { namespace = '', name = '' } = pod.metadata;
  const { object } = climb(snapshot, { kind: Pod.kind, namespace, name });
  return { object, prefix: object.kind === Pod.kind ? '' : 'spec.template.' };
}

/** Findings about pods as findings about what was written; replicas say the same only once. */
export function writtenFindings(
  snapshot: Snapshot,
  findings: readonly Finding[],
): readonly Finding[] {
  const about = findings.map((finding) => {
    const { object: ref, field = '' } = finding.origin;
    const pod = ref?.kind === Pod.kind ? snapshot.get(Pod, ref.namespace, ref.name) : undefined;
    if (pod === undefined) return finding;
    const { object, prefix } = writtenIn(snapshot, pod);
    return { ...finding, origin: { ...finding.origin, object, field: prefix + field } };
  });
  return [...new Map(about.map((finding) => [JSON.stringify(finding), finding])).values()];
}

/** The folder of the file an object, or the owner that made it, was written in. */
export function folderOf(snapshot: Snapshot, ref: ObjectRef): string | undefined {
  const { source } = climb(snapshot, ref);
  if (source === undefined || source.file === '' || source.file === '-') return undefined;
  return dirname(resolve(source.file));
}
